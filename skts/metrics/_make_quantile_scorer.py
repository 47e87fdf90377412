"""Scorers of forecasts that consist of several quantiles."""

from collections.abc import Callable
from typing import Any

from numpy.typing import ArrayLike

from skts._compat import BaseScorer
from skts.metrics._rows import check_forecast, check_quantiles, rows_with_target, take_rows
from skts.windows import unwrap


def make_quantile_scorer(metric: Callable[..., float], quantiles: ArrayLike) -> Callable[..., float]:
    """Make a scorer of a loss of quantile forecasts.

    :func:`~sklearn.metrics.make_scorer` makes scorers that call ``estimator.predict(X)``; this one's call
    ``estimator.predict(X, quantiles=quantiles)``, leave out the rows whose target is missing, and give the negated
    loss, so that greater is better. It needs no :func:`ignore_missing` around it. Of a search that is scored itself,
    it asks the best estimator.

    Parameters
    ----------
    metric : callable
        A loss ``metric(y_true, y_pred, *, quantiles)``, with `y_pred` of shape (n_rows, n_quantiles):
        :func:`mean_quantile_loss`, :func:`crps_from_quantiles`, or one's own. It takes `sample_weight` where scores
        are to be weighted. A function of a module can be pickled, and then the scorer can.
    quantiles : array-like of shape (n_quantiles,)
        The levels to forecast, increasing and strictly between 0 and 1.

    Returns
    -------
    scorer : scorer
        With the signature ``(estimator, X, y, *, sample_weight=None)``; for `scoring=` of cross-validation, searches
        and callbacks.

    Raises
    ------
    TypeError
        `metric` cannot be called.
    ValueError
        Levels that are not as above; on scoring, where no row has a target.

    See Also
    --------
    ignore_missing : Makes scikit-learn's scorers leave out missing targets.

    Examples
    --------
    A forecaster that knows nothing but the distribution of the past:

    >>> import numpy as np
    >>> from sklearn.base import BaseEstimator, RegressorMixin
    >>> from skts.metrics import make_quantile_scorer, mean_quantile_loss
    >>> class Climatology(RegressorMixin, BaseEstimator):
    ...     def fit(self, X, y):
    ...         self.y_ = y
    ...         return self
    ...
    ...     def predict(self, X, quantiles):
    ...         return np.tile(np.nanquantile(self.y_, quantiles), (len(X), 1))
    >>> X, y = np.zeros((5, 1)), np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    >>> scorer = make_quantile_scorer(mean_quantile_loss, [0.25, 0.75])
    >>> scorer(Climatology().fit(X, y), X, np.array([2.0, 1.0, np.nan, 3.0, 2.0]))
    -0.25
    """
    if not callable(metric):
        raise TypeError(
            f"make_quantile_scorer(metric={metric!r}): a function metric(y_true, y_pred, *, quantiles) is expected, "
            "such as skts.metrics.mean_quantile_loss."
        )
    return _QuantileScorer(metric, tuple(check_quantiles(quantiles).tolist()))


class _QuantileScorer(BaseScorer):
    """A scorer that asks for quantiles, of the class by which scikit-learn knows its scorers."""

    def __init__(self, metric: Callable[..., float], quantiles: tuple[float, ...]):
        super().__init__(metric, -1, {"quantiles": quantiles}, "predict")

    def _score(self, method_caller: Callable, estimator: Any, X: Any, y_true: Any, **kwargs: Any) -> float:
        """Forecast the quantiles of every row, and score those that have a target."""
        there = rows_with_target(y_true)
        # `method_caller` passes no parameters on and remembers forecasts by their method alone, and a search's
        # `predict` takes none and is that of its best estimator
        y_pred = unwrap(estimator).predict(X, quantiles=list(self._kwargs["quantiles"]))
        check_forecast("y_pred", y_pred, y_true)
        if kwargs.get("sample_weight") is not None:
            kwargs["sample_weight"] = take_rows(kwargs["sample_weight"], there)
        loss = self._score_func(take_rows(y_true, there), take_rows(y_pred, there), **self._kwargs, **kwargs)
        return self._sign * loss

    def __repr__(self) -> str:
        name = getattr(self._score_func, "__name__", repr(self._score_func))
        return f"make_quantile_scorer({name}, quantiles={list(self._kwargs['quantiles'])})"
