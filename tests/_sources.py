"""A wind that several providers forecast, each with errors of its own."""

import numpy as np
import pandas as pd

HORIZON = 4


def make_wind(n_rows, rng, memory=0.8):
    """An autoregression of variance 1."""
    noise, wind = rng.standard_normal(n_rows), np.zeros(n_rows)
    wind[0] = noise[0]
    for t in range(1, n_rows):
        wind[t] = memory * wind[t - 1] + np.sqrt(1 - memory**2) * noise[t]
    return wind


def make_table(errors, n_rows=1200, seed=0, columns=None):
    """What providers forecast of a wind, and the power that it gives.

    `errors` names the deviation of each provider, a number or one for each row; `columns` are further ones.
    """
    rng = np.random.default_rng(seed)
    wind = make_wind(n_rows, rng)
    X = {f"{name}_wind": wind + deviation * rng.standard_normal(n_rows) for name, deviation in errors.items()}
    index = pd.MultiIndex.from_product(
        [["a"], pd.date_range("2024-01-01", periods=n_rows, freq="h")], names=["station", "time"]
    )
    return pd.DataFrame(X | (columns or {}), index=index), pd.Series(wind + np.sin(wind), index=index)


def seasons(n_rows, n_years=3):
    """Where in the year each row is, as two columns; summer is where the first is above 0."""
    angle = 2 * np.pi * n_years * np.arange(n_rows) / n_rows
    return {"season_sin": np.sin(angle), "season_cos": np.cos(angle)}
