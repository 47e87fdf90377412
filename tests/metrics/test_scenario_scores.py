"""Scores of scenarios, held against the package scoringrules and against their definitions."""

import numpy as np
import pandas as pd
import pytest
import scoringrules
from numpy.testing import assert_allclose

from skts.metrics import energy_score, variogram_score

RNG = np.random.RandomState(0)
TRUTH, DRAWN = RNG.normal(size=12), RNG.normal(size=(30, 12))
GROUPS = np.repeat(["a", "b", "c"], 4)


def expected_energy(truth, drawn, fair):
    """The definition, pair by pair."""
    n = len(drawn)
    near = np.mean([np.linalg.norm(one - truth) for one in drawn])
    apart = sum(np.linalg.norm(one - other) for one in drawn for other in drawn)
    return near - apart / (2 * (n * (n - 1) if fair else n**2))


def expected_variogram(truth, drawn, p, weights):
    """The definition, pair by pair."""
    total = 0.0
    for i in range(len(truth)):
        for j in range(len(truth)):
            expected = np.mean([abs(one[i] - one[j]) ** p for one in drawn])
            total += weights[i, j] * (abs(truth[i] - truth[j]) ** p - expected) ** 2
    return total


@pytest.mark.parametrize("fair", [True, False])
def test_the_energy_score_is_that_of_scoringrules_and_of_its_definition(fair):
    found = energy_score(TRUTH, DRAWN, fair=fair)
    assert_allclose(found, scoringrules.es_ensemble(TRUTH, DRAWN, estimator="fair" if fair else "nrg"))
    assert_allclose(found, expected_energy(TRUTH, DRAWN, fair))


@pytest.mark.parametrize("p", [0.5, 1.0, 2.0])
def test_the_variogram_score_is_that_of_scoringrules_and_of_its_definition(p):
    weights = RNG.random_sample((12, 12))
    found = variogram_score(TRUTH, DRAWN, p=p, weights=weights)
    assert_allclose(found, scoringrules.vs_ensemble(TRUTH, DRAWN, weights, p=p))
    assert_allclose(found, expected_variogram(TRUTH, DRAWN, p, weights))
    assert_allclose(variogram_score(TRUTH, DRAWN, p=p), scoringrules.vs_ensemble(TRUTH, DRAWN, p=p))


@pytest.mark.parametrize("score", [energy_score, variogram_score])
def test_groups_are_scored_on_their_own_in_any_order_of_rows(score):
    each = [score(TRUTH[rows], DRAWN[:, rows]) for rows in (slice(0, 4), slice(4, 8), slice(8, 12))]
    assert_allclose(score(TRUTH, DRAWN, groups=GROUPS), np.mean(each))
    order = RNG.permutation(12)
    assert_allclose(score(TRUTH[order], DRAWN[:, order], groups=GROUPS[order]), np.mean(each))


def test_rows_without_a_target_are_left_out_with_their_pairs_and_weights():
    weights = RNG.random_sample((4, 4))
    holes = np.where(np.arange(12) % 4 == 1, np.nan, TRUTH)
    holes[8:] = np.nan  # of a whole group
    kept = (np.arange(12) % 4 != 1) & (np.arange(12) < 8)
    found = variogram_score(holes, DRAWN, groups=GROUPS, weights=weights)
    few = np.delete(np.delete(weights, 1, 0), 1, 1)
    assert_allclose(found, variogram_score(TRUTH[kept], DRAWN[:, kept], groups=GROUPS[kept], weights=few))
    assert_allclose(
        energy_score(pd.Series(holes), DRAWN, groups=GROUPS),
        energy_score(TRUTH[kept], DRAWN[:, kept], groups=GROUPS[kept]),
    )


def test_the_true_distribution_scores_best():
    rng = np.random.RandomState(1)
    factor = np.linalg.cholesky(np.full((6, 6), 0.8) + 0.2 * np.eye(6))
    truth, groups = (rng.normal(size=(400, 6)) @ factor.T).ravel(), np.repeat(np.arange(400), 6)
    noise = rng.normal(size=(60, 400, 6))
    right, without = (noise @ factor.T).reshape(60, -1), noise.reshape(60, -1)
    for score in (energy_score, variogram_score):
        assert score(truth, right, groups=groups) < score(truth, without, groups=groups)


def test_the_fair_score_does_not_depend_on_how_many_scenarios_there_are():
    rng = np.random.RandomState(0)
    truth, groups = np.zeros(6000), np.repeat(np.arange(3000), 2)
    few, many = (energy_score(truth, rng.normal(size=(n, 6000)), groups=groups) for n in (3, 40))
    assert few == pytest.approx(many, rel=0.02)
    biased = energy_score(truth, rng.normal(size=(3, 6000)), groups=groups, fair=False)
    assert biased > 1.3 * many


def test_what_is_refused():
    with pytest.raises(ValueError, match="a column for each row"):
        energy_score(TRUTH, DRAWN.T)
    with pytest.raises(ValueError, match="NaN or infinite in row 3"):
        energy_score(TRUTH, np.where(np.arange(12) == 3, np.nan, DRAWN))
    with pytest.raises(ValueError, match="one for each row"):
        variogram_score(TRUTH, DRAWN, groups=[1, 2])
    with pytest.raises(ValueError, match="all groups as many rows"):
        variogram_score(TRUTH, DRAWN, weights=np.ones((4, 4)))
    with pytest.raises(ValueError, match="negative"):
        variogram_score(TRUTH, DRAWN, weights=-np.ones((12, 12)))
    with pytest.raises(ValueError, match="order above 0"):
        variogram_score(TRUTH, DRAWN, p=0)
    with pytest.raises(ValueError, match="nothing to score"):
        energy_score(TRUTH * np.nan, DRAWN)
