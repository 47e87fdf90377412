"""Forecasters of windows that show what they read and what they were trained on."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skts.windows import HistoryPrepender, SlidingWindower


class LastSeen(RegressorMixin, BaseEstimator):
    """Forecast the first column of the row before the origin."""

    def fit(self, windows, y):
        self.fitted_ = True
        return self

    def predict(self, windows):
        return windows.to_rows(np.repeat(windows[:][:, -1, :1].astype(float), windows.horizon, axis=1))


class NumberTrainedOn(LastSeen):
    """Forecast how many rows it was trained on, and fail where these are `failing`."""

    def __init__(self, failing=None):
        self.failing = failing

    def fit(self, windows, y):
        if windows.n_rows == self.failing:
            raise RuntimeError("no luck")
        self.n_rows_ = windows.n_rows
        return self

    def predict(self, windows):
        return np.full(windows.n_rows - len(windows.history_rows), float(self.n_rows_))


class WindowRidge(RegressorMixin, BaseEstimator):
    """Ridge regression on everything in the window, blanks as 0."""

    def fit(self, windows, y):
        targets = windows.targets(y)
        there = ~np.isnan(targets).any(axis=1)
        self.ridge_ = Ridge().fit(self._flat(windows)[there], targets[there])
        return self

    def predict(self, windows):
        forecasts = self.ridge_.predict(self._flat(windows))
        return windows.to_rows(forecasts.reshape(len(windows), windows.horizon))

    def _flat(self, windows):
        return np.nan_to_num(np.asarray(windows).reshape(len(windows), -1)).astype(float)


def windowed(regressor, window=2, horizon=3, scale=False):
    steps = [StandardScaler()] if scale else []
    pipe = make_pipeline(*steps, HistoryPrepender(window), SlidingWindower(window, horizon), regressor)
    return pipe.set_output(transform="pandas")
