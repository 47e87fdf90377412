"""Correlations of leads and series."""

import numpy as np
from numpy.testing import assert_allclose
from scipy.special import ndtri

from skts.strategies._copula import Copula, correlate, factorise, score, shrink


def test_scores_are_those_of_ranks_within_each_column():
    shares = np.array([[0.9, np.nan], [0.1, 0.3], [0.2, 0.7]])
    expected = [[ndtri(0.75), np.nan], [ndtri(0.25), ndtri(1 / 3)], [0, ndtri(2 / 3)]]
    assert_allclose(score(shares), expected, atol=1e-12)


def test_pairs_are_correlated_over_the_rows_that_both_have():
    values = np.random.RandomState(0).normal(size=(50, 3))
    values[10:30, 0], values[:5, 2], values[5:, 1] = np.nan, np.nan, np.nan
    found = correlate(values)
    both = ~np.isnan(values[:, 0]) & ~np.isnan(values[:, 2])
    first, last = values[both, 0], values[both, 2]
    assert_allclose(found[0, 2], first @ last / np.sqrt((first @ first) * (last @ last)))
    assert np.isnan(found[1, 2])  # no row in common


def test_shrinking_leaves_less_error_than_counting_and_goes_as_blocks_come_in():
    truth = 0.9 ** np.abs(np.subtract.outer(np.arange(8), np.arange(8)))
    target, rng = np.full((8, 8), 0.6) + 0.4 * np.eye(8), np.random.RandomState(0)
    shares = []
    for n in (10, 1000):
        counted, shrunk, own = [], [], []
        for _ in range(20):
            found = correlate(rng.multivariate_normal(np.zeros(8), truth, n))
            answer, share = shrink(found, np.full((8, 8), n), target)
            counted.append(((found - truth) ** 2).mean())
            shrunk.append(((answer - truth) ** 2).mean())
            own.append(share)
        assert np.mean(shrunk) < np.mean(counted) or n > 10
        shares.append(np.mean(own))
    assert shares[0] > 0.2
    assert shares[1] < 0.05


def test_what_is_no_correlation_becomes_one():
    wrong = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]])
    factor = factorise(wrong)
    assert_allclose(np.diag(factor @ factor.T), 1)
    right = np.array([[1, 0.9, 0.5], [0.9, 1, 0.3], [0.5, 0.3, 1]])
    factor = factorise(right)
    assert_allclose(factor @ factor.T, right)


def test_draws_have_the_correlation_that_was_learned():
    scores = np.random.RandomState(0).normal(size=(40, 3, 2))
    scores[:, 1] += scores[:, 0]
    for structure in ("separable", "shrunk", "independent"):
        copula = Copula.learn(scores, structure)
        drawn = copula.draw(40_000, 1, np.random.RandomState(0))
        assert drawn.shape == (40_000, 3, 3)
        found = np.corrcoef(drawn[..., :2].reshape(-1, 6).T)
        assert_allclose(found, copula.correlation, atol=0.03)
        assert_allclose(np.corrcoef(drawn[..., 2].T), copula.leads @ copula.leads.T, atol=0.03)


def test_blocks_too_few_to_count_leave_means():
    copula = Copula.learn(np.random.RandomState(0).normal(size=(1, 4, 3)), "shrunk")
    assert np.isfinite(copula.correlation).all()
    assert np.isfinite(Copula.learn(np.full((2, 4, 3), np.nan), "shrunk").correlation).all()
