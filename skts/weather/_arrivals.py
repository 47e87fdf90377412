"""When each run of a provider was there."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.panel import Clock, check_choices
from skts.weather._run_table import RunTable

Ints = NDArray[np.int64]
NEVER = np.iinfo(np.int64).max


def read_span(value: Any, owner: str, *, above: bool = False) -> int:
    """Read a duration in nanoseconds, and refuse one below 0 (with `above`, 0 too)."""
    try:
        span = pd.Timedelta(value).as_unit("ns")
    except (ValueError, TypeError) as error:
        raise ValueError(f'{owner}: give a duration, such as "6h" or a Timedelta.') from error
    if pd.isna(span) or span.value < above:
        raise ValueError(f"{owner}: the duration must be {'above' if above else 'at least'} 0, and is {span}.")
    return int(span.value)


def arrivals_of(tables: Sequence[RunTable], delay: Any, names: pd.Index | None) -> list[Ints]:
    """Give for each provider when its runs were there: (1 or n_series, n_runs), `NEVER` of one that did not come.

    Raises
    ------
    ValueError
        A provider without a delay, a delay of an unknown provider, a run without one, or one that arrives before it
        was made.
    """
    if not isinstance(delay, Mapping):
        if isinstance(delay, pd.Series | pd.DataFrame):
            raise ValueError(
                f"join_runs(delay=<{type(delay).__name__}>): delays run by run are given by provider: "
                "delay={'ecmwf': series, ...}."
            )
        delay = {table.provider: delay for table in tables}
    known = [table.provider for table in tables]
    check_choices(delay, known, "join_runs(delay=...)", "provider")
    for name in known:
        if name not in delay:
            raise ValueError(
                f"join_runs(delay=...) has no delay of the provider {name!r}, and has {list(delay)}: add how long "
                "after its run a forecast of it is there."
            )
    return [_read_delay(table, delay[table.provider], names) for table in tables]


def _read_delay(table: RunTable, delay: Any, names: pd.Index | None) -> Ints:
    owner = f"join_runs(delay={{{table.provider!r}: ...}})"
    if not isinstance(delay, pd.Series):
        return (table.runs + read_span(delay, owner))[None, :]
    dates = pd.api.types.is_datetime64_any_dtype(delay.dtype)
    if not dates and not pd.api.types.is_timedelta64_dtype(delay.dtype):
        raise ValueError(
            f"{owner}: the Series has dtype {delay.dtype}: give delays (timedelta64) or times of arrival (datetime64) "
            "by run, NaT for a run that never arrived."
        )
    given = _spread(delay, table, names, owner)
    values = pd.DatetimeIndex(given) if dates else pd.TimedeltaIndex(given)
    missing = values.isna()
    if dates:
        clock, ticks = Clock.read(values)
        if clock.kind != table.clock.kind:
            raise ValueError(f"{owner}: the arrivals are {clock.kind}, and the runs {table.clock.kind}.")
    else:
        ticks = values.as_unit("ns").asi8 + np.where(missing, 0, np.tile(table.runs, len(values) // len(table.runs)))
    shape = (-1, len(table.runs))
    arrivals = np.where(missing, NEVER, ticks).reshape(shape)
    early = np.argwhere(arrivals < table.runs)
    if len(early):
        raise ValueError(
            f"{owner}: the run {table.clock.label(table.runs[early[0, 1]])} would arrive before it was made, at "
            f"{table.clock.label(int(arrivals[tuple(early[0])]))}: delays must be at least 0."
        )
    return arrivals


def _spread(delay: pd.Series, table: RunTable, names: pd.Index | None, owner: str) -> pd.Series:
    """Look up the delay of every run, of every series where they differ; only what no row asks for may be absent."""
    index = delay.index
    by_series = isinstance(index, pd.MultiIndex) and names is not None and index.nlevels == names.nlevels + 1
    times = index.get_level_values(-1) if by_series else index
    if not isinstance(times, pd.DatetimeIndex) or (isinstance(index, pd.MultiIndex) and not by_series):
        raise ValueError(f"{owner}: the index of the Series must be the run, or (series..., run), as date-times.")
    clock, ticks = Clock.read(times)
    if clock.kind != table.clock.kind:
        raise ValueError(f"{owner}: the index of the Series holds {clock.kind}, and the runs are {table.clock.kind}.")
    n_runs = len(table.runs)
    run = np.searchsorted(table.runs, ticks).clip(0, n_runs - 1)
    place = np.where(table.runs[run] == ticks, run, -1)
    n_series = 1
    if by_series:
        assert names is not None
        assert isinstance(index, pd.MultiIndex)
        n_series, series = len(names), names.get_indexer(index.droplevel(-1))
        place = np.where((place < 0) | (series < 0), -1, series * n_runs + place)
    if len(np.unique(place[place >= 0])) < (place >= 0).sum():
        raise ValueError(f"{owner}: the Series has a run twice: give one delay for each.")
    row = np.full(n_series * n_runs, -1)
    row[place[place >= 0]] = np.flatnonzero(place >= 0)
    asked = table.series * n_runs + table.run if by_series else table.run
    absent = np.flatnonzero(row[asked] < 0)
    if len(absent):
        raise ValueError(
            f"{owner}: the Series has no delay of {table.describe(int(absent[0]))}: add it, or NaT where the run never "
            "arrived."
        )
    return delay.iloc[row].where(row >= 0)
