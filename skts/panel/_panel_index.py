"""A table grouped by series, and by run where it has runs."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from skts._html import write_count, write_facts, write_names, write_share
from skts.exceptions import PanelIndexError
from skts.panel._gaps import Ints, commonest_step, within_series
from skts.panel._layout import Layout
from skts.panel._period import write_period, write_step
from skts.panel._row_index import RUN, RowIndex, read_index
from skts.panel._runs import Runs, group_times, refuse_runs


@dataclass(frozen=True)
class PanelIndex:
    """Who and when of a table's rows, grouped by series and increasing in time, or grouped by series and by run.

    Parameters
    ----------
    index : RowIndex
        Series and time of each row, in the order of the table.
    rows : ndarray of int64 of shape (n_rows,)
        The row of the table at each grouped position.
    indptr : ndarray of int64 of shape (n_series + 1,)
        Series `i` is the grouped positions `indptr[i]` to `indptr[i + 1]`.
    ticks : ndarray of int64 of shape (n_rows,)
        The time at each grouped position; the row's number within its series where the table has no times.
    step : int or None
        Ticks from one row to the next; None where no series has two rows.
    runs : Runs or None
        The runs of the table, earlier ones first within a series; None where it has none.
    """

    index: RowIndex
    rows: Ints
    indptr: Ints
    ticks: Ints
    step: int | None
    runs: Runs | None = None

    @classmethod
    def read(cls, X: Any, layout: Layout | None = None, *, reader: str | None = None) -> "PanelIndex":
        """Group the rows of a table by series.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
        layout : Layout or None
            That of the training table, where `X` is to be forecast after it.
        reader : str, default=None
            Who reads a table that may have no runs, for the message. None takes runs.

        Raises
        ------
        PanelIndexError
            Times that repeat, decrease, or lie between the steps of a series; an index unlike that of the layout; runs
            that `reader` cannot use, that hold a time twice or one before their own, or that start out of order.
        LostSeriesError
            No times, where the layout has them.
        """
        index = read_index(X)
        if layout is not None:
            layout.check(index)
        if index.runs is not None:
            refuse_runs(index, reader)
            return cls._read_runs(index, layout)
        if index.ticks is None:
            n_rows = len(index.series)
            whole = np.arange(n_rows, dtype=np.int64)
            return cls(index, whole, np.array([0, n_rows], dtype=np.int64), whole, 1)
        counts = np.bincount(index.series, minlength=index.n_series)
        indptr = np.append(0, np.cumsum(counts)).astype(np.int64)
        rows = np.argsort(index.series, kind="stable").astype(np.int64, copy=False)
        ticks = index.ticks[rows]
        _check_increasing(index, rows, indptr, ticks)
        step = layout.step if layout is not None and layout.step is not None else commonest_step(ticks, indptr)
        _check_regular(index, rows, indptr, ticks, step)
        return cls(index, rows, indptr, ticks, step)

    @classmethod
    def _read_runs(cls, index: RowIndex, layout: Layout | None) -> "PanelIndex":
        runs, rows, indptr, ticks = Runs.read(index)
        panel = cls(index, rows, indptr, ticks, None if layout is None else layout.step, runs)
        latest = panel.latest
        step = panel.step or commonest_step(latest.ticks, latest.indptr)
        _check_regular(index, latest.rows, latest.indptr, latest.ticks, step)
        return replace(panel, step=step)

    @cached_property
    def same_times(self) -> tuple[Ints, Ints]:
        """The grouped positions that have one series and time, as :func:`group_times` gives them."""
        return group_times(self.index.series[self.rows], self.ticks)

    @property
    def row_numbers(self) -> Ints:
        """The number of the series and time of every row, the same in all runs, in the order of the table."""
        order, indptr = self.same_times
        numbers = np.empty(len(order), dtype=np.int64)
        numbers[self.rows[order]] = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
        return numbers

    @cached_property
    def latest(self) -> "PanelIndex":
        """The table without its runs: for every series and time the row of the latest run that has it."""
        if self.runs is None:
            return self
        order, ends = self.same_times
        last = order[ends[1:] - 1]
        indptr = np.searchsorted(self.index.series[self.rows[last]], np.arange(self.n_series + 1))
        return replace(self, rows=self.rows[last], indptr=indptr, ticks=self.ticks[last], runs=None)

    @property
    def made(self) -> "PanelIndex":
        """The runs as if each were a row whose time is when it was made."""
        assert self.runs is not None
        indptr = np.searchsorted(self.runs.series, np.arange(self.n_series + 1))
        step = commonest_step(self.runs.ticks, indptr)
        first = self.rows[self.runs.indptr[:-1]]
        return replace(self, rows=first, indptr=indptr, ticks=self.runs.ticks, step=step, runs=None)

    def find(self, series: Ints, ticks: Ints) -> Ints:
        """Find the grouped position of some series and times of a table without runs; all must be there."""
        times = np.unique(self.ticks)
        keys = self.series_of(np.arange(len(self.rows))) * len(times) + np.searchsorted(times, self.ticks)
        return np.searchsorted(keys, series * len(times) + np.searchsorted(times, ticks))

    @property
    def n_series(self) -> int:
        """The number of series."""
        return len(self.indptr) - 1

    def series_of(self, positions: Ints) -> Ints:
        """Give the number of the series that holds each grouped position."""
        return np.searchsorted(self.indptr, positions, side="right") - 1

    def name(self, series: int) -> str:
        """Name a series in a message."""
        return self.index.describe(int(self.rows[self.indptr[series]]))

    @property
    def row_ticks(self) -> Ints:
        """The time of every row, in the order of the table: ndarray of shape (n_rows,)."""
        ticks = np.empty_like(self.ticks)
        ticks[self.rows] = self.ticks
        return ticks

    @property
    def row_cuts(self) -> Ints:
        """What a split in time goes by, in the order of the table: the run of every row, or its time without runs."""
        return self.row_ticks if self.index.runs is None else self.index.runs

    def first_cuts(self, rows: Ints) -> Ints:
        """Find the earliest of some rows of the table in each series, by what splits in time go by.

        Returns
        -------
        first : ndarray of shape (n_series,)
            Ticks as in `row_cuts`; the largest integer for a series without such a row.
        """
        first = np.full(self.n_series, np.iinfo(np.int64).max)
        np.minimum.at(first, self.index.series[rows], self.row_cuts[rows])
        return first

    def leads(self, horizon: int | None = None) -> tuple[Ints, Ints]:
        """Find how far ahead each row lies where the table is forecast in blocks.

        Every series, or every run where there are such, is forecast in consecutive blocks of `horizon` steps from its
        first row on, as :class:`~skts.SlidingWindower` cuts them after the history; a missing row takes its place all
        the same.

        Parameters
        ----------
        horizon : int, default=None
            In steps; one block holds everything by default.

        Returns
        -------
        leads : ndarray of shape (n_rows,)
            1 to `horizon`, in the order of the table.
        origins : ndarray of shape (n_rows,)
            The tick that has lead 1 in the block of each row, whether the table has that row or not.
        """
        step = self.step or 1
        indptr = self.indptr if self.runs is None else self.runs.indptr
        steps = (self.ticks - np.repeat(self.ticks[indptr[:-1]], np.diff(indptr))) // step
        in_block = steps if horizon is None else steps % horizon
        leads, origins = np.empty_like(in_block), np.empty_like(in_block)
        leads[self.rows] = in_block + 1
        origins[self.rows] = self.ticks - in_block * step
        return leads, origins

    def count_missing(self) -> int:
        """Count the times between the first and the last of each series that have no row."""
        ticks, indptr = self.latest.ticks, self.latest.indptr
        first, last = ticks[indptr[:-1]], ticks[indptr[1:] - 1]
        return int(((last - first) // (self.step or 1) + 1).sum()) - len(ticks)

    @property
    def facts(self) -> dict[str, str | None]:
        """Say who and when this is, by name; quick, however many rows there are."""
        first, last = self.ticks.min(), self.ticks.max()
        lengths, n_missing, names = np.diff(self.indptr), self.count_missing(), self.index.names
        holes = f"{write_count(n_missing, 'row')} missing ({write_share(n_missing, n_missing + len(self.latest.rows))})"
        return {
            "series": "1 series" if names is None else write_names(names),
            "rows": f"{len(self.rows):,} in all" * (self.n_series > 1) + _write_lengths(lengths),
            "period": write_period(self.index.clock, int(first), int(last)),
            "runs": None if self.runs is None else f"{len(self.runs.ticks):,}",
            "step": None if self.step is None else write_step(self.index.clock, self.step),
            "holes": holes if n_missing else "none: every series has a row for each step",
        }

    def _repr_html_(self) -> str:
        """Say, in a notebook, who and when this is."""
        return write_facts("Panel", self.facts)

    @property
    def layout(self) -> "Layout":
        """What another table must share to be placed beside this one in time."""
        return Layout(self.index.kind(), self.step, self.index.runs is not None)


def _write_lengths(lengths: Ints) -> str:
    shortest, longest = int(lengths.min()), int(lengths.max())
    if len(lengths) == 1:
        return f"{longest:,}"
    return f", {shortest:,} in each series" if shortest == longest else f", {shortest:,} to {longest:,} in a series"


def _check_increasing(index: RowIndex, rows: Ints, indptr: Ints, ticks: Ints) -> None:
    bad = np.flatnonzero(within_series(indptr) & (np.diff(ticks) <= 0))
    if len(bad) == 0:
        return
    row, clock = int(rows[bad[0] + 1]), index.clock
    assert clock is not None
    time, before = clock.label(ticks[bad[0] + 1]), clock.label(ticks[bad[0]])
    several = (
        "Where the table holds several series, put their names into the index: X.set_index([series, time]), or "
        "skts.to_panel(X, series=..., time=...) for a table of columns. Where a search or an ensemble drew these rows "
        "at random, let it not: HalvingGridSearchCV does so unless it is given "
        'another resource, such as resource="lstm__max_epochs".'
    )
    if time == before:
        raise PanelIndexError(
            f"Row {row}: {index.describe(row)} has the time {time} twice. One row per series and time is expected: "
            "where the rows are forecasts of one time that were made at several, put these before the times as a "
            f"level {RUN!r}, X.set_index([series, {RUN!r}, time]); else drop or average the repeated rows. {several}"
        )
    raise PanelIndexError(
        f"Row {row}: the time of {index.describe(row)} decreases from {before} to {time}. Times must increase within "
        f"a series: call X.sort_index() and reorder y alike. {several}"
    )


def _check_regular(index: RowIndex, rows: Ints, indptr: Ints, ticks: Ints, step: int | None) -> None:
    if step is None:
        return
    bad = np.flatnonzero(within_series(indptr) & (np.diff(ticks) % step != 0))
    if len(bad) == 0:
        return
    row, clock = int(rows[bad[0] + 1]), index.clock
    assert clock is not None
    raise PanelIndexError(
        f"Row {row}: {index.describe(row)} goes from {clock.label(ticks[bad[0]])} to {clock.label(ticks[bad[0] + 1])}, "
        f"which is no whole number of steps of {clock.span(step)} (the commonest in fit). Resample the table to a "
        "regular step, or give calendar months and the like, and days on which clocks change, as a PeriodIndex."
    )
