"""Scorers that leave out the rows without a target."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import get_scorer

from skts._compat import BaseScorer
from skts.metrics._make_quantile_scorer import _QuantileScorer
from skts.panel import has_target


def ignore_missing(scoring: str | Callable) -> Callable[..., float]:
    """Make a scikit-learn scorer leave out the rows whose target is missing.

    scikit-learn's scorers refuse NaN in `y`. The forecast of a row without a target is made all the same, since its
    neighbours need the row; it is only left out of the score.

    Parameters
    ----------
    scoring : str or scorer
        The name of a scorer, or what :func:`~sklearn.metrics.make_scorer` gives. What :func:`make_quantile_scorer`
        gives leaves such rows out already and comes back as it is.

    Returns
    -------
    scorer : scorer
        With the signature `(estimator, X, y, *, sample_weight=None)`; for `scoring=` of cross-validation, searches and
        callbacks.

    Raises
    ------
    TypeError
        What is given is no scorer.
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
    scorer = get_scorer(scoring)
    if isinstance(scorer, _QuantileScorer):  # which leaves them out itself
        return scorer
    if not isinstance(scorer, BaseScorer):
        raise TypeError(
            f"ignore_missing({scoring!r}): a scorer or the name of one is expected. Of a metric f(y_true, y_pred), "
            "make_scorer(f) makes one."
        )
    return _MissingIgnorer(scorer, scoring)


class _MissingIgnorer(BaseScorer):
    """A scorer around a scorer, of the class by which scikit-learn knows its scorers."""

    def __init__(self, scorer: BaseScorer, scoring: str | Callable):
        super().__init__(scorer._score_func, scorer._sign, scorer._kwargs, scorer._response_method)
        if hasattr(scorer, "_metadata_request"):  # what set_score_request asked of the scorer is asked of this one
            self._metadata_request = scorer._metadata_request
        self._scorer = scorer
        self._scoring = scoring

    def _score(self, method_caller: Callable, estimator: Any, X: Any, y_true: Any, **kwargs: Any) -> float:
        """Forecast every row, and score those that have a target."""
        there = has_target(y_true)
        if not there.any():
            raise ValueError(f"{self!r}: y is missing (NaN) in every row: there is nothing to score.")
        if kwargs.get("sample_weight") is not None:
            kwargs["sample_weight"] = self._take("sample_weight", kwargs["sample_weight"], there)

        def answer_some(*args: Any, **params: Any) -> Any:
            return self._take("the forecast", method_caller(*args, **params), there)

        y_there = y_true[there] if hasattr(y_true, "iloc") else np.asarray(y_true)[there]
        return self._scorer._score(answer_some, estimator, X, y_there, **kwargs)

    def _take(self, what: str, values: Any, there: NDArray[np.bool_]) -> NDArray[Any]:
        """Take the rows that have a target of what has one entry for each row of y."""
        read = np.asarray(values)
        if read.ndim == 0 or len(read) != len(there):
            raise ValueError(
                f"{self!r}: {what} has shape {read.shape} and y has {len(there)} rows: one value for each row of y is "
                "expected, also where y is NaN."
            )
        return read[there]

    def __repr__(self) -> str:
        return f"ignore_missing({self._scoring!r})"
