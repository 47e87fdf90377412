"""Forecasts less the error that they had lately."""

from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils import Tags
from sklearn.utils.metadata_routing import MetadataRouter
from sklearn.utils.validation import check_is_fitted, column_or_1d

from skts._compat import HasMethods, Interval, fit_context, fit_task, fit_within
from skts.panel import find_columns
from skts.strategies._base import BaseTableStrategy
from skts.strategies._held_out import check_forecasts, choose_splits, forecast_held_out, read_held_out, take_training
from skts.strategies._places import Taught, check_by
from skts.strategies._replay import replay, split_cells
from skts.windows import find_horizon

Floats = NDArray[np.float64]


class RecalibratedRegressor(BaseTableStrategy):
    """Take the bias that forecasts had lately off the next ones.

    Networks that were trained on last year forecast too high where a turbine has been curtailed since. The mean error
    of the latest times, by lead or hour of the day and by series, is subtracted from point and quantiles alike.

    Parameters
    ----------
    estimator : estimator
        Usually a :class:`~sklearn.pipeline.Pipeline`: it takes the table and forecasts every row of it.
    target : str or int, default=None
        The column of `X` that holds the past of `y`. Without it the bias is that of the held-out forecasts, for good.
    by : tuple of {"lead", "series", "hour"}, default=("lead", "series")
        What has a bias of its own. () puts all rows together.
    rounds : int, default=30
        Over how many times the mean goes: of a lead that comes once a day, days.
    shrinkage : float, default=5.0
        How many times without any error are put beside them, so that few change little; 0 takes the mean as it is.
    calibration : float or splitter, default=0.2
        What is held out to begin with: the share of the times, the latest, or the test sets of a splitter.
    horizon : int, default=None
        How many rows the estimator forecasts at once, by default that of the windower in it. To be given where there is
        none: rows are else taken to be forecast one by one, all truths before each of them known.

    Attributes
    ----------
    estimator_ : estimator
        Fitted on all rows.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` was a DataFrame.

    See Also
    --------
    ConformalRegressor : Corrects every quantile by its own misses.

    Notes
    -----
    A rolling mean follows what changes slowly and adds noise of its own: the variance of the errors over `rounds`. It
    helps where bias lasts longer than that, which a backtest tells. Only truths before each origin are read; errors
    of held-out forecasts, of an estimator that was trained on less, are the first.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from skts.datasets import make_panel
    >>> from skts.strategies import RecalibratedRegressor
    >>> X, y = make_panel(n_series=1, n_rows=240, random_state=0)
    >>> regressor = RecalibratedRegressor(Ridge(), target="power", horizon=6).fit(X[:200], y[:200])
    >>> regressor.predict(X[200:]).shape
    (40,)
    """

    __metadata_request__predict = {"quantiles": True}
    _parameter_constraints = {
        **BaseTableStrategy._parameter_constraints,
        "target": [str, Integral, None],
        "by": [str, tuple, list, None],
        "rounds": [Interval(Integral, 1, None, closed="left")],
        "shrinkage": [Interval(Real, 0, None, closed="left")],
        "calibration": [Interval(Real, 0, 1, closed="right"), HasMethods(["split"])],
        "horizon": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        target: str | int | None = None,
        by: str | Sequence[str] = ("lead", "series"),
        rounds: int = 30,
        shrinkage: float = 5.0,
        calibration: Any = 0.2,
        horizon: int | None = None,
    ):
        self.estimator = estimator
        self.target = target
        self.by = by
        self.rounds = rounds
        self.shrinkage = shrinkage
        self.calibration = calibration
        self.horizon = horizon

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, **params: Any) -> Self:
        """Fit on what is not held out, take the errors of what is, and fit again on all rows.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
            The training table.
        y : array-like of shape (n_rows,)
            One target. Rows without it have no error.
        **params : dict
            Passed to `fit` of `estimator`. With metadata routing, only what it requests.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            Nothing to train on or to hold out, or an estimator that does not forecast every row.
        """
        X = self._read_table(X, reset=True)
        y = self._read_target(X, y)
        column_or_1d(y, warn=True)
        self._by = check_by(type(self).__name__, self.by, X)
        self._rounds, self._shrinkage = self.rounds, self.shrinkage  # whatever they become
        self._taught = Taught.read(X)
        owner = f"RecalibratedRegressor(target={self.target!r})"
        self._target = None if self.target is None else find_columns(X, self.target, owner)
        self._horizon = self.horizon or find_horizon(self.estimator)
        params = self._route("fit", params)
        splits = choose_splits(type(self).__name__, self.calibration, X, y)
        with fit_task(self, X, y, max_subtasks=len(splits) + 1) as context:
            expert = [("estimator", self.estimator, params)]
            held_out, _ = forecast_held_out(context, self, expert, X, y, splits, _forecast)
            self._places, truths = read_held_out(X, y, splits, self._horizon, self._taught)
            self._errors = np.concatenate([some for (some,) in held_out]) - truths
            task = context.subcontext(task_name="estimator")
            own = take_training(self.estimator, X, y, params, np.arange(len(X)))
            self.estimator_ = fit_within(task, self, clone(self.estimator), *own)
        return self

    def predict(self, X: Any, quantiles: Iterable[float] | None = None, **params: Any) -> Floats:
        """Forecast, less the bias of the point forecast.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
            The rows to forecast. Of the column `target` what lies before an origin is read.
        quantiles : iterable of float, default=None
            Levels to answer, of an estimator that gives quantiles.
        **params : dict
            Passed to `predict` of the estimator.

        Returns
        -------
        y_pred : ndarray of shape (n_rows,) or (n_rows, n_quantiles)
            In the order of the rows.
        """
        check_is_fitted(self)
        X, params = self._read_table(X, reset=False), self._route("predict", params)
        points = _forecast("estimator", self.estimator_, X, **params)
        bias = self._bias(X, points)
        if quantiles is None:
            return points - bias
        levels = list(quantiles)
        forecasts = self.estimator_.predict(X, quantiles=levels, **params)
        return _check(forecasts, len(X), len(levels)) - bias[:, None]

    def __skts_update__(self, X: Any, y: Any, epochs: int) -> int:
        """Take the errors of the forecasts of new rows, and bring the estimator up to date."""
        X = self._read_table(X, reset=False)
        X_new, y_new = self._taught.news(X, y)
        taught, places, truths = self._taught.learn(X_new, y_new, self._horizon)
        if y is not None:
            errors = _forecast("estimator", self.estimator_, X_new) - truths
            self._places, self._errors = self._places.join(places), np.append(self._errors, errors)
        self._taught = taught
        return super().__skts_update__(X, y, epochs)

    def _bias(self, X: Any, points: Floats) -> Floats:
        """Give what is subtracted from every row: (n_rows,)."""
        places = self._taught.places(X, self._horizon)
        errors = np.full(len(X), np.nan)
        if self._target is not None:
            errors = points - self._taught.truths(X, self._target, places)
        whole, errors = self._places.join(places), np.append(self._errors, errors)
        bias = np.empty(len(errors))
        for _, rows in split_cells(whole.keys(self._by)):
            own = errors[rows]

            def mean(some: Any, used: Floats, own: Floats = own) -> Floats:
                return own[some].mean(keepdims=True)

            learner = _RollingMean(self._rounds, self._shrinkage)
            answers = replay(learner, whole.ticks[rows], whole.seen[rows], ~np.isnan(own), mean)
            bias[rows] = answers[:, 0]
        return bias[self._places.n_rows :]

    def get_metadata_routing(self) -> MetadataRouter:
        """Say which metadata goes where.

        Returns
        -------
        routing : MetadataRouter
            This regressor takes quantiles; `fit` and `predict` pass on what the estimator requests.
        """
        return super().get_metadata_routing().add_self_request(self)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output, tags.target_tags.single_output = False, True
        return tags


class _RollingMean:
    """The mean of the last rounds, beside some of 0."""

    def __init__(self, rounds: int, shrinkage: float):
        self.last = np.zeros(rounds)
        self.shrinkage = shrinkage
        self.n_rounds = 0

    def answer(self) -> Floats:
        n = min(self.n_rounds, len(self.last))
        return np.array([self.last.sum() / (n + self.shrinkage) if n else 0.0])

    def learn(self, feedback: Floats) -> None:
        self.last[self.n_rounds % len(self.last)] = feedback[0]
        self.n_rounds += 1


def _forecast(name: str, fitted: Any, X: Any, **params: Any) -> Floats:
    return _check(fitted.predict(X, **params), len(X))


def _check(forecasts: Any, *shape: int) -> Floats:
    return check_forecasts("RecalibratedRegressor", "the estimator", forecasts, shape)
