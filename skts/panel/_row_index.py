"""The index rules: who (series), when (time) and said when (run) of every row of a table."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.exceptions import LostSeriesError, PanelIndexError
from skts.panel._clock import Clock

RUN = "run"  # the level of the index that says when a forecast was made


@dataclass(frozen=True)
class RowIndex:
    """Series, run and time of each row, in the order of the rows.

    Parameters
    ----------
    series : ndarray of int64 of shape (n_rows,)
        The number of each row's series, 0 to n_series - 1.
    names : Index or None
        The name of each series; None where the table has one series without a name.
    ticks : ndarray of int64 of shape (n_rows,) or None
        The time of each row; None where the rows' order is all that is known.
    clock : Clock or None
        What the ticks mean; None exactly when `ticks` is.
    runs : ndarray of int64 of shape (n_rows,) or None
        When the forecast was made that each row is of; None where the table has no runs.
    """

    series: NDArray[np.int64]
    names: pd.Index | None
    ticks: NDArray[np.int64] | None
    clock: Clock | None
    runs: NDArray[np.int64] | None = None

    @property
    def n_series(self) -> int:
        """The number of series."""
        return 1 if self.names is None else len(self.names)

    def kind(self) -> str:
        """Describe what this index holds in words."""
        if self.clock is None:
            return "no series and no times"
        levels = 0 if self.names is None else self.names.nlevels
        return f"{levels} series level{'' if levels == 1 else 's'} and {self.clock.kind}"

    def describe(self, row: int) -> str:
        """Name the series of a row in a message."""
        if self.names is None:
            return "the table"
        name = self.names[self.series[row]]
        levels = name if isinstance(name, tuple) else (name,)
        plain = tuple(level.item() if isinstance(level, np.generic) else level for level in levels)
        return f"series {plain if isinstance(name, tuple) else plain[0]!r}"

    def describe_run(self, row: int) -> str:
        """Name the run and the series of a row in a message."""
        assert self.runs is not None
        assert self.clock is not None
        run = f"run {self.clock.label(self.runs[row])}"
        return run if self.names is None else f"{run} of {self.describe(row)}"


def read_index(X: Any) -> RowIndex:
    """Read who and when from a table.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_rows, n_features)
        Of a DataFrame only the index counts: a time index is one series with times, a `MultiIndex` has the time in
        its last level and the series in the levels before it, and anything else is one series in row order. A level
        before the last that is named `run` names no series: it says when the forecast was made that a row is of.

    Returns
    -------
    rows : RowIndex

    Raises
    ------
    PanelIndexError
        A row without series or time, or times that are no times.
    """
    index = getattr(X, "index", None)
    if isinstance(index, pd.MultiIndex) and index.nlevels == 1:
        index = index.get_level_values(0)
    if isinstance(index, pd.MultiIndex):
        return _read_multi_index(index)
    if isinstance(index, pd.DatetimeIndex | pd.PeriodIndex):
        _refuse_missing(np.asarray(index.isna()), "time", index.name)
        clock, ticks = Clock.read(index)
        return RowIndex(np.zeros(len(index), np.int64), None, ticks, clock)
    return RowIndex(np.zeros(len(X), np.int64), None, None, None)


def _read_multi_index(index: pd.MultiIndex) -> RowIndex:
    *series_codes, time_codes = (np.asarray(codes, dtype=np.int64) for codes in index.codes)
    for codes, name in zip(series_codes, index.names[:-1], strict=True):
        _refuse_missing(codes < 0, RUN if name == RUN else "series", name)
    _refuse_missing(time_codes < 0, "time", index.names[-1])
    clock, level_ticks = Clock.read(index.levels[-1])
    runs, kept = None, [level for level in range(index.nlevels - 1) if index.names[level] != RUN]
    if len(kept) < index.nlevels - 1:
        run = next(level for level in range(index.nlevels - 1) if index.names[level] == RUN)
        runs = _read_runs(index.levels[run], clock)[series_codes[run]]
        series_codes = [series_codes[level] for level in kept]
    if not kept:
        return RowIndex(np.zeros(len(index), np.int64), None, level_ticks[time_codes], clock, runs)
    # one number per combination of levels, then consecutive numbers: no tuple is ever built
    combined = series_codes[0]
    for codes, level in zip(series_codes[1:], kept[1:], strict=True):
        combined = np.unique(combined * len(index.levels[level]) + codes, return_inverse=True)[1]
    _, first, series = np.unique(combined, return_index=True, return_inverse=True)
    names = series_names(index[first])
    return RowIndex(series.astype(np.int64, copy=False), names, level_ticks[time_codes], clock, runs)


def _read_runs(labels: pd.Index, clock: Clock) -> NDArray[np.int64]:
    """Give the ticks of the labels of runs, which are of the kind of the times."""
    try:
        own, ticks = Clock.read(labels)
    except PanelIndexError as error:
        raise PanelIndexError(
            f"The level {RUN!r} of the index says when a forecast was made, and its dtype {labels.dtype} is none of "
            "times: give it the kind of the times, or another name where it names the series."
        ) from error
    if own.kind != clock.kind:
        raise PanelIndexError(
            f"The level {RUN!r} of the index holds {own.kind}, and the times {clock.name!r} are {clock.kind}: give "
            "both the same kind."
        )
    return ticks


def _refuse_missing(missing: NDArray[np.bool_], what: str, level: object) -> None:
    if missing.any():
        row = int(np.flatnonzero(missing)[0])
        raise PanelIndexError(
            f"Row {row} has no {what}: index level {level!r} is missing there. Drop the row or fill in its label."
        )


def series_names(index: pd.Index) -> pd.Index | None:
    """Give the series of every row: the levels before the last but that of the runs, or None where there is none."""
    dropped: Any = [level for level, name in enumerate(index.names) if level == index.nlevels - 1 or name == RUN]
    return index.droplevel(dropped) if len(dropped) < index.nlevels else None


def first_difference(ours: Any, theirs: Any) -> int | None:
    """Find the first row that two indices of one length name otherwise, where both hold series or times.

    Parameters
    ----------
    ours, theirs : Index or anything else
        None is found in what is no index with times, or has another number of levels or of rows than the other.

    Returns
    -------
    row : int or None
    """
    telling = pd.MultiIndex | pd.DatetimeIndex | pd.PeriodIndex
    if not (isinstance(ours, telling) and isinstance(theirs, telling)):
        return None
    if ours.nlevels != theirs.nlevels or len(ours) != len(theirs) or ours.equals(theirs):
        return None
    return next((row for row, (one, other) in enumerate(zip(ours, theirs, strict=True)) if one != other), None)


def check_same_series(X: Any, y: Any) -> None:
    """Refuse a table that lost its series while its target still carries several, and a target of other rows.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_rows, n_features)
    y : array-like, Series or DataFrame of shape (n_rows, ...), or None

    Raises
    ------
    LostSeriesError
        `y` has several series in its index, and `X` has no series.
    PanelIndexError
        Both hold the series and the time of each row, and these differ.
    """
    X_index, y_index = getattr(X, "index", None), getattr(y, "index", None)
    row = first_difference(X_index, y_index)
    if row is not None:
        raise PanelIndexError(
            f"X and y have different rows: row {row} is {y_index[row]} in y and {X_index[row]} in X. The same rows in "  # type: ignore[index]
            "the same order are expected: give y.loc[X.index]."
        )
    if isinstance(X_index, pd.MultiIndex):
        return
    has_times = isinstance(X_index, pd.DatetimeIndex | pd.PeriodIndex)
    evidence = _find_several(y_index, has_times)
    if evidence:
        raise LostSeriesError(
            f"X has no series in its index while y {evidence}: a step before this one turned the "
            'table into an array, and windows would run across series. Call set_output(transform="pandas") on the '
            "pipeline (or on that step) so that the index stays."
        )


def _find_several(index: Any, has_times: bool) -> str:
    """Describe what shows several series in a target, if anything; not its times where the table has its own."""
    if isinstance(index, pd.MultiIndex):
        names = series_names(index)
        n_series = 0 if names is None else len(names.unique())
        return f"carries {n_series} of them" if n_series > 1 else ""
    if has_times or not isinstance(index, pd.DatetimeIndex | pd.PeriodIndex):
        return ""
    bad = np.flatnonzero(np.diff(index.asi8) <= 0)
    if len(bad) == 0:
        return ""
    row = int(bad[0]) + 1
    return f"goes from {index[row - 1]} to {index[row]} in row {row}, as several of them under each other do"
