"""Which rows to forecast one after another, so that forecasts can stand in for what is missing."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def waves(series: Ints, positions: Ints, missing: Bools, horizon: int, history: int) -> Iterator[tuple[Ints, Bools]]:
    """List what to forecast, one after another, to fill all missing targets that a later block reads.

    A block is `horizon` consecutive rows of one series, from its first row on. A wave fills the next block with a
    missing target of every series; the last block of a series is read by none and not filled.

    Parameters
    ----------
    series : ndarray of int64 of shape (n_rows,)
        The number of each row's series.
    positions : ndarray of int64 of shape (n_rows,)
        Its distance from the first row of the series; 0 is there for each series.
    missing : ndarray of bool of shape (n_rows,)
        Whether its target is.
    horizon : int
        In rows.
    history : int
        How many rows before a block its forecast reads.

    Yields
    ------
    rows : ndarray of int64 of shape (n_chosen,)
        The rows to forecast, increasing. Those of a series begin where one of its blocks does, `history` rows or more
        before the block to fill, or with its first row.
    fill : ndarray of bool of shape (n_chosen,)
        Whose targets to fill with the forecasts.
    """
    n_series, blocks = int(series.max()) + 1, positions // horizon
    last = np.zeros(n_series, dtype=np.int64)
    np.maximum.at(last, series, blocks)
    read_later = missing & (blocks < last[series])
    n_blocks = int(last.max()) + 1
    owners, numbers = np.divmod(np.unique(series[read_later] * n_blocks + blocks[read_later]), n_blocks)
    turns = np.arange(len(owners)) - np.searchsorted(owners, owners)
    is_start = positions % horizon == 0
    for turn in range(int(turns.max(initial=-1)) + 1):
        current = np.full(n_series, -1, dtype=np.int64)  # -1: nothing left to fill
        current[owners[turns == turn]] = numbers[turns == turn]
        block = current[series]
        start = np.zeros(n_series, dtype=np.int64)
        early = is_start & (positions <= block * horizon - history)
        np.maximum.at(start, series[early], positions[early])
        rows = np.flatnonzero((positions >= start[series]) & (blocks <= block))
        yield rows, missing[rows] & (blocks[rows] == block[rows])
