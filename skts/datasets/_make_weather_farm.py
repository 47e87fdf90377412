"""A generated farm of wind and solar stations, with the forecasts of three providers as they arrive."""

from collections.abc import Iterator
from importlib import resources
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.utils import Bunch, check_random_state

from skts._compat import Interval, validate_params
from skts.datasets._farm._clock import Clock, make_clock
from skts.datasets._farm._datasets import change_form, load_xarray, run_coordinates, to_dataset
from skts.datasets._farm._power import MEAN_OUTAGE, MEAN_STUCK, draw_stretches, measure
from skts.datasets._farm._providers import (
    PROVIDERS,
    ErrorWaves,
    draw_arrivals,
    draw_errors,
    error_share,
    error_table,
    forecast,
    is_winter,
)
from skts.datasets._farm._sky import Sky, grid_axes, make_sky
from skts.datasets._farm._stations import draw_stations, make_power
from skts.datasets._farm._weather import disturb, weather_of


@validate_params(
    {
        "n_wind": [Interval(Integral, 0, None, closed="left")],
        "n_solar": [Interval(Integral, 0, None, closed="left")],
        "n_days": [Interval(Integral, 1, None, closed="left")],
        "start": [str, pd.Timestamp],
        "runs_per_day": [Interval(Integral, 1, 24, closed="both")],
        "n_leads": [Interval(Integral, 1, None, closed="left")],
        "grid_size": [Interval(Integral, 3, None, closed="left")],
        "spacing": [Interval(Real, 0, 2, closed="right")],
        "late": [Interval(Real, 0, 1, closed="both")],
        "missing": [Interval(Real, 0, 1, closed="both")],
        "outages": [Interval(Real, 0, 1, closed="both")],
        "stuck": [Interval(Real, 0, 1, closed="both")],
        "own_forms": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_weather_farm(
    *,
    n_wind: int = 5,
    n_solar: int = 5,
    n_days: int = 424,
    start: str | pd.Timestamp = "2023-03-02",
    runs_per_day: int = 1,
    n_leads: int = 48,
    grid_size: int = 11,
    spacing: float = 0.5,
    late: float = 0.03,
    missing: float = 0.02,
    outages: float = 0.02,
    stuck: float = 0.005,
    own_forms: bool = False,
    random_state: int | RandomState | None = None,
) -> Bunch:
    """Generate wind and solar stations, and the forecasts of three weather providers as they arrive.

    A weather is drawn that moves over a grid. Stations make power of it. Three providers forecast it, each wrong in its
    own way: which of them is best depends on the season and the lead, and is known. Needs the package `xarray`.

    Parameters
    ----------
    n_wind, n_solar : int, default=5
        Number of wind farms and of solar parks, together at least 1.
    n_days : int, default=424
        Days of power: a year to train on and 59 days to forecast, in which the season changes (by default on 1 April).
    start : str or Timestamp, default="2023-03-02"
        Where the first day begins.
    runs_per_day : int, default=1
        Runs of each provider, a divisor of 24: evenly through the day, one of them at 12 UTC. The first is that of 12
        UTC on the day before `start`.
    n_leads : int, default=48
        Hours that each run forecasts: from `run + 1 h` on.
    grid_size : int, default=11
        Points of the grid along each side, around 49.5 degrees north and 7.5 degrees east.
    spacing : float, default=0.5
        Degrees between them.
    late, missing : float, default=0.03 and 0.02
        Share of the runs that arrive 6 to 18 hours later than others, and that never do.
    outages, stuck : float, default=0.02 and 0.005
        Share of the hours that a meter says nothing (stretches of 24 hours on average), and that it shows the value of
        an hour before (of 6 hours on average).
    own_forms : bool, default=False
        Whether each provider has a grid, names and units of its own (see Notes). All have the same otherwise.
    random_state : int, RandomState instance or None, default=None
        Decides everything. Weather, forecasts, arrivals and outages are drawn apart: other shares leave the rest alone.

    Returns
    -------
    farm : Bunch
        stations : DataFrame of shape (n_wind + n_solar, 9)
            By `station`: `kind` ("wind" or "solar"), `latitude`, `longitude` (degrees), `capacity` (kW), of wind farms
            `hub_height` (m), `wake_axis` (degrees from north: rows of turbines stand along it) and `wake_deficit` (of
            the wind along it), of solar parks `tilt` and `azimuth` (degrees, from north). NaN for the other kind.
        power : Series of shape (n_stations * n_hours,)
            By `(station, time)`, in kW, with the meters' outages and stuck values.
        true_power : Series of shape (n_stations * n_hours,)
            What was made.
        stuck : Series of shape (n_stations * n_hours,)
            Whether `power` shows a value that is not of its hour.
        true_weather : DataFrame of shape (n_stations * n_hours, 8)
            What it was made of: weather at the station, with gusts and clouds that no grid shows.
        truth : Dataset
            The true weather of the grid: `(time, latitude, longitude)`, to the last hour that a run forecasts.
        forecasts : dict of str to Dataset
            By provider: `(run, step, latitude, longitude)`, float32. Runs that never arrived are not there.
        arrivals : dict of str to Series
            By provider, when each run arrived, by `run`; NaT where it never did.
        providers : DataFrame of shape (3, 8)
            What is true of each provider: see Notes.
        error_scale : DataFrame of shape (2 * n_leads, 3)
            Standard deviation of each provider's error of `u100` and `v100` (m/s) by `(season, lead)`, its bias apart.
        best : Series of shape (2 * n_leads,)
            The provider with the lowest, by `(season, lead)`.
        DESCR : str

    Raises
    ------
    ImportError
        xarray is not installed.
    ValueError
        There is no station, `runs_per_day` does not divide 24, or `start` has a time zone.

    See Also
    --------
    write_weather_farm : Write it as files.
    make_panel : Power that follows one known wind, without runs.

    Notes
    -----
    All times are UTC, without a zone. Every value, of power and of weather, is the mean of the hour that ends at its
    time; the lead of a forecast is `time - run`, in hours.

    The seasons are winter, runs from October to March, and summer, from April to September. `aeolus` is best from lead
    25 on; up to lead 24 `boreas` is best in winter and `cirrus` in summer. Errors are smooth in space and time and grow
    with the lead. 30 % of their variance is shared by all providers and 25 % by all runs of the provider about the
    same hour, so the mean of three is better than one, and by no means by the square root of three.
    Besides, each has a bias: `aeolus` has 5 % too little wind and too little cloud, `boreas` 4 % too much wind and 1 K
    too cold, `cirrus` too much cloud. With `own_forms`, `boreas` lists latitudes from north to south, gives `t2m` in
    degrees Celsius and `sp` in hPa; `cirrus` has every second point of the grid, and instead of `ghi` an `ssrd` (J/m2)
    that adds up from the start of the run.

    It is no weather: fronts do not sharpen, orography and humidity are not there, errors do not depend on the
    situation, and all stations of a kind are of one build. What it can tell is whether a method finds what is in the
    data; how good a forecast will be of a real station, it cannot.

    The default takes some 3 seconds and 1 GB; memory goes with days, runs, leads and points.

    Examples
    --------
    >>> from skts.datasets import make_weather_farm
    >>> farm = make_weather_farm(n_wind=1, n_solar=1, n_days=2, grid_size=3, random_state=0)
    >>> farm.power.index.names, len(farm.power)
    (FrozenList(['station', 'time']), 96)
    >>> dict(farm.forecasts["aeolus"].sizes)
    {'run': 2, 'step': 48, 'latitude': 3, 'longitude': 3}
    >>> farm.best["winter", 12], farm.best["summer", 12], farm.best["summer", 36]
    ('boreas', 'cirrus', 'aeolus')
    """
    xarray = load_xarray("make_weather_farm")
    if n_wind + n_solar == 0:
        raise ValueError("make_weather_farm(n_wind=0, n_solar=0) has no station: give at least one of either.")
    rng = check_random_state(random_state)
    rngs = {name: RandomState(rng.randint(2**31 - 1)) for name in ("stations", "weather", "meters", "runs", "errors")}
    clock = make_clock(start, n_days, runs_per_day, n_leads)
    axes = grid_axes(grid_size, spacing)
    stations = draw_stations(rngs["stations"], n_wind, n_solar, axes)
    sky = make_sky(rngs["weather"], clock.times, axes, stations)
    grid = sky.take(slice(None), slice(grid_size**2))
    coordinates = {"latitude": axes[0], "longitude": axes[1]}
    arrivals = {name: draw_arrivals(rngs["runs"], clock.runs, PROVIDERS[name], late, missing) for name in PROVIDERS}
    forecasts = {}
    for name, weather in forecast_runs(rngs["errors"], clock, grid):
        of_runs = to_dataset(xarray, weather, {**run_coordinates(clock.runs, n_leads), **coordinates}, name)
        of_runs = of_runs.isel(run=np.flatnonzero(arrivals[name].notna()))
        forecasts[name] = change_form(name, of_runs) if own_forms else of_runs
    error_scale = error_table(n_leads)
    return Bunch(
        stations=stations,
        **measure_stations(
            rngs["meters"], stations, clock, sky.take(clock.days, slice(grid_size**2, None)), outages, stuck
        ),
        truth=to_dataset(
            xarray, weather_of(grid.drivers, grid.climate), {"time": clock.times.to_numpy(), **coordinates}, "truth"
        ),
        forecasts=forecasts,
        arrivals=arrivals,
        providers=pd.DataFrame.from_dict(PROVIDERS, orient="index").rename_axis("provider"),
        error_scale=error_scale,
        best=error_scale.idxmin(axis=1).rename("best"),
        DESCR=(resources.files("skts.datasets") / "descr" / "weather_farm.rst").read_text(encoding="utf-8"),
    )


def measure_stations(
    rng: RandomState, stations: pd.DataFrame, clock: Clock, sky: Sky, outages: float, stuck: float
) -> dict[str, Any]:
    """Make the power of the stations and read their meters: what the Bunch holds by station and time."""
    rngs = [RandomState(rng.randint(2**31 - 1)) for _ in range(3)]
    times = clock.times[clock.days]
    weather = weather_of(disturb(rngs[0], sky.drivers), sky.climate)
    made = make_power(stations, times, weather)
    read, is_stuck = measure(
        made,
        draw_stretches(rngs[1], made.shape, outages, MEAN_OUTAGE),
        draw_stretches(rngs[2], made.shape, stuck, MEAN_STUCK),
    )
    rows = pd.MultiIndex.from_product([stations.index, times])
    return {
        "power": pd.Series(read.T.ravel(), rows, name="power"),
        "true_power": pd.Series(made.T.ravel(), rows, name="power"),
        "stuck": pd.Series(is_stuck.T.ravel(), rows, name="stuck"),
        "true_weather": pd.DataFrame({name: values.T.ravel() for name, values in weather.items()}, rows),
    }


def forecast_runs(rng: RandomState, clock: Clock, grid: Sky) -> Iterator[tuple[str, dict[str, NDArray[np.float32]]]]:
    """Forecast the weather of the grid in all runs of each provider: variables (n_runs * n_leads, n_points)."""
    waves = ErrorWaves.draw(rng, len(clock.times))
    lead = np.arange(1, clock.hour.shape[1] + 1)
    there = grid.take(clock.hour.ravel(), slice(None))
    for name, provider in PROVIDERS.items():
        share = error_share(provider, is_winter(clock.runs)[:, None], lead)
        errors = draw_errors(rng, waves, clock.hour, share, grid.places)
        yield name, forecast(provider, there.drivers, errors, there.climate)
