"""Some windows of a fitted estimator, each in rows of its own, so that cells of them can be altered."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_consistent_length

from skts.exceptions import MissingHistoryWarning
from skts.inspection._block_intervals import number_blocks
from skts.panel import check_same_series
from skts.windows import SlidingWindower, Windows, find_windowers, holder_of_parts, walk

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_FEWEST_BLOCKS = 20  # of time: fewer tell little of how much their mean varies


@dataclass(frozen=True)
class Sample:
    """Windows that were drawn, the regressor that forecasts from them, and their targets.

    Parameters
    ----------
    regressor : estimator
        What stands after the windower.
    windows : Windows of shape (n_windows, window, n_features)
        Each with a span of its own.
    targets : ndarray of float64 of shape (n_windows, horizon, n_targets)
        NaN is missing.
    blocks : ndarray of int64 of shape (n_windows,)
        The number of the block of time that each origin lies in.
    feature_names : ndarray of str of shape (n_features,)
    """

    regressor: Any
    windows: Windows
    targets: Floats
    blocks: Ints
    feature_names: NDArray[Any]

    @property
    def window(self) -> int:
        """Rows of a window."""
        assert self.windows.window is not None
        return self.windows.window

    @classmethod
    def draw(cls, estimator: Any, X: Any, y: Any, n_windows: int, rng: RandomState) -> Self:
        """Draw windows of a table, or of `Windows`, that have a target and a history."""
        regressor, windows, y, names = read_windows(estimator, X, y)
        if windows.window is None:
            raise ValueError(
                "memory_profile hides rows of a window, and SlidingWindower(window=None) reads whole series: fit with "
                "a window of as many rows as are to be profiled."
            )
        targets = windows.targets(y).astype(np.float64).reshape(len(windows), windows.horizon, -1)
        whole = has_history(windows)
        candidates = np.flatnonzero(whole & ~np.isnan(targets).all(axis=(1, 2)))
        if len(candidates) < 2:
            raise ValueError(
                f"memory_profile needs two windows that have a target and a history, and X gives {len(candidates)} of "
                f"{len(windows)} ({int(whole.sum())} with a history of {windows.window} rows): give a longer table. "
                "The training table itself has no history before its first rows."
            )
        if n_windows < len(candidates):
            candidates = np.sort(rng.choice(candidates, n_windows, replace=False))
        lookahead = max(getattr(part, "lookahead_", 0) for part in walk(regressor))
        blocks = time_blocks(
            windows.ticks[windows.origins[candidates]] // windows.step, windows.window, windows.horizon
        )
        return cls(regressor, unfold(windows, candidates, lookahead), targets[candidates], blocks, names)

    def forecast(self, windows: Windows) -> Floats:
        """Forecast the windows, of the same places: ndarray of shape (n_windows, horizon, n_targets)."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MissingHistoryWarning)  # of holes that we moved, or nobody asked of here
            y_pred = np.asarray(self.regressor.predict(windows), dtype=np.float64)
        return y_pred.reshape(self.targets.shape)


def read_windows(estimator: Any, X: Any, y: Any) -> tuple[Any, Windows, NDArray[Any], NDArray[Any]]:
    """Find the regressor, and make its windows where a table is given.

    Returns
    -------
    regressor : estimator
    windows : Windows
    y : ndarray of shape (n_rows,) or (n_rows, n_targets)
        One value for every row that entered the windower.
    feature_names : ndarray of str of shape (n_features,)
    """
    steps = list(_steps_of(estimator))
    if isinstance(X, Windows):
        if len(steps) != 1:
            raise ValueError(
                f"memory_profile was given Windows and {type(estimator).__name__}, which takes a table: give it the "
                "table, or the regressor alone."
            )
        return steps[0], X, np.asarray(y), _default_names(X.panel.shape[1])
    check_consistent_length(X, y)
    check_same_series(X, y)
    *before, windower, regressor = [None, *steps] if len(steps) < 2 else steps
    if not isinstance(windower, SlidingWindower):
        raise ValueError(_no_windower(estimator))
    for step in filter(None, before):
        X = step.transform(X)
    windows = windower.transform(X)
    names = getattr(windower, "feature_names_in_", None)
    names = _default_names(windows.panel.shape[1]) if names is None else names
    return regressor, windows, _beside_rows(windows, np.asarray(y)), names


def _steps_of(estimator: Any) -> Iterator[Any]:
    """List the fitted steps that rows go through, whatever pipelines, searches and frozen ones hold them."""
    if isinstance(estimator, FrozenEstimator):
        yield from _steps_of(estimator.estimator)
    elif hasattr(estimator, "best_estimator_"):
        yield from _steps_of(estimator.best_estimator_)
    elif isinstance(estimator, Pipeline):
        for _, step in estimator.steps:
            if step is not None and not isinstance(step, str):
                yield from _steps_of(step)
    else:
        yield estimator


def _no_windower(estimator: Any) -> str:
    name = type(estimator).__name__
    if find_windowers(estimator) and holder_of_parts(estimator):
        return (
            f"memory_profile takes a pipeline that ends with SlidingWindower and a regressor, or a search over one, "
            f"and {name} holds such a pipeline inside: give one of its `{holder_of_parts(estimator)}`, with the rows "
            "that it forecasts."
        )
    return (
        f"memory_profile takes a pipeline that ends with SlidingWindower and a regressor, or a search over one, and "
        f"{name} does not: give such a pipeline, or a regressor together with Windows."
    )


def _beside_rows(windows: Windows, y: NDArray[Any]) -> NDArray[Any]:
    """Give every row that entered the windower its target; those that were put in front have none."""
    if len(y) == windows.n_rows:
        return y
    is_new = np.ones(windows.n_rows, dtype=bool)
    is_new[windows.history_rows] = False
    if len(y) != is_new.sum():
        raise ValueError(
            f"memory_profile: y has {len(y)} rows, and {int(is_new.sum())} rows are forecast: let HistoryPrepender "
            "put as many rows in front as SlidingWindower takes for history."
        )
    out = np.full((windows.n_rows, *y.shape[1:]), np.nan)
    out[is_new] = y
    return out


def _default_names(n_features: int) -> NDArray[Any]:
    return np.asarray([f"x{i}" for i in range(n_features)], dtype=object)


def has_history(windows: Windows) -> NDArray[np.bool_]:
    """Tell which windows begin with a row that somebody has: their history is no blank."""
    first = windows.origins - windows.window
    is_there: NDArray[np.bool_] = ~np.logical_and.reduce(np.isnan(windows.panel), axis=1)
    return (first >= windows.own_spans[:, 0]) & is_there[np.maximum(first, 0)]


def time_blocks(times: Ints, window: int, horizon: int) -> Ints:
    """Put windows into blocks of time that hardly depend on each other, and give the number of each.

    Parameters
    ----------
    times : ndarray of int64 of shape (n_windows,)
        Of each origin, in rows.
    window, horizon : int
        A block is as long as both together, or shorter where fewer than twenty would be left.

    Returns
    -------
    blocks : ndarray of int64 of shape (n_windows,)
        From 0, none without a window.
    """
    return number_blocks(times, min(window + horizon, -(-(int(np.ptp(times)) + 1) // _FEWEST_BLOCKS)))


def unfold(windows: Windows, chosen: Ints, lookahead: int) -> Windows:
    """Copy some windows, so that no two share a cell.

    Parameters
    ----------
    windows : Windows
    chosen : ndarray of int64 of shape (n_chosen,)
    lookahead : int
        Rows after the horizon that are read too.

    Returns
    -------
    windows : Windows of shape (n_chosen, window, n_features)
        Training windows, whose forecasts are by window, each the only one of its span. They read what they read
        before: what lies outside of their span is blank.
    """
    assert windows.window is not None
    length = windows.window + windows.horizon + lookahead
    origins = windows.origins[chosen].astype(np.int64)
    places = origins[:, None] + np.arange(-windows.window, windows.horizon + lookahead)  # (n, L)
    spans = windows.own_spans[chosen]
    outside = (places < spans[:, :1]) | (places >= spans[:, 1:])
    places[outside] = 0
    panel, is_blank = windows.panel[places], outside | (windows.rows[places] < 0)
    panel[outside] = np.nan
    first = length * np.arange(len(chosen), dtype=np.int64)
    return replace(
        windows,
        panel=panel.reshape(-1, panel.shape[2]),
        origins=first + windows.window,
        spans=np.stack([first, first + length], axis=1),
        span_series=windows.series[chosen],
        span_ticks=windows.ticks[origins] - windows.window * windows.step,
        rows=np.where(is_blank.ravel(), -1, np.arange(is_blank.size)),
        n_rows=is_blank.size,
        history_rows=None,
        dropped=None,
    )
