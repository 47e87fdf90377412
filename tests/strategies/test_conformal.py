"""Corrections of quantiles, against split conformal prediction in a few lines and the papers' formulas."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skts.strategies._conformal import ACI, PID, one_sided, two_sided
from skts.strategies._pools import Pools
from skts.strategies._replay import replay


def split_conformal(scores, alpha):
    """The finite-sample quantile: ceil((n + 1) (1 - alpha)) / n of the scores."""
    n = len(scores)
    return np.quantile(scores, min(1.0, np.ceil((n + 1) * (1 - alpha) - 1e-9) / n), method="inverted_cdf")


@pytest.mark.parametrize("n", [19, 20, 99, 250])
def test_each_level_alone_is_split_conformal_on_its_side(n):
    scores = np.random.RandomState(n).normal(size=(n, 3))
    below, middle, above = one_sided(np.sort(scores, axis=0), np.array([0.1, 0.5, 0.9]))
    assert above == split_conformal(scores[:, 2], 0.1)
    assert below == -split_conformal(-scores[:, 0], 0.1)
    assert_allclose(middle, np.median(scores[:, 1]))


def test_both_ends_together_are_those_of_the_papers():
    rng = np.random.RandomState(0)
    y, low, high = rng.normal(size=(3, 100))
    found = two_sided(y[:, None] - np.column_stack([low, y, high]), np.array([0.05, 0.5, 0.95]))
    cqr = split_conformal(np.maximum(low - y, y - high), 0.1)  # equation 6 of Romano et al.
    assert_allclose(found, [-cqr, 0, cqr])
    residuals = (y - low)[:, None] + np.zeros(2)
    absolute = split_conformal(np.abs(y - low), 0.2)
    assert_allclose(two_sided(residuals, np.array([0.1, 0.9])), [-absolute, absolute])
    assert_allclose(two_sided(residuals[:, :1], np.array([0.9])), [absolute])


def test_too_few_rows_for_a_level_give_the_outermost_score():
    scores = np.sort(np.random.RandomState(0).normal(size=(5, 2)), axis=0)
    assert_allclose(one_sided(scores, np.array([0.01, 0.99])), [scores[0, 0], scores[-1, 1]])


@pytest.mark.parametrize("level", [0.1, 0.8])
def test_the_share_below_is_the_level_where_rows_are_exchangeable(level):
    rng = np.random.RandomState(0)
    shares = []
    for _ in range(4000):
        scores, new = rng.normal(size=(19, 1)), rng.normal()
        shares.append(new <= one_sided(np.sort(scores, axis=0), np.array([level]))[0])
    assert_allclose(np.mean(shares), level, atol=0.02)


def follow(learner, scores, delay=0):
    ticks = np.arange(len(scores))
    answers = replay(
        learner,
        ticks,
        ticks - delay,
        np.ones(len(scores), dtype=bool),
        lambda rows, used: (scores[rows][:, None] <= used).mean(axis=0),
    )
    return answers


def test_aci_is_the_update_of_gibbs_and_candes():
    rng = np.random.RandomState(0)
    held, scores = np.sort(rng.normal(size=(99, 1)), axis=0), 0.5 + rng.normal(size=200)
    found = follow(ACI(held, np.array([0.9]), 0.05), scores)[:, 0]
    alpha, expected = 0.1, []
    for score in scores:
        place = int(np.clip(np.ceil(100 * (1 - alpha) - 1e-9), 1, 99))
        expected.append(held[place - 1, 0])
        alpha += 0.05 * (0.1 - (score > expected[-1]))
    assert_allclose(found, expected)


def test_pid_is_quantile_tracking_with_a_saturated_integrator():
    rng = np.random.RandomState(0)
    held, scores = np.sort(rng.normal(size=(99, 1)), axis=0), 3 + rng.normal(size=200)
    found = follow(PID(held, np.array([0.9]), 0.05), scores)[:, 0]
    scale, tracked, missed, expected = np.abs(held).max(), held[89, 0], 0.0, []
    for t, score in enumerate(scores):
        angle = np.clip(missed * np.log(t + 1) / (5.0 * (t + 1)), -1.5, 1.5)
        expected.append(tracked + scale * np.tan(angle))
        error = float(score > expected[-1]) - 0.1
        tracked += 0.05 * scale * error
        missed += error
    assert_allclose(found, expected)


@pytest.mark.parametrize(("learner", "rate", "shift"), [(ACI, 0.05, 0.5), (PID, 0.05, 3.0)])
@pytest.mark.parametrize("delay", [0, 3])
def test_coverage_comes_back_after_a_shift(learner, rate, shift, delay):
    rng = np.random.RandomState(1)
    held = np.sort(rng.normal(size=(500, 2)), axis=0)
    scores = shift + rng.normal(size=1500)
    levels = np.array([0.1, 0.9])
    found = follow(learner(held, levels, rate), scores, delay)
    fixed = (scores[:, None] <= one_sided(held, levels)).mean(axis=0)
    assert (np.abs(fixed - levels) > 0.05).all()
    assert_allclose((scores[:, None] <= found)[500:].mean(axis=0), levels, atol=0.03)


def test_a_cell_with_few_rows_is_given_the_leads_beside_it_then_all_series():
    series, lead = (each.ravel() for each in np.meshgrid([0, 1], np.arange(1, 11), indexing="ij"))
    keys = np.repeat(np.column_stack([lead, series]), 4, axis=0)  # 4 rows of each lead and series
    pools = Pools(keys, ("lead", "series"), 12)
    chosen = keys[pools.rows_for(np.array([5, 1]))]
    assert set(map(tuple, chosen)) == {(4, 1), (5, 1), (6, 1)}
    assert set(map(tuple, keys[pools.rows_for(np.array([1, 0]))])) == {(1, 0), (2, 0), (3, 0)}
    assert set(map(tuple, keys[pools.rows_for(np.array([5, -1]))])) == {(lead, s) for lead in (4, 5, 6) for s in (0, 1)}
    assert len(Pools(keys, ("lead", "series"), 10**4).rows_for(np.array([5, 1]))) == len(keys)
    assert len(Pools(keys, ("lead", "series"), 4).rows_for(np.array([5, 1]))) == 4
