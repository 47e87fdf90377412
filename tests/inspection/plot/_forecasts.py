"""Forecasts to draw: a quick pipeline, its test rows, and a table that can be computed by hand."""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from skts import HistoryPrepender, SlidingWindower
from skts.datasets import make_panel
from skts.strategies import WindowedRegressor

HORIZON = 6


def make_forecaster(n_series=2, n_rows=160, n_test=61):
    """Give a fitted pipeline and the rows to forecast: the last of every series, some targets missing."""
    X, y = make_panel(n_series=n_series, n_rows=n_rows, random_state=0)
    y = y.mask(np.random.default_rng(0).random(len(y)) < 0.05)
    times = X.index.get_level_values("time")
    new = times >= times.unique()[-n_test]
    windower = SlidingWindower(12, HORIZON, known=["wind"])
    pipe = make_pipeline(HistoryPrepender(12), windower, WindowedRegressor(Ridge())).set_output(transform="pandas")
    return pipe.fit(X[~new], y[~new]), X[new], y[new]


def lead_by_hand(X, horizon=HORIZON):
    """Give the lead of every row of a panel without gaps."""
    return X.groupby(level=0).cumcount().to_numpy() % horizon + 1


class Spread(RegressorMixin, BaseEstimator):
    """Forecast a column, and quantiles of a normal distribution about it."""

    def fit(self, X, y):
        return self

    def predict(self, X, quantiles=None):
        middle = X["wind"].to_numpy()
        return middle if quantiles is None else middle[:, None] + np.array(quantiles) - 0.5


def hourly(values, start="2024-01-01", **kwargs):
    """Give one series with times."""
    return pd.Series(values, pd.date_range(start, periods=len(values), freq="h", **kwargs), dtype=float)
