"""Small pipelines and splits to test strategies on."""

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skts import HistoryPrepender, SlidingWindower
from skts.strategies import WindowedRegressor


def make_pipe(estimator=None, window=6, horizon=3, known="wind", length=None, **kwargs):
    """Scale, prepend, cut and forecast; `estimator` stands behind the windower, a windowed Ridge by default."""
    steps = [
        ("scale", StandardScaler()),
        ("history", HistoryPrepender(length or window)),
        ("windows", SlidingWindower(window, horizon, known=known)),
        ("regressor", estimator or WindowedRegressor(Ridge(), **kwargs)),
    ]
    return Pipeline(steps).set_output(transform="pandas")


def split(X, y, n_test):
    """Keep the last `n_test` times for testing."""
    time = X.index.get_level_values("time")
    new = time >= np.sort(time.unique())[-n_test]
    return X[~new], X[new], y[~new], y[new]
