"""What the other series have at the same time."""

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts._compat import Interval
from skts.exceptions import PanelIndexError
from skts.features._base_column_adder import BaseColumnAdder
from skts.features._times import read_times
from skts.panel import Columns, RowIndex, find_columns, naming_cells

FEWEST_TIMES = 3  # any two points lie on a line


class NeighbourFeatures(BaseColumnAdder):
    """Add what the other series have at the same time.

    Weather travels: the forecast for a neighbouring farm corrects the forecast for this one.

    Parameters
    ----------
    columns : str, int, slice, list of str or int, or callable, default=None
        The columns to take from the other series, by name, by position, or a callable that is given `X` and returns
        them, such as :func:`~sklearn.compose.make_column_selector`; all by default.
    n_neighbours : int, default=None
        How many series to take for each: those whose first column of `columns` correlates most with its own in training
        (by absolute value, over the times that both have), the nearest first. By default every series seen in `fit`,
        the row's own among them, so that all rows have equal columns.

    Attributes
    ----------
    series_ : Index of shape (n_series,)
        The series seen in `fit`.
    columns_ : ndarray of int64 of shape (n_columns,)
        The positions of the columns taken.
    neighbours_ : ndarray of int64 of shape (n_series, n_neighbours)
        The positions in `series_` of each series' neighbours; only with `n_neighbours`.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` was a DataFrame.

    Raises
    ------
    PanelIndexError
        The index names no series or no times, or a series has a time twice.
    ValueError
        On `transform` with `n_neighbours`, where a series was not in `fit`.

    Notes
    -----
    The new columns are named `u100@farm_3` by series (`u100@FR/farm_3` where two levels of the index name it), and
    `u100@1` to `u100@k` by nearness. They are looked up in the table that is given, so forecast all series at once;
    what a series does not have at that time is NaN. In a table with runs (a level `run` in its index) they are those of
    the same run.

    A new column is known ahead exactly where its own column is: name both, or neither, in `known` of
    :class:`~skts.SlidingWindower`.

    References
    ----------
    J. R. Andrade and R. J. Bessa (2017). Improving renewable energy forecasting with a grid of numerical weather
    predictions. IEEE Transactions on Sustainable Energy 8(4), 1571-1580. https://doi.org/10.1109/TSTE.2017.2694340

    Examples
    --------
    >>> import pandas as pd
    >>> from skts.features import NeighbourFeatures
    >>> times = pd.date_range("2024-01-01", periods=2, freq="h")
    >>> index = pd.MultiIndex.from_product([["east", "west"], times], names=["farm", "time"])
    >>> X = pd.DataFrame({"u100": [1.0, 2.0, 7.0, 8.0]}, index=index)
    >>> NeighbourFeatures("u100").fit_transform(X).to_numpy()
    array([[1., 1., 7.],
           [2., 2., 8.],
           [7., 1., 7.],
           [8., 2., 8.]])
    """

    _parameter_constraints = {
        "columns": [str, Integral, slice, "array-like", callable, None],
        "n_neighbours": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(self, columns: Columns | None = None, *, n_neighbours: int | None = None):
        self.columns = columns
        self.n_neighbours = n_neighbours

    def _learn(self, X: Any, values: NDArray[Any]) -> list[str]:
        rows = _read_series(X)
        columns: Columns | Callable = slice(None) if self.columns is None else self.columns
        self.columns_ = find_columns(X, columns, f"NeighbourFeatures(columns={self.columns!r})")
        assert rows.names is not None
        self.series_ = rows.names
        at, _ = _rows_at_each_time(rows)
        if self.n_neighbours is None:
            labels = ["/".join(map(str, name)) if isinstance(name, tuple) else name for name in self.series_]
        else:
            self._check_enough_columns_and_series()
            with naming_cells(X):
                first = look_up(values[:, self.columns_[0]], at)
                self.neighbours_ = most_correlated(first, self.n_neighbours)
            labels = list(range(1, self.n_neighbours + 1))
        return [f"{column}@{label}" for column in self._names_in()[self.columns_] for label in labels]

    def _compute(self, X: Any, values: NDArray[Any]) -> NDArray[np.float64]:
        rows = _read_series(X)
        assert rows.names is not None
        if rows.names.nlevels != self.series_.nlevels:
            raise PanelIndexError(
                f"NeighbourFeatures was fitted on a table with {self.series_.nlevels} levels of the index that name "
                f"the series, and this one has {rows.names.nlevels}: give the same levels."
            )
        at, time = _rows_at_each_time(rows)
        absent = np.full((len(at), 1), -1)
        at = np.concatenate([at, absent], axis=1)[:, rows.names.get_indexer(self.series_)]  # (n_times, n_series seen)
        if self.n_neighbours is None:
            at = at[time]
        else:
            at = at[time[:, None], self.neighbours_[self._seen(rows.names)[rows.series]]]
        found = look_up(values[:, self.columns_], at)  # (n_rows, n_labels, n_columns)
        return found.swapaxes(1, 2).reshape(len(values), -1)

    def _seen(self, names: pd.Index) -> NDArray[np.int64]:
        seen = self.series_.get_indexer(names)
        unseen = names[seen < 0]
        if len(unseen):
            raise ValueError(
                f"NeighbourFeatures(n_neighbours={self.n_neighbours}): {len(unseen)} series were not in the training "
                f"table and have no neighbours: {list(unseen[:5])}{' ...' if len(unseen) > 5 else ''}. Fit on a table "
                "that has them, or give n_neighbours=None."
            )
        return seen

    def _check_enough_columns_and_series(self) -> None:
        if len(self.columns_) == 0:
            raise ValueError(
                f"NeighbourFeatures(columns={self.columns!r}, n_neighbours={self.n_neighbours}) selects no column of "
                "this table, and neighbours are chosen by the first: give at least one."
            )
        if len(self.series_) < 2:
            raise ValueError(
                f"NeighbourFeatures(n_neighbours={self.n_neighbours}): the training table has one series, and none has "
                "neighbours: give a table with several, or leave the step out."
            )
        if self.n_neighbours is not None and self.n_neighbours >= len(self.series_):
            raise ValueError(
                f"NeighbourFeatures(n_neighbours={self.n_neighbours}): each series has {len(self.series_) - 1} others "
                f"in the training table. Give {len(self.series_) - 1} or fewer, or None for all."
            )


def rows_at_each_time(time: NDArray[np.int64], series: NDArray[np.int64], n_series: int) -> NDArray[np.int64]:
    """Lay out which row each series has at each time.

    Parameters
    ----------
    time, series : ndarray of int64 of shape (n_rows,)
        The number of each row's time and of its series, from 0.
    n_series : int

    Returns
    -------
    rows : ndarray of int64 of shape (n_times, n_series)
        -1 where there is none; the last where there are several.
    """
    rows = np.full((time.max() + 1, n_series), -1, dtype=np.int64)
    rows[time, series] = np.arange(len(time))
    return rows


def look_up(values: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Take rows of a table; row -1 is NaN.

    Parameters
    ----------
    values : ndarray of shape (n_rows, ...)
    rows : ndarray of int64 of any shape

    Returns
    -------
    found : ndarray of shape (*rows.shape, ...)
    """
    blank = np.full((1, *values.shape[1:]), np.nan)
    return np.concatenate([values, blank])[rows]


def most_correlated(values: NDArray[np.float64], n_neighbours: int) -> NDArray[np.int64]:
    """Find the columns that correlate most with each.

    Parameters
    ----------
    values : ndarray of shape (n_times, n_series)
        NaN is missing; two columns are compared over the times that both have.
    n_neighbours : int
        Below `n_series`.

    Returns
    -------
    nearest : ndarray of int64 of shape (n_series, n_neighbours)
        The greatest absolute correlation first, equal ones in their order. Columns that cannot be compared (constant,
        or fewer than three common times) count as uncorrelated.
    """
    closeness = pd.DataFrame(values).corr(min_periods=FEWEST_TIMES).abs().fillna(0.0).to_numpy(copy=True)
    np.fill_diagonal(closeness, -1.0)
    return np.argsort(-closeness, axis=1, kind="stable")[:, :n_neighbours]


def _read_series(X: Any) -> RowIndex:
    rows = read_times(X, "NeighbourFeatures")
    if rows.names is None:
        raise PanelIndexError(
            "NeighbourFeatures needs several series, and the index of this table names none: put their names before "
            "the times, X.set_index([series, time])."
        )
    return rows


def _rows_at_each_time(rows: RowIndex) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lay out a table by time, and refuse a series that has a time twice."""
    assert rows.ticks is not None
    assert rows.clock is not None
    time = np.unique(rows.ticks, return_inverse=True)[1]
    if rows.runs is not None:  # the others in the same run
        run = np.unique(rows.runs, return_inverse=True)[1]
        time = np.unique(run * (int(time.max(initial=0)) + 1) + time, return_inverse=True)[1]
    at = rows_at_each_time(time, rows.series, rows.n_series)
    hidden = np.flatnonzero(at[time, rows.series] != np.arange(len(time)))
    if len(hidden):
        row = int(hidden[0])
        raise PanelIndexError(
            f"Rows {row} and {at[time[row], rows.series[row]]}: {rows.describe(row)} has the time "
            f"{rows.clock.label(rows.ticks[row])} twice. One row per series and time is expected: drop or average the "
            "repeated rows."
        )
    return at, time
