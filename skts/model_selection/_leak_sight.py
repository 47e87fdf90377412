"""What each forecast may see."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts._compat import safe_indexing
from skts.model_selection._blocks import block_leads, ticks_of_rows
from skts.model_selection._parts import find_horizon, walk
from skts.panel import Columns, PanelIndex, find_columns
from skts.regressors._base import BaseNetRegressor
from skts.windows import SlidingWindower

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Sight:
    """How far forecasts see.

    Parameters
    ----------
    rows : ndarray of int64 of shape (n_forecasts,)
        The row of the table that each forecast is for.
    leads : ndarray of int64 of shape (n_forecasts,)
        1 is the row of the origin.
    origins : ndarray of int64 of shape (n_forecasts,)
        The tick of the origin: observed columns are seen before it.
    ends : ndarray of int64 of shape (n_forecasts,)
        The last tick at which known columns are seen.
    """

    rows: Ints
    leads: Ints
    origins: Ints
    ends: Ints

    @classmethod
    def of(cls, fitted: Any, X: Any, panel: PanelIndex, rows: Ints) -> "Sight":
        """Read off the windower of an estimator how far its forecasts see; without one, as far as their own row.

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
        ticks, horizon = ticks_of_rows(panel)[rows], find_horizon(fitted)
        if horizon is None:
            return cls(rows, np.ones_like(ticks), ticks, ticks)
        leads, _ = block_leads(PanelIndex.read(safe_indexing(X, rows), panel.layout), horizon)
        step = panel.step or 1
        origins = ticks - (leads - 1) * step
        # a network may be told that its weather forecast reaches further than the horizon
        context = [getattr(part, "context", 0) or 0 for part in walk(fitted) if isinstance(part, BaseNetRegressor)]
        return cls(rows, leads, origins, origins + (horizon - 1 + max(context, default=0)) * step)


def find_roles(fitted: Any, X: Any, y: Any, known: Columns | None, target: Columns | None) -> dict[str, Ints]:
    """Sort the columns of a table by what is known of them at the origin.

    Parameters
    ----------
    fitted : estimator
    X : ndarray or DataFrame of shape (n_rows, n_features)
        The raw table.
    y : ndarray, Series or DataFrame of shape (n_rows,) or (n_rows, n_targets)
    known, target : str, int, slice, list of str or int, callable, or None
        None takes what the windower knows (without a windower: all), and the columns that equal one of `y`.

    Returns
    -------
    roles : dict of str to ndarray of int64
        The positions of the columns. Those of the target are never known.
    """
    every = np.arange(X.shape[1])
    if target is None:
        own = np.flatnonzero([_equals_any(X, i, y) for i in every])
    else:
        own = find_columns(X, target, f"prove_no_leak(target={target!r})")
    if known is None:
        ahead = _known_to_windower(fitted, X)
    else:
        ahead = find_columns(X, known, f"prove_no_leak(known={known!r})")
    ahead = np.setdiff1d(ahead, own)
    return {
        "target": own,
        "observed columns": np.setdiff1d(every, np.union1d(own, ahead)),
        "known columns": ahead,
    }


def _equals_any(X: Any, position: int, y: Any) -> bool:
    """Tell whether a column equals one of the target wherever both have a value."""
    column = pd.DataFrame(X).iloc[:, position]
    if not pd.api.types.is_numeric_dtype(column.dtype):
        return False
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)[:, None]
    targets = np.asarray(y, dtype=np.float64).reshape(len(values), -1)
    equal = (values == targets) | np.isnan(values) | np.isnan(targets)
    return bool(equal.all(axis=0).any() and not np.isnan(values).all())


def _known_to_windower(fitted: Any, X: Any) -> Ints:
    windower = next((part for part in walk(fitted) if isinstance(part, SlidingWindower)), None)
    if windower is None:
        return np.arange(X.shape[1])
    if windower.n_features_in_ == X.shape[1] and not _both_named(windower, X):
        return windower.known_
    if not hasattr(windower, "feature_names_in_"):
        raise ValueError(
            f"prove_no_leak(known=None): SlidingWindower was given {windower.n_features_in_} columns without names, "
            f"and X has {X.shape[1]}, so nobody can tell which of them it knows. Give known=[...], the columns of X "
            "whose values over the horizon are known at the origin (known=[] for none)."
        )
    names = windower.feature_names_in_[windower.known_]
    columns = X.columns if _is_named(X) else [f"x{i}" for i in range(X.shape[1])]
    return np.flatnonzero(np.isin(np.asarray(columns, dtype=str), names.astype(str)))


def _both_named(windower: SlidingWindower, X: Any) -> bool:
    return hasattr(windower, "feature_names_in_") and _is_named(X)


def _is_named(X: Any) -> bool:
    """Tell whether the columns have names for scikit-learn, which calls others `x0`, `x1` and so on."""
    return isinstance(X, pd.DataFrame) and all(isinstance(name, str) for name in X.columns)
