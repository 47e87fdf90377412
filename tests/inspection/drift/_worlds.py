"""Panels in which nothing changes: seasons, days, a weather that stations share and one of their own."""

import numpy as np
import pandas as pd
from scipy.signal import lfilter

STEPS_OF_DAY = 8  # of three hours
START = pd.Timestamp("2023-01-01")


def autoregress(rng, shape, phi):
    """Draw rows of which each is `phi` times the one before, and noise; of variance 1."""
    noise = rng.normal(scale=(1 - phi**2) ** 0.5, size=(shape[0] + 100, *shape[1:]))
    return lfilter([1.0], [1.0, -phi], noise, axis=0)[100:]


def make_world(seed, n_days, n_series=4, start=START):
    """Give a panel of `wind`, which is skewed, and `temperature`, of so many days."""
    rng = np.random.default_rng(seed)
    n_rows = n_days * STEPS_OF_DAY
    shared, own = autoregress(rng, (n_rows, 1, 2), 0.9), autoregress(rng, (n_rows, n_series, 2), 0.6)
    times = pd.date_range(start, periods=n_rows, freq="3h", name="time")
    year, day = (2 * np.pi * np.arange(n_rows) / (STEPS_OF_DAY * days) for days in (365.25, 1))
    cycles = (np.cos(year) + np.sin(day))[:, None, None]
    values = cycles + 0.85 * shared + 0.5 * own
    values[..., 0] = np.exp(values[..., 0] / 2)
    index = pd.MultiIndex.from_product([[f"s{i}" for i in range(n_series)], times], names=["station", "time"])
    flat = values.transpose(1, 0, 2).reshape(-1, 2)
    return pd.DataFrame(flat, index=index, columns=["wind", "temperature"])


def split(X, n_new_days):
    """Cut the last days off."""
    times = X.index.get_level_values(-1)
    is_new = times > times.max() - pd.Timedelta(days=n_new_days)
    return X[~is_new], X[is_new].copy()


def make_forecasts(seed, n_days, n_series=4, start=START, factor=1.0, width=1.0):
    """Give forecasts in the columns of a backtest, whose errors go together by day and by station, and half cover."""
    rng = np.random.default_rng(seed)
    n_rows = n_days * STEPS_OF_DAY
    error = 0.7 * autoregress(rng, (n_rows, 1), 0.8) + 0.714 * autoregress(rng, (n_rows, n_series), 0.8)
    times = pd.date_range(start, periods=n_rows, freq="3h", name="time")
    index = pd.MultiIndex.from_product([[f"s{i}" for i in range(n_series)], times], names=["station", "time"])
    table = index.to_frame(index=False)
    table["origin"], table["lead"], table["fold"] = table["time"], 1, 0
    table["y_true"], table["y_pred"] = factor * error.T.ravel(), 0.0
    return table.assign(**{"q0.1": -1.2816 * width, "q0.9": 1.2816 * width})
