"""What columns of the training table were like, so that another unit is noticed in later tables."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.exceptions import SuspectUnitsWarning
from skts.panel import PanelIndex

Floats = NDArray[np.float64]

_BLOCK = 24  # rows
_FEWEST_BLOCKS = 7  # of training
_FEWEST_NEW = 3  # of a later table: a station may well stand still for a day
_FAR = 3.0  # ranges of training outside of its range
_FEWEST_FAR = 3  # values, and 5 % of all
_BELOW = 3.0  # times less than in the stillest block of training
_DECADES = (2.6, 3.4)  # of the factor: 1,000, and what the weather of the days does
_MOST_ROWS = 500_000  # that are looked at for spreads


@dataclass(frozen=True)
class UnitsSeen:
    """Ranges and spreads of training columns, in whatever scale: a change of the unit shows in all of them alike.

    Parameters
    ----------
    low, high : ndarray of shape (n_columns,)
        The range in training; NaN where a column had no values.
    typical : ndarray of shape (n_series, n_columns)
        The median over blocks of 24 rows of the standard deviation in a block; NaN for what was not looked at.
    stillest : ndarray of shape (n_columns,)
        The smallest of all blocks: of a block the standard deviation as a share of the typical one, the median over
        the series.
    """

    low: Floats
    high: Floats
    typical: Floats
    stillest: Floats

    @classmethod
    def read(cls, values: NDArray[Any], panel: PanelIndex) -> Self | None:
        """Read a training table; None where it is too short or holds no numbers."""
        table = _as_floats(values)
        if table is None or len(table) == 0:
            return None
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", RuntimeWarning)  # a column without values
            low, high = np.nanmin(table, axis=0), np.nanmax(table, axis=0)
            spreads = _spreads(table, panel, every=-(-len(table) // _MOST_ROWS))
            if spreads.shape[1] < _FEWEST_BLOCKS:
                return None
            typical = np.nanmedian(np.where(spreads > 0, spreads, np.nan), axis=1)
            shares = np.nanmedian(spreads / typical[:, None], axis=0)
            stillest = np.nanmin(np.where(shares > 0, shares, np.nan), axis=0)
        return cls(low, high, typical, stillest)

    def find_other(self, values: NDArray[Any], panel: PanelIndex, numbers: NDArray[np.int64]) -> dict[int, str]:
        """Find columns of a later table that look as if they were in another unit.

        Parameters
        ----------
        values : ndarray of shape (n_rows, n_columns)
        panel : PanelIndex
            Of the table.
        numbers : ndarray of int64 of shape (n_series,)
            Which series of training those of the table are; -1 for none.

        Returns
        -------
        found : dict of int to str
            By column, what it looks like.
        """
        table = _as_floats(values)
        if table is None or table.shape[1] != len(self.low):
            return {}
        found = self._find_far(table)
        there = (numbers >= 0) & (numbers < len(self.typical))
        if 2 * len(np.unique(numbers[there])) < len(self.typical):
            return found
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", RuntimeWarning)
            spreads = _spreads(table, panel)[there]
            if np.isfinite(spreads).any(axis=(0, 2)).sum() < _FEWEST_NEW:
                return found
            shares = spreads / self.typical[numbers[there]][:, None]
            share = np.nanmax(np.nanmedian(shares, axis=0), axis=0)  # of the liveliest block
            decades = -np.log10(share)
            is_still = (share > 0) & (share < self.stillest / _BELOW)
            is_still &= (decades > _DECADES[0]) & (decades < _DECADES[1])
        for column in np.flatnonzero(is_still).tolist():
            found[column] = f"varies {1 / share[column]:,.0f} times less than in training"
        return found

    def _find_far(self, table: Floats) -> dict[int, str]:
        """Find columns with values far outside of their range."""
        width = self.high - self.low
        with np.errstate(invalid="ignore"):
            is_far = (table > self.high + _FAR * width) | (table < self.low - _FAR * width)
            n_far = is_far.sum(axis=0)
            fewest = np.maximum(_FEWEST_FAR, 0.05 * np.isfinite(table).sum(axis=0))
            varies = (self.typical > 1e-6 * width).any(axis=0)  # others describe a station, and a new one is another
            columns = np.flatnonzero((n_far >= fewest) & (width > 0) & varies)
        return {
            column: f"lies more than {_FAR:.0f} times the range of training outside of it in {n_far[column]:,} rows"
            for column in columns.tolist()
        }


def warn_of_other_units(found: dict[int, str], names: Sequence[Any], stacklevel: int) -> None:
    """Warn the caller of columns in other units."""
    if found:
        said = "; ".join(f"column {names[column]!r} {what}" for column, what in found.items())
        warnings.warn(
            f"The unit seems to have changed since training: {said}. Forecasts rest on it as it is: bring the table to "
            "the unit of training, and make values that stand for missing ones NaN.",
            SuspectUnitsWarning,
            stacklevel=stacklevel,
        )


def _as_floats(values: NDArray[Any]) -> Floats | None:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):  # text, of which a later step makes numbers
        return None


def _spreads(table: Floats, panel: PanelIndex, every: int = 1) -> Floats:
    """Give standard deviations by series, block of 24 times and column; NaN where less than half is there.

    Returns
    -------
    spreads : ndarray of shape (n_series, n_blocks, n_columns)
        The same block is the same time in all series. With `every`, series between are left out and all NaN.
    """
    past = panel.latest
    step = past.step or 1
    block = (past.ticks - past.ticks.min()) // (step * _BLOCK)
    n_blocks, n_series = int(block.max()) + 1, past.n_series
    series = past.series_of(np.arange(len(past.ticks)))
    is_seen = series % every == 0
    if n_blocks > 4 * len(table):  # times far apart: hardly a panel
        return np.empty((n_series, 0, table.shape[1]))
    cell, rows = (series * n_blocks + block)[is_seen], past.rows[is_seen]
    size = n_series * n_blocks
    spreads = np.full((size, table.shape[1]), np.nan)
    for column in range(table.shape[1]):
        values = table[rows, column]
        there = np.isfinite(values)
        cells, values = cell[there], values[there]
        number = np.bincount(cells, minlength=size)
        mean = np.bincount(cells, values, size) / number
        spread = np.sqrt(np.bincount(cells, (values - mean[cells]) ** 2, size) / number)
        spreads[:, column] = np.where(2 * number >= _BLOCK, spread, np.nan)
    return spreads.reshape(n_series, n_blocks, -1)


def number_of_series(names: pd.Index | None, trained: pd.Index | None, n_series: int) -> NDArray[np.int64]:
    """Give series their numbers in the training table, -1 for those that were not there."""
    if names is None or trained is None:
        return np.zeros(n_series, dtype=np.int64)
    return np.asarray(trained.get_indexer(names), dtype=np.int64)
