"""Some windows of a fitted estimator, each in rows of its own, so that cells of them can be altered."""

import warnings
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skts.exceptions import MissingHistoryWarning
from skts.inspection._block_intervals import number_blocks
from skts.inspection._fitted import has_history, read_windows, unfold
from skts.windows import Windows, find_lookahead

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
        regressor, windows, y, names = read_windows("memory_profile", estimator, X, y)
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
        blocks = time_blocks(windows.origin_ticks[candidates] // windows.step, windows.window, windows.horizon)
        return cls(
            regressor, unfold(windows, candidates, find_lookahead(regressor)), targets[candidates], blocks, names
        )

    def forecast(self, windows: Windows) -> Floats:
        """Forecast the windows, of the same places: ndarray of shape (n_windows, horizon, n_targets)."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MissingHistoryWarning)  # of holes that we moved, or nobody asked of here
            y_pred = np.asarray(self.regressor.predict(windows), dtype=np.float64)
        return y_pred.reshape(self.targets.shape)


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
