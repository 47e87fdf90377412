"""The hours of the farm and its runs."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

HOUR = pd.Timedelta(hours=1)


class Clock(NamedTuple):
    """The hours of the farm.

    Parameters
    ----------
    times : DatetimeIndex
        The ends of all hours that there is weather of.
    days : slice
        Those of them that there is power of.
    runs : DatetimeIndex
    hour : ndarray of shape (n_runs, n_leads)
        Where in `times` each forecast hour is.
    """

    times: pd.DatetimeIndex
    days: slice
    runs: pd.DatetimeIndex
    hour: NDArray[np.int64]


def make_clock(start: str | pd.Timestamp, n_days: int, runs_per_day: int, n_leads: int) -> Clock:
    """Lay out days from that of `start` on, and runs from 12 UTC of the day before on."""
    if 24 % runs_per_day:
        raise ValueError(
            f"make_weather_farm(runs_per_day={runs_per_day}) does not spread runs evenly over a day: give a divisor of "
            f"24, for example {max(n for n in range(1, runs_per_day) if 24 % n == 0)}."
        )
    first = pd.Timestamp(start).normalize()
    if first.tz is not None:
        raise ValueError(f"make_weather_farm(start={start!r}) has a time zone: give the UTC time without one.")
    every, n_hours, n_runs = 24 // runs_per_day, 24 * n_days, n_days * runs_per_day
    runs = pd.date_range(first - 12 * HOUR, periods=n_runs, freq=every * HOUR, name="run")
    n_times = max(12 + n_hours, every * (n_runs - 1) + n_leads)
    times = pd.date_range(runs[0] + HOUR, periods=n_times, freq=HOUR, name="time")
    hour = every * np.arange(n_runs)[:, None] + np.arange(n_leads)
    return Clock(times, slice(12, 12 + n_hours), runs, hour)
