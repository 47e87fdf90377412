"""A procedure from the raw table to the forecasts, to be run on tables that differ in some cells."""

import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.base import clone

from skts._compat import Subtask, safe_indexing
from skts.inspection.leakage._splits import SplitWatcher
from skts.panel import read_index
from skts.windows import find_windowers

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PreparedSplit:
    """The rows that a procedure trains on and forecasts, after its preparation.

    Parameters
    ----------
    X_train, y_train, X_test : array-like, Series or DataFrame
    train, test : ndarray of int64
        The row of the raw table that each of them is.
    """

    X_train: Any
    y_train: Any
    X_test: Any
    train: Ints
    test: Ints


class Procedure:
    """Prepare the whole table, cut it in time, fit, forecast.

    Parameters
    ----------
    estimator : estimator
        Cloned for every fit.
    prepare : callable or None
        `prepare(X, y)`, run on the whole table.
    is_train, is_test : ndarray of bool of shape (n_rows,)
    """

    def __init__(
        self, estimator: Any, prepare: Callable | None, is_train: NDArray[np.bool_], is_test: NDArray[np.bool_]
    ):
        self.estimator = estimator
        self.prepare = prepare
        self.is_train = is_train
        self.is_test = is_test

    def cut(self, X: Any, y: Any) -> PreparedSplit:
        """Prepare a table, and cut it."""
        made, target, rows = X, y, np.arange(len(X))
        if self.prepare is not None:
            made = self.prepare(X.copy(), y.copy())
            made, target = made if isinstance(made, tuple) else (made, None)
            rows = _rows_of(made, X)
            target = safe_indexing(y, rows) if target is None else target
            if len(target) != len(made):
                raise ValueError(
                    f"prepare gave a y of {len(target)} rows for an X of {len(made)}: give as many rows of both, in "
                    "the same order."
                )
        train, test = np.flatnonzero(self.is_train[rows]), np.flatnonzero(self.is_test[rows])
        return PreparedSplit(
            safe_indexing(made, train),
            safe_indexing(target, train),
            safe_indexing(made, test),
            rows[train],
            rows[test],
        )

    def fit(self, split: PreparedSplit, watcher: SplitWatcher | None = None, shown_as: Subtask | None = None) -> Any:
        """Fit a clone on the training rows, under the eyes of a watcher where there is one."""
        estimator = clone(self.estimator)
        fit = estimator.fit if shown_as is None else partial(shown_as.fit, estimator)
        with nullcontext() if watcher is None else watcher.watching(estimator):
            fit(split.X_train, split.y_train)
        return estimator

    def forecast(self, fitted: Any, split: PreparedSplit) -> tuple[Ints, Floats]:
        """Forecast the test rows.

        Returns
        -------
        rows : ndarray of int64 of shape (n_forecasts,)
            The row of the raw table that each forecast is for.
        y_pred : ndarray of shape (n_forecasts, n_outputs)
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tables with holes of our making deserve them
            y_pred = np.asarray(fitted.predict(split.X_test), dtype=np.float64)
        rows = split.test[_forecast_positions(fitted, split.X_test, len(y_pred))]
        return rows, y_pred.reshape(len(rows), -1)


def with_seeds(estimator: Any, rng: RandomState) -> Any:
    """Clone an estimator, with a number for every `random_state` that is None, in its splitters too."""
    estimator = clone(estimator)
    if not hasattr(estimator, "get_params"):
        return estimator
    for name, value in sorted(estimator.get_params().items(), key=lambda item: item[0]):
        seed = rng.randint(np.iinfo(np.int32).max)
        if value is None and name.split("__")[-1] == "random_state":
            estimator.set_params(**{name: seed})
        elif hasattr(value, "get_n_splits") and getattr(value, "random_state", 0) is None:
            value.random_state = seed  # clone has copied the splitter
    return estimator


def change_of(before: Any, after: Any) -> Floats:
    """Measure how much each row changed.

    Parameters
    ----------
    before, after : ndarray of shape (n_rows,) or (n_rows, n_columns), Series or DataFrame

    Returns
    -------
    change : ndarray of shape (n_rows,)
        The largest change among the columns, in standard deviations of the column before. Infinite from or to NaN,
        and where a column holds something else than numbers; 0 from NaN to NaN.
    """
    if np.shape(before) != np.shape(after):
        return np.full(len(before), np.inf)
    old, new = (pd.DataFrame(table) for table in (before, after))
    changes = [_change_of_column(old.iloc[:, i], new.iloc[:, i]) for i in range(old.shape[1])]
    return np.max(changes, axis=0, initial=0.0) if changes else np.zeros(len(old))


def _change_of_column(before: pd.Series, after: pd.Series) -> Floats:
    if not (pd.api.types.is_numeric_dtype(before.dtype) and pd.api.types.is_numeric_dtype(after.dtype)):
        same = (before.to_numpy() == after.to_numpy()) | (before.isna() & after.isna()).to_numpy()
        return np.where(same, 0.0, np.inf)
    old, new = (column.to_numpy(dtype=np.float64, na_value=np.nan) for column in (before, after))
    there = old[np.isfinite(old)]
    spread = (there.std() or np.abs(there).max() or 1.0) if len(there) else 1.0
    with np.errstate(invalid="ignore"):
        change = np.abs(new - old) / spread
    change[(old == new) | (np.isnan(old) & np.isnan(new))] = 0.0
    return np.where(np.isnan(change), np.inf, change)


def _rows_of(made: Any, X: Any) -> Ints:
    """Find the row of the raw table that each prepared row is."""
    ours, theirs = (getattr(table, "index", None) for table in (X, made))
    if len(made) == len(X) and (ours is None or theirs is None or theirs.equals(ours)):
        return np.arange(len(X))
    if ours is not None and theirs is not None and ours.is_unique:
        rows = ours.get_indexer(theirs)
        if (rows >= 0).all():
            return rows.astype(np.int64)
        raise ValueError(
            f"prepare gave the row {theirs[np.flatnonzero(rows < 0)[0]]}, which X does not have: give the rows of X "
            "or some of them, and what adds rows (a resampling, say) before check_leakage."
        )
    raise ValueError(
        f"prepare gave {len(made)} rows for {len(X)}, and without an index of unique labels on both it is not clear "
        "which they are: give DataFrames, or one row for each row of X."
    )


def _forecast_positions(fitted: Any, X: Any, n_forecasts: int) -> Ints:
    """Find which rows of a table its forecasts are for: all, or all after the history of a windower."""
    n_rows = len(X)
    if n_forecasts == n_rows:
        return np.arange(n_rows)
    series = pd.Series(read_index(X).series)
    for windower in find_windowers(fitted):
        after = np.flatnonzero(series.groupby(series).cumcount() >= (windower.history or windower.window or 0))
        if len(after) == n_forecasts:
            return after
    raise ValueError(
        f"{type(fitted).__name__}.predict gave {n_forecasts} forecasts for {n_rows} rows: one for each row is "
        "expected. Where it has a SlidingWindower, put HistoryPrepender before it."
    )
