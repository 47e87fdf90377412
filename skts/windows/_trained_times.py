"""When an estimator was trained, so that forecasts of what lies before are noticed."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.panel import PanelIndex, RowIndex, commonest_step, within_series
from skts.windows._tail import number_series

Ints = NDArray[np.int64]

_GAPS_OF_EACH = 8  # of each series; a fold is rarely made of more


@dataclass(frozen=True)
class TrainedTimes:
    """The first and the last training row of every series, and the longest gaps between.

    Parameters
    ----------
    names : Index or None
        The names of the series; None where the table has one series without a name.
    first, last : ndarray of int64 of shape (n_series,)
        In ticks.
    gaps : ndarray of int64 of shape (n_gaps, 3)
        The number of the series, and the ticks of the last row before a gap and of the first one after it; by series,
        increasing. The eight longest of each series.
    step : int or None
        Ticks from one row to the next; None where no series has two rows.
    """

    names: pd.Index | None
    first: Ints
    last: Ints
    gaps: Ints
    step: int | None = None

    @classmethod
    def read(cls, panel: PanelIndex) -> Self:
        """Read a training table; of one with runs when they were made."""
        panel = panel if panel.runs is None else panel.made
        ticks, indptr = panel.ticks, panel.indptr
        is_gap = within_series(indptr) & (np.diff(ticks) != panel.step)
        before = longest_of_each(np.diff(ticks), np.flatnonzero(is_gap), panel.series_of(np.flatnonzero(is_gap)))
        gaps = np.stack([panel.series_of(before), ticks[before], ticks[before + 1]], axis=1)
        names = panel.index.names
        names = names.remove_unused_levels() if isinstance(names, pd.MultiIndex) else names
        return cls(names, ticks[indptr[:-1]], ticks[indptr[1:] - 1], gaps, panel.step)

    def join(self, panel: PanelIndex) -> Self:
        """Add the rows of another table, wherever they lie, and of series that are new."""
        panel = panel if panel.runs is None else panel.made
        numbers, names = number_series(self.names, panel.index.names)
        n_old, n_series = len(self.first), max(len(self.first), int(numbers.max()) + 1)
        own, added = np.arange(n_old), numbers[panel.series_of(np.arange(len(panel.ticks)))]
        series = np.concatenate([own, own, self.gaps[:, 0], self.gaps[:, 0], added])
        ticks = np.concatenate([self.first, self.last, self.gaps[:, 1], self.gaps[:, 2], panel.ticks])
        order = np.lexsort([ticks, series])
        series, ticks = series[order], ticks[order]
        is_other = np.append(True, (np.diff(series) != 0) | (np.diff(ticks) != 0))
        series, ticks = series[is_other], ticks[is_other]
        indptr = np.searchsorted(series, np.arange(n_series + 1))
        step = self.step or panel.step or commonest_step(ticks, indptr)
        length = np.diff(ticks)
        before = np.flatnonzero(within_series(indptr) & (length != step))
        before = before[~self._holds(series[before], ticks[before], ticks[before + 1])]
        before = longest_of_each(length, before, series[before])
        gaps = np.stack([series[before], ticks[before], ticks[before + 1]], axis=1)
        return replace(self, names=names, first=ticks[indptr[:-1]], last=ticks[indptr[1:] - 1], gaps=gaps, step=step)

    def _holds(self, series: Ints, before: Ints, after: Ints) -> NDArray[np.bool_]:
        """Tell whether two times, with none of its ends and gaps between them, have rows of this one between them."""
        is_old = series < len(self.first)
        own = np.where(is_old, series, 0)
        inside = (before >= self.first[own]) & (after <= self.last[own])
        return is_old & inside & ~lie_between(series, before + 1, self.gaps)

    def reached(self, index: RowIndex) -> NDArray[np.bool_]:
        """Tell which rows of a table with times, or their runs, come no later than the last that was trained on.

        Returns
        -------
        reached : ndarray of bool of shape (n_rows,)
            In the order of the table; False for series that were not there.
        """
        cuts = index.ticks if index.runs is None else index.runs
        assert cuts is not None
        if index.names is None or self.names is None:
            numbers = np.zeros(index.n_series, dtype=np.int64)
        else:
            numbers = self.names.get_indexer(index.names).astype(np.int64)
        series = numbers[index.series]
        return (series >= 0) & (cuts <= self.last[series])

    def passed(self, panel: PanelIndex) -> NDArray[np.bool_]:
        """Tell which rows lie before the first training row of their series, or in a gap between two.

        Parameters
        ----------
        panel : PanelIndex

        Returns
        -------
        passed : ndarray of bool of shape (n_rows,)
            By grouped position; False for series that were not there.
        """
        names = panel.index.names
        if names is None or self.names is None:
            known = np.zeros(panel.n_series, dtype=np.int64)
        else:
            known = self.names.get_indexer(names).astype(np.int64)
        series = np.repeat(known, np.diff(panel.indptr))
        early = panel.ticks < self.first[series]
        return (series >= 0) & (early | lie_between(series, panel.ticks, self.gaps))


def longest_of_each(lengths: NDArray[np.int64], places: Ints, series: Ints) -> Ints:
    """Keep of some places, increasing as the series of each do, those with the largest lengths of each series."""
    order = np.lexsort([-lengths[places], series])
    rank = np.arange(len(order)) - np.searchsorted(series, series)[order]
    return places[np.sort(order[rank < _GAPS_OF_EACH])]


def lie_between(series: Ints, ticks: Ints, gaps: Ints) -> NDArray[np.bool_]:
    """Tell which of some rows, by series and tick, lie in a gap `(series, tick before, tick after)`; gaps increase."""
    if len(gaps) == 0:
        return np.zeros(len(ticks), dtype=bool)
    code = np.unique(np.concatenate([gaps[:, 1], ticks]), return_inverse=True)[1]  # ticks may be too large to multiply
    n_codes = int(code.max()) + 1
    keys = gaps[:, 0] * n_codes + code[: len(gaps)]
    nearest = np.searchsorted(keys, series * n_codes + code[len(gaps) :]) - 1
    return (nearest >= 0) & (gaps[nearest, 0] == series) & (ticks < gaps[nearest, 2])
