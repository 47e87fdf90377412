"""Where the sun stands and what it gives, in closed formulas."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SOLAR_CONSTANT = 1361.0  # W/m2


def sun_position(
    times: pd.DatetimeIndex, latitude: NDArray[np.float64], longitude: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute where the sun stands, to about a third of a degree.

    Parameters
    ----------
    times : DatetimeIndex of shape (n_times,)
        UTC.
    latitude, longitude : ndarray of shape (n_places,)
        In degrees.

    Returns
    -------
    sine_of_elevation : ndarray of shape (n_times, n_places)
    azimuth : ndarray of shape (n_times, n_places)
        Clockwise from north, in radians.

    References
    ----------
    J. W. Spencer (1971). Fourier series representation of the position of the sun. Search 2(5), 172.
    """
    hour = (times.hour + times.minute / 60).to_numpy()
    year = 2 * np.pi * (times.day_of_year.to_numpy() - 1 + hour / 24) / 365.25
    declination = (
        0.006918 - 0.399912 * np.cos(year) + 0.070257 * np.sin(year) - 0.006758 * np.cos(2 * year)
        + 0.000907 * np.sin(2 * year) - 0.002697 * np.cos(3 * year) + 0.00148 * np.sin(3 * year)
    )[:, None]  # fmt: skip
    equation_of_time = (
        0.000075 + 0.001868 * np.cos(year) - 0.032077 * np.sin(year) - 0.014615 * np.cos(2 * year)
        - 0.040849 * np.sin(2 * year)
    )  # fmt: skip
    angle = (np.pi * (hour / 12 - 1) + equation_of_time)[:, None] + np.deg2rad(longitude)
    north = np.deg2rad(latitude)
    sine = np.sin(north) * np.sin(declination) + np.cos(north) * np.cos(declination) * np.cos(angle)
    azimuth = np.pi + np.arctan2(np.sin(angle), np.cos(angle) * np.sin(north) - np.tan(declination) * np.cos(north))
    return sine, azimuth


def clear_sky(sine_of_elevation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the global horizontal irradiance without clouds (W/m2).

    References
    ----------
    B. Haurwitz (1945). Insolation in relation to cloudiness and cloud density. Journal of Meteorology 2(3), 154-166.
    """
    sine = np.maximum(sine_of_elevation, 1e-3)
    return np.where(sine_of_elevation > 0, 1098 * sine * np.exp(-0.057 / sine), 0.0)


def through_clouds(cloud_cover: NDArray[np.floating]) -> NDArray[np.floating]:
    """Compute the share of the clear sky's irradiance that passes clouds.

    References
    ----------
    F. Kasten and G. Czeplak (1980). Solar and terrestrial radiation dependent on the amount and type of cloud. Solar
    Energy 24(2), 177-189. https://doi.org/10.1016/0038-092X(80)90391-6
    """
    return 1 - 0.75 * cloud_cover**3.4


def diffuse_share(irradiance: NDArray[np.float64], sine_of_elevation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Estimate which share of the global irradiance is diffuse; all of it while the sun is below 3 degrees.

    References
    ----------
    D. G. Erbs, S. A. Klein and J. A. Duffie (1982). Estimation of the diffuse radiation fraction for hourly, daily and
    monthly-average global radiation. Solar Energy 28(4), 293-302. https://doi.org/10.1016/0038-092X(82)90302-4
    """
    lowest = np.sin(np.deg2rad(3))
    clearness = np.clip(irradiance / (SOLAR_CONSTANT * np.maximum(sine_of_elevation, lowest)), 0, 1)
    middle = np.polyval([12.336, -16.638, 4.388, -0.1604, 0.9511], clearness)
    share = np.select([clearness <= 0.22, clearness <= 0.8], [1 - 0.09 * clearness, middle], 0.165)
    return np.where(sine_of_elevation < lowest, 1.0, share)
