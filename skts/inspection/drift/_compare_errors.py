"""The errors of new forecasts beside those of a backtest."""

from typing import Any

import numpy as np
import pandas as pd

from skts.inspection._plot._forecast_table import number_series, rows_with_target
from skts.inspection.drift._compare_columns import FEW, NewColumns
from skts.inspection.drift._judge import Judgement, judge
from skts.inspection.drift._promise import Promise, losses_of, means_by_block, sizes_of, ticks_of
from skts.inspection.drift._rows import Rows

ALL = "all"  # series together


def error_checks(promise: Promise | None) -> list[str]:
    """List what a promise can be compared by."""
    return [] if promise is None else list(promise.means)


def compare_errors(
    new: NewColumns, promise: Promise, table: pd.DataFrame, rows: Rows, level: float, n_checks: int
) -> None:
    """Add a row for each series, and one for all together, for each of the checks of errors.

    Parameters
    ----------
    new : NewColumns
        Whose blocks count.
    promise : Promise
    table : DataFrame of shape (n_forecasts, n_columns)
        New forecasts and their truth, as a backtest has them.
    rows : Rows
    level : float
    n_checks : int
    """
    there = rows_with_target(table, ["y_pred", *promise.levels], "drift_report")
    numbers, own = number_series(there)
    names: list[Any] = [None] if promise.names is None else list(promise.names)
    place = np.array([names.index(each) if each in names else len(names) for each in own])
    series = place[numbers]
    times = (ticks_of(there["time"]) - new.grid.first) // new.grid.step - new.begin
    kept = (times >= 0) & (series < len(names)) & (times < new.n_blocks * new.length)
    series, times = series[kept], times[kept]
    n_days = new.n_blocks * new.length // new.unit
    sizes = means_by_block(sizes_of(there)[kept], times // new.length, series, new.n_blocks, len(names), new.length)
    both_sizes = promise.sizes, sizes
    if len(names) == 1:
        both_sizes = promise.sizes[:, :-1], sizes[:, :-1]
    for check, losses in losses_of(there, promise.levels).items():
        known, each = promise.means[check], losses[kept]
        means = means_by_block(each, times // new.length, series, new.n_blocks, len(names), new.length)
        days = means_by_block(each, times // new.unit, series, n_days, len(names), 0)
        known, means, days = (one[:, :-1] if len(names) == 1 else one for one in (known, means, days))
        found = judge(check, known, means, level, n_checks, both_sizes)
        _add(new, promise, found, check, days, names if len(names) == 1 else [*names, ALL], rows)


def _add(
    new: NewColumns, promise: Promise, found: Judgement, check: str, days: Any, names: list[Any], rows: Rows
) -> None:
    months = np.unique(new.seasons[0])
    for unit, who in enumerate(names):
        since = None
        if found.alarm[unit]:
            since = new.since_day(days[:, unit], found.usual[unit], int(found.block[unit]))
        note = "" if promise.months[months].all() else "the backtest has no such month"
        note = FEW if np.isnan(found.high[unit]) else note
        low = max(found.low[unit], 0.0)
        rows.add(who, None, check, found.value[unit], low, found.high[unit], found.p_value[unit],
                 bool(found.alarm[unit]), since, note)  # fmt: skip
