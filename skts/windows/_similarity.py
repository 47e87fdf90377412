"""Which windows look like the one before them: pure functions on arrays."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_AT_ONCE = 64  # windows compared with each other in one matrix product
_ROUNDING = 1e-9  # a similarity that falls short of the bound by less than this has reached it


def keep_unlike(
    panel: NDArray[np.float32], origins: Ints, stretches: Ints, window: int, bound: float
) -> NDArray[np.bool_]:
    """Keep the windows whose similarity to the last one kept in their stretch is below a bound.

    Parameters
    ----------
    panel : ndarray of shape (n_panel_rows, n_features)
        NaN is missing.
    origins : ndarray of shape (n_windows,)
        The row after each window, increasing.
    stretches : ndarray of shape (n_windows,)
        The number of each window's stretch, not below 0. The first window of each stretch is kept.
    window : int
        In rows.
    bound : float
        In [0, 1].

    Returns
    -------
    kept : ndarray of bool of shape (n_windows,)

    Notes
    -----
    Holds 64 windows at a time as arrays, however many there are.
    """
    kept = np.zeros(len(origins), dtype=bool)
    last, last_stretch = np.zeros((1, window * panel.shape[1] + 1)), -1
    for start in range(0, len(origins), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        units = np.concatenate([last, directions(panel[origins[some, None] + np.arange(-window, 0)])])
        stretch = np.append(last_stretch, stretches[some])
        unlike = (units @ units.T < bound - _ROUNDING) | (stretch[:, None] != stretch)  # (1 + B, 1 + B)
        chain = _follow(unlike)
        kept[start + chain[1:] - 1] = True
        last, last_stretch = units[chain[-1] :][:1], int(stretch[chain[-1]])
    return kept


def directions(windows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Centre each column of each window on its mean, and scale each window to length 1.

    Parameters
    ----------
    windows : ndarray of shape (n_windows, window, n_features)
        A missing value (NaN) takes the mean of its column in the window: it deviates by 0.

    Returns
    -------
    units : ndarray of shape (n_windows, window * n_features + 1)
        Their scalar products are the cosine similarities. The last column is 1 for a flat window, whose others are 0:
        so flat windows have similarity 1 to each other and 0 to the rest.
    """
    values = windows.astype(np.float64)
    missing: NDArray[np.bool_] = np.isnan(values)
    values[missing] = 0
    n_present = np.maximum(np.logical_not(missing).sum(axis=1, keepdims=True), 1)
    values -= values.sum(axis=1, keepdims=True) / n_present  # exactly 0 where a float32 column is constant
    values[missing] = 0
    flattened = values.reshape(len(values), -1)
    length = np.linalg.norm(flattened, axis=1, keepdims=True)
    flat = length == 0
    return np.hstack([flattened / np.where(flat, 1, length), flat])


def _follow(allowed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Step from 0 to the first later place that is allowed from where one stands, as long as there is one."""
    chain = [0]
    while True:
        following = allowed[chain[-1], chain[-1] + 1 :]
        step = int(following.argmax()) if len(following) else 0
        if not len(following) or not following[step]:
            return np.array(chain)
        chain.append(chain[-1] + 1 + step)
