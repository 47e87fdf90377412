"""From a table to its windows: for training and for forecasting, with runs and without."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.exceptions import ShortSeriesError, ShortSeriesWarning
from skts.panel import RUN, PanelIndex, stretch_starts
from skts.windows._origins import count_dropped, lay_out_blocks, training_origins
from skts.windows._runs import (
    RunBlocks,
    TrainingRuns,
    check_length,
    choose_training,
    cut_blocks,
    find_measured,
    lay_out_past,
    measured_once,
)
from skts.windows._similarity import keep_unlike
from skts.windows._windows import Windows

Ints = NDArray[np.int64]
Values = NDArray[np.float32]
_N_LOOKED_AT = 1000  # rows that tell most columns from a target
_FEWEST_VALUES = 5  # that a target has before a column like it is more than chance
_ROUNDING = 1e-5  # of the range of a column


@dataclass(frozen=True)
class Sizes:
    """What a windower cuts, as it was in `fit`.

    Parameters
    ----------
    window : int or None
    horizon, history, stride : int
    known : ndarray of int64 of shape (n_known,)
    max_similarity : float or None
    names : sequence
        The names of all columns, or their positions.
    """

    window: int | None
    horizon: int
    history: int
    stride: int
    known: Ints
    max_similarity: float | None
    names: Sequence[Any]

    @property
    def shortest(self) -> int:
        """The rows that a training window needs before its horizon."""
        return 1 if self.window is None else self.window

    def __str__(self) -> str:
        return f"SlidingWindower(window={self.window}, horizon={self.horizon})"


def cut_series(values: Values, panel: PanelIndex, sizes: Sizes) -> Windows:
    """Cut the training windows of a table without runs.

    Parameters
    ----------
    values : ndarray of float32 of shape (n_rows, n_features)
        In the order of the table.
    panel : PanelIndex
    sizes : Sizes
    """
    stretches = stretch_starts(panel.ticks, panel.indptr, panel.step)
    lengths = sizes.shortest, sizes.horizon, sizes.stride
    origins, counts = training_origins(stretches, *lengths)
    series = panel.series_of(stretches[:-1])
    _check_long_enough(panel, np.diff(stretches), series, sizes)
    table = values[panel.rows]
    dropped = count_dropped(panel.ticks, panel.indptr, panel.step, stretches, *lengths)
    kept, dropped["similarity"] = _keep_unlike(table, origins, np.repeat(np.arange(len(counts)), counts), sizes)
    return _windows(
        panel,
        sizes,
        table,
        origins=origins[kept],
        spans=np.stack([stretches[:-1], stretches[1:]], axis=1),
        span_series=series,
        span_ticks=panel.ticks[stretches[:-1]],
        rows=panel.rows,
        dropped=dropped,
    )


def lay_out_series(values: Values, panel: PanelIndex, sizes: Sizes) -> Windows:
    """Cut the forecasting windows of a table without runs, as :func:`cut_series` is given it."""
    history = sizes.history
    _check_history(panel, sizes)
    reach = {"history": history, "window": sizes.window or history, "horizon": sizes.horizon}
    blocks = lay_out_blocks(panel.ticks, panel.indptr, panel.step, **reach)
    grid, rows = _lay_on_grid(values[panel.rows], panel.rows, blocks.positions, int(blocks.spans[-1, 1]))
    return _windows(
        panel,
        sizes,
        grid,
        origins=blocks.origins,
        spans=blocks.spans,
        span_series=blocks.span_series,
        span_ticks=blocks.span_ticks,
        rows=rows,
        history_rows=panel.rows[(panel.indptr[:-1, None] + np.arange(history)).ravel()],
    )


def cut_runs(values: Values, panel: PanelIndex, sizes: Sizes) -> Windows:
    """Cut the training windows of a table with runs, one for each run that is complete.

    Parameters
    ----------
    values : ndarray of float32 of shape (n_rows, n_features)
        In the order of the table.
    panel : PanelIndex
    sizes : Sizes
        With a window.
    """
    past = panel.latest
    blocks = cut_blocks(panel, sizes.horizon)
    check_length(panel, blocks, np.arange(len(blocks.run)), sizes.horizon)
    chosen = choose_training(panel, blocks, sizes.shortest, sizes.horizon, sizes.stride)
    _check_any_run(panel, chosen, blocks, sizes)
    stretches = stretch_starts(past.ticks, past.indptr, past.step)
    table, dropped = _stitch(values, panel, sizes), chosen.dropped
    stretch = np.searchsorted(stretches, chosen.origins, side="right")
    kept, dropped["similarity"] = _keep_unlike(table, chosen.origins, stretch, sizes)
    numbers, origins = chosen.blocks[kept], chosen.origins[kept]
    rows = _rows_ahead(panel, blocks, numbers, sizes.horizon)
    return _windows(
        panel,
        sizes,
        np.concatenate([table, values[rows]]),
        origins=origins,
        horizons=len(table) + sizes.horizon * np.arange(len(origins)),
        measured=find_measured(origins, blocks.made[numbers], blocks.origin[numbers], panel.step or 1),
        spans=np.stack([stretches[:-1], stretches[1:]], axis=1),
        span_series=past.series_of(stretches[:-1]),
        span_ticks=past.ticks[stretches[:-1]],
        rows=np.concatenate([past.rows, rows]),
        dropped=dropped,
    )


def lay_out_runs(values: Values, panel: PanelIndex, sizes: Sizes, *, several: bool) -> Windows:
    """Cut the forecasting windows of a table with runs: one for each run that does not start in the history.

    Parameters
    ----------
    values, panel, sizes
        As :func:`cut_runs` has them.
    several : bool
        Whether a run that is longer than the horizon makes several windows, each from an origin of its own: where
        training had no runs, and those of this table only say where blocks begin.
    """
    assert panel.runs is not None
    past, step, horizon = panel.latest, panel.step or 1, sizes.horizon
    blocks = cut_blocks(panel, horizon)
    series = panel.runs.series[blocks.run]
    first = panel.ticks[panel.runs.indptr[:-1]][blocks.run]  # a run is history as a whole, or forecast
    is_history = first < (past.ticks[past.indptr[:-1]] + sizes.history * step)[series]
    numbers = np.flatnonzero(~is_history)
    if not several:
        check_length(panel, blocks, numbers, horizon)
    _check_any_after_history(panel, series[numbers], sizes)
    laid = lay_out_past(past, sizes.shortest + horizon, horizon)
    in_history = np.repeat(is_history, blocks.n_rows)
    table = _stitch(values, panel, sizes, in_history)
    grid, rows = _lay_on_grid(table, past.rows, laid.positions, int(laid.spans[-1, 1]))
    origins = laid.find(series[numbers], blocks.origin[numbers], step)
    ahead = _rows_ahead(panel, blocks, numbers, horizon)
    return _windows(
        panel,
        sizes,
        np.concatenate([grid, np.where((ahead >= 0)[:, None], values[ahead], np.float32(np.nan))]),
        origins=origins,
        horizons=len(grid) + horizon * np.arange(len(numbers)),
        measured=find_measured(origins, blocks.made[numbers], blocks.origin[numbers], step),
        spans=laid.spans,
        span_series=laid.span_series,
        span_ticks=laid.span_ticks,
        rows=np.concatenate([rows, ahead]),
        history_rows=panel.rows[in_history],
    )


def find_target(columns: Values, y: Any) -> int | None:
    """Find a column that is a target, whatever the unit and where its zero lies, in every row that has both.

    Parameters
    ----------
    columns : ndarray of float32 of shape (n_rows, n_columns)
    y : array-like of shape (n_rows,) or (n_rows, n_targets)

    Returns
    -------
    position : int or None
    """
    try:
        targets = np.asarray(y, dtype=np.float64).reshape(len(columns), -1)
    except (TypeError, ValueError):  # which whoever learns from y refuses
        return None
    some = np.linspace(0, len(columns) - 1, min(len(columns), _N_LOOKED_AT)).astype(np.int64)
    for target in targets.T:
        for position, column in enumerate(columns.T):
            both = np.isfinite(target) & np.isfinite(column)
            reach = _ROUNDING * float(np.ptp(column[both].astype(np.float64))) if both.any() else 0.0
            if _lies_off(target[some], column[some], 10 * reach):
                continue  # found by a look at few rows, as of nearly all columns
            if not _lies_off(target, column, reach, if_few=True):
                return position
    return None


def _lies_off(target: NDArray[np.float64], column: Values, bound: float, *, if_few: bool = False) -> bool:
    """Tell whether a column is further than a bound from any line through a target; `if_few` where rows are few."""
    both = np.isfinite(target) & np.isfinite(column)
    x, values = target[both], column[both].astype(np.float64)
    if len(np.unique(x)) < _FEWEST_VALUES:
        return if_few
    line = np.polynomial.Polynomial.fit(x, values, 1)
    return bool(np.abs(line(x) - values).max() > bound)


def _windows(panel: PanelIndex, sizes: Sizes, values: Values, **addresses: Any) -> Windows:
    # all that is ever computed of an address, the last row that a window forecasts among it
    largest = len(values) + sizes.shortest + sizes.horizon
    dtype = np.int32 if largest <= np.iinfo(np.int32).max else np.int64
    for name in ("origins", "horizons", "measured", "rows"):
        if addresses.get(name) is not None:
            addresses[name] = addresses[name].astype(dtype, copy=False)
    return Windows(
        panel=np.ascontiguousarray(values, dtype=np.float32),
        step=panel.step or 1,
        window=sizes.window,
        horizon=sizes.horizon,
        known=sizes.known,
        n_rows=len(panel.rows),
        series_names=panel.index.names,
        clock=panel.index.clock,
        chunk=sizes.history if sizes.window is None else None,
        feature_names=np.asarray(sizes.names, dtype=object) if _are_strings(sizes.names) else None,
        **addresses,
    )


def _are_strings(names: Sequence[Any]) -> bool:
    return all(isinstance(name, str) for name in names)


def _stitch(values: Values, panel: PanelIndex, sizes: Sizes, history: NDArray[np.bool_] | None = None) -> Values:
    """Give the past of all runs: what was measured, and of each time the latest run's word on the known columns."""
    observed = np.setdiff1d(np.arange(values.shape[1]), sizes.known)
    table = values[panel.latest.rows]
    table[:, observed] = measured_once(values, panel, observed, sizes.names, history)
    return table


def _rows_ahead(panel: PanelIndex, blocks: RunBlocks, numbers: Ints, horizon: int) -> Ints:
    """Give the row of the table at each place of some blocks, one after the other; -1 where there is none."""
    rows = np.full(len(blocks.run) * horizon, -1, dtype=np.int64)
    rows[blocks.place] = panel.rows
    return rows.reshape(-1, horizon)[numbers].ravel()


def _lay_on_grid(values: Values, rows: Ints, positions: Ints, n_places: int) -> tuple[Values, Ints]:
    """Put values, and the rows that they come from, at their places; NaN and -1 at the others."""
    grid = np.full((n_places, values.shape[1]), np.nan, dtype=np.float32)
    grid[positions] = values
    laid = np.full(n_places, -1, dtype=np.int64)
    laid[positions] = rows
    return grid, laid


def _keep_unlike(table: Values, origins: Ints, stretch: Ints, sizes: Sizes) -> tuple[NDArray[np.bool_], int]:
    """Tell which windows are unlike the one before them, and how many are not."""
    if sizes.window is None or sizes.max_similarity is None:
        return np.ones(len(origins), dtype=bool), 0
    kept = keep_unlike(table, origins, stretch, sizes.window, sizes.max_similarity)
    return kept, len(kept) - int(kept.sum())


def _check_long_enough(panel: PanelIndex, lengths: Ints, series: Ints, sizes: Sizes) -> None:
    """Refuse a table that has no training window, and warn of series that have none."""
    longest = np.zeros(panel.n_series, dtype=np.int64)
    np.maximum.at(longest, series, lengths)
    needed = sizes.shortest + sizes.horizon
    short = np.flatnonzero(longest < needed)
    if len(short) == 0:
        return
    listed = ", ".join(f"{panel.name(i)} has {longest[i]}" for i in short[:5]) + (" ..." if len(short) > 5 else "")
    message = f"{sizes} needs {needed} consecutive rows for one training window, and {listed}"
    if len(short) == panel.n_series:
        raise ShortSeriesError(
            f"{message}: fit on longer series, or give a shorter window or horizon.{_suspect_runs(panel)}"
        )
    warnings.warn(
        f"{message}: {len(short)} of {panel.n_series} series give no window.{_suspect_runs(panel)}",
        ShortSeriesWarning,
        stacklevel=5,
    )


def _suspect_runs(panel: PanelIndex) -> str:
    """Say, where a level that names the series holds times, that it may be that of the runs."""
    names = panel.index.names
    levels = [] if names is None else [names.get_level_values(i) for i in range(names.nlevels)]
    times = [level.name for level in levels if isinstance(level, pd.DatetimeIndex | pd.PeriodIndex)]
    if not times:
        return ""
    return (
        f" The level {times[0]!r} of the index holds times: where it says when a forecast was made, name it {RUN!r}, "
        f"X.rename_axis(index={{{times[0]!r}: {RUN!r}}})."
    )


def _check_any_run(panel: PanelIndex, chosen: TrainingRuns, blocks: RunBlocks, sizes: Sizes) -> None:
    """Refuse a table none of whose runs gives a training window, and warn of series that have none."""
    assert panel.runs is not None
    n_windows = np.bincount(panel.runs.series[blocks.run[chosen.blocks]], minlength=panel.n_series)
    short = np.flatnonzero(n_windows == 0)
    if len(short) == 0:
        return
    counts = ", ".join(f"{count} {reason}" for reason, count in chosen.dropped.items() if count)
    listed = ", ".join(panel.name(i) for i in short[:5]) + (" ..." if len(short) > 5 else "")
    message = (
        f"{sizes} makes a training window of a run of {sizes.horizon} rows before which {sizes.shortest} consecutive "
        f"times have a row, and {listed} has none (of all runs: {counts})"
    )
    if len(short) == panel.n_series:
        longest = int(blocks.n_rows.max())
        hint = f" The longest run has {longest} rows: horizon={longest}?" if longest < sizes.horizon else ""
        raise ShortSeriesError(f"{message}: fit on more runs, or give a shorter window or horizon.{hint}")
    warnings.warn(
        f"{message}: {len(short)} of {panel.n_series} series give no window.", ShortSeriesWarning, stacklevel=5
    )


def _check_history(panel: PanelIndex, sizes: Sizes) -> None:
    lengths = np.diff(panel.indptr)
    short = np.flatnonzero(lengths <= sizes.history)
    if len(short):
        raise ShortSeriesError(
            f"SlidingWindower(window={sizes.window}) needs {sizes.history} rows of history before each forecast, and "
            f"{panel.name(short[0])} has {lengths[short[0]]} rows in all: give a longer table or put "
            f"HistoryPrepender({sizes.history}) before it."
        )


def _check_any_after_history(panel: PanelIndex, series: Ints, sizes: Sizes) -> None:
    without = np.setdiff1d(np.arange(panel.n_series), series)
    if len(without):
        raise ShortSeriesError(
            f"SlidingWindower(window={sizes.window}) needs {sizes.history} rows of history before each forecast, and "
            f"all runs of {panel.name(without[0])} start earlier than so many after its first row: give a longer table "
            f"or put HistoryPrepender({sizes.history}) before it."
        )
