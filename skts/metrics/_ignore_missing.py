"""Scorers that leave out the rows without a target."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import check_scoring
from sklearn.utils import Tags, get_tags

from skts.panel import has_target

_ANSWERS = ("predict", "predict_proba", "predict_log_proba", "decision_function")


def ignore_missing(scoring: str | Callable) -> Callable[..., float]:
    """Make a scikit-learn scorer leave out the rows whose target is missing.

    scikit-learn's scorers refuse NaN in `y`. The forecast of a row without a target is made all the same, since its
    neighbours need the row; it is only left out of the score.

    Parameters
    ----------
    scoring : str or callable
        The name of a scorer, a scorer, or any callable with the signature `(estimator, X, y)`.

    Returns
    -------
    scorer : callable
        With the signature `(estimator, X, y, sample_weight=None)`; for `scoring=` of cross-validation and searches.

    Raises
    ------
    ValueError
        On scoring, where no row has a target.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyRegressor
    >>> from skts.metrics import ignore_missing
    >>> X, y = np.zeros((3, 1)), np.array([1.0, 3.0, np.nan])
    >>> dummy = DummyRegressor(strategy="constant", constant=2.0).fit(X[:2], y[:2])
    >>> float(ignore_missing("neg_mean_absolute_error")(dummy, X, y))
    -1.0
    """
    return _MissingIgnorer(scoring)


class _MissingIgnorer:
    """A scorer around a scorer; a class so that it pickles for the workers of a search."""

    def __init__(self, scoring: str | Callable):
        self.scoring = scoring
        self._scorer = scoring if callable(scoring) else check_scoring(scoring=scoring)

    def __call__(self, estimator: Any, X: Any, y: Any, sample_weight: ArrayLike | None = None, **params: Any) -> float:
        """Score the forecasts of the rows that have a target."""
        there = has_target(y)
        if not there.any():
            raise ValueError(f"{self!r}: y is missing (NaN) in every row: there is nothing to score.")
        if sample_weight is not None:
            params["sample_weight"] = np.asarray(sample_weight)[there]
        y_there = y[there] if hasattr(y, "iloc") else np.asarray(y)[there]
        return self._scorer(_AnswersSome(estimator, there), X, y_there, **params)

    def __repr__(self) -> str:
        return f"ignore_missing({self.scoring!r})"


class _AnswersSome:
    """An estimator that sees all rows and answers for some of them."""

    def __init__(self, estimator: Any, rows: NDArray[np.bool_]):
        self._estimator = estimator
        self._rows = rows

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        attribute = getattr(self._estimator, name)
        if name not in _ANSWERS:
            return attribute

        @functools.wraps(attribute)  # scorers ask for the method's name
        def answer(X: Any, **params: Any) -> NDArray[Any]:
            return np.asarray(attribute(X, **params))[self._rows]

        return answer

    def __sklearn_tags__(self) -> Tags:
        return get_tags(self._estimator)
