"""What a file holds: times, series and numbers. Whatever is wrong is named by its line and by the option that helps."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from skts.panel import Words, find_column, index_table

WORDS = Words("file", options=True)


def read_panel(
    path: Path, time: str | None, series: list[str], *, time_format: str | None = None, tz: str | None = None
) -> pd.DataFrame:
    """Read a CSV or Parquet file with series and time in its index, sorted.

    Parameters
    ----------
    path : Path
        Parquet where the name ends in .parquet or .pq, else CSV (also packed).
    time : str or None
        Column with the times.
    series : list of str
        Columns that name the series; none for a single one.
    time_format, tz : str, default=None
        As :func:`skts.to_panel` has them.

    Returns
    -------
    X : DataFrame of shape (n_rows, n_columns)

    Raises
    ------
    ValueError
        No table, or times and series that do not tell its rows apart.
    """
    table = _read(path)
    _find_time(table, time)
    if pd.api.types.is_numeric_dtype(table[time].dtype) and table[time].notna().any():
        raise ValueError(
            f"--time {time!r} holds numbers (the first is {table[time].iloc[0]}), and not times such as "
            "2024-01-31 13:00: name another column."
        )
    return index_table(table, time, series, WORDS, time_format=time_format, tz=tz)


def numbers_of(X: pd.DataFrame, target: str) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """Keep the columns of finite numbers, and say which others were left out, and why."""
    numeric = X.select_dtypes("number")
    if target not in numeric:
        raise ValueError(_no_number(X[target], f"--target {target!r}"))
    empty = [name for name in numeric.columns if name != target and numeric[name].isna().all()]
    left_out = {"not numeric": [name for name in X.columns if name not in numeric], "empty": empty}
    return _check_finite(numeric.drop(columns=empty)), left_out


def check_numbers(X: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Keep the columns of finite numbers, among them all of `columns`, which may be empty but hold nothing else."""
    numeric = X.select_dtypes("number")
    for name in columns:
        if name in X.columns and name not in numeric.columns and X[name].notna().any():
            raise ValueError(_no_number(X[name], f"Column {name!r}"))
    kept = [name for name in X.columns if name in columns or (name in numeric.columns and numeric[name].notna().any())]
    return _check_finite(X[kept].astype({name: np.float64 for name in kept if name not in numeric.columns}))


def _check_finite(numeric: pd.DataFrame) -> pd.DataFrame:
    for name in numeric.columns:
        infinite = np.isinf(numeric[name].to_numpy(dtype=np.float64, na_value=np.nan))
        if infinite.any():
            raise ValueError(
                f"Column {name!r} is infinite at {_place(numeric.index[infinite][0])}: leave the field empty there, or "
                "the column out of the file."
            )
    return numeric


def _find_time(table: pd.DataFrame, time: str | None) -> None:
    """Refuse a table whose times are not named, or are named wrongly."""
    if time is not None:
        find_column(table.columns, time, "time", WORDS)
        return
    sample = table.head(100)
    found = [name for name in table.columns if _looks_like_times(sample[name])]
    raise ValueError(
        f"--time is needed, the column with the times; the columns are {', '.join(map(str, table.columns))}"
        f"{f' (--time {found[0]}?)' if found else ''}."
    )


def _looks_like_times(column: pd.Series) -> bool:
    if column.dtype.kind in "biufc":
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bool(pd.to_datetime(column, errors="coerce", utc=True).notna().all())


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


def _no_number(column: pd.Series, what: str) -> str:
    said = f"{what} does not hold numbers"
    text = column.notna() & pd.to_numeric(column, errors="coerce").isna()
    if not text.any():
        return f"{said} but {column.dtype}: name another column."
    place = column.index[text][0]
    return (
        f"{said} everywhere: at {_place(place)} it is {column[text].iloc[0]!r}. Leave fields without a value empty, "
        "write 1.5 with a point, or name another column."
    )


def _place(label: object) -> str:
    return ", ".join(str(part) for part in label) if isinstance(label, tuple) else str(label)
