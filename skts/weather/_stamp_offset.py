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
SYSTEMATIC = 5 / 60  # hours: what hills, air and clouds do to the best of fits
ALIKE = 12 / 60  # hours between two fits that say the same
SHORTEST = 20 / 60  # hours: half of a shorter step is not told from nothing
GROUPS = 8  # of days, to see how far the estimate scatters
SAYS = {
    "end": "stamps end their step",
    "begin": "stamps begin their step",
    "middle": "stamps are in the middle of their step, or values are of the very moment",
    "shifted": "stamps lie further from the sun than a step explains: look at the time zone of the file",
    "unclear": "steps are too short for the sun to tell",
    "mixed": "stamps differ between the series: look at `by_series`, and shift each by itself",
}


@dataclass(frozen=True)
class StampOffset:
    """Where in their step the stamps of a measurement lie.

    Parameters
    ----------
    offset : Timedelta
        From the stamp to the middle of the step that it stands for: the `offset` of
        :class:`~skts.features.SolarFeatures`. NaT where the series differ, or steps are too short to tell.
    stamps : {"end", "begin", "middle", "shifted", "unclear", "mixed"}
        What that means.
    estimate : Timedelta
        The offset as it was measured.
    half_interval : Timedelta
        Half of the 95 % interval of the estimate: its scatter from day to day, and five minutes for what hills and
        haze do.
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

    The course of the sun at the place, averaged over steps, is shifted until it fits best; where that differs, with a
    gain that changes from morning to evening, so that the beginning and the end of light decide and panels may be
    turned to the east or west.

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
        Fewer than five days with light and dark.

    See Also
    --------
    skts.features.SolarFeatures : Takes the offset.
    ClearSkyIndex : Needs irradiance and clear sky of one time.

    Notes
    -----
    The position of the sun is that of Spencer's series, good to about a minute.

    It cannot tell a step that stamps end from a clock that is half a step late: both look alike. A hill in the east or
    west alone, or fog on most mornings, shifts the estimate by minutes, so that of steps shorter than 20 minutes it
    says nothing. What is below 1 % of the brightest rows counts as dark.

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
    found, steps = [], []
    for number in range(1 if names is None else len(names)):
        own = series == number
        time, value = ticks[own], values[own]
        distances, counts = np.unique(np.diff(np.sort(time)), return_counts=True)
        steps.append(int(distances[counts.argmax()]) if len(distances) else HOUR)
        found.append(fit_offset(time, value, steps[-1], lat[number], lon[number]))
    offsets, errors, n_days = (np.array(part) for part in zip(*found, strict=True))
    told = np.isfinite(offsets)
    if not told.any():
        raise ValueError(
            f"find_stamp_offset found {n_days.max()} days with light and dark, and needs {FEWEST_DAYS} of a series: "
            "give a longer measurement, from where the sun rises and sets."
        )
    kinds = {_classify(offsets[i], steps[i]) for i in np.flatnonzero(told)}
    stamps = kinds.pop() if len(kinds) == 1 and len(set(steps)) == 1 else "mixed"
    estimate, half_step = float(np.median(offsets[told])), steps[0] / HOUR / 2
    offset = {"end": -half_step, "begin": half_step, "middle": 0.0, "mixed": np.nan, "unclear": np.nan}.get(
        stamps, float(np.round(estimate * 12) / 12)
    )
    return StampOffset(
        offset=_span(offset),
        stamps=stamps,
        estimate=_span(estimate),
        half_interval=_span(1.96 * float(np.sqrt((errors[told] ** 2).mean() / told.sum()))),
        n_days=int(n_days[told].sum()),
        by_series=pd.Series([_span(one) for one in offsets], index=pd.RangeIndex(1) if names is None else names),
    )


def fit_offset(
    time: NDArray[np.int64], value: Floats, step: int, latitude: float, longitude: float
) -> tuple[float, float, int]:
    """Fit the course of the sun to a measurement, and give the offset from stamps to it.

    Parameters
    ----------
    time : ndarray of int64 of shape (n_rows,)
        Nanoseconds of UTC.
    value : ndarray of shape (n_rows,)
    step : int
        In nanoseconds.
    latitude, longitude : float
        In degrees.

    Returns
    -------
    offset : float
        In hours; NaN where no day will do.
    error : float
        Its standard error (hours), from groups of days.
    n_days : int
        The days that have light and dark.
    """
    time, value = time[np.isfinite(value)], value[np.isfinite(value)]
    hours = time / HOUR + longitude / 15  # from here on the mean sun of the place
    day = np.floor(hours / 24).astype(np.int64)
    course = Course.of(day, latitude, longitude)
    lit = value > LIT * np.quantile(value, 0.99) if len(value) else np.zeros(0, dtype=bool)
    n_lit, n_rows = (np.unique(day[rows], return_counts=True) for rows in (lit, slice(None)))
    light = np.isin(n_rows[0], n_lit[0])
    light[light] &= n_lit[1] < n_rows[1][light]
    use = np.isin(day, n_rows[0][light]) & np.isfinite(course.half)
    n_days = len(np.unique(day[use]))
    if n_days < FEWEST_DAYS:
        return np.nan, np.nan, n_days
    order = np.flatnonzero(use)[np.argsort(day[use] % GROUPS, kind="stable")]
    hours, value, course = hours[order], np.where(lit, value, 0.0)[order], course.take(order)
    bounds = np.searchsorted(day[order] % GROUPS, np.arange(GROUPS + 1))
    width = step / HOUR
    coarse = np.arange(-12.0, 12.0, 0.5)
    around = float(coarse[np.argmax([_match(value, course.mean(hours + offset, width)) for offset in coarse])])
    weight = 1 / (course.mean(hours + around, 3 * width) + 0.1)  # clouds take a share: noise grows with the sun
    fine = around + np.linspace(-1.0, 1.0, 49)
    bases = [course.basis(hours + offset, width) for offset in fine]
    best = {}
    for n_terms in (1, 3):
        fits = np.stack([_explain(value, weight, basis[:, :n_terms], bounds) for basis in bases])
        best[n_terms] = np.array([_peak(fine, fits[:, group]) for group in range(GROUPS + 1)])
    # the gain costs accuracy, and is there for panels that are turned
    chosen = best[1] if abs(best[1][-1] - best[3][-1]) < ALIKE else best[3]
    return float(chosen[-1]), float(np.hypot(chosen[:-1].std() / np.sqrt(GROUPS), SYSTEMATIC / 1.96)), n_days


@dataclass(frozen=True)
class Course:
    """The sun of each row's day: noon and half of the day (hours), and level and swing of the sine of its height."""

    noon: Floats
    half: Floats
    level: Floats
    swing: Floats

    @classmethod
    def of(cls, day: NDArray[np.int64], latitude: float, longitude: float) -> "Course":
        """Compute it for each row."""
        days, row = np.unique(day, return_inverse=True)
        noon, half, declination = sun_of_day(days, longitude, latitude)
        phi = np.deg2rad(latitude)
        level, swing = np.sin(phi) * np.sin(declination), np.cos(phi) * np.cos(declination)
        return cls(noon[row], half[row], level[row], swing[row])

    def take(self, rows: NDArray[np.int64]) -> "Course":
        """Take rows."""
        return Course(self.noon[rows], self.half[rows], self.level[rows], self.swing[rows])

    def mean(self, middle: Floats, width: float) -> Floats:
        """Average the sine of the sun's height, 0 below the horizon, over steps around times: by its integral."""
        hour = (middle - self.noon + 12) % 24 - 12
        ends = [np.clip(hour + side * width / 2, -self.half, self.half) * np.pi / 12 for side in (-1, 1)]
        begin, end = (self.level * angle + self.swing * np.sin(angle) for angle in ends)
        mean: Floats = np.maximum(end - begin, 0) / (width * np.pi / 12)
        return mean

    def basis(self, middle: Floats, width: float) -> Floats:
        """Give the mean, by itself and times the hour from noon and its square: (n_rows, 3)."""
        hour = np.clip(((middle - self.noon + 12) % 24 - 12) / self.half, -1, 1)
        return self.mean(middle, width)[:, None] * np.stack([np.ones_like(hour), hour, hour**2], axis=1)


def _match(value: Floats, sun: Floats) -> float:
    return float(value @ sun) ** 2 / max(float(sun @ sun), 1e-12)


def _explain(value: Floats, weight: Floats, basis: Floats, bounds: NDArray[np.int64]) -> Floats:
    """Give how much of the measurement the best mixture of suns explains: in each group of days, and in all."""
    weighted = basis * weight[:, None]
    parts = [slice(bounds[i], bounds[i + 1]) for i in range(GROUPS)]
    squares = np.stack([weighted[part].T @ basis[part] for part in parts])
    products = np.stack([weighted[part].T @ value[part] for part in parts])
    squares = np.concatenate([squares, squares.sum(axis=0, keepdims=True)]) + 1e-9 * np.eye(basis.shape[1])
    products = np.concatenate([products, products.sum(axis=0, keepdims=True)])
    explained: Floats = (products * np.linalg.solve(squares, products[..., None])[..., 0]).sum(axis=1)
    return explained


def _peak(offsets: Floats, heights: Floats) -> float:
    """Give where a curve is highest, by a parabola through the three points around."""
    i = int(np.clip(heights.argmax(), 1, len(offsets) - 2))
    low, mid, high = heights[i - 1 : i + 2]
    bend = low - 2 * mid + high
    shift = 0.0 if bend >= 0 else float(np.clip(0.5 * (low - high) / bend, -1, 1))
    return float(offsets[i] + shift * (offsets[1] - offsets[0]))


def sun_of_day(day: NDArray[np.int64], longitude: float, latitude: float) -> tuple[Floats, Floats, Floats]:
    """Give noon, half of the length, and declination of the sun of days.

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
        From sunrise to noon, in hours; NaN where the sun does not rise or set.
    declination : ndarray of shape (n_days,)
        In radians.
    """
    dates = pd.DatetimeIndex(day.astype("M8[D]"))
    angle = 2 * np.pi * (dates.day_of_year.to_numpy() - 1 + 0.5 - longitude / 360) / 365.25
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
    return day * 24.0 + 12 - equation / 60, half, declination


def _classify(estimate: float, step: int) -> str:
    steps = estimate * HOUR / step
    if step / HOUR < SHORTEST:
        return "unclear"
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


def _span(hours: float) -> Any:
    return pd.NaT if np.isnan(hours) else pd.Timedelta(round(hours * 3600), "s")


def _minutes(span: pd.Timedelta, sign: str = "+") -> str:
    return f"{span.total_seconds() / 60:{sign}.0f}"


def _written(span: pd.Timedelta) -> str:
    if pd.isna(span):
        return "NaT"
    minutes = span.total_seconds() / 60
    return f'"{minutes:g}min"'
