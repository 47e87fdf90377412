"""Columns that hold the target itself, of their own row or of rows to come."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.panel._panel_index import PanelIndex

Floats = NDArray[np.float64]

_SAME = 0.9999  # share of the variance that a straight line explains: more than any other quantity leaves
_FARTHEST = 24  # rows ahead that are looked at
_N_ROWS = 20_000  # of a table that are looked at: the last of some series
_N_SERIES = 20
_FEWEST = 10  # rows that have both


def find_knowing(X: pd.DataFrame, y: pd.Series, known: Iterable[Any] | None = None) -> dict[Any, str]:
    """Find columns that are the target, whatever their unit, of the same row or of one to come.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_columns)
    y : Series of shape (n_rows,)
        The target. A column of `X` by its name is the target's own past, and left out.
    known : iterable of hashable, default=None
        The columns that are known ahead, of which the same row is too much already. Of others that is as it should be:
        only their past is read. None takes all for known.

    Returns
    -------
    knowing : dict of hashable to str
        What each of them holds.

    Notes
    -----
    Series are compared each with a line of its own, as where capacities divide them. What it cannot tell: columns that
    hold the target with something else, such as a centred mean or the sum of a farm: `check_leakage` changes the target
    and looks.
    """
    panel = PanelIndex.read(X).latest
    names = [name for name in X.columns if name != y.name and X[name].dtype.kind in "iuf"]
    too_much = set(names if known is None else known)
    some = np.unique(np.linspace(0, panel.n_series - 1, min(panel.n_series, _N_SERIES)).astype(np.int64))
    starts, stops = panel.indptr[some], panel.indptr[some + 1]
    stretches = [
        np.arange(max(stop - _N_ROWS // len(some), start), stop) for start, stop in zip(starts, stops, strict=True)
    ]
    target = y.to_numpy(dtype=np.float64, na_value=np.nan)[panel.rows]
    found = {}
    for name in names:
        column = X[name].to_numpy(dtype=np.float64, na_value=np.nan)[panel.rows]
        ahead = _find_shift(column, target, panel, stretches)
        if ahead is not None and (ahead > 0 or name in too_much):
            of_when = "of the same row" if ahead == 0 else f"of {ahead} row{'s' if ahead > 1 else ''} later"
            found[name] = f"is {y.name} {of_when}"
    return found


def _find_shift(column: Floats, target: Floats, panel: PanelIndex, stretches: list[NDArray[np.int64]]) -> int | None:
    """Find how many rows ahead the target lies that a column holds; None where it holds none, or one of the past."""
    best, shift = 0.0, -1
    for ahead in range(-1, _FARTHEST + 1):
        explained = [_explained(column, target, panel, rows, ahead) for rows in stretches]
        there = [value for value in explained if value is not None]
        if there and (lowest := min(there)) > best:
            best, shift = lowest, ahead
    return shift if best > _SAME and shift >= 0 else None


def _explained(column: Floats, target: Floats, panel: PanelIndex, rows: NDArray[np.int64], ahead: int) -> float | None:
    """Give the share of a column's variance that a line through the target some rows ahead explains, in one series."""
    here, there = (rows[:-ahead], rows[ahead:]) if ahead > 0 else (rows[-ahead:], rows[: len(rows) + ahead])
    follows = panel.ticks[there] - panel.ticks[here] == ahead * (panel.step or 1)
    x, y = column[here][follows], target[there][follows]
    both = np.isfinite(x) & np.isfinite(y)
    if both.sum() < _FEWEST:
        return None
    x, y = x[both] - x[both].mean(), y[both] - y[both].mean()
    xx, yy = float(x @ x), float(y @ y)
    return None if xx == 0 or yy == 0 else float(x @ y) ** 2 / (xx * yy)
