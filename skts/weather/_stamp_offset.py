"""Whether the stamps of a solar measurement begin or end their step, read off the sun."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.exceptions import PanelIndexError
from skts.panel import read_index

Floats = NDArray[np.float64]
HOUR = 3_600_000_000_000  # ns
HORIZON = np.deg2rad(-0.833)  # the centre of the sun at sunrise: its radius, and the refraction at the horizon
LIT = 0.01  # of the brightest rows: what counts as day
FEWEST_DAYS = 5
SAYS = {
    "end": "stamps end their step",
    "begin": "stamps begin their step",
    "middle": "stamps are in the middle of their step, or values are of the very moment",
    "shifted": "stamps lie further from the sun than a step explains: look at the time zone of the file",
    "mixed": "stamps differ between the series: look at `by_series`, and shift each by itself",
}


@dataclass(frozen=True)
class StampOffset:
    """Where in their step the stamps of a measurement lie.

    Parameters
    ----------
    offset : Timedelta
        From the stamp to the middle of the step that it stands for: the `offset` of
        :class:`~skts.features.SolarFeatures`. NaT where the series differ.
    stamps : {"end", "begin", "middle", "shifted", "mixed"}
        What that means.
    estimate : Timedelta
        The offset as it was measured.
    half_interval : Timedelta
        Half of the 95 % interval of the estimate, of its scatter from day to day alone.
    n_days : int
        The days that it was measured on.
    by_series : Series of Timedelta
        The estimate of each series.
    """

    offset: pd.Timedelta
    stamps: str
    estimate: pd.Timedelta
    half_interval: pd.Timedelta
    n_days: int
    by_series: pd.Series = field(repr=False)

    def __str__(self) -> str:
        return (
            f"{SAYS[self.stamps]}: the sun of {self.n_days:,} days says an offset of {_minutes(self.estimate)} ± "
            f"{_minutes(self.half_interval, sign='')} min, so offset={_written(self.offset)}"
        )


def find_stamp_offset(irradiance: Any, latitude: Any, longitude: Any) -> StampOffset:
    """Find out whether the stamps of a solar measurement begin or end their step.

    The first stamp of a day with light lies after sunrise by half a step on average where stamps end their step, and
    before it where they begin it; and so does the last of sunset. The mean of both is the same in summer and winter,
    under clouds, and for panels turned to the east or west.

    Parameters
    ----------
    irradiance : Series, or DataFrame of one column
        Irradiance or solar power, 0 or nearly so at night, with the index (series..., time) or (time). Times without a
        zone are taken as UTC.
    latitude, longitude : float, or mapping or Series of float
        In degrees, north and east positive; by the names of the series where they differ.

    Returns
    -------
    found : StampOffset
        `print(found)` says it in words.

    Raises
    ------
    PanelIndexError
        No date-times in the index.
    ValueError
        Fewer than five whole days that have a night.

    See Also
    --------
    skts.features.SolarFeatures : Takes the offset.
    ClearSkyIndex : Needs irradiance and clear sky of one time.

    Notes
    -----
    The position of the sun is that of Spencer's series, good to about a minute.

    It cannot tell a step that stamps end from a clock that is half a step late: both look alike. A hill in the east or
    west alone, or fog on most mornings, shifts sunrise or sunset, and half of that goes into the estimate. A measurement
    that is negative at night is compared with 1 % of its brightest rows.

    References
    ----------
    J. W. Spencer (1971). Fourier series representation of the position of the sun. Search 2(5), 172.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skts.weather import find_stamp_offset
    >>> times = pd.date_range("2024-03-01", periods=24 * 20, freq="h", tz="UTC")
    >>> sun = np.maximum(0, -np.cos(2 * np.pi * (times.hour - 0.5 - 12 / 60) / 24))  # means of the hour before
    >>> found = find_stamp_offset(pd.Series(sun, index=times), latitude=0.0, longitude=0.0)
    >>> print(found.stamps, found.offset)
    end -1 days +23:30:00
    """
    values, series, ticks, names = _read(irradiance)
    lat, lon = (_by_series(part, names, name) for part, name in ((latitude, "latitude"), (longitude, "longitude")))
    days: list[Floats] = []
    steps = []
    for number in range(1 if names is None else len(names)):
        own = series == number
        order = np.argsort(ticks[own], kind="stable")
        time, value = ticks[own][order], values[own][order]
        distances, counts = np.unique(np.diff(time), return_counts=True)
        step = int(distances[counts.argmax()]) if len(distances) else HOUR
        steps.append(step)
        days.append(-measure_days(time, value, step, lat[number], lon[number]))
    pooled = np.concatenate(days)
    if len(pooled) < FEWEST_DAYS:
        raise ValueError(
            f"find_stamp_offset found {len(pooled)} whole days with light and a night, and needs {FEWEST_DAYS}: give a "
            "longer measurement without holes, in times of UTC or with a zone, from where the sun rises and sets."
        )
    step = int(np.median(steps))
    by_series = [np.median(part) if len(part) else np.nan for part in days]
    estimate = float(np.median(pooled))
    kinds = {_classify(one, step) for one in by_series if not np.isnan(one)}
    stamps = kinds.pop() if len(kinds) == 1 else "mixed"
    offset = {"end": -step / 2, "begin": step / 2, "middle": 0.0, "mixed": np.nan}.get(
        stamps, np.round(estimate * 12) / 12 * HOUR
    )
    scatter = 1.96 * 1.2533 * pooled.std() / np.sqrt(len(pooled))
    return StampOffset(
        offset=_span(offset / HOUR),
        stamps=stamps,
        estimate=_span(estimate),
        half_interval=_span(scatter),
        n_days=len(pooled),
        by_series=pd.Series([_span(one) for one in by_series], index=pd.RangeIndex(1) if names is None else names),
    )


def measure_days(time: NDArray[np.int64], value: Floats, step: int, latitude: float, longitude: float) -> Floats:
    """Measure on each day by how much first and last light lie after sunrise and sunset, on average.

    Parameters
    ----------
    time : ndarray of int64 of shape (n_rows,)
        Increasing, nanoseconds of UTC.
    value : ndarray of shape (n_rows,)
    step : int
        In nanoseconds.
    latitude, longitude : float
        In degrees.

    Returns
    -------
    late : ndarray of shape (n_days,)
        In hours, of the days that are whole, and neither dark nor light throughout.
    """
    there = np.isfinite(value)
    time, value = time[there], value[there]
    if len(time) == 0:
        return np.empty(0)
    lit = value > LIT * np.quantile(value, 0.99)
    hours = time / HOUR + longitude / 15  # from here on the mean sun of the place
    day = np.floor(hours / 24).astype(np.int64)
    starts = np.flatnonzero(np.diff(day, prepend=day[0] - 1))
    ends = np.append(starts[1:], len(day)) - 1
    number = np.cumsum(np.diff(day, prepend=day[0]) != 0)
    n_days = len(starts)
    first, last = np.full(n_days, np.inf), np.full(n_days, -np.inf)
    np.minimum.at(first, number[lit], hours[lit])
    np.maximum.at(last, number[lit], hours[lit])
    noon, half = sun_of_day(day[starts], longitude, latitude)
    whole = (ends - starts + 1 >= 24 * HOUR / step - 1) & np.isfinite(first) & np.isfinite(half)
    whole &= ~lit[starts] & ~lit[ends]
    noon, half, first, last = (part[whole] for part in (noon, half, first, last))
    late: Floats = ((first - (noon - half)) + (last - (noon + half))) / 2
    return late


def sun_of_day(day: NDArray[np.int64], longitude: float, latitude: float) -> tuple[Floats, Floats]:
    """Give noon and half of the length of days, in hours.

    Parameters
    ----------
    day : ndarray of int64 of shape (n_days,)
        Days since 1970-01-01.
    longitude, latitude : float
        In degrees.

    Returns
    -------
    noon : ndarray of shape (n_days,)
        In hours of the mean sun of the place since 1970-01-01.
    half : ndarray of shape (n_days,)
        From sunrise to noon; NaN where the sun does not rise or set.
    """
    dates = pd.DatetimeIndex(day.astype("M8[D]"))
    angle = 2 * np.pi * (dates.dayofyear.to_numpy() - 1 + 0.5 - longitude / 360) / 365.25
    one, two, three = (n * angle for n in (1, 2, 3))
    equation = 229.18 * (
        0.000075 + 0.001868 * np.cos(one) - 0.032077 * np.sin(one) - 0.014615 * np.cos(two) - 0.040849 * np.sin(two)
    )  # minutes that the true sun is ahead of the mean
    declination = (
        0.006918 - 0.399912 * np.cos(one) + 0.070257 * np.sin(one) - 0.006758 * np.cos(two) + 0.000907 * np.sin(two)
    ) - 0.002697 * np.cos(three) + 0.00148 * np.sin(three)  # fmt: skip
    phi = np.deg2rad(latitude)
    cosine = (np.sin(HORIZON) - np.sin(phi) * np.sin(declination)) / (np.cos(phi) * np.cos(declination))
    with np.errstate(invalid="ignore"):
        half = np.rad2deg(np.arccos(cosine)) / 15
    return day * 24.0 + 12 - equation / 60, half


def _classify(estimate: float, step: int) -> str:
    steps = estimate * HOUR / step
    if abs(steps) > 0.75:
        return "shifted"
    return "end" if steps < -0.25 else "begin" if steps > 0.25 else "middle"


def _read(irradiance: Any) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64], pd.Index | None]:
    if isinstance(irradiance, pd.DataFrame) and irradiance.shape[1] == 1:
        irradiance = irradiance.iloc[:, 0]
    if not isinstance(irradiance, pd.Series):
        raise TypeError(
            f"find_stamp_offset takes a Series, or a DataFrame of one column, and this is a {type(irradiance).__name__}"
            f"{f' of shape {np.shape(irradiance)}' if np.ndim(irradiance) else ''}."
        )
    rows = read_index(irradiance.to_frame())
    if rows.ticks is None or rows.clock is None or not rows.clock.kind.startswith("date"):
        raise PanelIndexError(
            "find_stamp_offset compares times with the sun, and needs date-times in the last level of the index: use "
            "pandas.to_datetime, or periods' to_timestamp."
        )
    return irradiance.to_numpy(dtype=np.float64, na_value=np.nan), rows.series, rows.ticks, rows.names


def _by_series(value: Any, names: pd.Index | None, parameter: str) -> Floats:
    if not isinstance(value, Mapping | pd.Series):
        return np.full(1 if names is None else len(names), float(value))
    known = dict(value)
    absent = [name for name in ([None] if names is None else names) if name not in known]
    if absent:
        raise ValueError(f"find_stamp_offset has no {parameter} of series {absent[0]!r}, and has {list(known)[:5]}.")
    assert names is not None
    return np.array([known[name] for name in names], dtype=np.float64)


def _span(hours: float) -> pd.Timedelta:
    return pd.Timedelta(pd.NaT) if np.isnan(hours) else pd.Timedelta(round(hours * 3600), "s")


def _minutes(span: pd.Timedelta, sign: str = "+") -> str:
    return f"{span.total_seconds() / 60:{sign}.0f}"


def _written(span: pd.Timedelta) -> str:
    if pd.isna(span):
        return "NaT"
    minutes = span.total_seconds() / 60
    return f'"{minutes:g}min"'
