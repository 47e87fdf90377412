"""A generated panel whose signal is known."""

from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import RandomState
from sklearn.utils import check_random_state

from skts._compat import Interval, validate_params


@validate_params(
    {
        "n_series": [Interval(Integral, 1, None, closed="left")],
        "n_rows": [Interval(Integral, 0, None, closed="left")],
        "noise": [Interval(Real, 0, None, closed="left")],
        "missing": [Interval(Real, 0, 1, closed="both")],
        "freq": [str],
        "interleave": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_panel(
    n_series: int = 3,
    n_rows: int = 1000,
    *,
    noise: float = 0.1,
    missing: float = 0.0,
    freq: str = "h",
    interleave: bool = False,
    random_state: int | RandomState | None = None,
) -> Any:
    """Generate a panel of stations whose power follows a known wind and its own past.

    The power of each station relaxes towards a power curve of the wind,
    ``power[t] = 0.5 * power[t - 1] + 0.5 * curve(wind[t]) + noise``, with ``curve(w) = tanh(w) ** 2``, so a forecaster
    needs both columns, and the best root mean squared error at the first step is `noise`.

    Parameters
    ----------
    n_series : int, default=3
        Number of stations.
    n_rows : int, default=1000
        Rows of each.
    noise : float, default=0.1
        Standard deviation of the noise in each step.
    missing : float, default=0.0
        Share of the power values that are missing, at random.
    freq : str, default="h"
        Time between rows, as pandas writes it.
    interleave : bool, default=False
        Whether rows are ordered by time, not by station.
    random_state : int, RandomState instance or None, default=None
        Decides the wind, the noise and the holes.

    Returns
    -------
    X : DataFrame of shape (n_series * n_rows, 2)
        `power` (observed) and `wind` (to be known ahead), indexed by `(station, time)`, from 2024-01-01 on.
    y : Series of shape (n_series * n_rows,)
        `power`.

    Examples
    --------
    >>> from skts.datasets import make_panel
    >>> X, y = make_panel(n_series=2, n_rows=48, random_state=0)
    >>> list(X.columns), X.index.names
    (['power', 'wind'], FrozenList(['station', 'time']))
    """
    rng = check_random_state(random_state)
    steps = np.arange(n_rows)[:, None]
    phase = rng.uniform(0, 2 * np.pi, n_series)
    weather = np.cumsum(rng.normal(0, 0.1, (n_rows, 1)), axis=0)  # shared by all stations
    wind = 1 + np.sin(2 * np.pi * steps / 24 + phase) + 0.5 * np.sin(weather)
    shocks = rng.normal(0, noise, (n_rows, n_series))
    power = np.zeros((n_rows, n_series))
    for t in range(n_rows):
        power[t] = 0.5 * power[t - 1] + 0.5 * np.tanh(wind[t]) ** 2 + shocks[t]
    power[rng.random_sample(power.shape) < missing] = np.nan
    names = [f"station_{i}" for i in range(n_series)]
    times = pd.date_range("2024-01-01", periods=n_rows, freq=freq)
    index = pd.MultiIndex.from_product([names, times], names=["station", "time"])
    X = pd.DataFrame({"power": power.T.ravel(), "wind": wind.T.ravel()}, index=index)
    if interleave:
        X = X.sort_index(level="time", sort_remaining=False, kind="stable")
    return X, X["power"]
