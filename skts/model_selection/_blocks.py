"""Times of rows, and the blocks that forecasts are made in: pure index arithmetic."""

import numpy as np
from numpy.typing import NDArray

from skts.panel import PanelIndex

Ints = NDArray[np.int64]


def ticks_of_rows(panel: PanelIndex) -> Ints:
    """Give the time of every row, in the order of the table: ndarray of shape (n_rows,)."""
    ticks = np.empty_like(panel.ticks)
    ticks[panel.rows] = panel.ticks
    return ticks


def first_ticks(panel: PanelIndex, rows: Ints) -> Ints:
    """Find the earliest of some rows in each series.

    Parameters
    ----------
    panel : PanelIndex
    rows : ndarray of shape (n_some,)
        Rows of the table.

    Returns
    -------
    first : ndarray of shape (n_series,)
        Ticks; the largest integer for a series without such a row.
    """
    first = np.full(panel.n_series, np.iinfo(np.int64).max)
    np.minimum.at(first, panel.index.series[rows], ticks_of_rows(panel)[rows])
    return first


def block_leads(panel: PanelIndex, horizon: int | None) -> tuple[Ints, Ints]:
    """Find how far ahead each row of a table to forecast lies, and of what.

    Every series is forecast in consecutive blocks of `horizon` steps from its first row on, as
    :class:`~skts.SlidingWindower` cuts them behind the history; a missing row takes its place in the block all the
    same.

    Parameters
    ----------
    panel : PanelIndex
        Of the rows to forecast.
    horizon : int or None
        In steps; None where one block holds everything.

    Returns
    -------
    leads : ndarray of shape (n_rows,)
        1 to `horizon`, in the order of the table.
    origins : ndarray of shape (n_rows,)
        The tick that has lead 1 in the block of each row, whether the table has that row or not.
    """
    step = panel.step or 1
    lengths = np.diff(panel.indptr)
    steps = (panel.ticks - np.repeat(panel.ticks[panel.indptr[:-1]], lengths)) // step
    in_block = steps if horizon is None else steps % horizon
    leads, origins = np.empty_like(in_block), np.empty_like(in_block)
    leads[panel.rows] = in_block + 1
    origins[panel.rows] = panel.ticks - in_block * step
    return leads, origins
