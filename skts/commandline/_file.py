"""What a file holds: times, series and numbers. Whatever is wrong is named by its line and by the option that helps."""

from pathlib import Path

import numpy as np
import pandas as pd

from skts.panel import Words, find_column, index_table

WORDS = Words("file", options=True)


def read_panel(
    path: Path, time: str, series: list[str], *, time_format: str | None = None, tz: str | None = None
) -> pd.DataFrame:
    """Read a CSV or Parquet file with series and time in its index, sorted.

    Parameters
    ----------
    path : Path
        Parquet where the name ends in .parquet or .pq, else CSV (also packed).
    time : str
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
    find_column(table.columns, time, "time", WORDS)
    if pd.api.types.is_numeric_dtype(table[time].dtype) and table[time].notna().any():
        raise ValueError(
            f"--time {time!r} holds numbers (the first is {table[time].iloc[0]}), and not times such as "
            "2024-01-31 13:00: name another column."
        )
    return index_table(table, time, series, WORDS, time_format=time_format, tz=tz)


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


def _place(label: object) -> str:
    return ", ".join(str(part) for part in label) if isinstance(label, tuple) else str(label)
