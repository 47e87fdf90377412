"""The forecasts of one provider as integers: which series, run and time each row has."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.exceptions import PanelIndexError
from skts.panel import RUN, Clock, read_index
from skts.weather._dataset import is_dataset, to_frame

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class RunTable:
    """Series, run and time of each row of a provider's forecasts.

    Parameters
    ----------
    provider : str
        For messages.
    frame : DataFrame of shape (n_rows, n_columns)
        The forecasts, numbers in every column.
    series : ndarray of int64 of shape (n_rows,)
        The number of each row's series.
    names : Index or None
        The name of each series; None where the table has one series without a name.
    runs : ndarray of int64 of shape (n_runs,)
        The run times of the provider (ns), increasing, whichever series they belong to.
    run : ndarray of int64 of shape (n_rows,)
        The position in `runs` of each row's run.
    times : ndarray of int64 of shape (n_times,)
        The times of the provider (ns), increasing.
    time : ndarray of int64 of shape (n_rows,)
        The position in `times` of each row's time.
    clock : Clock
        What the times mean.
    """

    provider: str
    frame: pd.DataFrame
    series: Ints
    names: pd.Index | None
    runs: Ints
    run: Ints
    times: Ints
    time: Ints
    clock: Clock

    @classmethod
    def read(cls, provider: str, forecasts: Any) -> "RunTable":
        """Read a frame or an xarray Dataset by (series..., run, time).

        Raises
        ------
        PanelIndexError
            No level `run`, no date-times, two kinds of them.
        ValueError
            A row before its run, or a column that holds no numbers.
        TypeError
            Neither a frame nor a Dataset.
        """
        frame = to_frame(forecasts) if is_dataset(forecasts) else forecasts
        _check_frame(provider, frame)
        index = frame.index
        assert isinstance(index, pd.MultiIndex)
        at = index.names.index(RUN)
        runs, run, run_clock = _read_level(provider, index, at)
        times, time, clock = _read_level(provider, index, index.nlevels - 1)
        if run_clock.kind != clock.kind:
            raise PanelIndexError(
                f"forecasts[{provider!r}]: the runs are {run_clock.kind} and the times {clock.kind}. Give both a time "
                "zone, or neither."
            )
        series, names = _read_series(frame, at)
        table = cls(provider, frame, series, names, runs, run, times, time, clock)
        table._check_times()
        return table

    @property
    def series_levels(self) -> list[Any]:
        """The names of the index levels that name the series."""
        return [] if self.names is None else list(self.names.names)

    def describe(self, row: int) -> str:
        """Name series, run and time of a row in a message."""
        whose = "" if self.names is None else f"series {self.names[self.series[row]]!r}, "
        return (
            f"{whose}run {self.clock.label(self.runs[self.run[row]])}, {self.clock.label(self.times[self.time[row]])}"
        )

    def steps(self) -> Ints:
        """Give the distances (ns) from each row to the next of its series and run."""
        same = (np.diff(self.series) == 0) & (np.diff(self.run) == 0)
        steps = np.diff(self.times[self.time])[same]
        return steps[steps > 0]

    def has_values(self) -> NDArray[np.bool_]:
        """Tell which rows have a value in any column: a row of NaN alone is as good as missing."""
        there = np.zeros(len(self.frame), dtype=bool)
        for _, column in self.frame.items():
            there |= column.notna().to_numpy()
        return there

    def _check_times(self) -> None:
        early = np.flatnonzero(self.times[self.time] < self.runs[self.run])
        if len(early):
            raise ValueError(
                f"forecasts[{self.provider!r}]: row {early[0]} ({self.describe(int(early[0]))}) lies before its own "
                f"run, and {len(early):,} of {len(self.frame):,} rows do. A run says nothing of the past: look whether "
                "the levels run and time are in each other's place, or in different time zones; else drop these rows."
            )


def _check_frame(provider: str, frame: Any) -> None:
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(
            f"forecasts[{provider!r}] is a {type(frame).__name__}: give a DataFrame with the index (series..., run, "
            "time), or an xarray Dataset with these dimensions."
        )
    names = list(frame.index.names)
    if names.count(RUN) != 1 or names[-1] == RUN:
        raise PanelIndexError(
            f"forecasts[{provider!r}] has the index levels {names}, and (series..., run, time) are expected: one level "
            "named 'run', when the forecast was made, and the time that it is about as the last. "
            "frame.set_index([..., 'run', 'time']) or frame.index.set_names(...) makes them."
        )
    if frame.shape[1] == 0 or len(frame) == 0:
        raise ValueError(f"forecasts[{provider!r}] has the shape {frame.shape}: give at least one row and one column.")
    for name, dtype in frame.dtypes.items():
        if not pd.api.types.is_numeric_dtype(dtype):
            raise ValueError(
                f"forecasts[{provider!r}]: the column {name!r} has dtype {dtype}, and numbers are expected: encode or "
                "drop it."
            )


def _read_level(provider: str, index: pd.MultiIndex, at: int) -> tuple[Ints, Ints, Clock]:
    """Give the distinct times of a level, increasing, each row's place among them, and what they mean."""
    codes = np.asarray(index.codes[at], dtype=np.int64)
    level, name = index.levels[at], index.names[at]
    if not isinstance(level, pd.DatetimeIndex):
        raise PanelIndexError(
            f"forecasts[{provider!r}]: the level {name!r} must hold date-times, and has dtype {level.dtype}: convert "
            "it with pandas.to_datetime, or periods with to_timestamp."
        )
    if (codes < 0).any():
        raise PanelIndexError(
            f"forecasts[{provider!r}]: row {np.flatnonzero(codes < 0)[0]} has no {name}: drop the row or fill it in."
        )
    clock, ticks = Clock.read(level)
    used = np.zeros(len(level), dtype=bool)
    used[codes] = True
    distinct, position = np.unique(ticks[used], return_inverse=True)
    lookup = np.full(len(level), -1, dtype=np.int64)
    lookup[used] = position
    return distinct, lookup[codes], clock


def _read_series(frame: pd.DataFrame, at: int) -> tuple[Ints, pd.Index | None]:
    assert isinstance(frame.index, pd.MultiIndex)
    index = frame.index.droplevel(at)
    if not isinstance(index, pd.MultiIndex):
        return np.zeros(len(index), dtype=np.int64), None
    if index.nlevels == 2:  # the usual case, without a search for distinct combinations
        codes = np.asarray(index.codes[0], dtype=np.int64)
        if (codes >= 0).all():
            used, series = np.unique(codes, return_inverse=True)
            return series.astype(np.int64, copy=False), index.levels[0][used].rename(index.names[0])
    rows = read_index(pd.DataFrame(index=index))
    return rows.series, rows.names


def align_series(tables: Sequence[RunTable]) -> pd.Index | None:
    """List the series of all providers, each once, in the order in which they appear.

    Raises
    ------
    PanelIndexError
        The providers name their series by different levels.
    """
    first = tables[0]
    for table in tables[1:]:
        if table.series_levels != first.series_levels:
            raise PanelIndexError(
                f"forecasts[{first.provider!r}] names its series by the index levels {first.series_levels}, and "
                f"forecasts[{table.provider!r}] by {table.series_levels}: give all the same, in the same order."
            )
        if table.clock.kind != first.clock.kind:
            raise PanelIndexError(
                f"The times of forecasts[{first.provider!r}] are {first.clock.kind}, and those of "
                f"forecasts[{table.provider!r}] {table.clock.kind}: give all a time zone, or none."
            )
    names = first.names
    for table in tables[1:]:
        if names is not None and table.names is not None:
            names = names.append(table.names[names.get_indexer(table.names) < 0])
    return names
