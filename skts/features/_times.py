"""The times of a table, once each."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.exceptions import PanelIndexError
from skts.panel import RowIndex, read_index


def read_times(X: Any, owner: str) -> RowIndex:
    """Read series and time of every row, and refuse a table without times.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_rows, n_features)
    owner : str
        Who asks, for the message.

    Raises
    ------
    PanelIndexError
    """
    rows = read_index(X)
    if rows.ticks is None:
        raise PanelIndexError(
            f"{owner} reads times from the index, and this table has none: give a DataFrame with a DatetimeIndex, a "
            "PeriodIndex or a MultiIndex that has the time in its last level. Where a step before lost the index, call "
            'set_output(transform="pandas") on the pipeline (or on that step).'
        )
    return rows


def distinct_dates(rows: RowIndex, owner: str) -> tuple[pd.DatetimeIndex, NDArray[np.int64]]:
    """Give every time of a table once.

    Parameters
    ----------
    rows : RowIndex
        Of a table with times.
    owner : str
        Who asks, for the message.

    Returns
    -------
    dates : DatetimeIndex of shape (n_times,)
        Increasing, in the time zone of the index if it has one; of a period its start.
    codes : ndarray of int64 of shape (n_rows,)
        The position in `dates` of each row's time.

    Raises
    ------
    PanelIndexError
        The times are integers or time differences.
    """
    assert rows.clock is not None
    assert rows.ticks is not None
    ticks, codes = np.unique(rows.ticks, return_inverse=True)
    labels = rows.clock.labels(ticks)
    labels = labels.to_timestamp(how="start") if isinstance(labels, pd.PeriodIndex) else labels
    if not isinstance(labels, pd.DatetimeIndex):
        raise PanelIndexError(
            f"{owner} needs date-times or periods in the last level of the index, and {rows.clock.name!r} holds "
            f"{rows.clock.kind}: convert them with pandas.to_datetime."
        )
    return labels, codes
