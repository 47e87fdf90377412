"""Where places lie on a grid of latitudes and longitudes."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
TOLERANCE = 1e-4  # degrees, some 10 metres: coordinates in float32 are no better


@dataclass(frozen=True)
class Grid:
    """The axes of a grid, both increasing.

    Parameters
    ----------
    latitude : ndarray of shape (n_latitudes,)
        In degrees, increasing.
    longitude : ndarray of shape (n_longitudes,)
        In degrees, increasing from wherever the grid begins, at most one turn.
    row : ndarray of int64 of shape (n_latitudes,)
        The position of each latitude in the dataset.
    column : ndarray of int64 of shape (n_longitudes,)
        The position of each longitude in the dataset; of a grid around the globe the first stands at the end again.
    closed : bool
        Whether the grid goes around the globe.
    """

    latitude: Floats
    longitude: Floats
    row: Ints
    column: Ints
    closed: bool

    @classmethod
    def read(cls, latitudes: Floats, longitudes: Floats, owner: str) -> "Grid":
        """Order the axes of a dataset.

        Raises
        ------
        ValueError
            An axis repeats a value or lacks one.
        """
        row = np.argsort(latitudes, kind="stable")
        for name, values in (("latitude", latitudes), ("longitude", longitudes % 360)):
            if np.isnan(values).any() or len(np.unique(values)) < len(values):
                raise ValueError(f"{owner}: the {name} of the grid has a value twice, or none: {values[:8]} ...")
        column = np.argsort(longitudes % 360, kind="stable")
        turned = longitudes[column] % 360
        if len(turned) > 1:  # begin after the widest gap, wherever the seam of the numbers lies
            gaps = np.diff(np.append(turned, turned[0] + 360))
            begin = (int(gaps.argmax()) + 1) % len(turned)
            closed = bool(gaps.max() <= 1.5 * np.median(gaps)) and len(turned) > 2
            begin = 0 if closed else begin
            column = np.roll(column, -begin)
            turned = np.unwrap(np.roll(turned, -begin), period=360)
            if closed:
                column, turned = np.append(column, column[0]), np.append(turned, turned[0] + 360)
        else:
            closed = False
        return cls(latitudes[row].astype(np.float64), turned.astype(np.float64), row, column, closed)

    def locate(self, stations: pd.DataFrame, owner: str) -> tuple[Floats, Floats]:
        """Give how many grid points south-north and west-east of the first each station lies.

        Raises
        ------
        ValueError
            Stations outside, by name.
        """
        lat = stations["latitude"].to_numpy(np.float64)
        lon = self.longitude[0] + (stations["longitude"].to_numpy(np.float64) - self.longitude[0] + TOLERANCE) % 360
        lon = lon - TOLERANCE
        outside = (lat < self.latitude[0] - TOLERANCE) | (lat > self.latitude[-1] + TOLERANCE)
        outside |= lon > self.longitude[-1] + TOLERANCE
        if outside.any():
            names = stations.index[outside]
            first = stations[outside].iloc[0]
            raise ValueError(
                f"{owner}: {outside.sum()} of {len(stations)} stations lie outside the grid, the first is "
                f"{names[0]!r} at latitude {first['latitude']:g}, longitude {first['longitude']:g}: "
                f"{list(names[:5])}{' ...' if len(names) > 5 else ''}. The grid has latitudes {self.latitude[0]:g} to "
                f"{self.latitude[-1]:g} and longitudes {self.longitude[0]:g} to {self.longitude[-1]:g}."
            )
        return _position(self.latitude, lat), _position(self.longitude, lon)

    def corners(self, south_north: Floats, west_east: Floats) -> list[tuple[Ints, Ints, Floats]]:
        """Give row and column in the dataset, and weight, of the four points around each position."""
        low_i, part_i = _split(south_north, len(self.latitude))
        low_j, part_j = _split(west_east, len(self.longitude))
        return [
            (
                self.row[np.minimum(low_i + di, len(self.row) - 1)],
                self.column[np.minimum(low_j + dj, len(self.column) - 1)],
                (part_i if di else 1 - part_i) * (part_j if dj else 1 - part_j),
            )
            for di in (0, 1)
            for dj in (0, 1)
        ]

    def around(self, south_north: Floats, west_east: Floats, size: int) -> tuple[Ints, Ints, NDArray[np.bool_]]:
        """Give rows and columns of the points around each position, (n, size), and who is too near the edge."""
        n_columns = len(self.column) - self.closed
        first_i, first_j = (_first_of(position, size) for position in (south_north, west_east))
        i = first_i[:, None] + np.arange(size)
        j = first_j[:, None] + np.arange(size)
        beyond = (i < 0).any(axis=1) | (i >= len(self.row)).any(axis=1) | (size > n_columns)
        if not self.closed:
            beyond |= (j < 0).any(axis=1) | (j >= n_columns).any(axis=1)
        return self.row[i.clip(0, len(self.row) - 1)], self.column[j % n_columns], np.asarray(beyond)


def _position(axis: Floats, values: Floats) -> Floats:
    """Interpolate the number of a grid point."""
    return np.interp(values, axis, np.arange(len(axis)))


def _split(position: Floats, n: int) -> tuple[Ints, Floats]:
    low = np.minimum(np.floor(position).astype(np.int64), max(n - 2, 0))
    return low, position - low


def _first_of(position: Floats, size: int) -> Ints:
    """Give the first of the points around a position: of an odd number the middle is the nearest."""
    middle = np.floor(position + 0.5) if size % 2 else np.floor(position) + 1
    return (middle - size // 2).astype(np.int64)
