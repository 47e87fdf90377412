"""How far means stray where rows near in time go together: intervals from whole blocks of time, with all their series.

Blocks are drawn with replacement (the bootstrap), or left out one at a time (the jackknife).
"""

from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student
from sklearn.utils import check_random_state

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_FEWEST = 5  # blocks; fewer tell nothing of how they differ
_N_DRAWS = 1000


def number_blocks(steps: Ints, length: int) -> Ints:
    """Find the number of the block of time that each row lies in, all series together.

    Parameters
    ----------
    steps : ndarray of int64 of shape (n_rows,)
        The time of each row, counted in steps from any time.
    length : int
        Steps of a block.

    Returns
    -------
    blocks : ndarray of int64 of shape (n_rows,)
        From 0, none without a row.
    """
    return np.unique((steps - steps.min()) // length, return_inverse=True)[1].astype(np.int64, copy=False)


def balanced_length(steps: Ints, at_least: int = 1) -> int:
    """Give as many steps to a block as there are blocks, where no step is missing, but no fewer than `at_least`."""
    return max(at_least, int(np.ceil(np.sqrt(len(np.unique(steps))))))


def sum_by_block(values: NDArray[Any], blocks: Ints, groups: Ints | None = None) -> Floats:
    """Add values up by block, and by group within each: (n_rows,) to (n_blocks, n_groups)."""
    groups = np.zeros(len(values), dtype=np.int64) if groups is None else groups
    n_blocks, n_groups = int(blocks.max()) + 1, int(groups.max()) + 1
    flat = np.bincount(blocks * n_groups + groups, weights=values, minlength=n_blocks * n_groups)
    return flat.astype(np.float64, copy=False).reshape(n_blocks, n_groups)


def bootstrap_interval(
    sums: Floats, counts: Floats, share: float = 0.95, random_state: int | RandomState | None = None
) -> tuple[Floats, Floats]:
    """Bound means by drawing as many blocks as there are, with replacement: the middle of the means that come out.

    The middle `share` of them would do for many blocks, and is too narrow for few: so more of them are taken, as
    Hesterberg has it, "What teachers should know about the bootstrap", The American Statistician 69(4), 2015,
    https://doi.org/10.1080/00031305.2015.1089789

    Parameters
    ----------
    sums, counts : ndarray of shape (n_blocks, n_means)
        Each mean is the sum of its `sums` over that of its `counts`.
    share : float, default=0.95
        With which probability the interval should hold the mean.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    low, high : ndarray of shape (n_means,)
        NaN of fewer than 5 blocks, and of a mean of which nothing was counted.
    """
    n_blocks, n_means = sums.shape
    if n_blocks < _FEWEST:
        return np.full(n_means, np.nan), np.full(n_means, np.nan)
    rng = check_random_state(random_state)
    # not of integers, which no BLAS multiplies
    drawn = rng.multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), size=_N_DRAWS).astype(np.float64)
    n_counted = drawn @ counts
    means = np.divide(drawn @ sums, n_counted, out=np.full(n_counted.shape, np.nan), where=n_counted > 0)
    there = ~np.isnan(means).all(axis=0)
    tail = norm.cdf(-np.sqrt(n_blocks / (n_blocks - 1)) * student.ppf((1 + share) / 2, n_blocks - 1))
    ends = np.full((2, n_means), np.nan)
    ends[:, there] = np.nanquantile(means[:, there], [tail, 1 - tail], axis=0)
    return ends[0], ends[1]


def jackknife_half(values: Floats) -> Floats:
    """Give half of a 95 % interval from what is found without one block at a time.

    Parameters
    ----------
    values : ndarray of shape (n_values, n_blocks)

    Returns
    -------
    half : ndarray of shape (n_values,)
        NaN where there are fewer than two blocks.
    """
    n = values.shape[1]
    if n < 2:
        return np.full(len(values), np.nan)
    squares = ((values - values.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    return student.ppf(0.975, n - 1) * np.sqrt((n - 1) / n * squares)
