"""From a file, or the bundled data, to a panel with its target."""

import argparse
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pandas as pd

from skts.datasets import load_la_haute_borne

_QUICK_TIMES = 5000


@dataclass(frozen=True)
class Table:
    """A panel, what is known of it ahead, and the period to forecast.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_columns)
        Indexed by series and time; holds the target's past too.
    target : str
        The column to forecast.
    known : list of str
        The columns known ahead.
    is_test : ndarray of bool of shape (n_rows,)
        The rows of the last period.
    unit : str
        Of the target, for tables and plots.
    """

    X: pd.DataFrame
    target: str
    known: list[str]
    is_test: np.ndarray
    unit: str = ""

    @property
    def train(self) -> tuple[pd.DataFrame, pd.Series]:
        """The rows to learn from, and their target."""
        X = self.X[~self.is_test]
        return X, X[self.target]

    @property
    def test(self) -> tuple[pd.DataFrame, pd.Series]:
        """The rows to forecast, and their target."""
        X = self.X[self.is_test]
        return X, X[self.target]


def load_table(options: argparse.Namespace) -> Table:
    """Load the table that the command line asks for."""
    if options.data is None:
        X, y = load_la_haute_borne(return_X_y=True)
        target, unit, known, n_test = y.name, " (kW)", [name for name in X if name.startswith("era5_")], 1416
    else:
        X = read_panel(options.data, options.time, options.series)
        target, unit = _column(X, options.target, "--target"), ""
        X = _numeric(X, target)
        known = match_columns(X, options.known)
        if target in known:
            raise ValueError(
                f"--known {' '.join(options.known)} takes in the target {target!r}, which is not known ahead."
            )
        n_test = max(1, X.index.get_level_values(-1).nunique() // 10)
    times = X.index.get_level_values(-1)
    if options.quick:
        X = X[times >= np.sort(times.unique())[-_QUICK_TIMES:][0]]
        times = X.index.get_level_values(-1)
    distinct = np.sort(times.unique())
    n_test = options.test or min(n_test, len(distinct) // 4)
    if n_test >= len(distinct):
        raise ValueError(f"--test {n_test} leaves nothing to learn from: the table has {len(distinct)} times.")
    return Table(X, target, known, np.asarray(times >= distinct[-n_test]), unit)


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
    """
    table = pd.read_parquet(path) if path.suffix in (".parquet", ".pq") else pd.read_csv(path)
    columns = [
        _column(table, name, option) for name, option in [*((name, "--series") for name in series), (time, "--time")]
    ]
    if not pd.api.types.is_datetime64_any_dtype(table[time].dtype):
        table[time] = _to_datetime(table[time])
    return table.set_index(columns).sort_index()


def match_columns(X: pd.DataFrame, patterns: list[str]) -> list[str]:
    """Give the columns that match names or patterns, in the order of the table."""
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in X.columns):
            raise ValueError(f"--known {pattern!r} matches no column among {list(X.columns)}.")
    return [name for name in X.columns if any(fnmatchcase(name, pattern) for pattern in patterns)]


def _to_datetime(times: pd.Series) -> pd.Series:
    try:
        return pd.to_datetime(times)
    except ValueError:  # several offsets from UTC, as local time has over a year
        return pd.to_datetime(times, utc=True)


def _column(table: pd.DataFrame, name: str, option: str) -> str:
    if name not in table.columns:
        raise ValueError(f"{option} {name!r} is no column of the file, which has {list(table.columns)}.")
    return name


def _numeric(X: pd.DataFrame, target: str) -> pd.DataFrame:
    numeric = X.select_dtypes("number")
    if target not in numeric:
        raise ValueError(f"--target {target!r} does not hold numbers but {X[target].dtype}.")
    dropped = [name for name in X.columns if name not in numeric]
    if dropped:
        print(f"Left out, not numeric: {', '.join(dropped)}")
    return numeric
