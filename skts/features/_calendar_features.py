"""Where in the day, the week and the year each row lies."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skts._optional import load
from skts.features._base_column_adder import BaseColumnAdder
from skts.features._times import distinct_dates, read_times
from skts.panel import check_choices

# The calendar unit that one cycle lasts, and the days from the unit's first day to numpy's: a week of numpy begins on
# the Thursday of 1970-01-01.
CYCLES = {"hour": ("D", 0), "weekday": ("W", 3), "year": ("Y", 0)}


class CalendarFeatures(BaseColumnAdder):
    """Add the hour, the weekday and the season of each row, and its holidays.

    A cycle becomes the sine and the cosine of the position in it, so that 23:59 lies next to 00:00 and 31 December next
    to 1 January.

    Parameters
    ----------
    cycles : list of {"hour", "weekday", "year"}, default=("hour", "weekday", "year")
        The hour of the day with its minutes, the day of the week (from Monday) with its hours, the day of the year with
        its hours, in years of 365 or 366 days.
    country : str, default=None
        A country code such as `"FR"`: adds the column `holiday`, 1 on its public holidays and 0 elsewhere. Needs the
        package `holidays`.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` was a DataFrame.

    Raises
    ------
    PanelIndexError
        The table has no dates in its index.

    See Also
    --------
    SolarFeatures : The position of the sun, which explains more of a solar plant than the hour does.

    Notes
    -----
    Positions are read off the wall clock of the index's own time zone, or off the times as they are where they have
    none; a period counts from its start. On the day the clocks go back the same hour comes twice, with equal values.

    The new columns are known ahead: name them in `known` of :class:`~skts.SlidingWindower`.

    Examples
    --------
    >>> import pandas as pd
    >>> from skts.features import CalendarFeatures
    >>> times = pd.date_range("2024-01-01", periods=3, freq="6h", tz="Europe/Paris")
    >>> X = pd.DataFrame({"power": [1.0, 2.0, 3.0]}, index=times)
    >>> CalendarFeatures(["hour"]).fit_transform(X).round(3).to_numpy()
    array([[ 1.,  0.,  1.],
           [ 2.,  1.,  0.],
           [ 3.,  0., -1.]])
    """

    _parameter_constraints = {"cycles": [list, tuple], "country": [str, None]}

    def __init__(self, cycles: Sequence[str] = ("hour", "weekday", "year"), *, country: str | None = None):
        self.cycles = cycles
        self.country = country

    def _learn(self, X: Any, values: NDArray[Any]) -> list[str]:
        check_choices(self.cycles, CYCLES, f"CalendarFeatures(cycles={self.cycles!r})", "cycle")
        distinct_dates(read_times(X, "CalendarFeatures"), "CalendarFeatures")
        names = [f"{cycle}_{part}" for cycle in self.cycles for part in ("sin", "cos")]
        if self.country is None:
            return names
        holidays_of(self.country, [])
        return [*names, "holiday"]

    def _compute(self, X: Any, values: NDArray[Any]) -> NDArray[np.float64]:
        dates, codes = distinct_dates(read_times(X, "CalendarFeatures"), "CalendarFeatures")
        wall = dates.tz_localize(None).to_numpy()
        angles = [2 * np.pi * cycle_position(wall, cycle) for cycle in self.cycles]
        columns = [part(angle) for angle in angles for part in (np.sin, np.cos)]
        if self.country is not None:
            years = range(dates[0].year, dates[-1].year + 1)
            columns.append(np.isin(wall.astype("M8[D]"), holidays_of(self.country, years)).astype(np.float64))
        return np.stack(columns, axis=1)[codes] if columns else np.empty((len(codes), 0))


def cycle_position(wall: NDArray[np.datetime64], cycle: str) -> NDArray[np.float64]:
    """Tell how much of its cycle has passed at each time.

    Parameters
    ----------
    wall : ndarray of datetime64 of shape (n_times,)
        Times of the wall clock.
    cycle : {"hour", "weekday", "year"}

    Returns
    -------
    position : ndarray of shape (n_times,)
        From 0, at the cycle's first midnight, to below 1.
    """
    unit, days = CYCLES[cycle]
    time = wall + np.timedelta64(days, "D")
    start = time.astype(f"M8[{unit}]")
    passed = (time - start.astype(time.dtype)).astype(np.float64)
    length = ((start + 1).astype(time.dtype) - start.astype(time.dtype)).astype(np.float64)
    return passed / length


def holidays_of(country: str, years: Sequence[int]) -> NDArray[np.datetime64]:
    """List the public holidays of a country.

    Parameters
    ----------
    country : str
        Its ISO 3166 code.
    years : sequence of int

    Returns
    -------
    days : ndarray of datetime64[D] of shape (n_holidays,)
    """
    package = load("holidays", f"CalendarFeatures(country={country!r})")
    try:
        days = package.country_holidays(country, years=years)
    except NotImplementedError as error:
        raise ValueError(
            f"CalendarFeatures(country={country!r}): the package holidays knows no such country. Give a code of two "
            'letters, such as "FR".'
        ) from error
    return np.array(sorted(days), dtype="M8[D]")
