"""Where each forecast stands: its series, its lead, its time, and up to when truths were known as it was made."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts._compat import safe_indexing
from skts.panel import Layout, PanelIndex, read_index
from skts.strategies._columns import read_numbers
from skts.windows import TrainedTimes, number_series

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
KEYS = ("lead", "series", "hour")


@dataclass(frozen=True)
class Taught:
    """Which rows a strategy has learned from.

    Parameters
    ----------
    names : Index or None
        The series, by their numbers.
    layout : Layout
    n_rows : int
    last : int
        Truths of later ticks alone are news: the latest tick, or of a table without times the number of the last row.
    made : int or None
        Likewise the latest run that came after the training table; None without such.
    trained : TrainedTimes
    """

    names: pd.Index | None
    layout: Layout
    n_rows: int
    last: int
    made: int | None
    trained: TrainedTimes

    @classmethod
    def read(cls, X: Any) -> Self:
        """Read a training table."""
        panel = PanelIndex.read(X)
        last = int(panel.row_ticks.max())
        return cls(panel.index.names, panel.layout, len(X), last, None, TrainedTimes.read(panel))

    def join(self, X: Any) -> Self:
        """Add the rows of another table, which follow."""
        panel = PanelIndex.read(X, self.layout)
        n_rows = self.n_rows + len(X)
        if panel.index.ticks is None:
            return replace(self, n_rows=n_rows, last=n_rows - 1)
        names = number_series(self.names, panel.index.names)[1]
        after = replace(self, names=names, n_rows=n_rows, trained=self.trained.join(panel))
        if panel.index.runs is not None:  # later runs hold times of these, and say something else of them
            return replace(after, made=int(panel.index.runs.max()))
        return replace(after, last=max(self.last, int(panel.row_ticks.max())))

    def news(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Take the rows of another table, and their targets, that are later than those learned from."""
        index = read_index(X)
        if index.ticks is None:
            return X, y
        rows = np.flatnonzero(~self.trained.reached(index))
        return safe_indexing(X, rows), None if y is None else safe_indexing(y, rows)

    def learn(self, X: Any, y: Any, horizon: int | None) -> tuple[Self, "Places", Floats]:
        """Add the rows of another table, and read their places and the truths that are news; NaN for others."""
        after = self.join(X)
        places = replace(after, n_rows=self.n_rows).places(X, horizon)
        truths = np.full(len(X), np.nan) if y is None else np.asarray(y, dtype=np.float64).ravel()
        if self.layout.has_runs:
            truths = np.where(places.ticks > self.last, truths, np.nan)
        return after, places, truths

    def places(self, X: Any, horizon: int | None) -> "Places":
        """Read the places of a table that follows."""
        return Places.read(X, horizon, self.names, layout=self.layout, follows=self.n_rows)

    def truths(self, X: Any, column: Any, places: "Places") -> Floats:
        """Read what was measured at the time of every row of a table, NaN where it was learned from before."""
        is_news = places.ticks > self.last
        if self.made is not None:
            is_news &= places.seen > self.made
        return np.where(is_news, read_truths(X, column, self.layout), np.nan)


@dataclass(frozen=True)
class Places:
    """The place of every row of a table, in its order.

    Parameters
    ----------
    series : ndarray of int64 of shape (n_rows,)
        A number, the same in all tables that were read with one list of names; -1 for a series that is not among them.
    leads : ndarray of int64 of shape (n_rows,)
        From 1: the row's distance from the origin of its block or of its run.
    ticks : ndarray of int64 of shape (n_rows,)
        Its time. Of a table without times the rows are numbered on from `follows`.
    seen : ndarray of int64 of shape (n_rows,)
        Truths of earlier ticks than this one were known when the row was forecast: its origin, or its run.
    hours : ndarray of int64 of shape (n_rows,)
        The hour of the day; 0 where times have none.
    """

    series: Ints
    leads: Ints
    ticks: Ints
    seen: Ints
    hours: Ints

    @classmethod
    def read(
        cls,
        X: Any,
        horizon: int | None,
        names: pd.Index | None,
        *,
        layout: Layout | None = None,
        follows: int = 0,
    ) -> "Places":
        """Read the places of a table that is forecast in blocks from its first row on, or run by run.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
        horizon : int or None
            Of a block, in rows; None forecasts each row on its own.
        names : Index or None
            The series that were learned from; their places in it are their numbers.
        layout : Layout, default=None
            That of the training table.
        follows : int, default=0
            How many rows come before the table, where it has no times.
        """
        panel = PanelIndex.read(X, layout)
        index = panel.index
        leads, origins = panel.leads(horizon or 1) if index.runs is None else (panel.leads()[0], index.runs)
        shift = follows if index.ticks is None else 0
        if names is None or index.names is None:
            series = np.zeros(len(leads), dtype=np.int64)
        else:
            series = names.get_indexer(index.names)[index.series].astype(np.int64)
        hours = _read_hours(X)
        hours = np.zeros(len(leads), dtype=np.int64) if hours is None else hours
        return cls(series, leads, panel.row_ticks + shift, origins + shift, hours)

    @property
    def n_rows(self) -> int:
        """How many rows."""
        return len(self.ticks)

    def keys(self, by: tuple[str, ...]) -> Ints:
        """Give what rows are put together by: ndarray of shape (n_rows, len(by))."""
        columns = {"lead": self.leads, "series": self.series, "hour": self.hours}
        return np.column_stack([columns[name] for name in by] or [np.zeros(self.n_rows, dtype=np.int64)])

    def take(self, rows: Ints) -> "Places":
        """Take some rows."""
        return Places(*(values[rows] for values in self._columns()))

    def join(self, *others: "Places") -> "Places":
        """Put the rows of others after these."""
        columns = zip(self._columns(), *(other._columns() for other in others), strict=True)
        return Places(*(np.concatenate(some) for some in columns))

    def _columns(self) -> tuple[Ints, Ints, Ints, Ints, Ints]:
        return self.series, self.leads, self.ticks, self.seen, self.hours


def read_truths(X: Any, column: Any, layout: Layout) -> Floats:
    """Read what was measured at the time of every row, NaN where nobody says.

    Of a table with runs the truth of a time counts for all runs, in whichever of them it stands; whether a run was made
    late enough to know it is for `seen` to say.
    """
    values = read_numbers(X, column)[:, 0]
    panel = PanelIndex.read(X, layout)
    if panel.runs is None:
        return values
    numbers = panel.row_numbers
    measured = np.full(int(numbers.max()) + 1, np.nan)
    np.fmax.at(measured, numbers, values)
    return measured[numbers]


def check_by(owner: str, by: Any, X: Any) -> tuple[str, ...]:
    """Read what rows of a table are put together by.

    Raises
    ------
    ValueError
        It is none of the keys, or the times of the table have no hours.
    """
    names = (by,) if isinstance(by, str) else tuple(by or ())
    wrong = [name for name in names if name not in KEYS]
    if wrong or len(set(names)) < len(names):
        raise ValueError(f"{owner}(by={by!r}): some of {KEYS}, each once, are expected; () puts all rows together.")
    if "hour" in names and _read_hours(X) is None:
        raise ValueError(
            f"{owner}(by={by!r}) reads hours from the index, and the times of this table have none: give date-times or "
            "periods in the last level of the index, or another by."
        )
    return names


def _read_hours(X: Any) -> Ints | None:
    index = getattr(X, "index", None)
    if isinstance(index, pd.MultiIndex):
        index = index.levels[-1][index.codes[-1]]
    if isinstance(index, pd.DatetimeIndex | pd.PeriodIndex):
        return np.asarray(index.hour, dtype=np.int64)
    return None
