"""Tables as grids of times by series, and their means in blocks of time."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.inspection._movable_blocks import steps_of_cycle
from skts.panel import PanelIndex

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_ROWS = 168  # of a block, where the table has no days


class Grid(NamedTuple):
    """Where the rows of a table lie among times and series.

    Parameters
    ----------
    panel : PanelIndex
        Without runs.
    first, step : int
        The tick of the first time, and from each to the next.
    n_times : int
    columns : ndarray of int64 of shape (n_series,)
        The place of each series of the panel in the grid.
    n_series : int
        Of the grid.
    """

    panel: PanelIndex
    first: int
    step: int
    n_times: int
    columns: Ints
    n_series: int

    @classmethod
    def of(cls, panel: PanelIndex, names: pd.Index | None = None) -> "Grid":
        """Lay out a table, the series in the order of `names` where these are given; others stand behind."""
        panel = panel.latest
        step, first = panel.step or 1, int(panel.ticks.min())
        own = panel.index.names
        if own is None or names is None:
            columns = np.arange(panel.n_series, dtype=np.int64)
        else:
            columns = names.get_indexer(own).astype(np.int64)
            columns[columns < 0] = len(names) + np.arange((columns < 0).sum())
        n_series = max(panel.n_series if names is None else len(names), int(columns.max()) + 1)
        return cls(panel, first, step, (int(panel.ticks.max()) - first) // step + 1, columns, n_series)

    @property
    def ticks(self) -> Ints:
        """The tick of each time."""
        return self.first + self.step * np.arange(self.n_times, dtype=np.int64)

    def spread(self, values: Any) -> Floats:
        """Put one value for each row of the table into the grid: (n_rows,) to (n_times, n_series), NaN elsewhere."""
        out = np.full((self.n_times, self.n_series), np.nan)
        series = self.columns[self.panel.series_of(np.arange(len(self.panel.rows)))]
        out[(self.panel.ticks - self.first) // self.step, series] = np.asarray(values, dtype=np.float64)[
            self.panel.rows
        ]
        return out


def block_length(panel: PanelIndex, days: int) -> int:
    """Give the rows of a block of so many days; of so many times 24 where the table has no dates."""
    cycle = steps_of_cycle(panel)
    if cycle is None:
        return max(1, days * _ROWS // 7)
    return max(1, days * cycle // (7 if cycle == 7 and _steps_are_days(panel) else 1))


def _steps_are_days(panel: PanelIndex) -> bool:
    clock = panel.index.clock
    if clock is None or panel.step is None:
        return False
    labels = clock.labels(panel.step * np.arange(2))
    labels = labels.to_timestamp() if isinstance(labels, pd.PeriodIndex) else labels
    return bool(labels[1] - labels[0] == pd.Timedelta(days=1))


def block_means(values: Floats, length: int, begin: int = 0) -> Floats:
    """Average each series in whole blocks of time, those with at least half of their values.

    Parameters
    ----------
    values : ndarray of shape (n_times, n_series)
        NaN is missing.
    length : int
        Times of a block.
    begin : int, default=0
        The first time of the first block.

    Returns
    -------
    means : ndarray of shape (n_blocks, n_series)
    """
    n_blocks = (len(values) - begin) // length
    blocks = values[begin : begin + n_blocks * length].reshape(n_blocks, length, values.shape[1])
    there = np.isfinite(blocks)
    n_there = there.sum(axis=1)
    sums = np.where(there, blocks, 0.0).sum(axis=1)
    return np.divide(sums, n_there, out=np.full(sums.shape, np.nan), where=2 * n_there >= length)


def longest_runs(values: Floats) -> tuple[Ints, Ints]:
    """Find the longest stretch of each series in which the value never changes.

    Parameters
    ----------
    values : ndarray of shape (n_times, n_series)
        A missing value ends a stretch.

    Returns
    -------
    lengths, begins : ndarray of int64 of shape (n_series,)
    """
    lengths, begins = np.zeros((2, values.shape[1]), dtype=np.int64)
    if len(values) == 0:
        return lengths, begins
    changes = np.ones(values.shape, dtype=bool)
    changes[1:] = values[1:] != values[:-1]  # NaN differs from all
    for series in range(values.shape[1]):
        starts = np.flatnonzero(changes[:, series])
        run = np.diff(np.append(starts, len(values))) * np.isfinite(values[starts, series])
        lengths[series], begins[series] = run.max(), starts[run.argmax()]
    return lengths, begins
