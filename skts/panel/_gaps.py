"""Steps and gaps of a panel: pure functions on int64 ticks."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def commonest_step(ticks: Ints, indptr: Ints) -> int | None:
    """Find the commonest distance between neighbouring rows of one series.

    Parameters
    ----------
    ticks : ndarray of shape (n_rows,)
        Increasing within each series.
    indptr : ndarray of shape (n_series + 1,)
        Series `i` is rows `indptr[i]` to `indptr[i + 1]`.

    Returns
    -------
    step : int or None
        In ticks; the smallest of equally common ones; None where no series has two rows.
    """
    steps = np.diff(ticks)[within_series(indptr)]
    if len(steps) == 0:
        return None
    if (steps == steps[0]).all():
        return int(steps[0])
    values, counts = np.unique(steps, return_counts=True)
    return int(values[np.argmax(counts)])


def within_series(indptr: Ints) -> NDArray[np.bool_]:
    """Tell which pairs of neighbouring rows lie in one series: (n_rows - 1,)."""
    inside = np.ones(max(int(indptr[-1]) - 1, 0), dtype=bool)
    inside[indptr[1:-1] - 1] = False
    return inside


def stretch_starts(ticks: Ints, indptr: Ints, step: int | None) -> Ints:
    """Cut series into stretches without gaps.

    Returns
    -------
    stretches : ndarray of shape (n_stretches + 1,)
        Stretch `i` is rows `stretches[i]` to `stretches[i + 1]`; every series starts one.
    """
    if step is None:
        return np.arange(int(indptr[-1]) + 1, dtype=np.int64)
    starts = np.ones(int(indptr[-1]), dtype=bool)
    starts[1:] = ~within_series(indptr) | (np.diff(ticks) != step)
    return np.append(np.flatnonzero(starts), indptr[-1]).astype(np.int64)
