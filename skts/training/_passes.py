"""Rows that several windows share, read in one pass: pure index arithmetic on int64 arrays."""

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


def cut_chunks(spans: Ints, last_rows: Ints, length: int) -> tuple[Ints, Ints, Ints, Ints]:
    """Cut spans into consecutive chunks, as far as windows end in them.

    Parameters
    ----------
    spans : ndarray of shape (n_spans, 2)
        First row of each span, and the row behind its last; increasing.
    last_rows : ndarray of shape (n_windows,)
        The row that each window ends with, increasing.
    length : int
        Rows of a chunk.

    Returns
    -------
    starts : ndarray of shape (n_chunks,)
        The first row of each chunk; span after span.
    places : ndarray of shape (n_chunks,)
        Which chunk of its span it is, from 0.
    sharing : ndarray of shape (n_chunks,)
        A window of the same span.
    numbers : ndarray of shape (n_chunks, length)
        The number of the window that ends at each row, else -1.
    """
    own = np.searchsorted(spans[:, 0], last_rows, side="right") - 1
    used, first = np.unique(own, return_index=True)
    last = np.append(first[1:], len(own)) - 1
    counts = (last_rows[last] - spans[used, 0]) // length + 1
    before = np.cumsum(counts) - counts
    places = np.arange(int(counts.sum())) - np.repeat(before, counts)
    starts = np.repeat(spans[used, 0], counts) + places * length
    from_start = last_rows - spans[own, 0]
    numbers = np.full((len(starts), length), -1, dtype=np.int64)
    chunk = before[np.searchsorted(used, own)] + from_start // length
    numbers[chunk, from_start % length] = np.arange(len(last_rows))
    return starts, places, np.repeat(first, counts), numbers
