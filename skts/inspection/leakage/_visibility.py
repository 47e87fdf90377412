"""What each forecast may see."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts._compat import safe_indexing
from skts.panel import Columns, PanelIndex, find_columns
from skts.windows import find_horizon, find_known, find_lookahead, find_static, find_windowers

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Visibility:
    """How far in time each forecast may read.

    Parameters
    ----------
    rows : ndarray of int64 of shape (n_forecasts,)
        The row of the table that each forecast is for.
    leads : ndarray of int64 of shape (n_forecasts,)
        1 is the row of the origin.
    origins : ndarray of int64 of shape (n_forecasts,)
        The tick of the origin: observed columns may be read before it.
    ends : ndarray of int64 of shape (n_forecasts,)
        The last tick at which known columns may be read.
    """

    rows: Ints
    leads: Ints
    origins: Ints
    ends: Ints

    @classmethod
    def of(cls, fitted: Any, X: Any, panel: PanelIndex, rows: Ints) -> "Visibility":
        """Find it from the windower in an estimator; without one, each forecast may read its own row and no later one.

        Parameters
        ----------
        fitted : estimator
        X : array-like or DataFrame of shape (n_rows, n_features)
            The raw table.
        panel : PanelIndex
            Of `X`.
        rows : ndarray of int64 of shape (n_forecasts,)
            The rows of `X` that are forecast.
        """
        if panel.index.runs is not None:
            made = panel.index.runs[rows]
            return cls(rows, panel.leads()[0][rows], made, made)
        ticks, horizon = panel.row_ticks[rows], find_horizon(fitted)
        if horizon is None:
            return cls(rows, np.ones_like(ticks), ticks, ticks)
        leads, _ = PanelIndex.read(safe_indexing(X, rows), panel.layout).leads(horizon)
        step = panel.step or 1
        origins = ticks - (leads - 1) * step
        return cls(rows, leads, origins, origins + (horizon - 1 + find_lookahead(fitted)) * step)


def find_roles(fitted: Any, X: Any, y: Any, known: Columns | None, target: Columns | None) -> dict[str, Ints]:
    """Sort the columns of a table by what is known of them at the origin.

    Parameters
    ----------
    fitted : estimator
    X : ndarray or DataFrame of shape (n_rows, n_features)
        The raw table.
    y : ndarray, Series or DataFrame of shape (n_rows,) or (n_rows, n_targets)
    known, target : str, int, slice, list of str or int, callable, or None
        None takes what the windower takes for known (without a windower: all), and the columns that equal one of `y`.

    Returns
    -------
    roles : dict of str to ndarray of int64
        The positions of the columns. Those of the target are never known, and static ones of none of them: they have
        no other value after the origin.
    """
    every = np.setdiff1d(np.arange(X.shape[1]), static_columns(fitted, X))
    if target is None:
        own = every[[_equals_any(X, i, y) for i in every]]
    else:
        own = find_columns(X, target, f"check_leakage(target={target!r})")
    if known is None:
        ahead = _known_to_windower(fitted, X)
    else:
        ahead = find_columns(X, known, f"check_leakage(known={known!r})")
    ahead = np.setdiff1d(np.intersect1d(ahead, every), own)
    return {
        "target": own,
        "observed columns": np.setdiff1d(every, np.union1d(own, ahead)),
        "known columns": ahead,
    }


def static_columns(fitted: Any, X: Any) -> Ints:
    """Find the columns of a table that hold one value per series for a windower in an estimator."""
    found = [find_static(windower, X) for windower in find_windowers(fitted)]
    return np.unique(np.concatenate([np.empty(0, dtype=np.int64), *(some for some in found if some is not None)]))


def _equals_any(X: Any, position: int, y: Any) -> bool:
    """Whether a column equals one of the target wherever both have a value."""
    column = pd.DataFrame(X).iloc[:, position]
    if not pd.api.types.is_numeric_dtype(column.dtype):
        return False
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)[:, None]
    targets = np.asarray(y, dtype=np.float64).reshape(len(values), -1)
    equal = (values == targets) | np.isnan(values) | np.isnan(targets)
    return bool(equal.all(axis=0).any() and not np.isnan(values).all())


def _known_to_windower(fitted: Any, X: Any) -> Ints:
    windowers = find_windowers(fitted)
    if not windowers:
        return np.arange(X.shape[1])
    known = find_known(windowers[0], X)
    if known is None:
        raise ValueError(
            f"check_leakage(known=None): SlidingWindower was given {windowers[0].n_features_in_} columns without "
            f"names, and X has {X.shape[1]}, so it is not clear which of them it takes for known. Give known=[...], "
            "the columns of X whose values over the horizon are known at the origin (known=[] for none)."
        )
    return known
