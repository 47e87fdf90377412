"""Windows that follow each other, joined into one pass: pure index arithmetic on int64 arrays."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def join_passes(starts: Ints, reach: Ints, n_origins: int) -> tuple[Ints, NDArray[np.bool_]]:
    """Cover sorted windows by few passes, each window by one.

    Parameters
    ----------
    starts : ndarray of shape (n_windows,)
        The row where each window starts, increasing.
    reach : ndarray of shape (n_windows,)
        The row before which another window must start to share a pass that begins here; at most `starts + n_origins`.
    n_origins : int
        Rows at which the windows of one pass may start.

    Returns
    -------
    first : ndarray of shape (n_passes,)
        The window that each pass begins with.
    taught : ndarray of bool of shape (n_passes, n_origins)
        Whether a window starts at each row of each pass.
    """
    following = np.searchsorted(starts, reach).tolist()
    first, window = [], 0
    while window < len(starts):
        first.append(window)
        window = following[window]
    passes = np.array(first, dtype=np.int64)
    own_pass = np.searchsorted(passes, np.arange(len(starts)), side="right") - 1
    taught = np.zeros((len(passes), n_origins), dtype=bool)
    taught[own_pass, starts - starts[passes][own_pass]] = True
    return passes, taught
