"""What a file holds: times, series and numbers. Whatever is wrong is named by its line and by the option that helps."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd


def read_panel(path: Path, time: str, series: list[str]) -> pd.DataFrame:
    """Read a CSV or Parquet file with series and time in its index, sorted.

    Parameters
    ----------
    path : Path
        Parquet where the name ends in .parquet or .pq, else CSV (also packed).
    time : str
        Column with the times.
    series : list of str
        Columns that name the series; none for a single one.

    Returns
    -------
    X : DataFrame of shape (n_rows, n_columns)

    Raises
    ------
    ValueError
        No table, or times and series that do not tell its rows apart.
    """
    table = _read(path)
    for name in series:
        find_column(table.columns, name, "--series")
    find_column(table.columns, time, "--time")
    table[time] = _times(table[time])
    for name, option in [*((name, "--series") for name in series), (time, "--time")]:
        _refuse_at(table[name].isna(), f"{option} {name!r} is empty", "Fill it in, or drop the row")
    _refuse_repeated(table, time, series)
    _refuse_irregular(table, time, series)
    return table.set_index([*series, time]).sort_index()


def find_column(columns: Iterable[str], name: str, option: str) -> str:
    """Give the name of a column back, or say that there is none, in terms of the option that asked for it."""
    columns = [str(column) for column in columns]
    if name in columns:
        return name
    hint = ""
    if len(columns) == 1 and (found := [mark for mark in (";", "\t") if mark in columns[0]]):
        hint = f" Its fields seem to be separated by {found[0]!r}: save it with commas."
    raise ValueError(f"{option} {name!r} is no column of the file; those are {', '.join(columns)}.{hint}")


def numbers_of(X: pd.DataFrame, target: str) -> pd.DataFrame:
    """Keep the columns of finite numbers, and say which others were left out."""
    numeric = X.select_dtypes("number")
    if target not in numeric:
        raise ValueError(_no_number(X[target]))
    empty = [name for name in numeric.columns if name != target and numeric[name].isna().all()]
    for what, names in [("not numeric", [name for name in X.columns if name not in numeric]), ("empty", empty)]:
        if names:
            print(f"Left out, {what}: {', '.join(names)}")
    numeric = numeric.drop(columns=empty)
    for name in numeric.columns:
        infinite = np.isinf(numeric[name].to_numpy(dtype=np.float64, na_value=np.nan))
        if infinite.any():
            raise ValueError(
                f"Column {name!r} is infinite at {_place(numeric.index[infinite][0])}: leave the field empty there, or "
                "the column out of the file."
            )
    return numeric


def _read(path: Path) -> pd.DataFrame:
    if path.is_dir():
        raise ValueError(f"{path} is a folder: name a CSV or Parquet file.")
    is_parquet = path.suffix in (".parquet", ".pq")
    try:
        table = pd.read_parquet(path) if is_parquet else pd.read_csv(path)
        if table.index.names != [None]:  # as a panel is saved to Parquet
            table = table.reset_index()
    except (ValueError, EOFError) as error:
        kind = "Parquet" if is_parquet else "CSV"
        raise ValueError(f"{path} is no {kind} file that can be read ({' '.join(str(error).split())}).") from error
    if len(table) == 0:
        raise ValueError(f"{path} has no rows.")
    # so that a row is called as an editor counts it, the names being line 1
    table.index = pd.RangeIndex(len(table), name="row") if is_parquet else pd.RangeIndex(2, len(table) + 2, name="line")
    return table


def _times(times: pd.Series) -> pd.Series:
    """Read times; those of several offsets from UTC, as local time has over a year, become UTC."""
    if pd.api.types.is_datetime64_any_dtype(times.dtype):
        return times
    if pd.api.types.is_numeric_dtype(times.dtype):
        raise ValueError(
            f"--time {times.name!r} holds numbers (the first is {times.iloc[0]}), and not times such as "
            "2024-01-31 13:00: name another column."
        )
    try:
        return pd.to_datetime(times)
    except ValueError:
        read = pd.to_datetime(times, utc=True, errors="coerce")
    _refuse_at(
        read.isna() & times.notna(),
        f"--time {times.name!r} holds no time such as 2024-01-31 13:00 but {{}}",
        "Mend it, or name another column",
        values=times,
    )
    return read


def _refuse_repeated(table: pd.DataFrame, time: str, series: list[str]) -> None:
    repeated = table.duplicated([*series, time]).to_numpy()
    if not repeated.any():
        return
    row = table.iloc[int(np.flatnonzero(repeated)[0])]
    who = f"Series {', '.join(str(row[name]) for name in series)} has" if series else "The file has"
    others = [str(name) for name in table.columns if name not in (time, *series) and table[name].dtype.kind not in "fc"]
    of_these = f" ({', '.join(others)}?)" if others else ""
    tell = "a further column that tells series apart" if series else "the column that tells series apart"
    raise ValueError(
        f"{who} the time {row[time]} more than once, first again in {table.index.name} {row.name}: name {tell} with "
        f"--series{of_these}, or drop the repeated rows."
    )


def _refuse_irregular(table: pd.DataFrame, time: str, series: list[str]) -> None:
    """Refuse times that lie between the steps of the commonest length."""
    ordered = table[[*series, time]].sort_values([*series, time])
    steps = (ordered.groupby(series)[time] if series else ordered[time]).diff()
    if steps.notna().sum() == 0:
        return
    step = steps.mode().iloc[0]
    irregular = steps.notna() & (steps % step != pd.Timedelta(0))
    if irregular.any():
        row = ordered[irregular].iloc[0]
        who = f"Series {', '.join(str(row[name]) for name in series)}" if series else "The file"
        raise ValueError(
            f"{who} goes to {row[time]} ({table.index.name} {row.name}) in a step of {steps[irregular].iloc[0]}, which "
            f"is no whole number of steps of {step}, the commonest: bring the file to a regular step."
        )


def _no_number(column: pd.Series) -> str:
    said = f"--target {column.name!r} does not hold numbers"
    text = column.notna() & pd.to_numeric(column, errors="coerce").isna()
    if not text.any():
        return f"{said} but {column.dtype}: name another column."
    place = column.index[text][0]
    return (
        f"{said} everywhere: at {_place(place)} it is {column[text].iloc[0]!r}. Leave fields without a value empty, "
        "write 1.5 with a point, or name another column."
    )


def _refuse_at(wrong: pd.Series, what: str, way_out: str, values: pd.Series | None = None) -> None:
    if wrong.any():
        row = wrong.index[wrong][0]
        said = what if values is None else what.format(repr(values[row]))
        raise ValueError(f"{said} in {wrong.index.name} {row}. {way_out}.")


def _place(label: object) -> str:
    return ", ".join(str(part) for part in label) if isinstance(label, tuple) else str(label)
