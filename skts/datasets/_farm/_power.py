"""From weather at a station to its power, and to what its meter says."""

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import NDArray

from skts.datasets._farm._sun import diffuse_share, sun_position

CUT_IN, CUT_OUT, CUT_BACK_IN = 3.0, 25.0, 22.0  # m/s at the hub, means of the hour
DC_TO_AC = 1.2  # panels by inverter
ALBEDO = 0.2
MEAN_OUTAGE, MEAN_STUCK = 24.0, 6.0  # hours


def power_curve(speed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the power of a wind farm in the wind, without cut-out, from 0 to 1 of its capacity.

    Nothing below 3 m/s, all from about 14 m/s on, half at 8.5.
    """
    bend = 1 / (1 + np.exp(-(speed - 8.5) / 1.2))
    lowest = 1 / (1 + np.exp(-(CUT_IN - 8.5) / 1.2))
    return np.clip((bend - lowest) / (0.99 - lowest), 0, 1)


def is_cut_out(speed: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell when turbines stand still in a storm: from 25 m/s until the wind is below 22, along the first axis."""
    state = np.where(speed >= CUT_OUT, 1.0, np.where(speed < CUT_BACK_IN, 0.0, np.nan))
    return pd.DataFrame(state).ffill().fillna(0.0).to_numpy() > 0


def wind_power(stations: pd.DataFrame, weather: dict[str, NDArray[np.float32]]) -> NDArray[np.float64]:
    """Compute the power of wind farms (kW).

    Parameters
    ----------
    stations : DataFrame of shape (n_stations, ...)
    weather : dict of ndarray of shape (n_times, n_stations)

    Returns
    -------
    power : ndarray of shape (n_times, n_stations)
    """
    east, north = (weather[name].astype(np.float64) for name in ("u100", "v100"))
    speed = np.maximum(np.hypot(east, north), 1e-6)
    near_ground = np.maximum(np.hypot(weather["u10"], weather["v10"]), 1e-7)
    exponent = np.log10(speed / near_ground)
    speed = speed * (stations["hub_height"].to_numpy() / 100) ** exponent
    across = np.arctan2(east, north) - np.deg2rad(stations["wake_axis"].to_numpy())
    # the rows stand in each other's wake where the wind blows along them, from either end
    in_wake = np.exp(-((np.sin(across) / np.sin(np.deg2rad(15))) ** 2))
    slowed = speed * (1 - stations["wake_deficit"].to_numpy() * in_wake)
    density = weather["sp"] / (287.05 * weather["t2m"]) / 1.225
    share = power_curve(slowed * np.cbrt(density))
    return np.where(is_cut_out(speed), 0.0, share * stations["capacity"].to_numpy())


def solar_power(
    stations: pd.DataFrame, times: pd.DatetimeIndex, weather: dict[str, NDArray[np.float32]]
) -> NDArray[np.float64]:
    """Compute the power of solar parks (kW) in hours that end at `times`; parameters and result as of `wind_power`."""
    latitude, longitude, tilt, azimuth, capacity = (
        stations[name].to_numpy() for name in ("latitude", "longitude", "tilt", "azimuth", "capacity")
    )
    tilt, azimuth = np.deg2rad(tilt), np.deg2rad(azimuth)
    sine, sun_azimuth = sun_position(times - pd.Timedelta(minutes=30), latitude, longitude)
    irradiance = weather["ghi"].astype(np.float64)
    diffuse = irradiance * diffuse_share(irradiance, sine)
    direct = (irradiance - diffuse) / np.maximum(sine, np.sin(np.deg2rad(3)))  # on a plane that faces the sun
    cosine = np.sqrt(np.clip(1 - sine**2, 0, 1))
    facing = np.maximum(sine * np.cos(tilt) + cosine * np.sin(tilt) * np.cos(sun_azimuth - azimuth), 0)
    on_panel = direct * facing + diffuse * (1 + np.cos(tilt)) / 2 + ALBEDO * irradiance * (1 - np.cos(tilt)) / 2
    heated = weather["t2m"] - 298.15 + 0.03 * on_panel  # of the cells, from 25 degrees Celsius
    panels = DC_TO_AC * capacity * on_panel / 1000 * (1 - 0.004 * heated)
    return np.clip(0.88 * panels, 0, capacity)


def draw_stretches(rng: RandomState, shape: tuple[int, int], share: float, mean: float) -> NDArray[np.bool_]:
    """Draw stretches of rows, of a length of `mean` on average, that cover a share of them."""
    if share == 0:
        return np.zeros(shape, dtype=bool)
    if share == 1:
        return np.ones(shape, dtype=bool)
    between = mean * (1 - share) / share
    n_rows, n_columns = shape
    covered = np.empty(shape, dtype=bool)
    for column in range(n_columns):
        n = 2 * int(np.ceil(n_rows / (mean + between))) + 50
        lengths = rng.geometric([1 / max(between, 1), 1 / mean], (n, 2))
        state = np.tile([False, True], n).repeat(lengths.ravel())
        start = rng.randint(0, len(state) - n_rows) if len(state) > n_rows else 0
        covered[:, column] = np.resize(state[start:], n_rows)
    return covered


def measure(
    power: NDArray[np.float64], outages: NDArray[np.bool_], stuck: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Read the meters: NaN in outages, the last value before in stretches where they are stuck.

    Returns
    -------
    read : ndarray of shape (n_times, n_stations)
    stuck : ndarray of shape (n_times, n_stations)
        Where a value is shown that is not of its hour.
    """
    stuck = stuck & ~outages
    stuck[0] = False
    held = pd.DataFrame(np.where(stuck, np.nan, power)).ffill().to_numpy()
    return np.where(outages, np.nan, held), stuck
