"""The weather of the farm: what drives it, and the eight variables that are seen of it."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy.special import expit

from skts.datasets._farm._fields import Waves, complex_noise, draw_waves, smooth_noise
from skts.datasets._farm._sun import clear_sky, sun_position, through_clouds

VARIABLES = {  # name: CF standard name, units, long name
    "u100": ("eastward_wind", "m s-1", "eastward wind at 100 m above ground"),
    "v100": ("northward_wind", "m s-1", "northward wind at 100 m above ground"),
    "u10": ("eastward_wind", "m s-1", "eastward wind at 10 m above ground"),
    "v10": ("northward_wind", "m s-1", "northward wind at 10 m above ground"),
    "t2m": ("air_temperature", "K", "air temperature at 2 m above ground"),
    "sp": ("surface_air_pressure", "Pa", "surface pressure"),
    "ghi": ("surface_downwelling_shortwave_flux_in_air", "W m-2", "global horizontal irradiance"),
    "tcc": ("cloud_area_fraction", "1", "total cloud cover"),
}
WIND_SPREAD = 5.0  # m/s, of each part of the wind at 100 m
TEMPERATURE_SPREAD = 3.5  # K, around the time of year and day
MEAN_PRESSURE = 98_500.0  # Pa
PRESSURE_OF_FLOW = 0.132  # Pa for each km m/s of the stream function: density x Coriolis parameter at 49.5 north
DRIFT = np.array([36.0, 9.0])  # km/h: what carries the weather, towards the east north east


class Drivers(NamedTuple):
    """What makes the weather, each (n_rows, n_places).

    Parameters
    ----------
    east, north : ndarray
        Wind at 100 m (m/s).
    pressure : ndarray
        Difference from the mean (Pa).
    temperature : ndarray
        Difference from the time of year and day (K).
    cloud : ndarray
        Any number, of which the cloud cover is a logistic function.
    """

    east: NDArray[np.float32]
    north: NDArray[np.float32]
    pressure: NDArray[np.float32]
    temperature: NDArray[np.float32]
    cloud: NDArray[np.float32]

    def take(self, rows: Any, places: Any) -> "Drivers":
        """Select rows and places."""
        return Drivers(*[values[rows, places] for values in self])


class Climate(NamedTuple):
    """What the time and the place alone decide.

    Parameters
    ----------
    clear : ndarray of shape (n_rows, n_places)
        Irradiance of a clear sky (W/m2), mean of the hour.
    normal : ndarray of shape (n_rows, n_places)
        Temperature of the time of year (K).
    daily : ndarray of shape (n_rows, 1)
        Its difference of the time of day under a clear sky (K).
    """

    clear: NDArray[np.float32]
    normal: NDArray[np.float32]
    daily: NDArray[np.float32]

    def take(self, rows: Any, places: Any) -> "Climate":
        """Select rows and places."""
        return Climate(self.clear[rows, places], self.normal[rows, places], self.daily[rows])


def make_climate(times: pd.DatetimeIndex, latitude: NDArray[np.float64], longitude: NDArray[np.float64]) -> Climate:
    """Compute what time and place decide, for hours that end at `times`."""
    minutes = (10, 30, 50)
    clear = sum(clear_sky(sun_position(times - pd.Timedelta(minutes=m), latitude, longitude)[0]) for m in minutes)
    middle = times - pd.Timedelta(minutes=30)
    wave = np.cos(2 * np.pi * (middle.day_of_year.to_numpy() - 201) / 365.25)  # warmest in the third week of July
    normal = 283.0 + 8.5 * wave[:, None] - 0.7 * (latitude - 49.5)
    local = (middle.hour + middle.minute / 60).to_numpy() + longitude.mean() / 15
    daily = (3.5 + 1.5 * wave) * np.cos(2 * np.pi * (local - 15) / 24)
    return Climate(*[np.asarray(v, dtype=np.float32) for v in (clear / len(minutes), normal, daily[:, None])])


def make_drivers(rng: RandomState, times: pd.DatetimeIndex, places: NDArray[np.float64]) -> Drivers:
    """Draw the true weather of hours that end at `times`, at places (n_places, 2) in km.

    The wind flows along the lines of equal pressure; waves of pressure, temperature and cloud are carried by a steady
    flow and come and go within days. Winters are windier and cloudier; clouds go with low pressure, warmth with wind
    from the south.
    """
    hours = np.arange(len(times))
    winter = np.cos(2 * np.pi * (times.day_of_year.to_numpy() - 15) / 365.25)[:, None]
    storms = np.exp(0.22 * winter + 0.3 * smooth_noise(rng, (len(times), 1), 60) - 0.05)
    flow = draw_waves(rng, 40, 500, 6000, of_flow=True)
    moved = WIND_SPREAD * storms * _carried(rng, flow, hours, memory=30)
    east, north = [sum_of_waves(moved, waves) for waves in flow.flow_at(places)]
    pressure = PRESSURE_OF_FLOW * sum_of_waves(moved, flow.at(places))
    warmth, clouds = draw_waves(rng, 20, 600, 4000), draw_waves(rng, 40, 120, 2000)
    temperature = sum_of_waves(_carried(rng, warmth, hours, memory=40), warmth.at(places))
    cloud = sum_of_waves(_carried(rng, clouds, hours, memory=10), clouds.at(places))
    east += (3.0 + 1.5 * winter).astype(np.float32)
    cloud += (0.3 + 0.25 * winter - 0.4 * pressure / pressure.std()).astype(np.float32)
    temperature = np.float32(TEMPERATURE_SPREAD) * temperature + np.float32(0.2) * north
    return Drivers(east, north, pressure, temperature, cloud)


def disturb(rng: RandomState, drivers: Drivers) -> Drivers:
    """Add what only one place has: gusts of hours and single clouds, which no forecast sees."""
    shape = drivers.east.shape
    gusts = 0.7 * smooth_noise(rng, (*shape, 2), 1.5).astype(np.float32)
    clouds = 0.45 * smooth_noise(rng, shape, 1.0).astype(np.float32)
    return drivers._replace(
        east=drivers.east + gusts[..., 0], north=drivers.north + gusts[..., 1], cloud=drivers.cloud + clouds
    )


def weather_of(drivers: Drivers, climate: Climate) -> dict[str, NDArray[np.float32]]:
    """Compute the eight variables, each of the shape of the drivers, as float32.

    The wind between 10 and 100 m follows a power law, steep at night and under clouds, flat in the sun.
    """
    cloud_cover = expit(np.float32(2.2) * drivers.cloud)
    irradiance = climate.clear * through_clouds(cloud_cover)
    exponent = np.float32(0.24) - np.float32(0.14) * irradiance / (irradiance + np.float32(200))
    shear = np.float32(0.1) ** exponent
    weather = {
        "u100": drivers.east,
        "v100": drivers.north,
        "u10": drivers.east * shear,
        "v10": drivers.north * shear,
        "t2m": climate.normal + climate.daily * (1 - np.float32(0.6) * cloud_cover) + drivers.temperature,
        "sp": np.float32(MEAN_PRESSURE) + drivers.pressure,
        "ghi": irradiance,
        "tcc": cloud_cover,
    }
    return {name: values.astype(np.float32, copy=False) for name, values in weather.items()}


def sum_of_waves(coefficients: NDArray[Any], waves: NDArray[np.complex64]) -> NDArray[np.float32]:
    """Sum waves (n_waves, n_places) with coefficients (n_rows, n_waves): a field (n_rows, n_places)."""
    real, imaginary = coefficients.real.astype(np.float32), coefficients.imag.astype(np.float32)
    return real @ waves.real - imaginary @ waves.imag


def _carried(rng: RandomState, waves: Waves, hours: NDArray[np.int64], memory: float) -> NDArray[Any]:
    """Draw coefficients of waves that are carried along and change within `memory` hours: (n_hours, n_waves)."""
    turns = np.outer(hours, waves.numbers @ DRIFT)
    return complex_noise(rng, (len(hours), len(waves.amplitudes)), memory) * np.exp(-1j * turns)
