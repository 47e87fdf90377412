"""Whole distributions made of quantiles."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import ndtr, ndtri
from scipy.stats import kstest

from skts.strategies._margins import draw_at, transform

LEVELS = np.array([0.1, 0.4, 0.5, 0.8])
N = 4000


def tables(name):
    """Quantiles and bounds of many equal rows."""
    quantiles, low, high = {
        "free": ([-1.0, 0.5, 2.0, 7.0], -np.inf, np.inf),
        "a mass in the middle": ([-1.0, 2.0, 2.0, 7.0], -np.inf, np.inf),
        "masses at both ends": ([0.0, 0.0, 1.0, 1.0], -np.inf, np.inf),
        "a tail that reaches its bound": ([0.5, 1.0, 2.0, 7.0], 0.0, 7.5),
        "an outermost quantile on its bound": ([0.5, 1.0, 2.0, 7.0], 0.5, 7.0),
        "nothing but a mass": ([0.0, 0.0, 0.0, 0.0], 0.0, 1.0),
    }[name]
    return np.tile(quantiles, (N, 1)), np.full(N, low), np.full(N, high)


CASES = [
    "free",
    "a mass in the middle",
    "masses at both ends",
    "a tail that reaches its bound",
    "an outermost quantile on its bound",
    "nothing but a mass",
]


@pytest.mark.parametrize("name", CASES)
def test_shares_below_truths_of_the_distribution_are_uniform(name):
    quantiles, low, high = tables(name)
    rng = np.random.RandomState(0)
    y = draw_at(rng.normal(size=(1, N)), quantiles, LEVELS, low, high)[0]
    assert kstest(transform(y, quantiles, LEVELS, low, high, rng), "uniform").pvalue > 0.01


def test_without_masses_one_undoes_the_other():
    quantiles, low, high = tables("free")
    scores = ndtri((np.arange(N) + 0.5) / N)
    y = draw_at(scores[None], quantiles, LEVELS, low, high)[0]
    assert (np.diff(y) > 0).all()
    assert_allclose(transform(y, quantiles, LEVELS, low, high, np.random.RandomState(0)), ndtr(scores))
    at_levels = draw_at(ndtri(LEVELS)[:, None] + np.zeros(N), quantiles, LEVELS, low, high)
    assert_allclose(at_levels[:, 0], quantiles[0], atol=1e-9)


def test_what_float32_makes_of_a_bound_is_the_bound():
    quantiles, low, high = tables("masses at both ends")
    y = np.ones(N)
    shares = transform(
        y, quantiles.astype(np.float32) * np.float32(1 + 1e-7), LEVELS, low, high, np.random.RandomState(0)
    )
    assert shares.min() < 0.52
    assert shares.max() > 0.98
