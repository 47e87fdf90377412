"""A panel with its target, from a file or the bundled data."""

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from skts.commandline._file import WORDS, check_numbers, numbers_of, read_panel
from skts.commandline._job import Job, choose_window
from skts.datasets import load_la_haute_borne
from skts.panel import find_column, series_names

_QUICK_TIMES = 5000


@dataclass(frozen=True)
class Table:
    """A panel, and what its columns are.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_columns)
        Indexed by series and time; holds the target's past too.
    job : Job
        What is to be forecast from what.
    left_out : dict of str to list of str
        Columns of the file that are not in `X`, by why.
    unit : str
        Of the target, for tables and plots.
    """

    X: pd.DataFrame
    job: Job
    left_out: Mapping[str, list[str]] = field(default_factory=dict)
    unit: str = ""

    @property
    def y(self) -> pd.Series:
        """The target."""
        return self.X[self.job.target]

    def up_to(self, time: Any) -> Self:
        """Leave the rows after a time out."""
        return replace(self, X=self.X[self.X.index.get_level_values(-1) <= time])


def load_table(options: argparse.Namespace) -> Table:
    """Load the table that the command line asks for, and tell known columns from observed ones.

    Raises
    ------
    ValueError, OSError
        What the file lacks, in terms of the command's options.
    """
    if options.table is None:
        X, y = load_la_haute_borne(return_X_y=True)
        known = tuple(name for name in X if name.startswith("era5_"))
        job = make_job(
            options, target=str(y.name), known=known, observed=tuple(X.columns.difference(known, sort=False))
        )
        return Table(_cut(X, options), job, unit=" (kW)")
    X = read_panel(options.table, options.time, options.series, time_format=options.time_format, tz=options.tz)
    target = find_column(X.columns, options.target, "target", WORDS)
    X, left_out = numbers_of(X, target)
    X, places = _take_places(X, options, left_out)
    roles = _find_roles(X, options, target)
    chosen = {name for names in roles.values() for name in names}
    if options.observed:
        left_out["not named"] = [name for name in X.columns if name not in chosen]
        X = X[[name for name in X.columns if name in chosen]]
    left_out = {why: names for why, names in left_out.items() if names}
    return Table(_cut(X, options), make_job(options, target=target, **roles, **places), left_out)


def load_rows(options: argparse.Namespace, path: Path, columns: list[str], left_out: Iterable[str]) -> pd.DataFrame:
    """Load a table as a model was given its own.

    Parameters
    ----------
    options : Namespace
    path : Path
    columns : list of str
        Those that the model was trained on: they must hold numbers, and may be empty.
    left_out : iterable of str
        Those of its file that it was not.

    Returns
    -------
    X : DataFrame of shape (n_rows, n_columns)
        Other columns of numbers are there too: the model says what it makes of them.
    """
    X = read_panel(path, options.time, options.series, time_format=options.time_format, tz=options.tz)
    X = X.drop(columns=[name for name in left_out if name in X.columns and name not in columns])
    return check_numbers(X, columns)


def make_job(options: argparse.Namespace, **known: Any) -> Job:
    """Put together what is to be forecast from what."""
    given = {
        "window": options.window or choose_window(known["known"], options.horizon),
        "horizon": options.horizon,
        "stride": options.stride,
        "time_of_origin": options.origin,
        "bounds": None if options.bounds is None else tuple(options.bounds),
        "capacity": options.capacity,
        "active": options.active,
        "quantiles": tuple(sorted(options.quantiles)),
        "n_members": options.members,
        "seed": options.seed,
        "device": options.device,
        "quick": options.quick,
    }
    return Job(**{**given, **known})


def match_columns(X: pd.DataFrame, patterns: Iterable[str], option: str = "--known") -> list[str]:
    """Give the columns that match names or patterns, in the order of the table."""
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in X.columns):
            raise ValueError(f"{option} {pattern!r} matches no column of numbers; those are {', '.join(X.columns)}.")
    return [name for name in X.columns if any(fnmatchcase(name, pattern) for pattern in patterns)]


def _find_roles(X: pd.DataFrame, options: argparse.Namespace, target: str) -> dict[str, tuple[str, ...]]:
    """Tell the columns apart: what is named is known, static or observed, and the rest is observed."""
    known, static = (match_columns(X, getattr(options, role), f"--{role}") for role in ("known", "static"))
    if target in known:
        raise ValueError(
            f"--known {' '.join(options.known)} takes in the target {target!r}, which is not known ahead: leave it "
            "out there (its past is read all the same)."
        )
    for role, value in [("capacity", options.capacity), *(("bounds", each) for each in options.bounds or ())]:
        if isinstance(value, str):
            static.append(find_column(X.columns, value, role, WORDS))
    if options.active is not None and find_column(X.columns, options.active, "active", WORDS) not in known:
        raise ValueError(f"--active {options.active!r} must be known ahead: name it with --known, too.")
    both = [name for name in static if name in (*known, target)]
    if both:
        raise ValueError(f"{both[0]!r} cannot be static and {'the target' if both[0] == target else 'known'}.")
    patterns = options.observed or ["*"]
    observed = [name for name in match_columns(X, patterns, "--observed") if name not in (*known, *static, target)]
    order = [name for name in X.columns if name in (target, *observed)]
    return {"known": tuple(known), "static": tuple(dict.fromkeys(static)), "observed": tuple(order)}


def _take_places(
    X: pd.DataFrame, options: argparse.Namespace, left_out: dict[str, list[str]]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read where the series are, and take the columns that say so out of the table."""
    places: dict[str, Any] = {}
    for name in ("latitude", "longitude"):
        value = getattr(options, name)
        if isinstance(value, str):
            column = X[find_column(X.columns, value, name, WORDS)]
            names = series_names(X.index)
            by_series = column.groupby(np.zeros(len(X)) if names is None else names).agg(["first", "nunique"])
            wrong = by_series.index[by_series["nunique"] != 1]
            if len(wrong):
                raise ValueError(
                    f"--{name} {value!r} must have one value in each series, and has "
                    f"{by_series['nunique'][wrong[0]]} in {wrong[0]}: name another column or a number."
                )
            first = by_series["first"]
            places[name] = float(first.iloc[0]) if names is None else {key: float(first[key]) for key in first.index}
            left_out.setdefault("places of the series", []).append(value)
        else:
            places[name] = value
    return X.drop(columns=left_out.get("places of the series", [])), places


def _cut(X: pd.DataFrame, options: argparse.Namespace) -> pd.DataFrame:
    """Keep the last times of a quick run."""
    times = X.index.get_level_values(-1)
    return X[times >= np.sort(times.unique())[-_QUICK_TIMES:][0]] if options.quick else X
