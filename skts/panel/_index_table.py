"""A table of columns indexed by those that say who and when; what is wrong is named by its row."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from skts.exceptions import PanelIndexError
from skts.panel._clock import Clock
from skts.panel._gaps import commonest_step, within_series
from skts.panel._read_times import read_times, refuse_at
from skts.panel._row_index import RUN
from skts.panel._words import Words


def index_table(
    table: pd.DataFrame,
    time: Any,
    series: Sequence[Any],
    words: Words,
    *,
    time_format: str | None = None,
    tz: str | None = None,
    freq: str | None = None,
) -> pd.DataFrame:
    """Move the columns that say who and when into the index, and sort the rows by it.

    Parameters
    ----------
    table : DataFrame of shape (n_rows, n_columns)
        Its index, by the name "row" or "line", tells in messages where a row stands.
    time : hashable
        The column with the times.
    series : sequence of hashable
        The columns that name the series; one named `run` says when a forecast was made.
    words : Words
        How messages name these parameters.
    time_format, tz, freq : str, default=None
        As :func:`to_panel` has them.

    Returns
    -------
    X : DataFrame of shape (n_rows, n_columns - 1 - n_levels)

    Raises
    ------
    ValueError
        No such column, or one named twice.
    PanelIndexError
        A row without series or time, times that repeat within a series or lie between its steps.
    """
    for name in series:
        find_column(table.columns, name, "series", words)
    find_column(table.columns, time, "time", words)
    if len({*series, time}) <= len(series):
        raise ValueError(f"{words.given('time', time)} names a series too: name each column once.")
    table, keys = table.copy(deep=False), [name for name in series if name != RUN]
    for name in keys:
        if isinstance(table[name].dtype, pd.CategoricalDtype):
            table[name] = table[name].astype(table[name].cat.categories.dtype)
        table[name] = table[name].infer_objects()
    if RUN in series and tz is not None:
        raise PanelIndexError(
            f"{words.given('tz', tz)}: the times of runs overlap, so that a time that a zone has twice is unclear. "
            f"Give {RUN!r} and {time!r} with their offsets from UTC, or in UTC, and leave {words.option('tz')} out."
        )
    for name in (time, *(name for name in series if name == RUN)):
        table[name] = read_times(
            table[name], words, time_format=time_format, tz=tz, series=[table[key] for key in series if key != name]
        )
        if freq is not None:
            table[name] = _to_periods(table[name], freq, words)
    for name, option in [*((name, "series") for name in series), (time, "time")]:
        what = f"{words.given(option, name)} is empty"
        refuse_at(table[name].isna().to_numpy(), table.index, what, "Fill it in, or drop the row")
    _refuse_repeated(table, time, series, words)
    if RUN not in series:
        _refuse_irregular(table, time, series, words)
    return table.set_index([*series, time] if series else time).sort_index()


def find_column(columns: Iterable[Any], name: Any, parameter: str, words: Words) -> Any:
    """Give the name of a column back, or say that there is none, in terms of the parameter that asked for it.

    Raises
    ------
    ValueError
    """
    columns = list(columns)
    if name in columns:
        return name
    hint = "".join(
        f" Did you mean {match!r}?" for match in difflib.get_close_matches(str(name), map(str, columns), n=1)
    )
    if len(columns) == 1 and (found := [mark for mark in (";", "\t") if mark in str(columns[0])]):
        hint = f" Its fields seem to be separated by {found[0]!r}: save it with commas."
    raise ValueError(
        f"{words.given(parameter, name)} is no column of the {words.table}; those are "
        f"{', '.join(map(str, columns))}.{hint}"
    )


def _to_periods(times: pd.Series, freq: str, words: Words) -> pd.Series:
    if not pd.api.types.is_datetime64_any_dtype(times.dtype):
        raise PanelIndexError(
            f"{words.given('freq', freq)}: only date-times can be made periods, and {words.given('time', times.name)} "
            f"holds {times.dtype}. Leave {words.option('freq')} out."
        )
    wall = times.dt.tz_localize(None)  # a day is the same day in its own zone, however long
    return wall.dt.to_period(freq)


def _name_series(row: pd.Series, series: Sequence[Any], words: Words) -> str:
    return f"Series {', '.join(str(row[name]) for name in series)}" if series else f"The {words.table}"


def _refuse_repeated(table: pd.DataFrame, time: Any, series: Sequence[Any], words: Words) -> None:
    repeated = table.duplicated([*series, time]).to_numpy()
    if not repeated.any():
        return
    row = table.iloc[int(np.flatnonzero(repeated)[0])]
    others = [str(name) for name in table.columns if name not in (time, *series) and table[name].dtype.kind not in "fc"]
    of_these = f" ({', '.join(others)}?)" if others else ""
    tell = "a further column that tells series apart" if series else "the column that tells series apart"
    is_local = pd.api.types.is_datetime64_any_dtype(table[time].dtype) and table[time].dt.tz is None
    zone = f" Local times repeat where clocks go back: give {words.given('tz', 'Europe/Berlin')} or the like."
    raise PanelIndexError(
        f"{_name_series(row, series, words)} has the time {row[time]} more than once, first again in "
        f"{table.index.name} {row.name}: name {tell} with {words.option('series')}{of_these}, or drop the repeated "
        f"rows.{zone if is_local else ''}"
    )


def _refuse_irregular(table: pd.DataFrame, time: Any, series: Sequence[Any], words: Words) -> None:
    """Refuse times that lie between the steps of the commonest length."""
    clock, ticks = Clock.read(pd.Index(table[time]))
    numbers = np.zeros(len(table), dtype=np.int64)
    if series:
        numbers = np.asarray(table.groupby(list(series), sort=False).ngroup(), dtype=np.int64)
    order = np.lexsort([ticks, numbers])
    ticks, counts = ticks[order], np.bincount(numbers)
    indptr = np.append(0, np.cumsum(counts)).astype(np.int64)
    step = commonest_step(ticks, indptr)
    if step is None:
        return
    bad = np.flatnonzero(within_series(indptr) & (np.diff(ticks) % step != 0))
    if len(bad):
        row = table.iloc[int(order[bad[0] + 1])]
        is_date = clock.kind.startswith("date") and not words.options
        months = f", or make months and the like periods by {words.given('freq', 'M')}" if is_date else ""
        raise PanelIndexError(
            f"{_name_series(row, series, words)} goes to {row[time]} ({table.index.name} {row.name}) in a step of "
            f"{clock.span(int(np.diff(ticks)[bad[0]]))}, which is no whole number of steps of {clock.span(step)}, the "
            f"commonest: bring the {words.table} to a regular step{months}."
        )
