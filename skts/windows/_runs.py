"""Windows of tables with runs: index arithmetic on one stitched past and on the rows of each run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skts.exceptions import PanelIndexError
from skts.panel import PanelIndex, stretch_starts, within_series

Ints = NDArray[np.int64]
_ROUNDING = 1e-5  # by how much one measurement may differ from run to run, since steps before may round


@dataclass(frozen=True)
class RunBlocks:
    """The rows of runs as blocks of `horizon` places, one for each run.

    Parameters
    ----------
    run : ndarray of shape (n_blocks,)
        The number of the run that each block is of.
    origin : ndarray of shape (n_blocks,)
        The time of its first place.
    made : ndarray of shape (n_blocks,)
        When it was made.
    place : ndarray of shape (n_rows,)
        Where each grouped position of the table lies among all places of all blocks.
    n_rows : ndarray of shape (n_blocks,)
        How many places have a row.
    """

    run: Ints
    origin: Ints
    made: Ints
    place: Ints
    n_rows: Ints


def cut_blocks(panel: PanelIndex, horizon: int) -> RunBlocks:
    """Cut runs into blocks of `horizon` places, the longer ones into several.

    Parameters
    ----------
    panel : PanelIndex
        With runs.
    horizon : int
        In rows.
    """
    runs, step = panel.runs, panel.step or 1
    assert runs is not None
    lengths, first = np.diff(runs.indptr), panel.ticks[runs.indptr[:-1]]
    steps = (panel.ticks - np.repeat(first, lengths)) // step
    number, in_block = np.divmod(steps, horizon)
    of_each = runs.of_each
    begins = np.ones(len(steps), dtype=bool)
    begins[1:] = (np.diff(of_each) != 0) | (np.diff(number) != 0)
    block = np.cumsum(begins) - 1
    run, nth = of_each[begins], number[begins]
    origin = first[run] + nth * horizon * step
    return RunBlocks(
        run=run,
        origin=origin,
        made=np.where(nth > 0, origin, runs.ticks[run]),
        place=block * horizon + in_block,
        n_rows=np.bincount(block),
    )


@dataclass(frozen=True)
class TrainingRuns:
    """The runs that give a training window.

    Parameters
    ----------
    blocks : ndarray of shape (n_windows,)
        The number of the block of each.
    origins : ndarray of shape (n_windows,)
        Its place in the stitched past.
    dropped : dict of str to int
        How many runs give none, by the first reason that holds.
    """

    blocks: Ints
    origins: Ints
    dropped: dict[str, int]


def choose_training(panel: PanelIndex, blocks: RunBlocks, window: int, horizon: int, stride: int) -> TrainingRuns:
    """Choose the runs whose window and horizon are complete, every `stride`-th of each series.

    Parameters
    ----------
    panel : PanelIndex
        With runs.
    blocks : RunBlocks
        One for each run.
    window, horizon : int
        In rows.
    stride : int
        In runs that are complete.
    """
    past, step = panel.latest, panel.step or 1
    assert panel.runs is not None
    stretches = stretch_starts(past.ticks, past.indptr, panel.step)
    series = panel.runs.series[blocks.run]
    origins = past.find(series, blocks.origin)
    begins = stretches[np.searchsorted(stretches, origins, side="right") - 1]
    last = panel.ticks[panel.runs.indptr[1:] - 1][blocks.run]
    since_first = (blocks.origin - past.ticks[past.indptr[:-1]][series]) // step
    is_inside = (since_first >= window) & ((last - blocks.origin) // step == horizon - 1)
    is_complete = is_inside & (origins - window >= begins) & (blocks.n_rows == horizon)
    complete = np.flatnonzero(is_complete)
    rank = np.arange(len(complete)) - np.searchsorted(series[complete], series[complete])
    chosen = complete[rank % stride == 0]
    n_inside = int(is_inside.sum())
    dropped = {
        "incomplete": len(series) - n_inside,
        "gap": n_inside - len(complete),
        "stride": len(complete) - len(chosen),
    }
    return TrainingRuns(chosen, origins[chosen], dropped)


@dataclass(frozen=True)
class Past:
    """The stitched past of all runs on grids that are regular in time.

    Parameters
    ----------
    positions : ndarray of shape (n_times,)
        The place of each series and time.
    spans : ndarray of shape (n_spans, 2)
        The first place of each span, and the one after its last.
    span_series, span_ticks : ndarray of shape (n_spans,)
        The series of each span, and the time of its first place.
    """

    positions: Ints
    spans: Ints
    span_series: Ints
    span_ticks: Ints

    def find(self, series: Ints, ticks: Ints, step: int) -> Ints:
        """Find the place of some series and times that lie in spans."""
        times = np.unique(self.span_ticks)
        keys = self.span_series * (len(times) + 1) + np.searchsorted(times, self.span_ticks) + 1
        wanted = series * (len(times) + 1) + np.searchsorted(times, ticks, side="right")
        span = np.searchsorted(keys, wanted, side="right") - 1
        return self.spans[span, 0] + (ticks - self.span_ticks[span]) // step


def lay_out_past(past: PanelIndex, longest_gap: int, margin: int) -> Past:
    """Lay series on regular grids, where missing rows have places, and cut them at long gaps.

    Parameters
    ----------
    past : PanelIndex
        Without runs.
    longest_gap : int
        Missing rows that still have places.
    margin : int
        Places without a row at the start and at the end of each span.
    """
    step = past.step or 1
    ahead = np.ones(len(past.ticks), dtype=bool)
    ahead[1:] = ~within_series(past.indptr) | (np.diff(past.ticks) // step - 1 > longest_gap)
    first = np.flatnonzero(ahead)
    last = np.append(first[1:], len(past.ticks)) - 1
    sizes = (past.ticks[last] - past.ticks[first]) // step + 1 + 2 * margin
    ends = np.cumsum(sizes)
    begins = ends - sizes
    own = np.cumsum(ahead) - 1
    return Past(
        positions=begins[own] + margin + (past.ticks - past.ticks[first][own]) // step,
        spans=np.stack([begins, ends], axis=1),
        span_series=past.series_of(first),
        span_ticks=past.ticks[first] - margin * step,
    )


def find_measured(origins: Ints, made: Ints, origin_ticks: Ints, step: int) -> Ints | None:
    """Find the place from which on nothing was measured yet when a forecast was made.

    Parameters
    ----------
    origins : ndarray of shape (n_windows,)
        The place of each origin.
    made, origin_ticks : ndarray of shape (n_windows,)
        When each forecast was made, and the time of its origin.
    step : int
        Ticks from one row to the next.

    Returns
    -------
    measured : ndarray of shape (n_windows,) or None
        None where all was measured up to the row before the origin.
    """
    n_unmeasured = np.maximum(-((made - origin_ticks) // step) - 1, 0)  # what has the time of the run is measured
    return origins - n_unmeasured if n_unmeasured.any() else None


def measured_once(
    values: NDArray[np.float32],
    panel: PanelIndex,
    observed: Ints,
    names: Sequence[Any],
    history: NDArray[np.bool_] | None = None,
) -> NDArray[np.float32]:
    """Give what was measured at every series and time, and refuse what differs from run to run.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_features)
        In the order of the table.
    panel : PanelIndex
        With runs.
    observed : ndarray of shape (n_observed,)
        Columns.
    names : sequence
        Of all columns.
    history : ndarray of bool of shape (n_rows,), default=None
        Which grouped positions are of a run of history, which says something only where no other row does.

    Returns
    -------
    measured : ndarray of shape (n_times, n_observed)
        NaN where no run has a value.

    Raises
    ------
    PanelIndexError
    """
    order, indptr = panel.same_times
    rows = panel.rows[order]
    measured = np.empty((len(indptr) - 1, len(observed)), dtype=np.float32)
    for i, column in enumerate(observed):
        said = values[rows, column]
        new = said if history is None else np.where(history[order], np.float32(np.nan), said)
        low, measured[:, i] = np.fmin.reduceat(new, indptr[:-1]), np.fmax.reduceat(new, indptr[:-1])
        bad = np.flatnonzero(measured[:, i] - low > _ROUNDING * np.maximum(np.abs(low), np.abs(measured[:, i])))
        if len(bad):
            those = rows[indptr[bad[0]] : indptr[bad[0] + 1]]
            those = those[[np.nanargmin(values[those, column]), np.nanargmax(values[those, column])]]
            raise PanelIndexError(_say_contradiction(panel, names[column], those, values[those, column]))
        if history is not None:
            measured[:, i] = np.where(np.isnan(low), np.fmax.reduceat(said, indptr[:-1]), measured[:, i])
    return measured


def _say_contradiction(panel: PanelIndex, name: Any, rows: Ints, values: NDArray[np.float32]) -> str:
    index = panel.index
    assert index.clock is not None
    assert index.ticks is not None
    one, other = (f"{value:g} in {index.describe_run(row)}" for row, value in zip(rows, values, strict=True))
    return (
        f"Rows {rows[0]} and {rows[1]}: column {name!r} at {index.clock.label(index.ticks[rows[0]])} is {one}, and "
        f"{other}. An observed column holds what was measured, the same in every run that reaches that time: name what "
        "is forecast in SlidingWindower(known=[...])."
    )


def check_length(panel: PanelIndex, blocks: RunBlocks, chosen: Ints, horizon: int) -> None:
    """Refuse runs that are longer than the horizon, of which a window would be left without rows of its own.

    Parameters
    ----------
    panel : PanelIndex
        With runs.
    blocks : RunBlocks
    chosen : ndarray of int64
        The blocks to look at.
    horizon : int
        In rows.

    Raises
    ------
    PanelIndexError
    """
    assert panel.runs is not None
    run = blocks.run[chosen]
    again = np.flatnonzero(np.diff(run) == 0)
    if len(again) == 0:
        return
    first, ends = panel.ticks[panel.runs.indptr[:-1]], panel.ticks[panel.runs.indptr[1:] - 1]
    lengths = (ends - first) // (panel.step or 1) + 1
    number = run[again[0]]
    who = panel.index.describe_run(int(panel.rows[panel.runs.indptr[number]]))
    n_runs, n_long = len(np.unique(run)), len(np.unique(run[again]))
    raise PanelIndexError(
        f"{who[0].upper()}{who[1:]} has {lengths[number]} rows, and SlidingWindower(horizon={horizon}) makes one "
        f"window of each run ({n_long} of {n_runs} are longer): give horizon={lengths[run].max()}, or leave out the "
        "rows of higher leads."
    )
