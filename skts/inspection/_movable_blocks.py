"""Blocks of time that change places, the same for all series of a panel."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import NDArray

from skts.panel import Clock, PanelIndex

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class MovableBlocks:
    """A panel cut into blocks of time that can change places.

    Parameters
    ----------
    panel : PanelIndex
    places : ndarray of int64 of shape (n_rows,)
        Steps from the first time of the table to each grouped position of the panel.
    unit : int
        A block is a whole number of units of so many steps, and moves by whole units: a day, so that the hour stays.
    n_units : int
        Whole units in the table; later times do not move.
    shortest : int
        Units of a block, at least.
    slack : int, default=0
        Units that a block has on top on average, so that blocks are of unequal lengths where it is above 0.
    """

    panel: PanelIndex
    places: Ints
    unit: int
    n_units: int
    shortest: int
    slack: int = 0

    @classmethod
    def cut(cls, panel: PanelIndex, shortest: int, unit: int) -> "MovableBlocks":
        """Cut a panel.

        Parameters
        ----------
        panel : PanelIndex
        shortest : int
            Steps of a block, at least.
        unit : int
            Steps of a unit.
        """
        places = (panel.ticks - panel.ticks.min()) // (panel.step or 1)
        n_units = (int(places.max()) + 1) // unit
        return cls(panel, places, unit, n_units, math.ceil(shortest / unit))

    @property
    def n_blocks(self) -> int:
        """The number of blocks."""
        return self.n_units // (self.shortest + self.slack)

    @property
    def moves(self) -> NDArray[np.bool_]:
        """Which rows of the table are in a block: ndarray of shape (n_rows,)."""
        return self.in_table_order(self.places < self.n_units * self.unit)

    def in_table_order(self, values: NDArray) -> NDArray:
        """Put one value for each grouped position in the order of the table's rows."""
        out = np.empty_like(values)
        out[self.panel.rows] = values
        return out

    def draw(self, rng: RandomState) -> Ints:
        """Draw a permutation.

        Returns
        -------
        rows : ndarray of int64 of shape (n_rows,)
            The row of the table whose values each row gets: one of its own series, each once.
        """
        source_units = permute_units(self.n_units, self.shortest, self.n_blocks, rng)
        unit, step = self.places // self.unit, self.places % self.unit
        stays = unit >= self.n_units
        source = source_units[np.minimum(unit, self.n_units - 1)] * self.unit + step
        source[stays] = self.places[stays]
        taken = np.empty_like(self.places)
        for begin, end in zip(self.panel.indptr[:-1], self.panel.indptr[1:], strict=True):
            taken[begin:end] = begin + match_rows(self.places[begin:end], source[begin:end], self.unit)
        return self.in_table_order(self.panel.rows[taken])


def permute_units(n_units: int, shortest: int, n_blocks: int, rng: RandomState) -> Ints:
    """Cut a circle of units anywhere into blocks, and let each block move to the place of another.

    Returns
    -------
    source : ndarray of int64 of shape (n_units,)
        The unit that comes to each place. No unit stays where it was, if the blocks take less than one block of units
        more than they must.
    """
    slack = n_units - n_blocks * shortest
    cuts = np.sort(rng.randint(0, slack + 1, n_blocks - 1))
    lengths = shortest + np.diff(cuts, prepend=0, append=slack)
    circle = np.roll(np.arange(n_units, dtype=np.int64), -rng.randint(n_units))
    blocks = np.split(circle, np.cumsum(lengths)[:-1])
    order = rng.permutation(n_blocks)
    follower = np.empty(n_blocks, dtype=np.int64)
    follower[order] = np.roll(order, 1)  # one round through all blocks, so that none is its own follower
    source = np.empty(n_units, dtype=np.int64)
    source[circle] = np.concatenate([blocks[i] for i in follower])
    return source


def match_rows(places: Ints, source: Ints, unit: int) -> Ints:
    """Find the row of a series at each place that is asked for; rows without one share out those that nobody got.

    Parameters
    ----------
    places : ndarray of shape (n_rows,)
        Where the rows of one series lie, increasing.
    source : ndarray of shape (n_rows,)
        The place whose values each row should get, none twice.
    unit : int
        Of rows left over, those of the same place in their unit go to each other where there are such, from the other
        half of the series.

    Returns
    -------
    rows : ndarray of shape (n_rows,)
        A permutation of 0, 1, ...
    """
    found = np.minimum(np.searchsorted(places, source), len(places) - 1)
    there = places[found] == source
    if there.all():
        return found
    lacking = np.flatnonzero(~there)
    left = np.setdiff1d(np.arange(len(places)), found[there])
    later = left[np.lexsort((places[left], places[left] % unit))]
    # half a turn within each place of the unit
    first = np.searchsorted(places[later] % unit, places[later] % unit)
    count = np.bincount(places[later] % unit, minlength=unit)[places[later] % unit]
    later = later[first + (np.arange(len(later)) - first + count // 2) % count]
    found[lacking[np.lexsort((places[lacking], places[lacking] % unit))]] = later
    return found


def steps_of_cycle(panel: PanelIndex) -> int | None:
    """Give the steps of a day, of a week where a step is a day, and None where there are no dates or no such cycle."""
    clock: Clock | None = panel.index.clock
    if clock is None or panel.step is None:
        return None
    labels = clock.labels(panel.step * np.arange(2))  # about 1970: later periods may be beyond nanoseconds
    labels = labels.to_timestamp() if isinstance(labels, pd.PeriodIndex) else labels
    if not isinstance(labels, pd.DatetimeIndex | pd.TimedeltaIndex):
        return None
    step, day = int(np.diff(labels.as_unit("ns").asi8)[0]), pd.Timedelta(days=1).value
    if step == day:
        return 7
    return day // step if step < day and day % step == 0 else None
