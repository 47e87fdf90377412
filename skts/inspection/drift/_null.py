"""How far the mean of a block of time strays where nothing has changed, and what is beyond that."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FEWEST = 8  # blocks; fewer tell too little of how they differ
_EULER = 0.5772156649


@dataclass(frozen=True)
class Null:
    """How the means of blocks stray that are known to be alike.

    Parameters
    ----------
    mean, spread : ndarray of shape (n_units,)
        Of the blocks of each unit, which is a column of a series, say; NaN of one with fewer than 8 blocks.
    n_blocks : ndarray of shape (n_units,)
    persistence : float
        The correlation of a block with the next, from 0 to 1.
    place, scale : float
        Of the Gumbel distribution of the largest score of a block, over all units. NaN where there are too few blocks.
    both_sides : bool
        Whether a score below counts as one above does.
    """

    mean: Floats
    spread: Floats
    n_blocks: Floats
    persistence: float
    place: float
    scale: float
    both_sides: bool

    @classmethod
    def learn(cls, blocks: Floats, smallest: float, *, both_sides: bool = True) -> "Null":
        """Learn from blocks, whose units stray together.

        Parameters
        ----------
        blocks : ndarray of shape (n_blocks, n_units)
            Their means; NaN where there is none.
        smallest : float
            What counts as a spread at least, for what never changes.
        both_sides : bool, default=True
        """
        there = np.isfinite(blocks)
        n = there.sum(axis=0).astype(np.float64)
        enough = n >= FEWEST
        n = np.where(enough, n, np.nan)
        filled = np.where(there, blocks, 0.0)
        mean = filled.sum(axis=0) / n
        apart = np.where(there, blocks - mean, 0.0)
        squares = (apart**2).sum(axis=0)
        spread = np.maximum(np.sqrt(squares / (n - 1)), smallest)
        # each block judged by the others, as a new one will be
        others = np.sqrt(np.maximum(squares - apart**2 * n / (n - 1), 0) / (n - 2))
        scores = apart * n / (n - 1) / (np.maximum(others, smallest) * np.sqrt(1 + 1 / (n - 1)))
        scores = np.where(there, scores, np.nan)
        products, own = (apart[1:] * apart[:-1])[:, enough] / spread[enough] ** 2, (apart / spread)[:, enough] ** 2
        persistence = float(np.clip(products.sum() / max(own.sum(), 1e-12), 0, 0.95))
        place, scale = fit_gumbel(largest(scores, both_sides))
        return cls(mean, spread, n, persistence, place, scale, both_sides)

    def score(self, blocks: Floats) -> Floats:
        """Tell how many deviations new blocks, (n_blocks, n_units), lie from the mean: of the same shape."""
        return (blocks - self.mean) / (self.spread * np.sqrt(1 + 1 / (self.n_blocks - 1)))

    def score_all(self, blocks: Floats) -> Floats:
        """Tell how many deviations the mean of all new blocks lies from the mean: (n_units,)."""
        there = np.isfinite(blocks)
        k = there.sum(axis=0).astype(np.float64)
        k[k == 0] = np.nan
        mean = np.where(there, blocks, 0.0).sum(axis=0) / k
        variance = share_of_variance(k, self.persistence) + share_of_variance(self.n_blocks, self.persistence)
        return (mean - self.mean) / (self.spread * np.sqrt(variance))

    def limit(self, level: float, n_tests: int) -> float:
        """Give the score that none of so many blocks exceeds in any unit, but for a share `level` of such families."""
        alone = 1 - (1 - level) ** (1 / n_tests)
        return self.place - self.scale * float(np.log(-np.log1p(-alone)))

    def p_value(self, scores: Floats, n_tests: int) -> Floats:
        """Give the probability of such a score or a larger one in any of so many blocks and any unit."""
        scores = np.abs(scores) if self.both_sides else scores
        alone = -np.expm1(-np.exp(-(scores - self.place) / self.scale))
        return -np.expm1(n_tests * np.log1p(-np.minimum(alone, 1 - 1e-15)))


def largest(scores: Floats, both_sides: bool) -> Floats:
    """Give the largest score of each block that has any."""
    scores = np.where(np.isnan(scores), -np.inf, np.abs(scores) if both_sides else scores)
    most = scores.max(axis=1, initial=-np.inf)
    return most[np.isfinite(most)]


def fit_gumbel(values: Floats) -> tuple[float, float]:
    """Fit a Gumbel distribution by its first two L-moments; NaN of fewer than 8 values."""
    n = len(values)
    if n < FEWEST:
        return np.nan, np.nan
    ordered = np.sort(values)
    weighted = float((np.arange(n) / (n - 1) * ordered).mean())
    mean = float(ordered.mean())
    scale = max((2 * weighted - mean) / np.log(2), 0.05)
    return mean - _EULER * scale, scale


def share_of_variance(n: Floats, persistence: float) -> Floats:
    """Give the variance of the mean of n blocks, of which each is so like the next, by that of one."""
    r = persistence
    return (1 + 2 * r / (1 - r) - 2 * r * (1 - r**n) / (n * (1 - r) ** 2)) / n
