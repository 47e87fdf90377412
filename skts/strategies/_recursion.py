"""Which rows to forecast one after another, so that forecasts can stand in for what is missing."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from skts.panel import PanelIndex

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


def run_waves(panel: PanelIndex, missing: Bools, history: int) -> Iterator[tuple[Ints, Bools]]:
    """List the runs to forecast, one after another, to fill all missing targets that a later run reads.

    What a later run reads of a time is the word of the latest run before it that has that time; so one run after the
    other of each series is forecast, and a later one overwrites what an earlier one said.

    Parameters
    ----------
    panel : PanelIndex
        With runs.
    missing : ndarray of bool of shape (n_rows,)
        Whether the target of a row is missing, in the order of the table.
    history : int
        How many rows before a run its forecast reads.

    Yields
    ------
    rows : ndarray of int64 of shape (n_chosen,)
        The rows to forecast, increasing: one run of some series, and the earlier runs that its window reads.
    fill : ndarray of bool of shape (n_chosen,)
        Whose targets to fill with the forecasts.
    """
    runs, step = panel.runs, panel.step or 1
    assert runs is not None
    first, last = panel.ticks[runs.indptr[:-1]], panel.ticks[runs.indptr[1:] - 1]
    of_each, series = runs.of_each, panel.index.series[panel.rows]
    order, indptr = panel.same_times
    latest = np.zeros(len(order), dtype=bool)
    latest[order[indptr[1:] - 1]] = True
    # the first run that starts after a time reads it, if any does; starts do not decrease within a series
    code = np.unique(np.concatenate([first, panel.ticks]), return_inverse=True)[1]
    keys = runs.series * (int(code.max()) + 2) + code[: len(first)]
    reader = np.searchsorted(keys, series * (int(code.max()) + 2) + code[len(first) :], side="right")
    inside = reader < np.searchsorted(runs.series, series, side="right")
    reader = np.where(inside, reader, 0)
    is_read = inside & ((first[reader] - panel.ticks) // step <= history)
    needed = np.unique(of_each[latest & is_read & missing[panel.rows]])
    turns = np.arange(len(needed)) - np.searchsorted(runs.series[needed], runs.series[needed])
    number = np.arange(len(first))
    for turn in range(int(turns.max(initial=-1)) + 1):
        current = np.full(panel.n_series, -1, dtype=np.int64)  # -1: nothing left to fill
        current[runs.series[needed[turns == turn]]] = needed[turns == turn]
        own = current[runs.series]
        begin = first[np.maximum(own, 0)] - history * step
        chosen = (own >= 0) & (number <= own) & (last >= begin)
        is_there = np.zeros(len(of_each), dtype=bool)
        is_there[panel.rows] = chosen[of_each]
        fill = np.zeros(len(of_each), dtype=bool)
        fill[panel.rows] = (of_each == current[series]) & missing[panel.rows]
        rows = np.flatnonzero(is_there)
        yield rows, fill[rows]
