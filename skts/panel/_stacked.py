"""Several series stacked in a table whose index does not tell them apart."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_LONGEST_CYCLE = 366  # rows; a column that counts no further may be the hour of the day or the day of the year ...
_LONG_CYCLES = (1440, 8760, 8784)  # ... and these are the minutes of a day and the hours of a year


def find_stacked(X: Any) -> tuple[int, int] | None:
    """Find two columns of numbers that look like the series and the time of each row.

    Parameters
    ----------
    X : ndarray or DataFrame of shape (n_rows, n_features)
        Rows in the order in which they are taken for one series.

    Returns
    -------
    columns : (int, int) or None
        One that stays the same over long stretches of rows, each of which has a value of its own, and one that counts
        on within each stretch by whole steps and falls back to start anew in the next, whatever the units. Columns that
        may count a cycle of the calendar are none, such as the hour of the day beside the day of the year.
    """
    if len(X) < 2 * _LONGEST_CYCLE:
        return None
    columns = [_numbers(X, column) for column in range(X.shape[1])]
    for time, ticks in enumerate(columns):
        breaks = _find_breaks(ticks)
        if breaks is None:
            continue
        for series, names in enumerate(columns):
            if series != time and _names_stretches(names, breaks):
                return series, time
    return None


def _numbers(X: Any, column: int) -> NDArray[Any]:
    values = X.iloc[:, column].to_numpy() if isinstance(X, pd.DataFrame) else np.asarray(X)[:, column]
    return values if values.dtype.kind in "iuf" else np.zeros(len(values))


def _find_breaks(ticks: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Tell after which rows a count starts anew; None of what does not count, or may count the calendar's cycles."""
    breaks = ticks[1:] < ticks[:-1]
    if not 0 < breaks.sum() <= len(breaks) // _LONGEST_CYCLE:
        return None
    edges = np.concatenate([[-1], np.flatnonzero(breaks), [len(breaks)]])
    longest = int(np.diff(edges).max())
    if longest <= _LONGEST_CYCLE or longest in _LONG_CYCLES:
        return None
    steps = np.diff(ticks)[~breaks].astype(np.float64)
    multiples = steps / (np.median(steps) or np.nan)
    off = np.abs(multiples - np.rint(multiples)) / np.maximum(np.rint(multiples), 1)
    return breaks if (multiples > 0.5).all() and (off <= 1e-3).all() else None  # which scaling may round


def _names_stretches(names: NDArray[Any], breaks: NDArray[np.bool_]) -> bool:
    """Tell whether a column has one value in each stretch between breaks, and another one in every other."""
    if not np.array_equal(names[1:] != names[:-1], breaks):
        return False
    each = names[np.append(0, np.flatnonzero(breaks) + 1)]
    return len(np.unique(each)) == len(each)
