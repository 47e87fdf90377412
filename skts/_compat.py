"""What is taken from scikit-learn's private modules, so that a new version of it is met in one place.

`setup.cfg` bounds scikit-learn and skorch above for the sake of this module and of :mod:`skts.training`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sklearn.base import _fit_context as fit_context
from sklearn.metrics._scorer import _BaseScorer as BaseScorer
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._indexing import _get_column_indices as get_column_indices
from sklearn.utils._optional_dependencies import check_matplotlib_support, check_rich_support
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions, validate_params
from sklearn.utils.metadata_routing import _routing_enabled as routing_enabled
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in
from sklearn.utils.validation import _check_method_params as check_method_params
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

__all__ = [
    "BaseScorer",
    "HasMethods",
    "Interval",
    "StrOptions",
    "check_feature_names_in",
    "check_matplotlib_support",
    "check_method_params",
    "check_rich_support",
    "check_sample_weight",
    "fit_context",
    "fit_task",
    "fit_within",
    "get_column_indices",
    "routing_enabled",
    "safe_indexing",
    "validate_params",
]


@contextmanager
def fit_task(
    estimator: Any, X: Any, y: Any, *, max_subtasks: int = 0, sequential_subtasks: bool = True, **given: Any
) -> Iterator[Any]:
    """Tell scikit-learn's callbacks that a fit begins, and, where the block ends without an error, that it ended.

    Parameters
    ----------
    estimator : estimator
        With `CallbackSupportMixin`.
    X, y : object
        As `fit` was given them.
    max_subtasks : int, default=0
        How many tasks are made of the context, at most.
    sequential_subtasks : bool, default=True
        Whether they run one after another, and are numbered by that.
    **given : dict
        What else the callbacks may ask for: `metadata`.

    Yields
    ------
    context : CallbackContext
        Its `subcontext` makes tasks.
    """
    context = estimator._init_callback_context(max_subtasks=max_subtasks, sequential_subtasks=sequential_subtasks)
    context.call_on_fit_task_begin(estimator=estimator, X=X, y=y, **given)
    yield context
    context.call_on_fit_task_end(estimator=estimator, X=X, y=y, **given, reconstruction_attributes={})


def fit_within(
    task: Any, caller: Any, estimator: Any, X: Any, y: Any, params: dict[str, Any], *, method: str = "fit"
) -> Any:
    """Fit an estimator as a task of the caller's callbacks, and give it back."""
    with task.propagate_callback_context(estimator):
        task.call_on_fit_task_begin(estimator=caller, X=X, y=y)
        getattr(estimator, method)(X, y, **params)
        task.call_on_fit_task_end(estimator=caller, X=X, y=y)
    return estimator
