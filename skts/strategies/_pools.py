"""Which rows to learn from where a cell (a lead of a series) has too few of its own."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Pools:
    """Rows with keys, to be drawn together around any cell.

    A cell with too few rows is given those of the leads next to its own, as many on both sides as it takes: errors
    change little from one lead to the next, and more from station to station. Where the series has too few at all
    leads, keys are dropped from the last on.

    Parameters
    ----------
    keys : ndarray of int64 of shape (n_rows, n_keys)
    by : tuple of str of length n_keys
        What the keys are. () for one cell, with one key that says nothing.
    min_rows : int
    """

    keys: Ints
    by: tuple[str, ...]
    min_rows: int

    def rows_for(self, cell: Ints) -> Ints:
        """Give the rows to learn from for a cell, whether it has rows of its own or not: all where that is too few."""
        names = list(self.by)
        while names:
            rows = self._rows_by(cell, names)
            if len(rows) >= self.min_rows:
                return rows
            names.pop()
        return np.arange(len(self.keys))

    def _rows_by(self, cell: Ints, names: list[str]) -> Ints:
        exact = [self.by.index(name) for name in names if name != "lead"]
        rows = np.flatnonzero((self.keys[:, exact] == cell[exact]).all(axis=1))
        if "lead" not in names or len(rows) < self.min_rows:
            return rows
        place = self.by.index("lead")
        distance = np.abs(self.keys[rows, place] - cell[place])
        reach = np.partition(distance, self.min_rows - 1)[self.min_rows - 1]
        return rows[distance <= reach]
