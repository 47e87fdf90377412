"""The stations of the farm, and what they make of the weather."""

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import NDArray

from skts.datasets._farm._power import solar_power, wind_power


def draw_stations(rng: RandomState, n_wind: int, n_solar: int, axes: list[NDArray[np.float64]]) -> pd.DataFrame:
    """Draw stations that lie between the outermost points of a grid; for the columns see `make_weather_farm`.

    Parameters
    ----------
    rng : RandomState
    n_wind, n_solar : int
    axes : list of ndarray
        Latitudes and longitudes of the grid.
    """
    n = n_wind + n_solar
    is_wind = np.arange(n) < n_wind
    names = [f"wind_{i}" for i in range(n_wind)] + [f"solar_{i}" for i in range(n_solar)]
    margin = [0.5 * (axis[1] - axis[0]) for axis in axes]
    latitude, longitude = (rng.uniform(a[0] + m, a[-1] - m, n).round(3) for a, m in zip(axes, margin, strict=True))
    columns = {
        "kind": np.where(is_wind, "wind", "solar"),
        "latitude": latitude,
        "longitude": longitude,
        "capacity": np.where(is_wind, 3000.0 * rng.randint(4, 17, n), 500.0 * rng.randint(4, 31, n)),
    }
    wind_only = {
        "hub_height": rng.randint(16, 30, n) * 5.0,
        "wake_axis": rng.randint(0, 36, n) * 5.0,
        "wake_deficit": rng.uniform(0.08, 0.18, n).round(3),
    }
    solar_only = {"tilt": rng.randint(2, 9, n) * 5.0, "azimuth": 180.0 + 5.0 * rng.randint(-10, 11, n)}
    columns |= {name: np.where(is_wind, values, np.nan) for name, values in wind_only.items()}
    columns |= {name: np.where(is_wind, np.nan, values) for name, values in solar_only.items()}
    return pd.DataFrame(columns, index=pd.Index(names, name="station"))


def make_power(
    stations: pd.DataFrame, times: pd.DatetimeIndex, weather: dict[str, NDArray[np.float32]]
) -> NDArray[np.float64]:
    """Compute the power (kW) in hours that end at `times`, (n_times, n_stations), of weather of that shape."""
    is_wind = (stations["kind"] == "wind").to_numpy()
    power = np.empty((len(times), len(stations)))
    wind, sun = ({name: values[:, kind] for name, values in weather.items()} for kind in (is_wind, ~is_wind))
    power[:, is_wind] = wind_power(stations[is_wind], wind)
    power[:, ~is_wind] = solar_power(stations[~is_wind], times, sun)
    return power
