"""Weights of experts, against formulas by hand and a general solver."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize, nnls

from skts.strategies._replay import replay
from skts.strategies._weights import BOA, MLPoly, average, stack


def draw(n_rows=200, n_experts=4, seed=0):
    rng = np.random.RandomState(seed)
    y = rng.normal(size=n_rows)
    spread = np.linspace(0.3, 1.5, n_experts)
    return y[:, None] + spread * rng.normal(size=(n_rows, n_experts)) + 0.2 * rng.normal(size=(n_rows, 1)), y


@pytest.mark.parametrize("seed", range(3))
def test_stacked_weights_are_the_least_squares_on_the_simplex(seed):
    experts, y = draw(seed=seed)
    found = stack(experts, y)
    solved = minimize(
        lambda weights: np.mean((experts @ weights - y) ** 2),
        np.full(4, 0.25),
        bounds=[(0, 1)] * 4,
        constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1},
        options={"ftol": 1e-14},
    )
    assert_allclose(found, solved.x, atol=1e-5)
    assert_allclose(found.sum(), 1)


def test_stacked_weights_are_plain_non_negative_least_squares_where_these_sum_to_one():
    experts, _ = draw(n_experts=3)
    y = experts @ [0.7, 0.3, 0.0]
    assert_allclose(stack(experts, y), nnls(experts, y)[0], atol=1e-9)
    assert_allclose(stack(experts + 100, y + 100), [0.7, 0.3, 0.0], atol=1e-9)  # whatever the unit starts from


def test_an_expert_that_is_always_right_is_given_everything():
    experts, y = draw()
    experts[:, 2] = y
    assert_allclose(stack(experts, y), [0, 0, 1, 0], atol=1e-9)
    assert_allclose(stack(np.column_stack([y, y]), y), [0.5, 0.5])


def by_hand(experts, y, method):
    """The formulas as the papers and R's opera have them, expert by expert in plain numbers."""
    n_rounds, n_experts = experts.shape
    regret, squares, spread = [[0.0] * n_experts for _ in range(3)]
    bound, greatest, rate = 0.0, [0.0] * n_experts, [0.0] * n_experts
    weights = []
    for t in range(n_rounds):
        if method == "ml_poly":
            raw = [max(regret[k], 0) / spread[k] if spread[k] else 0.0 for k in range(n_experts)]
            raw = raw if sum(raw) > 0 else [1.0] * n_experts
        else:
            raw = [np.exp(np.log(1 / n_experts) + rate[k] * regret[k]) for k in range(n_experts)]
        weights.append([each / sum(raw) for each in raw])
        mean = sum(w * x for w, x in zip(weights[-1], experts[t], strict=True))
        gains = [2 * (mean - y[t]) * (mean - x) for x in experts[t]]
        new = max(bound, max(gain**2 for gain in gains))
        for k, gain in enumerate(gains):
            spread[k] += gain**2 + new - bound
            greatest[k] = max(greatest[k], abs(gain))
            squares[k] += gain**2
            rate[k] = min(1 / (2 * greatest[k]), np.sqrt(np.log(n_experts) / squares[k]))
            regret[k] += gain if method == "ml_poly" else gain - rate[k] * gain**2
        bound = new
    return np.array(weights)


def online(experts, y, learner, delay=0):
    ticks = np.arange(len(y))

    def gains(rows, used):
        mean = (used * experts[rows]).sum(axis=1)
        return (2 * (mean - y[rows])[:, None] * (mean[:, None] - experts[rows])).mean(axis=0)

    return replay(learner(experts.shape[1]), ticks, ticks - delay, np.ones(len(y), dtype=bool), gains)


@pytest.mark.parametrize(("method", "learner"), [("ml_poly", MLPoly), ("boa", BOA)])
def test_online_weights_are_those_by_hand(method, learner):
    experts, y = draw(n_rows=40)
    assert_allclose(online(experts, y, learner), by_hand(experts, y, method), atol=1e-12)


@pytest.mark.parametrize("learner", [MLPoly, BOA])
def test_regret_stays_below_its_bound_and_the_best_expert_wins(learner):
    experts, y = draw(n_rows=3000)
    experts = np.clip(experts / 8 + 0.5, 0, 1)
    y = np.clip(y / 8 + 0.5, 0, 1)
    weights = online(experts, y, learner)
    mean = (weights * experts).sum(axis=1)
    gains = 2 * (mean - y)[:, None] * (mean[:, None] - experts)  # within -2 to 2
    n_rounds, n_experts = experts.shape
    squares = (gains**2).sum(axis=0)
    if learner is MLPoly:
        bound = 4 * np.sqrt(n_experts * (1 + np.log(1 + n_rounds)) * (1 + squares / 4))
    else:
        bound = 4 * np.sqrt((np.log(n_experts) + np.log(np.log(n_rounds))) * squares) + 8 * np.log(n_experts)
    assert (gains.sum(axis=0) < bound).all()
    losses = ((experts - y[:, None]) ** 2).mean(axis=0)
    assert np.mean((mean - y) ** 2) < 1.02 * losses.min()


@pytest.mark.parametrize("learner", [MLPoly, BOA])
def test_weights_do_not_read_what_was_not_seen(learner):
    experts, y = draw(n_rows=60)
    told = y.copy()
    told[40:] = 1e3
    before, after = (online(experts, each, learner, delay=5) for each in (y, told))
    np.testing.assert_array_equal(before[:46], after[:46])
    assert not np.allclose(before[46], after[46])


def test_experts_that_say_nothing_are_left_out():
    experts = np.array([[1.0, 3.0], [np.nan, 3.0], [np.nan, np.nan]])
    weights = np.array([[0.75, 0.25]] * 3)
    assert_allclose(average(experts, weights), [1.5, 3.0, np.nan])
    assert_allclose(average(experts, np.array([[1.0, 0.0]] * 3))[1], 3.0)
