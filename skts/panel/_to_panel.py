"""From a table as people have it to one whose index says who and when."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from skts.panel._columns import refusal
from skts.panel._flatten import flatten, plain_column
from skts.panel._index_table import index_table
from skts.panel._panel_index import PanelIndex
from skts.panel._words import Words

_CALL = "to_panel"


def to_panel(
    table: Any,
    *,
    series: Any = None,
    time: Any = None,
    columns: Sequence[Any] | None = None,
    text: Literal["raise", "drop", "keep"] = "raise",
    time_format: str | None = None,
    tz: str | None = None,
    freq: str | None = None,
) -> pd.DataFrame:
    """Make the table that all of skts reads: series and time in the index, numbers in the columns, rows in order.

    Parameters
    ----------
    table : DataFrame of pandas or polars, Table of pyarrow, Dataset or DataArray of xarray
        A row for each series and time, in any order. An index that says who and when is read too, and so are the
        dimensions of a Dataset; a coordinate along them becomes a column.
    series : hashable or list of hashable, default=None
        The column or columns that name the series; one named `run` says when a forecast was made. None takes the
        levels of the index before the last, or the dimensions that are no times, and else one series without a name.
    time : hashable, default=None
        The column with the times. None takes the last level of the index, or the one column (of a Dataset the one
        dimension) of date-times or periods.
    columns : sequence of hashable, default=None
        Which others to keep, in this order. None keeps all.
    text : {"raise", "drop", "keep"}, default="raise"
        What becomes of columns that hold no numbers: refused, left out, or kept for a step of a pipeline that reads
        them.
    time_format : str, default=None
        How times are written where they are text, as :func:`pandas.to_datetime` has it, such as "%d/%m/%Y %H:%M".
        None takes what begins with the year, as ISO 8601 has it, and refuses anything else.
    tz : str, default=None
        The zone that times without one are in, such as "Europe/Berlin"; times with one are brought to it. Where clocks
        go back, of two equal times of a series the first row is summer time. None keeps zones as they are.
    freq : str, default=None
        Makes the times periods, "M" for months or "D" for days of whatever length.

    Returns
    -------
    X : DataFrame of shape (n_rows, n_columns)
        Sorted by series and time.

    Raises
    ------
    PanelIndexError
        A row without series or time, times that repeat within a series, lie between its steps, or cannot be read
        without a guess. The row is counted from 0, as the table was given.
    ValueError
        No such column, columns of text, or nothing that tells the times.
    TypeError
        No table.

    See Also
    --------
    describe_panel : Says what is in the table.
    skts.future_rows : The rows that come next.

    Notes
    -----
    Text with several offsets from UTC, as local time has over a year, becomes UTC; with `tz` it gets its zone back.

    A Dataset is a full grid: a station without data at some time has a row there all the same, of NaN.

    What it cannot tell: whether times mark the start or the end of what was measured, and whether local time without a
    zone is local time at all.

    Examples
    --------
    >>> import pandas as pd
    >>> from skts import to_panel
    >>> table = pd.DataFrame({
    ...     "farm": ["b", "a", "a"],
    ...     "when": ["2024-01-01 00:00", "2024-01-01 01:00", "2024-01-01 00:00"],
    ...     "mw": [3.0, 2.0, 1.0],
    ... })
    >>> X = to_panel(table, series="farm", time="when")
    >>> list(X.index.names), X["mw"].tolist(), X.loc[("b", "2024-01-01"), "mw"].tolist()
    (['farm', 'when'], [1.0, 2.0, 3.0], [3.0])
    """
    if text not in ("raise", "drop", "keep"):
        raise ValueError(f"{_CALL}(text={text!r}): 'raise', 'drop' or 'keep' is expected.")
    flat, levels = flatten(table)
    if len(flat) == 0:
        raise ValueError(f"{_CALL}: the table has no rows.")
    time = _find_time(flat, levels, series) if time is None else time
    if series is None:
        series = [name for name in levels if name != time]
    series = list(series) if isinstance(series, list | tuple | pd.Index | np.ndarray) else [series]
    words = Words("table")
    X = index_table(flat, time, series, words, time_format=time_format, tz=tz, freq=freq)
    if columns is not None:
        columns = list(columns)
        if missing := [name for name in columns if name not in X.columns]:
            raise ValueError(f"{_CALL}(columns=...): {refusal(missing, list(X.columns), 'column')}")
        X = X[columns]
    X = _read_columns(X, text)
    PanelIndex.read(X)  # what holds of runs
    return X


def find_text(X: pd.DataFrame) -> list[Any]:
    """Name the columns of a table that hold no numbers."""
    return [name for name, dtype in X.dtypes.items() if dtype.kind not in "biuf"]


def _find_time(flat: pd.DataFrame, levels: list[Any], series: Any) -> Any:
    """Find the column with the times, where it was not named."""
    among = levels or [name for name in flat.columns if series is None or name not in np.atleast_1d(series)]
    found = [name for name in among if flat[name].dtype.kind == "M" or isinstance(flat[name].dtype, pd.PeriodDtype)]
    if len(found) == 1:
        return found[0]
    if levels and not found:
        return levels[-1]
    these = f"{len(found)} columns hold date-times ({', '.join(map(str, found))})" if found else "none holds date-times"
    raise ValueError(
        f"{_CALL}: which column has the times is unclear, as {these}: name it, time=..., among "
        f"{', '.join(map(str, flat.columns))}."
    )


def _read_columns(X: pd.DataFrame, text: str) -> pd.DataFrame:
    plain = pd.DataFrame({name: plain_column(X[name]) for name in X.columns}, index=X.index, columns=X.columns)
    other = find_text(plain)
    if not other or text == "keep":
        return plain
    if text == "drop":
        return plain.drop(columns=other)
    name = other[0]
    column = plain[name].dropna()
    example = f", such as {column.iloc[0]!r} at {_place(column.index[0])}" if len(column) else ""
    numeric = len(column) > 0 and column.dtype.kind != "M" and pd.to_numeric(column, errors="coerce").notna().all()
    as_text = " It holds numbers as text: pandas.to_numeric makes them numbers." if numeric else ""
    raise ValueError(
        f"{_CALL}: {', '.join(map(repr, other))} {'hold' if len(other) > 1 else 'holds'} no numbers{example}.{as_text} "
        "Name what tells series apart with series=[...], leave such columns out by text='drop' or columns=[...], or "
        "keep them for a step that reads them by text='keep'."
    )


def _place(label: Any) -> str:
    return ", ".join(str(part) for part in label) if isinstance(label, tuple) else str(label)
