"""A Gaussian copula over the leads and series of a block: its correlations, and draws from it."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

Floats = NDArray[np.float64]
STRUCTURES = ("separable", "shrunk", "independent")


@dataclass(frozen=True)
class Copula:
    """Factors of correlations, each with rows of length 1: a factor times its transpose is the correlation.

    Parameters
    ----------
    leads : ndarray of shape (n_leads, n_leads)
    series : ndarray of shape (n_series, n_series)
    whole : ndarray of shape (n_leads * n_series, n_leads * n_series) or None
        Of all pairs, all series of a lead next to each other; None where it is the product of the two.
    shrinkage : float
        How near the whole is to that product: 1 is the product, 0 what was counted.
    """

    leads: Floats
    series: Floats
    whole: Floats | None
    shrinkage: float

    @classmethod
    def learn(cls, scores: Floats, structure: str) -> Self:
        """Estimate the correlations of normal scores.

        Parameters
        ----------
        scores : ndarray of shape (n_blocks, n_leads, n_series)
            NaN where there is none.
        structure : {"shrunk", "separable", "independent"}
        """
        n_blocks, n_leads, n_series = scores.shape
        if structure == "independent":
            return cls(np.eye(n_leads), np.eye(n_series), None, 1.0)
        there = ~np.isnan(scores)
        # rows of one block count once: they err together
        has_lead, has_series = (np.asarray(there.any(axis=axis), dtype=np.float64) for axis in (2, 1))
        by_lead = correlate(scores.transpose(0, 2, 1).reshape(-1, n_leads))
        by_series = correlate(scores.reshape(-1, n_series))
        leads, _ = shrink(by_lead, has_lead.T @ has_lead, mean_by_distance(by_lead))
        series, _ = shrink(by_series, has_series.T @ has_series, mean_of_pairs(by_series))
        leads, series = factorise(leads), factorise(series)
        if structure == "separable" or min(n_leads, n_series) == 1:
            return cls(leads, series, None, 1.0)
        flat, pairs = scores.reshape(n_blocks, -1), there.reshape(n_blocks, -1).astype(np.float64)
        target = _product(leads, series)
        whole, shrinkage = shrink(correlate(flat), pairs.T @ pairs, target)
        return cls(leads, series, factorise(whole), shrinkage)

    @property
    def correlation(self) -> Floats:
        """The correlation of all pairs, (n_leads * n_series, n_leads * n_series)."""
        if self.whole is None:
            return _product(self.leads, self.series)
        return self.whole @ self.whole.T

    def draw(self, n: int, n_unseen: int, random_state: RandomState) -> Floats:
        """Draw the normal scores of a block, those of series never seen after the others.

        Series never seen have the correlation of the leads, and none with other series.

        Returns
        -------
        scores : ndarray of shape (n, n_leads, n_series + n_unseen)
        """
        n_leads, n_series = len(self.leads), len(self.series)
        noise = random_state.standard_normal((n, n_leads, n_series + n_unseen))
        seen, unseen = noise[..., :n_series], noise[..., n_series:]
        if self.whole is None:
            seen = self.leads @ (seen @ self.series.T)
        else:
            seen = (seen.reshape(n, -1) @ self.whole.T).reshape(seen.shape)
        return np.concatenate([seen, self.leads @ unseen], axis=2)


def score(shares: Floats) -> Floats:
    """Give the normal scores of ranks, column by column.

    Parameters
    ----------
    shares : ndarray of shape (n_blocks, ...)
        NaN where there is none.

    Returns
    -------
    scores : ndarray of the same shape
    """
    n = (~np.isnan(shares)).sum(axis=0)
    return ndtri(rankdata(shares, axis=0, nan_policy="omit") / (n + 1))


def correlate(scores: Floats) -> Floats:
    """Correlate columns around nought, pair by pair over the rows that both have; NaN where there are none.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_columns)
    """
    there = ~np.isnan(scores)
    filled = np.where(there, scores, 0.0)
    squares = (filled**2).T @ there  # (i, j): of i, over the rows that j has too
    norms = np.sqrt(squares * squares.T)
    return np.divide(filled.T @ filled, norms, out=np.full(norms.shape, np.nan), where=norms > 0)


def shrink(found: Floats, counts: Floats, target: Floats) -> tuple[Floats, float]:
    """Draw correlations towards a target, the more the less they are known.

    The share of the target is the sum of the variances of all correlations, over the sum of their squared distances
    from it: what has the least expected squared error (Schäfer and Strimmer 2005,
    https://doi.org/10.2202/1544-6115.1175).

    Parameters
    ----------
    found : ndarray of shape (n_columns, n_columns)
        NaN where nothing is known, which then is the target.
    counts : ndarray of shape (n_columns, n_columns)
        How many independent pairs each correlation is of.
    target : ndarray of shape (n_columns, n_columns)

    Returns
    -------
    correlations : ndarray of shape (n_columns, n_columns)
    share : float
        Of the target.
    """
    known = ~np.isnan(found) & (counts > 2) & ~np.eye(len(found), dtype=bool)
    variances = (1 - found[known] ** 2) ** 2 / (counts[known] - 1)
    distance = ((found - target)[known] ** 2).sum()
    share = min(1.0, float(variances.sum() / distance)) if distance > 0 else 1.0
    return np.where(known, share * target + (1 - share) * np.where(known, found, 0.0), target), share


def mean_by_distance(found: Floats) -> Floats:
    """Give all pairs of leads of one distance their mean correlation; 0 where nothing is known of a distance."""
    leads = np.arange(len(found))
    distance = np.abs(leads[:, None] - leads)
    known = ~np.isnan(found)
    sums, n = (np.bincount(distance[known], weights, len(found)) for weights in (found[known], None))
    means = np.divide(sums, n, out=np.zeros(len(found)), where=n > 0)
    means[0] = 1.0
    return means[distance]


def mean_of_pairs(found: Floats) -> Floats:
    """Give all pairs of series their mean correlation."""
    others = ~np.eye(len(found), dtype=bool) & ~np.isnan(found)
    return np.where(np.eye(len(found), dtype=bool), 1.0, found[others].mean() if others.any() else 0.0)


def factorise(correlations: Floats) -> Floats:
    """Factorise correlations; of a matrix that is none, for it was put together from pairs, the nearest by spectrum.

    Negative eigenvalues become 0, and the rows have length 1 again (Rebonato and Jäckel 2000,
    https://doi.org/10.21314/JOR.2000.023).
    """
    values, vectors = np.linalg.eigh(correlations)
    factor = vectors * np.sqrt(np.maximum(values, 0.0))
    return factor / np.linalg.norm(factor, axis=1, keepdims=True)


def _product(leads: Floats, series: Floats) -> Floats:
    """Give the correlation of all pairs by the factors of both."""
    return np.asarray(np.kron(leads @ leads.T, series @ series.T), dtype=np.float64)
