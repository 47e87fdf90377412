"""Columns with one value per series."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.panel import PanelIndex

Ints = NDArray[np.int64]


def one_per_series(
    values: NDArray[Any], series: Ints, n_series: int
) -> tuple[NDArray[np.float32], tuple[int, int] | None]:
    """Take one value per series out of columns that hold it in every row.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_static)
        NaN does not count: it is what blank rows have.
    series : ndarray of int64 of shape (n_rows,)
        The number of each row's series.
    n_series : int

    Returns
    -------
    static : ndarray of float32 of shape (n_series, n_static)
        The first value of each series that is no NaN; NaN where it has none.
    varying : (row, column) or None
        The first row that has another value than its series had before, and the first such column there.
    """
    static = np.full((n_series, values.shape[1]), np.nan, dtype=np.float32)
    is_there = ~np.isnan(values)
    for column in range(values.shape[1]):
        rows = np.flatnonzero(is_there[:, column])[::-1]  # of several rows of a series, the first one writes last
        static[series[rows], column] = values[rows, column]
    differs = is_there & (values.astype(np.float32, copy=False) != static[series])
    found = np.argwhere(differs)
    return static, None if len(found) == 0 else (int(found[0, 0]), int(found[0, 1]))


def check_static(owner: str, X: Any, known: Ints, static: Ints) -> None:
    """Refuse static columns (by position) that are known ones too, or that leave no column to windows."""
    both = np.intersect1d(known, static)
    if len(both):
        raise ValueError(
            f"{owner}: {[_name(X, column) for column in both]} is named by known=... too. What is static is known as "
            "it is: name each column in one of the two."
        )
    if len(np.unique(static)) == np.shape(X)[1]:
        raise ValueError(f"{owner} leaves windows without a column: give X one that changes with time.")


def read_static(owner: str, X: Any, values: NDArray[Any], columns: Ints, panel: PanelIndex) -> NDArray[np.float32]:
    """Read static columns, and refuse one that varies within a series.

    Parameters
    ----------
    owner : str
        Who wants them, for the message.
    X : array-like or DataFrame of shape (n_rows, n_features)
        For the names of its columns.
    values : ndarray of shape (n_rows, n_features)
    columns : ndarray of int64 of shape (n_static,)
    panel : PanelIndex
        Of `X`.

    Returns
    -------
    static : ndarray of float32 of shape (n_series, n_static)
    """
    static, varying = one_per_series(values[:, columns], panel.index.series, panel.n_series)
    if varying is None:
        return static
    (row, number), index = varying, panel.index
    column, own = columns[number], static[index.series[row], number]
    when = "" if index.clock is None else f" ({index.clock.label(panel.row_ticks[row])})"
    raise ValueError(
        f"{owner}: column {_name(X, column)!r} of {index.describe(row)} is {own:g}, and {values[row, column]:g} in row "
        f"{row}{when}. One value per series is expected: correct it, or name the column in known=[...] where it "
        "changes with time."
    )


def _name(X: Any, column: int) -> Any:
    return X.columns[column] if isinstance(X, pd.DataFrame) else int(column)
