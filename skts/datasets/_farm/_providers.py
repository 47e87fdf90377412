"""Three providers of forecasts: how good each is when, and when its runs arrive."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import NDArray

from skts.datasets._farm._fields import Waves, complex_noise, draw_waves
from skts.datasets._farm._weather import (
    PRESSURE_OF_FLOW,
    TEMPERATURE_SPREAD,
    WIND_SPREAD,
    Climate,
    Drivers,
    sum_of_waves,
    weather_of,
)

CLOUD_ERROR = 2.5  # clouds are harder to forecast: their error beside that of the wind, both as shares of the spread
SHARED, OWN, OF_RUN = 0.30, 0.25, 0.45  # of the variance of an error: see `draw_errors`
MEMORY = 4.0  # hours, of errors
LONGEST_LATE = 18  # hours


class Provider(NamedTuple):
    """What is true of a provider.

    Parameters
    ----------
    floor, growth : float
        Its error at lead 0 and how much it grows in 24 hours, as shares of the natural spread.
    winter, summer : float
        What its error is multiplied by in runs from October to March, and from April to September.
    delay : float
        Hours from a run until it arrives, usually.
    wind_factor : float
        What its winds are multiplied by.
    temperature_bias : float
        In K.
    cloud_bias : float
        Of the number that the cloud cover is a logistic function of (2.2 times it): below 0 it sees too much sun.
    """

    floor: float
    growth: float
    winter: float
    summer: float
    delay: float
    wind_factor: float
    temperature_bias: float
    cloud_bias: float


PROVIDERS = {
    "aeolus": Provider(0.23, 0.025, 1.0, 1.0, 6.5, 0.95, 0.3, -0.15),
    "boreas": Provider(0.08, 0.17, 1.0, 1.4, 4.5, 1.04, -1.0, 0.0),
    "cirrus": Provider(0.08, 0.17, 1.4, 1.0, 3.0, 1.0, 0.5, 0.20),
}


def is_winter(times: pd.DatetimeIndex) -> NDArray[np.bool_]:
    """Tell the half-year from October to March."""
    return np.asarray((times.month >= 10) | (times.month <= 3))


def error_share(provider: Provider, winter: NDArray[np.bool_], lead: NDArray[np.int64]) -> NDArray[np.float64]:
    """Compute the deviation of a provider's error as a share of the natural spread; `winter` and `lead` broadcast."""
    return (provider.floor + provider.growth * lead / 24) * np.where(winter, provider.winter, provider.summer)


def error_table(n_leads: int) -> pd.DataFrame:
    """Compute the deviation of each provider's error of u100 and v100 (m/s) by (season, lead)."""
    lead = np.arange(1, n_leads + 1)
    index = pd.MultiIndex.from_product([["winter", "summer"], lead], names=["season", "lead"])
    winter = index.get_level_values("season") == "winter"
    leads = index.get_level_values("lead").to_numpy()
    return pd.DataFrame(
        {name: WIND_SPREAD * error_share(provider, winter, leads) for name, provider in PROVIDERS.items()}, index=index
    ).rename_axis(columns="provider")


class ErrorWaves(NamedTuple):
    """What errors are made of: the waves of flow, temperature and cloud, and what all providers share of them."""

    flow: Waves
    temperature: Waves
    cloud: Waves
    shared: NDArray[np.complex64]  # (n_hours, n_waves of all three)

    @classmethod
    def draw(cls, rng: RandomState, n_hours: int) -> "ErrorWaves":
        """Draw them for hours that forecasts reach."""
        waves = (
            draw_waves(rng, 10, 300, 2500, of_flow=True),
            draw_waves(rng, 8, 400, 2500),
            draw_waves(rng, 12, 150, 1500),
        )
        return cls(*waves, complex_noise(rng, (n_hours, sum(len(wave.amplitudes) for wave in waves)), MEMORY))


def draw_errors(
    rng: RandomState,
    waves: ErrorWaves,
    hour: NDArray[np.int64],
    share: NDArray[np.float64],
    places: NDArray[np.float64],
) -> Drivers:
    """Draw what a provider's runs are wrong by.

    An error has three parts: one of the hour that all providers share, as nobody could know; one of the hour that all
    runs of the provider share; one of the run, which leaves it alone. Each is smooth in space and time.

    Parameters
    ----------
    rng : RandomState
    waves : ErrorWaves
    hour : ndarray of shape (n_runs, n_leads)
        Which hour of `waves` each is about.
    share : ndarray of shape (n_runs, n_leads)
        The deviation, as a share of the natural spread.
    places : ndarray of shape (n_places, 2)

    Returns
    -------
    errors : Drivers
        Each (n_runs * n_leads, n_places).
    """
    n_hours, n_waves = waves.shared.shape
    own = complex_noise(rng, (n_hours, n_waves), MEMORY)
    of_run = complex_noise(rng, (hour.shape[1], hour.shape[0], n_waves), MEMORY).swapaxes(0, 1)
    coefficients = np.sqrt(SHARED) * waves.shared[hour] + np.sqrt(OWN) * own[hour] + np.sqrt(OF_RUN) * of_run
    coefficients = (share[:, :, None] * coefficients).reshape(-1, n_waves)
    flow, temperature, cloud = np.split(
        coefficients, np.cumsum([len(wave.amplitudes) for wave in waves[:2]]), axis=1
    )  # (n_runs * n_leads, n_waves of each)
    east, north = [sum_of_waves(WIND_SPREAD * flow, wave) for wave in waves.flow.flow_at(places)]
    return Drivers(
        east,
        north,
        sum_of_waves(WIND_SPREAD * PRESSURE_OF_FLOW * flow, waves.flow.at(places)),
        sum_of_waves(TEMPERATURE_SPREAD * temperature, waves.temperature.at(places)),
        sum_of_waves(CLOUD_ERROR * cloud, waves.cloud.at(places)),
    )


def forecast(provider: Provider, truth: Drivers, errors: Drivers, climate: Climate) -> dict[str, NDArray[np.float32]]:
    """Give the eight variables as a provider sees them: truth and error, and its biases."""
    seen = Drivers(*[true + error for true, error in zip(truth, errors, strict=True)])
    factor = np.float32(provider.wind_factor)
    seen = seen._replace(
        east=factor * seen.east,
        north=factor * seen.north,
        temperature=seen.temperature + np.float32(provider.temperature_bias),
        cloud=seen.cloud + np.float32(provider.cloud_bias),
    )
    return weather_of(seen, climate)


def draw_arrivals(
    rng: RandomState, runs: pd.DatetimeIndex, provider: Provider, late: float, missing: float
) -> pd.Series:
    """Draw when each run arrives: NaT where it never does.

    A run in time arrives within an hour of the provider's delay, a late one 6 to 18 hours after that.
    """
    n = len(runs)
    hours = provider.delay + rng.uniform(-0.5, 1.0, n)
    is_late, is_missing = rng.uniform(size=(2, n))
    hours += np.where(is_late < late, rng.uniform(6, LONGEST_LATE, n), 0.0)
    arrived: Any = (runs + pd.to_timedelta(np.round(60 * hours), unit="min")).where(is_missing >= missing)
    return pd.Series(arrived, index=runs, name="available")
