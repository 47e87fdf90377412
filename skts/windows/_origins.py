"""Where windows start: pure index arithmetic on int64 arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skts.panel import within_series

Ints = NDArray[np.int64]


def ranges(first: Ints, counts: Ints, step: int) -> Ints:
    """Concatenate `first[i] + step * arange(counts[i])` over all i, without a loop."""
    before = np.cumsum(counts) - counts
    return np.repeat(first - step * before, counts) + step * np.arange(int(counts.sum()), dtype=np.int64)


def training_origins(stretches: Ints, window: int, horizon: int, stride: int) -> tuple[Ints, Ints]:
    """Find the origin of every complete training window.

    Parameters
    ----------
    stretches : ndarray of shape (n_stretches + 1,)
        Stretch `i`, rows without a gap, is `stretches[i]` to `stretches[i + 1]`.
    window, horizon, stride : int
        In rows.

    Returns
    -------
    origins : ndarray of shape (n_windows,)
        `(n - window - horizon) // stride + 1` of them for a stretch of n rows.
    counts : ndarray of shape (n_stretches,)
        How many each stretch gives.
    """
    counts = np.maximum((np.diff(stretches) - window - horizon) // stride + 1, 0)
    return ranges(stretches[:-1] + window, counts, stride), counts


def count_dropped(
    ticks: Ints, indptr: Ints, step: int | None, stretches: Ints, window: int, horizon: int, stride: int
) -> dict[str, int]:
    """Count the rows that are the origin of no training window, by the reason.

    Parameters
    ----------
    ticks : ndarray of shape (n_rows,)
    indptr : ndarray of shape (n_series + 1,)
        Series `i` is rows `indptr[i]` to `indptr[i + 1]`.
    step : int or None
        Ticks from one row to the next.
    stretches : ndarray of shape (n_stretches + 1,)
        Stretch `i`, rows without a gap, is `stretches[i]` to `stretches[i + 1]`.
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
    n_complete = int(np.maximum(np.diff(stretches) - window - horizon + 1, 0).sum())
    n_origins = int(training_origins(stretches, window, horizon, stride)[1].sum())
    return {"incomplete": len(ticks) - n_inside, "gap": n_inside - n_complete, "stride": n_complete - n_origins}


@dataclass(frozen=True)
class Blocks:
    """A table laid out for forecasting: spans of rows that are regular in time, and the blocks in them.

    Parameters
    ----------
    positions : ndarray of shape (n_rows,)
        The place of each row.
    origins : ndarray of shape (n_blocks,)
        The place where each block begins, increasing.
    spans : ndarray of shape (n_spans, 2)
        The first place of each span, and the one after its last.
    span_series, span_ticks : ndarray of shape (n_spans,)
        The series of each span, and the time of its first place.
    """

    positions: Ints
    origins: Ints
    spans: Ints
    span_series: Ints
    span_ticks: Ints


def lay_out_blocks(ticks: Ints, indptr: Ints, step: int | None, *, history: int, window: int, horizon: int) -> Blocks:
    """Lay rows on regular grids, and cut those after the history of each series into blocks of `horizon` rows.

    Blocks follow each other on the grid of their series, from the first row after the history on, and those without
    a row are left out. A row that is missing has a place, unless it lies in a gap of more than `window + horizon`
    rows: there a new span begins, one place before the block of its first row, and what a window would read before
    that is missing altogether.

    Parameters
    ----------
    ticks : ndarray of shape (n_rows,)
    indptr : ndarray of shape (n_series + 1,)
        Series `i` is rows `indptr[i]` to `indptr[i + 1]`; each has more than `history`.
    step : int or None
        Ticks from one row to the next.
    history, window, horizon : int
        In rows.

    Returns
    -------
    blocks : Blocks
        Its spans end where their last block does.
    """
    lengths, step = np.diff(indptr), step or 1
    on_grid = (ticks - np.repeat(ticks[indptr[:-1]], lengths)) // step  # rows since the first of the series
    begin = np.repeat(on_grid[indptr[:-1] + history], lengths)
    block = (on_grid - begin) // horizon  # below 0 in the history
    is_history = block < 0
    block_start = np.where(is_history, on_grid, begin + block * horizon)
    other_series = np.ones(len(ticks), dtype=bool)
    other_series[1:] = ~within_series(indptr)

    # no window or horizon before such a gap reaches a row after it, nor a lookahead that is no longer than a window
    first = np.flatnonzero(other_series | (np.diff(on_grid, prepend=0) - 1 > window + horizon))
    last = np.append(first[1:], len(ticks)) - 1
    low = block_start[first] - ~is_history[first]  # a state that is carried starts before the first origin
    high = np.where(is_history[last], on_grid[last] + 1, block_start[last] + horizon)
    ends = np.cumsum(high - low)
    begins = ends - (high - low)
    shift = np.repeat(begins - low, last - first + 1)
    is_first = ~is_history & (other_series | (np.diff(block, prepend=0) != 0))
    return Blocks(
        positions=on_grid + shift,
        origins=(block_start + shift)[is_first],
        spans=np.stack([begins, ends], axis=1),
        span_series=np.repeat(np.arange(len(lengths)), lengths)[first],
        span_ticks=ticks[first] - (on_grid[first] - low) * step,
    )
