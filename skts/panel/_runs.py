"""Tables with runs: which rows a forecast that was made once holds, and the latest word on every time."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from skts.exceptions import PanelIndexError
from skts.panel._gaps import Ints
from skts.panel._row_index import RUN, RowIndex


@dataclass(frozen=True)
class Runs:
    """The runs of a table, series after series, those of a series in the order in which they were made.

    Parameters
    ----------
    indptr : ndarray of int64 of shape (n_runs + 1,)
        Run `i` is the grouped positions `indptr[i]` to `indptr[i + 1]`, increasing in time.
    series : ndarray of int64 of shape (n_runs,)
        The number of the series that each run is of.
    ticks : ndarray of int64 of shape (n_runs,)
        When each was made.
    """

    indptr: Ints
    series: Ints
    ticks: Ints

    @classmethod
    def read(cls, index: RowIndex) -> tuple[Self, Ints, Ints, Ints]:
        """Group the rows of a table by series and run.

        Returns
        -------
        runs : Runs
        rows : ndarray of shape (n_rows,)
            The row of the table at each grouped position: by series, then by run, then by time.
        indptr : ndarray of shape (n_series + 1,)
            Series `i` is the grouped positions `indptr[i]` to `indptr[i + 1]`.
        ticks : ndarray of shape (n_rows,)
            The time at each grouped position.

        Raises
        ------
        PanelIndexError
            A run that holds a time twice, or one before its own, or that starts before an earlier run does.
        """
        assert index.ticks is not None
        assert index.runs is not None
        rows = np.lexsort([index.ticks, index.runs, index.series])
        series, made, ticks = index.series[rows], index.runs[rows], index.ticks[rows]
        indptr = np.searchsorted(series, np.arange(index.n_series + 1))
        is_first = np.ones(len(rows), dtype=bool)
        is_first[1:] = (np.diff(series) != 0) | (np.diff(made) != 0)
        begins = np.flatnonzero(is_first)
        runs = cls(np.append(begins, len(rows)), series[begins], made[begins])
        _check_times(index, rows, is_first, made, ticks)
        _check_order(index, rows[begins], series[begins], ticks[begins])
        return runs, rows, indptr, ticks

    def last_of(self, n_series: int) -> Ints:
        """Give the number of the last run of each series: ndarray of shape (n_series,)."""
        return np.searchsorted(self.series, np.arange(n_series), side="right") - 1

    @property
    def of_each(self) -> Ints:
        """The number of the run at each grouped position: ndarray of shape (n_rows,), made on request."""
        return np.repeat(np.arange(len(self.ticks)), np.diff(self.indptr))


def group_times(series: Ints, ticks: Ints) -> tuple[Ints, Ints]:
    """Put the rows together that have one series and time.

    Parameters
    ----------
    series, ticks : ndarray of shape (n_rows,)
        At each grouped position, where later runs of a series stand after earlier ones.

    Returns
    -------
    order : ndarray of shape (n_rows,)
        The positions by series and time; of those that have both, later runs after earlier ones.
    indptr : ndarray of shape (n_times + 1,)
        Those of one series and time are `order[indptr[i]:indptr[i + 1]]`.
    """
    order = np.lexsort([ticks, series])  # which is stable
    is_first = np.ones(len(order), dtype=bool)
    is_first[1:] = (np.diff(series[order]) != 0) | (np.diff(ticks[order]) != 0)
    return order, np.append(np.flatnonzero(is_first), len(order))


def refuse_runs(index: RowIndex, reader: str | None) -> None:
    """Refuse a table with runs, where it is said who would read it.

    Parameters
    ----------
    index : RowIndex
    reader : str or None
        None takes runs.

    Raises
    ------
    PanelIndexError
    """
    if reader is not None and index.runs is not None:
        raise PanelIndexError(
            f"{reader} takes a table without runs, with one row for each series and time, and the index of this one "
            f"has the level {RUN!r}. Give one forecast for each time, such as the rows of one lead, and drop the "
            f"level: X.droplevel({RUN!r})."
        )


def _check_times(index: RowIndex, rows: Ints, is_first: np.ndarray, made: Ints, ticks: Ints) -> None:
    """Refuse a run that holds a time twice, or one before its own."""
    clock = index.clock
    assert clock is not None
    twice = np.flatnonzero(~is_first[1:] & (np.diff(ticks) == 0))
    if len(twice):
        first, second = np.sort(rows[twice[0] : twice[0] + 2])
        raise PanelIndexError(
            f"Rows {first} and {second}: {index.describe_run(first)} has the time {clock.label(ticks[twice[0]])} "
            "twice. One row for each series, run and time is expected: drop the repeated rows, or give what tells them "
            "apart (provider, member) as columns."
        )
    early = np.flatnonzero(ticks < made)
    if len(early):
        row = rows[early[0]]
        raise PanelIndexError(
            f"Row {row}: {index.describe_run(row)} has the time {clock.label(ticks[early[0]])}, before the run itself "
            f"({len(early)} such rows). A run tells what comes after it: drop these rows, or check that the levels "
            f"{RUN!r} and {clock.name!r} are not swapped, and in one time zone."
        )


def _check_order(index: RowIndex, rows: Ints, series: Ints, first: Ints) -> None:
    """Refuse a run whose first time lies before that of an earlier run: the past would not be the same for both."""
    clock = index.clock
    assert clock is not None
    bad = np.flatnonzero((np.diff(series) == 0) & (np.diff(first) < 0))
    if len(bad):
        i = bad[0]
        raise PanelIndexError(
            f"Row {rows[i + 1]}: {index.describe_run(rows[i + 1])} starts at {clock.label(first[i + 1])}, before the "
            f"earlier {index.describe_run(rows[i])}, which starts at {clock.label(first[i])}. Later runs start no "
            "earlier: cut all of them to start at the same distance from the run."
        )
