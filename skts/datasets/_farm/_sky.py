"""The true weather of places."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import NDArray

from skts.datasets._farm._fields import places_in_km
from skts.datasets._farm._weather import Climate, Drivers, make_climate, make_drivers

CENTER = (49.5, 7.5)  # degrees north and east


def grid_axes(size: int, spacing: float) -> list[NDArray[np.float64]]:
    """Give latitudes and longitudes of a grid around the center."""
    offsets = spacing * np.linspace((1 - size) / 2, (size - 1) / 2, size, dtype=np.float64)
    return [center + offsets for center in CENTER]


class Sky(NamedTuple):
    """The true weather of some hours at some places (n_places, 2) in km."""

    places: NDArray[np.float64]
    drivers: Drivers
    climate: Climate

    def take(self, hours: Any, places: slice) -> "Sky":
        """Select hours and places."""
        return Sky(self.places[places], self.drivers.take(hours, places), self.climate.take(hours, places))


def make_sky(rng: RandomState, times: pd.DatetimeIndex, axes: list[NDArray[np.float64]], stations: pd.DataFrame) -> Sky:
    """Draw the weather at the points of a grid, and after them at the stations."""
    latitude = np.concatenate([np.repeat(axes[0], len(axes[1])), stations["latitude"]])
    longitude = np.concatenate([np.tile(axes[1], len(axes[0])), stations["longitude"]])
    places = places_in_km(latitude, longitude, CENTER)
    return Sky(places, make_drivers(rng, times, places), make_climate(times, latitude, longitude))
