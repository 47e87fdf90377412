"""The rows that windows of later tables read: chosen from one table, and kept as more tables come."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.exceptions import PanelIndexError
from skts.panel import RUN, Layout, PanelIndex, RowIndex, commonest_step, read_index, within_series

Ints = NDArray[np.int64]


def find_tail(panel: PanelIndex, length: int) -> NDArray[np.bool_]:
    """Mark what new rows may need: the last `length` times of every series, or those before its last run and on.

    Returns
    -------
    is_tail : ndarray of bool of shape (n_times,)
        By grouped position of the table without its runs.
    """
    past = panel.latest
    if panel.runs is None:
        return _ends(past.ticks, past.indptr, length)
    starts = panel.ticks[panel.runs.indptr[panel.runs.last_of(panel.n_series)]]
    return _ends(past.ticks, past.indptr, length, starts - length * (panel.step or 1))


def take_rows(X: pd.DataFrame, rows: Ints) -> pd.DataFrame:
    """Take rows out of a table, without the labels of all others that the levels of its index hold."""
    taken = X.iloc[rows]
    if isinstance(taken.index, pd.MultiIndex):
        taken.index = taken.index.remove_unused_levels()
    return taken


def join_tail(
    tail: pd.DataFrame, X: pd.DataFrame, panel: PanelIndex, layout: Layout, length: int | None
) -> tuple[pd.DataFrame, int | None]:
    """Put the rows of another table beside those that are remembered, and keep what later tables may need.

    Parameters
    ----------
    tail : DataFrame of shape (n_remembered, n_features)
        With times; of a table with runs one row for each series and time, that of its latest run.
    X : DataFrame of shape (n_rows, n_features)
    panel : PanelIndex
        Of `X`.
    layout : Layout
        Of the tables before.
    length : int or None
        How many rows of every series are kept; None keeps all.

    Returns
    -------
    tail : DataFrame of shape (n_remembered, n_features)
        What came first stands first. Of two rows of one series and time the one of the later run, or, of one run or
        without runs, that of `X`.
    step : int or None
        Ticks from one row to the next.

    Raises
    ------
    PanelIndexError
        The times of a series lie no whole number of steps after those that are remembered.
    """
    old = read_index(tail)
    assert old.clock is not None
    assert old.ticks is not None
    rows = np.sort(panel.latest.rows)
    new = _take_index(panel.index, rows)
    assert new.ticks is not None
    names = None if new.names is None else new.names[new.series]
    runs = None if new.runs is None else old.clock.labels(new.runs)
    index = make_index(tail.index, names, old.clock.labels(new.ticks), runs)
    table = X.iloc[rows].set_axis(index).set_axis(tail.columns, axis=1)
    series = np.concatenate([old.series, number_series(old.names, new.names)[0][new.series]])
    ticks, made = np.concatenate([old.ticks, new.ticks]), np.zeros(len(series), dtype=np.int64)
    if old.runs is not None and new.runs is not None:
        made = np.concatenate([old.runs, new.runs])
    order = np.lexsort([made, ticks, series])  # which is stable: of two that are alike the new one comes last
    is_last = np.append((np.diff(series[order]) != 0) | (np.diff(ticks[order]) != 0), True)
    kept = order[is_last]
    indptr = np.searchsorted(series[kept], np.arange(series.max() + 2))
    step = layout.step or commonest_step(ticks[kept], indptr)
    _check_steps(old, new, len(tail), kept, ticks[kept], indptr, step)
    if length is not None:
        begin = None
        if layout.has_runs:
            begin = _starts_of_last(made[kept], ticks[kept], indptr) - length * (step or 1)
        kept = kept[_ends(ticks[kept], indptr, length, begin)]
    return take_rows(pd.concat([tail, table]), np.sort(kept)), step


def number_series(known: pd.Index | None, names: pd.Index | None) -> tuple[Ints, pd.Index | None]:
    """Give series the numbers that they have in a list of names, new ones those after its last.

    Returns
    -------
    numbers : ndarray of int64 of shape (n_names,)
    known : Index or None
        The list with the new ones.
    """
    if known is None or names is None:
        return np.zeros(1 if names is None else len(names), dtype=np.int64), known
    numbers = known.get_indexer(names).astype(np.int64)
    is_new = numbers < 0
    numbers[is_new] = len(known) + np.arange(is_new.sum())
    return numbers, known.append(names[is_new]) if is_new.any() else known


def make_index(like: pd.Index, series: pd.Index | None, times: pd.Index, runs: pd.Index | None = None) -> pd.Index:
    """Make an index with the levels of another: those of the series, that of the runs, the time."""
    if not isinstance(like, pd.MultiIndex):
        return times.rename(like.name)
    own = iter([] if series is None else [series.get_level_values(i) for i in range(series.nlevels)])
    levels: list[Any] = [runs if name == RUN else next(own) for name in like.names[:-1]]
    return pd.MultiIndex.from_arrays([*levels, times], names=like.names)


def _ends(ticks: Ints, indptr: Ints, length: int, begin: Ints | None = None) -> NDArray[np.bool_]:
    """Mark the last `length` rows of every series, and those from a tick of its own on."""
    from_end = np.repeat(indptr[1:], np.diff(indptr)) - np.arange(indptr[-1])
    if begin is None:
        return from_end <= length
    return (from_end <= length) | (ticks >= np.repeat(begin, np.diff(indptr)))  # no new run starts before the last


def _starts_of_last(made: Ints, ticks: Ints, indptr: Ints) -> Ints:
    """Find the first tick of the last run of every series: no later run has taken a time of it."""
    series = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    last = np.maximum.reduceat(made, indptr[:-1])
    starts = np.full(len(last), np.iinfo(np.int64).max)
    is_last = made == last[series]
    np.minimum.at(starts, series[is_last], ticks[is_last])
    return starts


def _take_index(index: RowIndex, rows: Ints) -> RowIndex:
    """Take some rows of the index of a table with times."""
    assert index.ticks is not None
    runs = None if index.runs is None else index.runs[rows]
    return RowIndex(index.series[rows], index.names, index.ticks[rows], index.clock, runs)


def _check_steps(
    old: RowIndex, new: RowIndex, n_old: int, kept: Ints, ticks: Ints, indptr: Ints, step: int | None
) -> None:
    if step is None:
        return
    bad = np.flatnonzero(within_series(indptr) & (np.diff(ticks) % step != 0))
    if not len(bad):
        return
    row = int(kept[bad[0]])
    who = new.describe(row - n_old) if row >= n_old else old.describe(row)
    assert old.clock is not None
    raise PanelIndexError(
        f"HistoryPrepender.partial_fit: {who} goes from {old.clock.label(ticks[bad[0]])} to "
        f"{old.clock.label(ticks[bad[0] + 1])}, one of them remembered and one new, which is no whole number of steps "
        f"of {old.clock.span(step)}. Give rows at the times that those of fit go on with."
    )
