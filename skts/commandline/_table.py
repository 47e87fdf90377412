"""A panel with its target, from a file or the bundled data."""

import argparse
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
import pandas as pd

from skts.commandline._file import WORDS, numbers_of, read_panel
from skts.datasets import load_la_haute_borne
from skts.panel import find_column

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
    """Load the table that the command line asks for.

    Raises
    ------
    ValueError, OSError
        What the file lacks, in terms of the command's options.
    """
    if options.data is None:
        X, y = load_la_haute_borne(return_X_y=True)
        target, unit, known, n_test = y.name, " (kW)", [name for name in X if name.startswith("era5_")], 1416
    else:
        X = read_panel(options.data, options.time, options.series, time_format=options.time_format, tz=options.tz)
        target, unit = find_column(X.columns, options.target, "target", WORDS), ""
        X = numbers_of(X, target)
        known = match_columns(X, options.known)
        if target in known:
            raise ValueError(
                f"--known {' '.join(options.known)} takes in the target {target!r}, which is not known ahead: leave it "
                "out there (its past is read all the same)."
            )
        n_test = max(1, X.index.get_level_values(-1).nunique() // 10)
    times = X.index.get_level_values(-1)
    if options.quick:
        X = X[times >= np.sort(times.unique())[-_QUICK_TIMES:][0]]
        times = X.index.get_level_values(-1)
    distinct = np.sort(times.unique())
    n_test = options.test or min(n_test, len(distinct) // 4)
    if n_test >= len(distinct):
        raise ValueError(
            f"--test {n_test} leaves nothing to learn from: the table has {len(distinct)} times. Give a smaller one."
        )
    return Table(X, target, known, np.asarray(times >= distinct[-n_test]), unit)


def match_columns(X: pd.DataFrame, patterns: list[str]) -> list[str]:
    """Give the columns that match names or patterns, in the order of the table."""
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in X.columns):
            raise ValueError(f"--known {pattern!r} matches no column of numbers; those are {', '.join(X.columns)}.")
    return [name for name in X.columns if any(fnmatchcase(name, pattern) for pattern in patterns)]
