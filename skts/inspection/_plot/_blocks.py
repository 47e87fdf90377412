"""How far means stray when rows near in time go together: a bootstrap of blocks of time."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import check_random_state

FEWEST = 5  # blocks; fewer tell nothing of how they differ


def number_blocks(times: Any, length: int) -> NDArray[np.int64]:
    """Find the number of the block of time that each row lies in, all series together.

    Parameters
    ----------
    times : array-like of shape (n_rows,)
    length : int
        How many distinct times make a block.

    Returns
    -------
    blocks : ndarray of int64 of shape (n_rows,)
    """
    return pd.factorize(pd.Index(times), sort=True)[0].astype(np.int64) // length


def default_length(times: Any, horizon: int = 1) -> int:
    """Give as many times to a block as there are blocks, but no fewer than a horizon."""
    return max(horizon, int(np.ceil(np.sqrt(pd.Index(times).nunique()))))


def add_up(values: NDArray[Any], blocks: NDArray[np.int64], groups: NDArray[np.int64] | None = None) -> NDArray[Any]:
    """Add values up by block, and by group within each: (n_rows,) to (n_blocks, n_groups)."""
    groups = np.zeros(len(values), dtype=np.int64) if groups is None else groups
    n_blocks, n_groups = int(blocks.max()) + 1, int(groups.max()) + 1
    flat = np.bincount(blocks * n_groups + groups, weights=values, minlength=n_blocks * n_groups)
    return flat.reshape(n_blocks, n_groups)


def draw_means(
    sums: NDArray[np.float64], counts: NDArray[np.float64], n_draws: int, random_state: Any
) -> NDArray[np.float64]:
    """Draw as many blocks as there are, with replacement, and average what they hold.

    Parameters
    ----------
    sums, counts : ndarray of shape (n_blocks, n_groups)
        Of the rows of each block.
    n_draws : int
    random_state : int, RandomState instance or None

    Returns
    -------
    means : ndarray of shape (n_draws, n_groups)
        NaN where the blocks drawn hold no row of a group, and everywhere with fewer than 5 blocks.
    """
    n_blocks = len(sums)
    if n_blocks < FEWEST:
        return np.full((n_draws, sums.shape[1]), np.nan)
    drawn = check_random_state(random_state).randint(n_blocks, size=(n_draws, n_blocks))
    flat = (drawn + n_blocks * np.arange(n_draws)[:, None]).ravel()
    times_drawn = np.bincount(flat, minlength=drawn.size).reshape(drawn.shape).astype(np.float64)
    n_rows = times_drawn @ counts
    return np.divide(times_drawn @ sums, n_rows, out=np.full(n_rows.shape, np.nan), where=n_rows > 0)


def middle_part(draws: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Give the ends of the middle `share` of the draws: (n_draws, n_groups) to (2, n_groups)."""
    missing = np.isnan(draws).all(axis=0)
    ends = np.full((2, draws.shape[1]), np.nan)
    ends[:, ~missing] = np.nanquantile(draws[:, ~missing], [(1 - share) / 2, (1 + share) / 2], axis=0)
    return ends
