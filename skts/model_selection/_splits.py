"""What the splitters share."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.exceptions import LostSeriesError
from skts.panel import PanelIndex, read_index

Ints = NDArray[np.int64]


def check_groups(splitter: str, X: Any, groups: Any) -> None:
    """Refuse groups that name the series of a table which has none in its index, and so would be cut as one series.

    Parameters
    ----------
    splitter : str
        The name of the class, for the message.
    X : array-like or DataFrame of shape (n_rows, n_features)
    groups : array-like of shape (n_rows,) or None

    Raises
    ------
    LostSeriesError
    """
    if groups is None or read_index(X).ticks is not None:
        return
    n_groups = len(pd.unique(pd.Series(np.asarray(groups))))
    if n_groups > 1:
        raise LostSeriesError(
            f"{splitter}: groups name {n_groups} of them, and X has neither series nor times in its index, so that its "
            "rows would be taken for one series in their order. Give a DataFrame with both in its index, "
            "X.set_index([series, time]), and leave groups away."
        )


def in_time_order(rows: Ints, ticks: Ints) -> Ints:
    """Sort rows by their times, and those of one time as they stand in the table.

    So the first k of them are the earliest of all series, which is what scikit-learn's `learning_curve` trains on.
    """
    return rows[np.argsort(ticks[rows], kind="stable")]


def first_ticks(panel: PanelIndex) -> Ints:
    """Find the first time of the run of each row, in the order of the table; its own time without runs."""
    return panel.row_ticks if panel.runs is None else _of_runs(panel, panel.runs.indptr[:-1])


def last_ticks(panel: PanelIndex) -> Ints:
    """Find the last time of the run of each row, in the order of the table; its own time without runs."""
    return panel.row_ticks if panel.runs is None else _of_runs(panel, panel.runs.indptr[1:] - 1)


def _of_runs(panel: PanelIndex, positions: Ints) -> Ints:
    """Give every row the time at one position of its run."""
    assert panel.runs is not None
    ticks = np.empty_like(panel.ticks)
    ticks[panel.rows] = panel.ticks[positions][panel.runs.of_each]
    return ticks
