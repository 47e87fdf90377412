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


def count_dropped(
    ticks: Ints, indptr: Ints, step: int | None, runs: Ints, window: int, horizon: int, stride: int
) -> dict[str, int]:
    """Count the rows that are the origin of no training window, by the reason.

    Parameters
    ----------
    ticks : ndarray of shape (n_rows,)
    indptr : ndarray of shape (n_series + 1,)
        Series `i` is rows `indptr[i]` to `indptr[i + 1]`.
    step : int or None
        Ticks from one row to the next.
    runs : ndarray of shape (n_runs + 1,)
        Run `i`, rows without a gap, is `runs[i]` to `runs[i + 1]`.
    window, horizon, stride : int
        In rows.

    Returns
    -------
    dropped : dict
        "incomplete": less than a window of time since the start of the series, or less than a horizon up to its end.
        "gap": the others whose window or horizon reaches over a gap. "stride": those that the stride passes over.
    """
    lengths = np.diff(indptr)
    since = (ticks - np.repeat(ticks[indptr[:-1]], lengths)) // (step or 1)
    until = (np.repeat(ticks[indptr[1:] - 1], lengths) - ticks) // (step or 1)
    n_inside = int(((since >= window) & (until >= horizon - 1)).sum())
    n_complete = int(np.maximum(np.diff(runs) - window - horizon + 1, 0).sum())
    n_origins = int(training_origins(runs, window, horizon, stride)[1].sum())
    return {"incomplete": len(ticks) - n_inside, "gap": n_inside - n_complete, "stride": n_complete - n_origins}


def block_origins(begin: Ints, indptr: Ints, horizon: int) -> tuple[Ints, Ints, Ints]:
    """Find the origins of consecutive blocks of `horizon` rows, with room for the last of each series to be whole.

    Parameters
    ----------
    begin : ndarray of shape (n_series,)
        The row where the first block of each series starts.
    indptr : ndarray of shape (n_series + 1,)
        Series `i` is rows `indptr[i]` to `indptr[i + 1]`.
    horizon : int
        In rows.

    Returns
    -------
    origins : ndarray of shape (n_blocks,)
        Rows of a table that has room behind each series, so that no block reaches into the next one.
    counts : ndarray of shape (n_series,)
        How many blocks each series has.
    shift : ndarray of shape (n_series + 1,)
        How far the room moves the rows of each series; the last is the room in all.
    """
    length = indptr[1:] - begin
    shift = np.append(0, np.cumsum(-length % horizon))
    counts = -(-length // horizon)
    return ranges(begin + shift[:-1], counts, horizon), counts, shift
