"""What each provider had said, at the latest, when a forecast was made."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.exceptions import MissingRunsWarning
from skts.panel import RUN, Clock, refuse_repeated
from skts.weather._arrivals import arrivals_of, read_span
from skts.weather._as_of import find_latest, first_repeat
from skts.weather._dataset import make_multi_index
from skts.weather._origins import read_origins
from skts.weather._run_table import RunTable, align_series
from skts.weather._suspect_units import warn_of_suspect_units

Ints = NDArray[np.int64]
HOUR = 3_600_000_000_000  # ns


def join_runs(
    forecasts: Mapping[str, Any],
    *,
    origins: Any,
    horizon: int,
    delay: Any,
    first: Any = "0h",
    step: Any = None,
    max_age: Any = None,
) -> pd.DataFrame:
    """Join the runs of several weather providers as of each origin.

    For every origin and every time of its horizon it takes, of each provider, the latest run that was available by the
    origin and has that time: `run + delay <= origin`. Where a run is late or missing, or ends too early, the run
    before it takes its place; where there is none, the provider's columns are NaN.

    Parameters
    ----------
    forecasts : mapping of str to DataFrame or xarray Dataset
        By provider. A DataFrame has the index levels (series..., run, time), or (run, time) for one series: `run`, by
        its name, is when the forecast was made, the last level what it is about. A Dataset has dimensions for the run
        (`run`, `forecast_reference_time`, ...) and for the `step` or `time`; all others name the series. A row of NaN
        alone counts as missing.
    origins : DatetimeIndex, or MultiIndex of (series..., origin)
        When forecasts are made: the same times for all series, or each series' own. A DataFrame or Series stands for
        its index.
    horizon : int
        How many rows each origin gets.
    delay : timedelta-like, or mapping of str to timedelta-like or Series
        How long after its run a forecast is there: for all, by provider, or by provider and run. A Series holds, by
        run or (series..., run), delays or times of arrival, and NaT for a run that never came. There is no default:
        without a delay the join reads what nobody had.
    first : timedelta-like, default="0h"
        From the origin to its first row: `"14h"` for the day ahead, made at 10 o'clock.
    step : timedelta-like, default=None
        From one row to the next; by default the commonest in the forecasts, of several providers the shortest.
    max_age : timedelta-like, default=None
        How long before the origin a run may have been made. Any time by default.

    Returns
    -------
    table : DataFrame of shape (n_origins * horizon, n_columns)
        With the index (series..., run, time), where `run` is the origin: a table with runs. The columns of each
        provider with its name before them (`ecmwf_u100`), and how far ahead it looks there, in hours from its own run
        to the time (`ecmwf_lead`). Sorted by series, in the order of the first provider, origin and time.

    Raises
    ------
    PanelIndexError
        An index that is not as above; date-times with and without a time zone.
    ValueError
        A (series, run, time) twice, a row before its own run, a provider without anything for any origin, without a
        delay, or unknown, or columns of the same name.

    Warns
    -----
    MissingRunsWarning
        A provider has nothing for some origins, or not for all of their rows.
    SuspectUnitsWarning
        The level of a column jumps between runs by 273.15 or by a factor of 1,000.

    See Also
    --------
    at_stations : Makes such frames of grids.
    read_runs : Reads them from files.
    skts.SlidingWindower : Cuts a table with runs into windows.

    Notes
    -----
    The rows are found by two sorts and one binary search a provider, with no loop over origins. Of two providers that
    say the same of every time, the one with the more recent run is not preferred: each has columns of its own, and its
    lead tells how old it is.

    It cannot tell whether a delay is true: look up when files arrived rather than when they were due. Nor whether a
    provider replaced a run later on; whether the values within a run are of the run (a file that was filled up with
    analyses afterwards is not seen); what has a column of one unit throughout, but the wrong one; a change of units in
    a column whose level varies as much by itself, such as precipitation; or between runs that have no hour of the day
    in common. Providers of different steps are not interpolated: rows that one of them lacks are filled from older
    runs that have them, or are NaN.

    Examples
    --------
    >>> import pandas as pd
    >>> from skts.weather import join_runs
    >>> index = pd.MultiIndex.from_tuples(
    ...     [(pd.Timestamp(f"2024-01-01 {run}:00"), pd.Timestamp(f"2024-01-01 {hour}:00"))
    ...      for run in ("00", "06") for hour in (10, 11, 12)],
    ...     names=["run", "time"],
    ... )
    >>> ecmwf = pd.DataFrame({"u100": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}, index=index)
    >>> origins = pd.DatetimeIndex(["2024-01-01 10:00", "2024-01-01 11:00"])
    >>> table = join_runs({"ecmwf": ecmwf}, origins=origins, horizon=2, delay="5h")
    >>> table.reset_index(level="run", drop=True).reset_index().assign(time=lambda t: t["time"].dt.hour)
       time  ecmwf_u100  ecmwf_lead
    0    10         1.0        10.0
    1    11         2.0        11.0
    2    11         5.0         5.0
    3    12         6.0         6.0
    """
    tables = _read_forecasts(forecasts)
    names = align_series(tables)
    tables = [_renumber(table, names) for table in tables]
    arrivals = arrivals_of(tables, delay, names)
    n_rows = _check_horizon(horizon)
    spacing = _find_step(tables) if step is None else read_span(step, f"join_runs(step={step!r})", above=True)
    start = read_span(first, f"join_runs(first={first!r})")
    oldest = None if max_age is None else read_span(max_age, f"join_runs(max_age={max_age!r})")
    series, moments = read_origins(origins, names, tables[0].clock)
    times = moments[:, None] + (start + spacing * np.arange(n_rows))
    columns = [f"{table.provider}_{name}" for table in tables for name in [*table.frame.columns, "lead"]]
    refuse_repeated(columns, "join_runs")
    dtype = np.result_type(np.float32, *(dtype for table in tables for dtype in map(_plain, table.frame.dtypes)))
    values = np.empty((len(columns), times.size), dtype=dtype)
    at = 0
    for table, arrival in zip(tables, arrivals, strict=True):
        rows = _find_rows(table, arrival, series, moments, times, oldest)
        _report_missing(table, arrival, rows, series, moments, times, max_age)
        at = _fill(values, at, table, rows.ravel(), times.ravel())
        warn_of_suspect_units(table)
    index = _make_index(names, series, moments, times, tables[0].clock)
    return pd.DataFrame(values.T, index=index, columns=columns, copy=False)


def _read_forecasts(forecasts: Any) -> list[RunTable]:
    if not isinstance(forecasts, Mapping) or not forecasts:
        raise ValueError(
            'join_runs(forecasts) takes a mapping from the name of a provider to its runs, such as {"ecmwf": frame}; '
            f"this is {'empty' if isinstance(forecasts, Mapping) else type(forecasts).__name__}."
        )
    tables = [RunTable.read(provider, given) for provider, given in forecasts.items()]
    for table in tables:
        row = first_repeat(table.series * len(table.times) + table.time, table.run)
        if row is not None:
            raise ValueError(
                f"forecasts[{table.provider!r}]: row {row} ({table.describe(row)}) is there twice. A run says one "
                "thing about a time: drop one of them, and look whether a file was read twice or a series level is "
                "missing."
            )
    return tables


def _renumber(table: RunTable, names: pd.Index | None) -> RunTable:
    """Give the series of a provider the numbers that they have in all."""
    if names is None or table.names is None:
        return table
    series = names.get_indexer(table.names)[table.series].astype(np.int64, copy=False)
    return RunTable(**{**vars(table), "series": series, "names": names})


def _check_horizon(horizon: Any) -> int:
    if isinstance(horizon, bool) or not isinstance(horizon, int | np.integer) or horizon < 1:
        raise ValueError(f"join_runs(horizon={horizon!r}): a number of rows is expected, an integer of at least 1.")
    return int(horizon)


def _find_step(tables: list[RunTable]) -> int:
    found = []
    for table in tables:
        steps, counts = np.unique(table.steps(), return_counts=True)
        if len(steps):
            found.append(int(steps[counts.argmax()]))
    if not found:
        raise ValueError("join_runs(step=None): no run has two rows to read the step off: give it, such as step='1h'.")
    return min(found)


def _plain(dtype: Any) -> Any:
    """Give the dtype that NumPy has for a column: whole numbers become float64, as they may be missing."""
    return dtype if isinstance(dtype, np.dtype) and dtype.kind == "f" else np.dtype(np.float64)


def _find_rows(table: RunTable, arrival: Ints, series: Ints, moments: Ints, times: Ints, oldest: int | None) -> Ints:
    """Find the row of the provider for each origin and time, (n_origins, horizon); -1 where there is none."""
    there = table.has_values()
    rows = None if there.all() else np.flatnonzero(there)
    own, run, time = (part if rows is None else part[rows] for part in (table.series, table.run, table.time))
    n_times = len(table.times)
    place = np.searchsorted(table.times, times).clip(max=n_times - 1)
    wanted = np.where(table.times[place] == times, series[:, None] * n_times + place, -1)
    by = np.repeat(moments, times.shape[1])
    available = arrival[own if len(arrival) > 1 else 0, run]
    found = find_latest(own * n_times + time, run, available, wanted.ravel(), by)
    if rows is not None and len(rows):
        found = np.where(found < 0, -1, rows[found])
    if oldest is not None:
        found[by - table.runs[table.run[found]] > oldest] = -1
    return found.reshape(times.shape)


def _fill(values: NDArray[Any], at: int, table: RunTable, rows: Ints, times: Ints) -> int:
    """Write the columns of a provider, and its leads, from a row of `values` on; give the row after them."""
    none = rows < 0
    for j in range(table.frame.shape[1]):
        column = table.frame.iloc[:, j].to_numpy(dtype=values.dtype, na_value=np.nan)
        np.take(column, rows, out=values[at], mode="wrap")  # -1 is the last, and overwritten
        values[at, none] = np.nan
        at += 1
    values[at] = (times - table.runs[table.run[rows]]) / HOUR
    values[at, none] = np.nan
    return at + 1


def _report_missing(
    table: RunTable, arrival: Ints, rows: Ints, series: Ints, moments: Ints, times: Ints, max_age: Any
) -> None:
    """Refuse a provider that has nothing at all, and warn of one that lacks something."""
    missing: NDArray[np.bool_] = np.asarray(rows < 0)
    if not missing.any():
        return
    lost, clock = np.asarray(missing.all(axis=1)), table.clock
    used = np.zeros((1 if table.names is None else len(table.names), len(table.runs)), dtype=bool)
    used[table.series, table.run] = True
    earliest = np.where(used, arrival, np.iinfo(np.int64).max).min(axis=1)[series]
    early = int((lost & (moments < earliest)).sum())
    row = int(np.flatnonzero(lost if lost.any() else missing.any(axis=1))[0])
    whose = "" if table.names is None else f" of series {table.names[series[row]]!r}"
    where = f"the first: the origin {clock.label(moments[row])}{whose}"
    aged = "" if max_age is None else f" and is at most max_age={max_age!r} old"
    if lost.all():
        raise ValueError(
            f"join_runs: the provider {table.provider!r} has nothing for any of the {len(lost):,} origins. {early:,} "
            f"of them lie before its first run was there; for the others there is none that had come{aged} and has "
            f"the times asked for ({where}, times {clock.label(times[row, 0])} to {clock.label(times[row, -1])}). Its "
            f"runs go from {clock.label(table.runs[0])} to {clock.label(table.runs[-1])}, its times from "
            f"{clock.label(table.times[0])} to {clock.label(table.times[-1])}: look at origins, first, step and delay."
        )
    others = int(missing[~lost].sum())
    warnings.warn(
        f"The provider {table.provider!r} has nothing for {int(lost.sum()):,} of {len(lost):,} origins ({early:,} of "
        f"them lie before its first run was there), and lacks {others:,} rows of the others ({where}): none that had "
        f"come{aged} has these times. Its columns are NaN there.",
        MissingRunsWarning,
        stacklevel=3,
    )


def _make_index(names: pd.Index | None, series: Ints, moments: Ints, times: Ints, clock: Clock) -> pd.MultiIndex:
    horizon = times.shape[1]
    distinct, time_codes = np.unique(times, return_inverse=True)
    runs, run_codes = np.unique(moments, return_inverse=True)
    labels = [clock.labels(runs), clock.labels(distinct)]
    if any((Clock.read(own)[1] != ticks).any() for own, ticks in zip(labels, (runs, distinct), strict=True)):
        labels = [_in_nanoseconds(runs, clock), _in_nanoseconds(distinct, clock)]
    levels, codes = [], []
    for i in range(0 if names is None else names.nlevels):
        assert names is not None
        code, level = pd.factorize(names.get_level_values(i))
        levels.append(level)
        codes.append(np.repeat(code[series], horizon))
    return make_multi_index(
        [*levels, *labels],
        [*codes, np.repeat(run_codes, horizon), time_codes.ravel()],
        [*([] if names is None else names.names), RUN, clock.name or "time"],
    )


def _in_nanoseconds(ticks: Ints, clock: Clock) -> pd.DatetimeIndex:
    """Label times that the unit of the forecasts' own index is too coarse for."""
    labels = pd.DatetimeIndex(ticks.view("datetime64[ns]"))
    zone = getattr(clock.dtype, "tz", None)
    return labels if zone is None else labels.tz_localize("UTC").tz_convert(zone)
