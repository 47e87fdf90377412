"""Where windows start: pure index arithmetic on int64 arrays."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def ranges(first: Ints, counts: Ints, step: int) -> Ints:
    """Concatenate `first[i] + step * arange(counts[i])` over all i, without a loop."""
    before = np.cumsum(counts) - counts
    return np.repeat(first - step * before, counts) + step * np.arange(int(counts.sum()), dtype=np.int64)


def training_origins(runs: Ints, window: int, horizon: int, stride: int) -> tuple[Ints, Ints]:
    """Find the origin of every complete training window.

    Parameters
    ----------
    runs : ndarray of shape (n_runs + 1,)
        Run `i`, rows without a gap, is `runs[i]` to `runs[i + 1]`.
    window, horizon, stride : int
        In rows.

    Returns
    -------
    origins : ndarray of shape (n_windows,)
        `(n - window - horizon) // stride + 1` of them for a run of n rows.
    counts : ndarray of shape (n_runs,)
        How many each run gives.
    """
    counts = np.maximum((np.diff(runs) - window - horizon) // stride + 1, 0)
    return ranges(runs[:-1] + window, counts, stride), counts


def block_origins(first: Ints, end: Ints, horizon: int) -> tuple[Ints, Ints]:
    """Find the origins of consecutive blocks of `horizon` rows that cover `first[i]` to `end[i]`.

    Returns
    -------
    origins : ndarray of shape (n_blocks,)
    counts : ndarray of shape (n_series,)
        How many blocks each series has; its last may reach past its end.
    """
    counts = -(-(end - first) // horizon)
    return ranges(first, counts, horizon), counts
