"""From quantiles to a whole distribution: its values at normal scores, and the scores of values."""

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Floats = NDArray[np.float64]
_SAME = 1e-6  # of the largest truth: what float32 makes of a bound


def draw_at(scores: Floats, quantiles: Floats, levels: Floats, low: Floats, high: Floats) -> Floats:
    """Give the value of each row's distribution at normal scores.

    Between two levels the distribution function is linear. Beyond the outermost it goes on as that of the normal
    distribution that has the two outermost quantiles, up to the bounds, on which the rest lies.

    Parameters
    ----------
    scores : ndarray of shape (n, n_rows)
        Of a standard normal distribution: 0 is the median.
    quantiles : ndarray of shape (n_rows, n_levels)
        None lower than the one before.
    levels : ndarray of shape (n_levels,)
        Increasing; at least two.
    low, high : ndarray of shape (n_rows,)

    Returns
    -------
    values : ndarray of shape (n, n_rows)
    """
    shares, rows, at = ndtr(scores), np.arange(len(quantiles)), ndtri(levels)
    after = np.clip(np.searchsorted(levels, shares), 1, len(levels) - 1)  # (n, n_rows)
    part = (shares - levels[after - 1]) / (levels[after] - levels[after - 1])
    values = quantiles[rows, after - 1] * (1 - part) + quantiles[rows, after] * part
    below, above = _slopes(quantiles, levels)
    values = np.where(shares < levels[0], quantiles[:, 0] + below * (scores - at[0]), values)
    values = np.where(shares > levels[-1], quantiles[:, -1] + above * (scores - at[-1]), values)
    return np.clip(values, low, high)


def transform(
    y: Floats, quantiles: Floats, levels: Floats, low: Floats, high: Floats, random_state: RandomState
) -> Floats:
    """Give the share of each row's distribution below its truth, drawn from all that are meant where values tie.

    The distribution is that of :func:`draw_at`. Where a share of it lies on one value, as on a bound, and the truth is
    this value, the answer is uniform over that share.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
    quantiles : ndarray of shape (n_rows, n_levels)
    levels : ndarray of shape (n_levels,)
    low, high : ndarray of shape (n_rows,)
    random_state : RandomState

    Returns
    -------
    shares : ndarray of shape (n_rows,)
        Within 0 and 1.
    """
    same = np.abs(quantiles - y[:, None]) <= _SAME * np.abs(y).max(initial=0)
    quantiles = np.where(same, y[:, None], quantiles)
    most = np.where(y >= high, 1.0, _share_up_to(y, quantiles, levels))
    least = np.where(y <= low, 0.0, 1 - _share_up_to(-y, -quantiles[:, ::-1], 1 - levels[::-1]))
    return least + random_state.random_sample(len(y)) * (most - least)


def _share_up_to(y: Floats, quantiles: Floats, levels: Floats) -> Floats:
    """Give the share of each row's distribution that is not above a value, without its bounds."""
    n_levels, rows = len(levels), np.arange(len(y))
    n_below = (quantiles <= y[:, None]).sum(axis=1)
    after = np.clip(n_below, 1, n_levels - 1)
    start, width = quantiles[rows, after - 1], quantiles[rows, after] - quantiles[rows, after - 1]
    part = np.divide(y - start, width, out=np.zeros(len(y)), where=width > 0)
    between = levels[after - 1] + part * (levels[after] - levels[after - 1])
    below, above = _slopes(quantiles, levels)
    in_low = _share_in_tail(y - quantiles[:, 0], below, levels[0], 0.0)
    in_high = _share_in_tail(y - quantiles[:, -1], above, levels[-1], 1.0)
    return np.where(n_below == 0, in_low, np.where(n_below == n_levels, in_high, between))


def _share_in_tail(distance: Floats, slope: Floats, level: float, end: float) -> Floats:
    """Give the share up to a value in a tail; `end` where the tail has no width."""
    scores = ndtri(level) + np.divide(distance, slope, out=np.zeros(len(slope)), where=slope > 0)
    return np.where(slope > 0, ndtr(scores), end)


def _slopes(quantiles: Floats, levels: Floats) -> tuple[Floats, Floats]:
    """Give how fast values rise with normal scores in both tails, (n_rows,) each."""
    at = ndtri(levels)
    below = (quantiles[:, 1] - quantiles[:, 0]) / (at[1] - at[0])
    return below, (quantiles[:, -1] - quantiles[:, -2]) / (at[-1] - at[-2])
