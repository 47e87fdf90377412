"""What is taken from scikit-learn's private modules, so that a new version of it is met in one place.

`setup.cfg` bounds scikit-learn and skorch above for the sake of this module and of :mod:`skts.training`.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

from sklearn.base import BaseEstimator
from sklearn.base import _fit_context as fit_context
from sklearn.callback import AutoPropagatedCallback, CallbackSupportMixin, ProgressBar
from sklearn.callback._callback_support import callback_management_context
from sklearn.metrics._scorer import _BaseScorer as BaseScorer
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._indexing import _get_column_indices as get_column_indices
from sklearn.utils._optional_dependencies import check_matplotlib_support, check_rich_support
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions, validate_params
from sklearn.utils.metadata_routing import _routing_enabled as routing_enabled
from sklearn.utils.metaestimators import _BaseComposition as BaseComposition
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in
from sklearn.utils.validation import _check_method_params as check_method_params
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

__all__ = [
    "BaseComposition",
    "BaseScorer",
    "HasMethods",
    "Interval",
    "Progress",
    "StrOptions",
    "Subtask",
    "check_feature_names_in",
    "check_matplotlib_support",
    "check_method_params",
    "check_rich_support",
    "check_sample_weight",
    "fit_context",
    "fit_task",
    "fit_within",
    "get_column_indices",
    "progress",
    "routing_enabled",
    "safe_indexing",
    "validate_params",
    "without_propagated",
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


class Subtask(NamedTuple):
    """A subtask of a function's progress. It may be sent to another process, and is shown from there too.

    Parameters
    ----------
    context : CallbackContext
    caller : estimator
        Who the callbacks are told is at work.
    """

    context: Any
    caller: Any

    def __call__(self) -> None:
        """Tell that the subtask is done."""
        self.context.call_on_fit_task_begin(estimator=self.caller)
        self.context.call_on_fit_task_end(estimator=self.caller)

    def fit(self, estimator: Any, X: Any, y: Any, **params: Any) -> Any:
        """Fit an estimator as the subtask, and give it back: callbacks that go that deep show what it is doing.

        Parameters
        ----------
        estimator : estimator
            A clone: callbacks that scikit-learn propagates are taken off it, as they are told by the function now.
        X, y : object
        **params : dict
            Passed to `fit`.
        """
        without_propagated(estimator)
        nested = self.context.propagate_callback_context(estimator) if hasattr(estimator, "set_callbacks") else None
        with nested or nullcontext():
            self.context.call_on_fit_task_begin(estimator=self.caller, X=X, y=y)
            try:
                return estimator.fit(X, y, **params)
            finally:  # a fit that failed is no longer to come
                self.context.call_on_fit_task_end(estimator=self.caller, X=X, y=y)


class Progress:
    """The subtasks of a function. Called, it tells that one more is done.

    Parameters
    ----------
    context : CallbackContext
        Of the function.
    caller : estimator
    subtask : str
        What a subtask is called.
    """

    def __init__(self, context: Any, caller: Any, subtask: str):
        self.context = context
        self.caller = caller
        self.subtask = subtask
        self.n_made = 0

    def __call__(self) -> None:
        """Tell that one more subtask is done."""
        self.make()()

    def fit(self, estimator: Any, X: Any, y: Any, **params: Any) -> Any:
        """Fit an estimator as the next subtask: see :meth:`Subtask.fit`."""
        return self.make().fit(estimator, X, y, **params)

    def make(self) -> Subtask:
        """Make the next subtask, to run when and where it may."""
        self.n_made += 1
        return Subtask(self.context.subcontext(task_name=self.subtask, task_id=self.n_made - 1), self.caller)


class _Function(CallbackSupportMixin, BaseEstimator):
    """What stands for a function where scikit-learn's callbacks expect an estimator."""


@contextmanager
def progress(
    name: str, n: int, estimator: Any = None, verbose: int = 0, *, subtask: str = "step"
) -> Iterator[Progress]:
    """Show how far a function is that fits or forecasts many times.

    The callbacks that were set on the estimator, such as :class:`~sklearn.callback.ProgressBar`, are told of the
    function as of one more meta-estimator around it; their `max_propagation_depth` counts from the estimator.

    Parameters
    ----------
    name : str
        Of the function.
    n : int
        How many subtasks there are at most.
    estimator : estimator, default=None
        As the user gave it: those of its callbacks that scikit-learn propagates are told.
    verbose : int, default=0
        1 shows a progress bar of the subtasks, 2 one of each fit too that is a subtask, 3 those within it, and so on.
        It takes the package rich. Where the estimator has a progress bar, that one is enough.
    subtask : str, default="step"
        What a subtask is called: "fold", "origin".

    Yields
    ------
    advance : Progress
        To be called after each subtask; or a fit that is one is run by its `fit`.

    Examples
    --------
    >>> with progress("count", 3, subtask="number") as advance:
    ...     for _ in range(3):
    ...         advance()
    >>> advance.n_made
    3
    """
    callbacks = [callback for callback in getattr(estimator, "_skl_callbacks", []) if _is_propagated(callback)]
    if verbose:
        check_rich_support(f"{name}(verbose={verbose})")
        if not any(isinstance(callback, ProgressBar) for callback in callbacks):
            callbacks.append(ProgressBar())
            callbacks[-1].max_propagation_depth = verbose - 2  # -1 is the function alone, which __init__ does not know
    function = _Function().set_callbacks(*callbacks)
    with callback_management_context(function):
        context = function._init_callback_context(subtask + "s", max_subtasks=n, sequential_subtasks=False)
        context.estimator_name, context._propagation_depth = name, -1  # the estimator is the outermost, at depth 0
        context.call_on_fit_task_begin(estimator=function)
        yield Progress(context, function, subtask)
        context.call_on_fit_task_end(estimator=function)


def without_propagated(estimator: Any) -> Any:
    """Take the callbacks off a clone that scikit-learn propagates, which a function shows itself, and give it back."""
    callbacks = getattr(estimator, "_skl_callbacks", [])
    if any(map(_is_propagated, callbacks)):
        estimator.set_callbacks(*[callback for callback in callbacks if not _is_propagated(callback)])
    return estimator


def _is_propagated(callback: Any) -> bool:
    return isinstance(callback, AutoPropagatedCallback)
