"""Where the sun stands, and what it would give under a clear sky."""

import warnings
from collections.abc import Mapping
from datetime import timedelta
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts._compat import Interval
from skts._optional import load
from skts.features._base_column_adder import BaseColumnAdder
from skts.features._times import distinct_dates, read_times
from skts.panel import RowIndex

BOUNDS = {"latitude": (-90.0, 90.0), "longitude": (-180.0, 180.0), "altitude": (-500.0, 9000.0)}
NAMES = ["sun_elevation", "sun_azimuth_sin", "sun_azimuth_cos", "clearsky_ghi", "is_day"]
_RISES_AT = -0.833  # degrees of elevation, where the edge of the sun shows, lifted by refraction

Place = float | Mapping[Any, float] | pd.Series


class SolarFeatures(BaseColumnAdder):
    """Add the position of the sun and the irradiance under a clear sky.

    Adds `sun_elevation` (degrees above the horizon, negative at night, without refraction), `sun_azimuth_sin` and
    `sun_azimuth_cos` (of the angle clockwise from north), `clearsky_ghi`, the global horizontal irradiance of a sky
    without clouds (W/m2), and `is_day`: 0 where the sun is below the horizon throughout the step before and the step
    after that time, so that solar power is 0 whichever of the two a row is the mean of, and 1 elsewhere. Needs the
    package `pvlib`.

    Parameters
    ----------
    latitude : float, or mapping or Series of float
        In degrees, north positive; for a panel of several places by the names of the series (tuples where several
        levels of the index name them).
    longitude : float, or mapping or Series of float
        In degrees, east positive, from -180 to 180.
    altitude : float, or mapping or Series of float, default=0.0
        In metres above sea level.
    offset : timedelta-like, default="0min"
        From the time that the index names to the time that the sun is wanted of: `"-30min"` where a row is the mean of
        the hour that ends there, `"30min"` where it is of the hour that begins there.
        :func:`skts.weather.find_stamp_offset` reads off a measurement which it is.

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
    ValueError
        A series has no place.

    Notes
    -----
    Times without a zone are taken as UTC. The values are those of the very moment that the index names, of a period
    its start, or `offset` later.

    The clear sky is that of Ineichen and Perez with the monthly turbidity of the place. Each place and time is computed
    once, however many series share it. The new columns are known ahead: name them in `known` of
    :class:`~skts.SlidingWindower`.

    In `is_day` the sun is given the fastest rise of its latitude, 15 degrees an hour times the cosine, for one step
    (the median one of the table in `fit`, an hour where it has one time): a little more than the day itself.

    References
    ----------
    K. S. Anderson et al. (2023). pvlib python: 2023 project update. Journal of Open Source Software 8(92), 5994.
    https://doi.org/10.21105/joss.05994

    P. Ineichen and R. Perez (2002). A new airmass independent formulation for the Linke turbidity coefficient. Solar
    Energy 73(3), 151-157. https://doi.org/10.1016/S0038-092X(02)00045-2

    I. Reda and A. Andreas (2004). Solar position algorithm for solar radiation applications. Solar Energy 76(5),
    577-589. https://doi.org/10.1016/j.solener.2003.12.003

    Examples
    --------
    >>> import pandas as pd
    >>> from skts.features import SolarFeatures
    >>> times = pd.DatetimeIndex(["2024-06-20 15:00"], tz="UTC")
    >>> X = pd.DataFrame({"power": [1.0]}, index=times)
    >>> SolarFeatures(latitude=51.48, longitude=0.0).fit_transform(X).filter(like="sun").round(1)
                               sun_elevation  sun_azimuth_sin  sun_azimuth_cos
    2024-06-20 15:00:00+00:00           45.9             -0.9             -0.4
    """

    _parameter_constraints = {
        name: [Interval(Real, low, high, closed="both"), Mapping, pd.Series] for name, (low, high) in BOUNDS.items()
    } | {"offset": [str, pd.Timedelta, timedelta, np.timedelta64]}

    def __init__(self, latitude: Place, longitude: Place, *, altitude: Place = 0.0, offset: Any = "0min"):
        self.latitude = latitude
        self.longitude = longitude
        self.altitude = altitude
        self.offset = offset

    def _learn(self, X: Any, values: NDArray[Any]) -> list[str]:
        load("pvlib", "SolarFeatures")
        rows = read_times(X, "SolarFeatures")
        dates, _ = distinct_dates(rows, "SolarFeatures")
        steps = (dates[1:] - dates[:-1]) / pd.Timedelta("1h")
        self._step_hours = float(np.median(steps)) if len(steps) else 1.0
        self._places(rows)
        self._offset = read_offset(self.offset)
        return NAMES

    def _compute(self, X: Any, values: NDArray[Any]) -> NDArray[np.float64]:
        rows = read_times(X, "SolarFeatures")
        dates, time = distinct_dates(rows, "SolarFeatures")
        dates = dates.tz_localize("UTC") if dates.tz is None else dates.tz_convert("UTC")
        places, place_of_series = np.unique(self._places(rows), axis=0, return_inverse=True)
        pairs, pair = np.unique(place_of_series[rows.series] * len(dates) + time, return_inverse=True)
        bounds = np.searchsorted(pairs, np.arange(len(places) + 1) * len(dates))
        suns = [
            sun_and_clear_sky(dates[pairs[bounds[i] : bounds[i + 1]] % len(dates)] + self._offset, *places[i])
            for i in range(len(places))
        ]
        days = [may_be_up(sun[:, 0], place[0], self._step_hours) for sun, place in zip(suns, places, strict=True)]
        return np.column_stack([np.concatenate(suns), np.concatenate(days)])[pair]

    def _places(self, rows: RowIndex) -> NDArray[np.float64]:
        """Give latitude, longitude and altitude of every series, (n_series, 3)."""
        return np.stack([look_up(name, getattr(self, name), rows.names) for name in BOUNDS], axis=1)


def read_offset(offset: Any) -> pd.Timedelta:
    """Read a duration.

    Raises
    ------
    ValueError
        It is none.
    """
    try:
        span = pd.Timedelta(offset)
    except ValueError as error:
        raise ValueError(f'SolarFeatures(offset={offset!r}): give a duration, such as "-30min".') from error
    if pd.isna(span):
        raise ValueError(f'SolarFeatures(offset={offset!r}): give a duration, such as "-30min".')
    return span


def look_up(parameter: str, value: Place, names: pd.Index | None) -> NDArray[np.float64]:
    """Find the coordinate of every series.

    Parameters
    ----------
    parameter : {"latitude", "longitude", "altitude"}
    value : float, mapping or Series
    names : Index of shape (n_series,) or None
        The series; None for one without a name.

    Returns
    -------
    coordinates : ndarray of shape (n_series,)

    Raises
    ------
    ValueError
        A series is not in `value`, or its coordinate lies out of bounds.
    """
    if not isinstance(value, Mapping | pd.Series):
        return np.full(1 if names is None else len(names), value, dtype=np.float64)
    if names is None:
        raise ValueError(
            f"SolarFeatures({parameter}=...) is given by series, and the index of this table names none: give a number."
        )
    known = dict(value)
    coordinates = np.array([known.get(name, np.nan) for name in names], dtype=np.float64)
    low, high = BOUNDS[parameter]
    bad = np.flatnonzero(~((low <= coordinates) & (coordinates <= high)))
    if len(bad) == 0:
        return coordinates
    name, found = names[bad[0]], coordinates[bad[0]]
    if np.isnan(found):
        raise ValueError(
            f"SolarFeatures has no {parameter} of series {name!r} ({len(bad)} of {len(names)} series are without): add "
            f"it to {parameter}, which has {list(known)[:5]}{' ...' if len(known) > 5 else ''}."
        )
    raise ValueError(f"SolarFeatures: the {parameter} of series {name!r} is {found}, outside {low} to {high}.")


def may_be_up(elevation: NDArray[np.float64], latitude: float, hours: float) -> NDArray[np.bool_]:
    """Tell where the sun may be up within so many hours before or after it stands at an elevation (degrees)."""
    fastest = 15 * np.cos(np.deg2rad(latitude))  # degrees an hour
    return elevation > _RISES_AT - fastest * hours


def sun_and_clear_sky(
    times: pd.DatetimeIndex, latitude: float, longitude: float, altitude: float
) -> NDArray[np.float64]:
    """Compute the sun and the clear sky of one place.

    Parameters
    ----------
    times : DatetimeIndex of shape (n_times,)
        With a time zone.
    latitude, longitude : float
        In degrees.
    altitude : float
        In metres.

    Returns
    -------
    columns : ndarray of shape (n_times, 4)
        Elevation (degrees), sine and cosine of the azimuth, irradiance (W/m2).
    """
    pvlib = load("pvlib", "SolarFeatures")
    place = pvlib.location.Location(latitude, longitude, tz="UTC", altitude=altitude)
    sun = place.get_solarposition(times)
    with warnings.catch_warnings():
        # of pvlib's own use of pandas; the caller can do nothing about it
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="pvlib")
        sky = place.get_clearsky(times, model="ineichen", solar_position=sun)
    azimuth = np.deg2rad(sun["azimuth"].to_numpy())
    return np.stack([sun["elevation"], np.sin(azimuth), np.cos(azimuth), sky["ghi"]], axis=1)
