"""Fields that add up, as amounts or means of each step."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.exceptions import PanelIndexError
from skts.panel import Clock, read_index
from skts.weather._arrivals import read_span

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
DAY = 86_400_000_000_000  # ns
SECOND = 1_000_000_000


def deaccumulate(
    table: pd.DataFrame, columns: str | Sequence[str], *, since: Any = "run", rate: bool = False
) -> pd.DataFrame:
    """Turn fields that add up from the start of the run or the day into what fell in each step.

    Precipitation (`tp`) and radiation (`ssrd`) often come as totals so far: of the run (ECMWF), of the day (ERA5-Land)
    or of the last few hours (`"6h"`, GFS).

    Parameters
    ----------
    table : DataFrame
        With the index (series..., run, time), or (series..., time) or (time) without runs; the times are those at
        which a step ends. Rows may have any order.
    columns : str or list of str
        The columns that add up.
    since : {"run", "day"} or timedelta-like, default="run"
        From when they do: the time of the run; midnight (UTC; the value of 00:00 is that of the day before); or the
        beginning of a span that is counted from the run, `"6h"`.
    rate : bool, default=False
        Divide by the seconds that each difference is of: J/m2 become means in W/m2.

    Returns
    -------
    table : DataFrame
        A copy, in which these columns hold the amount between the row before of the same run and the row; the first row
        of a run, day or span holds what fell since its start. A mean over no time (`rate`, the row of the run itself)
        is NaN.

    Raises
    ------
    PanelIndexError
        An index without date-times, or `since` counts from runs and there are none.
    ValueError
        A column that is not there, or a time twice.

    See Also
    --------
    join_runs : Joins the runs afterwards.

    Notes
    -----
    A column that is never below 0 cannot fall: where it falls to less than half, it began anew, and the value itself is
    the amount; smaller falls are of rounding in the files, and become 0. A column that has both signs (net fluxes) may
    fall, so that nothing but `since` says where it begins anew. Where a value is missing, so is the difference after
    it.

    It cannot tell a column that adds up from one that does not. Nor does it see a new beginning that is followed by
    more than there was before: give `since` as the documentation of the model has it.

    Examples
    --------
    >>> import pandas as pd
    >>> from skts.weather import deaccumulate
    >>> run = pd.Timestamp("2024-06-01 06:00")
    >>> times = pd.date_range("2024-06-01 07:00", periods=3, freq="h")
    >>> index = pd.MultiIndex.from_product([[run], times], names=["run", "time"])
    >>> table = pd.DataFrame({"ssrd": [360_000.0, 1_080_000.0, 2_520_000.0]}, index=index)
    >>> deaccumulate(table, "ssrd", rate=True)["ssrd"].tolist()  # from J/m2 to W/m2
    [100.0, 200.0, 400.0]
    """
    names = [columns] if isinstance(columns, str) else list(columns)
    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            f"deaccumulate takes a DataFrame with times in its index, and this is a {type(table).__name__}."
        )
    absent = [name for name in names if name not in table]
    if absent:
        raise ValueError(f"deaccumulate: no column {absent[0]!r} among {list(table.columns)}.")
    series, run, time = _read_index(table)
    start = _find_start(run, time, since)
    order = np.lexsort((time, np.zeros_like(time) if run is None else run, series))
    same = (np.diff(series[order]) == 0) & (np.diff(start[order]) == 0)
    if run is not None:
        same &= np.diff(run[order]) == 0
    repeated = np.flatnonzero(same & (np.diff(time[order]) == 0))
    if len(repeated):
        raise ValueError(
            f"deaccumulate: row {order[repeated[0] + 1]} ({table.index[order[repeated[0] + 1]]}) is there twice."
        )
    began = start[order]
    began[1:] = np.where(same, time[order[:-1]], began[1:])
    seconds = (time[order] - began) / SECOND
    result = table.copy()
    for name in names:
        amount = np.empty(len(table))
        amount[order] = _difference(table[name].to_numpy(dtype=np.float64, na_value=np.nan)[order], same)
        if rate:
            with np.errstate(divide="ignore", invalid="ignore"):
                amount[order] = np.where(seconds > 0, amount[order] / seconds, np.nan)
        result[name] = amount.astype(np.float32 if table[name].dtype == np.float32 else np.float64)
    return result


def _difference(values: Floats, same: NDArray[np.bool_]) -> Floats:
    """Subtract from each value the one before it where both add up from one start."""
    amount = values.copy()
    before = np.where(same, values[:-1], 0.0)
    amount[1:] -= before
    if not np.nanmin(values, initial=0.0) < 0:
        amount[1:] = np.where(values[1:] < 0.5 * before, values[1:], np.where(amount[1:] < 0, 0.0, amount[1:]))
    return amount


def _read_index(table: pd.DataFrame) -> tuple[Ints, Ints | None, Ints]:
    """Give series, run (ns) and time (ns) of each row."""
    index, run = table.index, None
    if isinstance(index, pd.MultiIndex) and "run" in index.names[:-1]:
        runs = index.get_level_values("run")
        if isinstance(runs, pd.DatetimeIndex):
            run = Clock.read(runs)[1]
        index = index.droplevel("run")
    times = index.get_level_values(-1)
    if not isinstance(times, pd.DatetimeIndex) or (run is None and "run" in table.index.names[:-1]):
        raise PanelIndexError(
            "deaccumulate needs date-times in the last level of the index, and in the level run where there is one; "
            f"the index has the levels {list(table.index.names)}: use pandas.to_datetime, or periods' to_timestamp."
        )
    rows = read_index(pd.DataFrame(index=index))
    assert rows.ticks is not None
    return rows.series, run, rows.ticks


def _find_start(run: Ints | None, time: Ints, since: Any) -> Ints:
    """Find from when on each row adds up."""
    if isinstance(since, str) and since == "day":
        midnight = (time - 1) // DAY * DAY
        return midnight if run is None else np.maximum(midnight, run)  # a run adds nothing up before itself
    if run is None:
        raise PanelIndexError(
            f"deaccumulate(since={since!r}) counts from the run, and the index has no level named 'run': give "
            'since="day" for fields of the day, or set the level.'
        )
    if isinstance(since, str) and since == "run":
        return run.copy()
    span = read_span(since, f"deaccumulate(since={since!r})", above=True)
    return run + np.maximum(time - run - 1, 0) // span * span
