"""What every forecaster must beat, on the same windows and rows."""

from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skts.commandline._job import Bound, Job
from skts.panel import has_target, series_names
from skts.strategies import WindowedRegressor
from skts.training import fill_forward
from skts.windows import HistoryPrepender, SlidingWindower, Windows

_MAX_CATEGORIES = 255  # of scikit-learn's boosting
_N_TRIES = 8


def rivals(job: Job) -> dict[str, Any]:
    """Make what every forecaster must beat, of the same rows.

    Parameters
    ----------
    job : Job

    Returns
    -------
    estimators : dict of str to estimator
        Not fitted. Each takes the table, and forecasts every row of it.
    """
    history, windower = HistoryPrepender(job.window), SlidingWindower(job.window, job.horizon, stride=job.stride)
    ridge = clone(windower).set_params(known=list(job.known))
    scaled = StandardScaler().set_output(transform="pandas")
    boosting = RowBoosting(job.known, job.static, bounds=job.bounds, random_state=job.seed)
    own = FunctionTransformer(pd.DataFrame.filter, kw_args={"items": [job.target]})
    return {
        "boosting": boosting,
        "boosting (median)": clone(boosting).set_params(loss="absolute_error"),
        "Ridge": make_pipeline(scaled, clone(history), ridge, WindowedRegressor(Ridge(alpha=1000.0))),
        "climatology": TimeOfDay(),
        "last week": SameHour(job.target, job.window, job.horizon, n_days=7),
        "yesterday": SameHour(job.target, job.window, job.horizon),
        "persistence": make_pipeline(own, history, windower, LastValue(0)),
    }


class RowBoosting(RegressorMixin, BaseEstimator):
    """Forecast each row by gradient boosting of what is known of that row: its weather, its hour, its series.

    Nothing is tuned. Reads no past, so a forecast does not depend on when it is made.

    Parameters
    ----------
    known, static : tuple of str
        Columns.
    loss : {"squared_error", "absolute_error"}, default="squared_error"
    bounds : (lower, upper), default=None
        What forecasts are clipped to: numbers, columns, or None for none.
    random_state : int, default=0
    """

    def __init__(
        self,
        known: tuple[str, ...] = (),
        static: tuple[str, ...] = (),
        *,
        loss: str = "squared_error",
        bounds: tuple[Bound, Bound] | None = None,
        random_state: int = 0,
    ):
        self.known = known
        self.static = static
        self.loss = loss
        self.bounds = bounds
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: pd.Series) -> Self:
        """Learn from the rows that have a target."""
        names = series_names(X.index)
        self.series_ = pd.Index([]) if names is None else names.unique()
        design = self._design(X)
        is_category = (design.columns == "series") & (len(self.series_) <= _MAX_CATEGORIES)
        self.boosting_ = HistGradientBoostingRegressor(
            loss=self.loss, categorical_features=is_category, random_state=self.random_state
        )
        there = has_target(y)
        self.boosting_.fit(design[there], y[there])
        return self

    def predict(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Forecast every row."""
        lower, upper = (X[bound] if isinstance(bound, str) else bound for bound in self.bounds or (None, None))
        forecast = pd.Series(self.boosting_.predict(self._design(X)), X.index)
        return forecast.clip(lower, upper).to_numpy(dtype=np.float64)

    def _design(self, X: pd.DataFrame) -> pd.DataFrame:
        times = pd.DatetimeIndex(X.index.get_level_values(-1))
        design = X[[*self.known, *self.static]].astype(np.float64)
        design = design.assign(hour=times.hour + times.minute / 60, day_of_year=times.day_of_year)
        names = series_names(X.index)
        if names is None:
            return design
        number = self.series_.get_indexer(names).astype(np.float64)
        return design.assign(series=np.where(number < 0, np.nan, number))


class SameHour(RegressorMixin, BaseEstimator):
    """Forecast the last value that was measured at the same hour, a whole number of days before.

    Where nothing was measured then, the hour before that by the same number of days is taken, and after eight tries the
    mean of the hour.

    Parameters
    ----------
    target : str
        The column that holds the past of the target.
    window, horizon : int
        Of the forecasts: they decide where each begins, and so what was measured before.
    n_days : int, default=1
        7 for the same hour of last week.
    """

    def __init__(self, target: str, window: int, horizon: int, *, n_days: int = 1):
        self.target = target
        self.window = window
        self.horizon = horizon
        self.n_days = n_days

    def fit(self, X: pd.DataFrame, y: pd.Series) -> Self:
        """Remember all that was measured."""
        self.seen_ = y
        self.fallback_ = TimeOfDay().fit(X, y)
        self.cut_ = make_pipeline(HistoryPrepender(self.window), SlidingWindower(self.window, self.horizon)).fit(X)
        return self

    def predict(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Forecast every row."""
        windows = self.cut_.transform(X)
        origin = windows.to_rows(np.repeat(windows.origin_ticks[:, None], self.horizon, axis=1))
        seen = pd.concat([self.seen_, X[self.target]])
        seen = seen[~seen.index.duplicated()]
        forecast = np.full(len(X), np.nan)
        times = pd.DatetimeIndex(X.index.get_level_values(-1))
        series = [X.index.get_level_values(level) for level in range(X.index.nlevels - 1)]
        for n_periods in range(1, _N_TRIES + 1):
            then = times - n_periods * pd.Timedelta(days=self.n_days)
            index = pd.MultiIndex.from_arrays([*series, then]) if series else then
            values = seen.reindex(index).to_numpy(dtype=np.float64)
            wanted = np.isnan(forecast) & (then.as_unit("ns").asi8 < origin)
            forecast[wanted] = values[wanted]
        return np.where(np.isnan(forecast), self.fallback_.predict(X), forecast)


class LastValue(RegressorMixin, BaseEstimator):
    """Forecast the last value of a column that a window has seen (persistence).

    Parameters
    ----------
    column : int
        The column of the windows that holds the past of the target.
    """

    def __init__(self, column: int):
        self.column = column

    def fit(self, X: Windows, y: Any) -> Self:
        """Learn what to say where a window has seen nothing: the mean."""
        self.mean_ = np.nanmean(y)
        return self

    def predict(self, X: Windows) -> NDArray[np.float64]:
        """Forecast every row."""
        target = torch.from_numpy(np.asarray(X)[..., self.column])
        seen = ~torch.isnan(target).all(dim=1)
        last = fill_forward(target[..., None])[:, -1, 0].double().where(seen, self.mean_)
        return X.to_rows(np.repeat(last.numpy()[:, None], X.horizon, axis=1))


class TimeOfDay(RegressorMixin, BaseEstimator):
    """Forecast the training mean of each series at each time of the day (climatology); reads the index alone."""

    def fit(self, X: pd.DataFrame, y: pd.Series) -> Self:
        """Average by series and time of day."""
        self.mean_ = float(np.nanmean(y))
        self.means_ = y.groupby(self._keys(X)).mean()
        return self

    def predict(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Forecast every row."""
        keys = pd.MultiIndex.from_arrays(self._keys(X))
        return self.means_.reindex(keys).fillna(self.mean_).to_numpy(dtype=np.float64)

    @staticmethod
    def _keys(X: pd.DataFrame) -> list[Any]:
        names = series_names(X.index)
        series = np.zeros(len(X)) if names is None else names
        times = pd.DatetimeIndex(X.index.get_level_values(-1))
        return [series, times.hour * 60 + times.minute]
