import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator

from skts.datasets import make_panel
from skts.supervised import Targets, read_inputs, read_targets
from skts.windows import SlidingWindower


@st.composite
def some_targets(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_rows, horizon = draw(st.integers(8, 30)), draw(st.integers(1, 5))
    values = rng.standard_normal((n_rows, 2)) + 3
    weights = rng.random((n_rows, 2)) * (rng.random((n_rows, 2)) < 0.6)
    starts = np.sort(rng.choice(n_rows - horizon + 1, size=draw(st.integers(1, 4)), replace=False))
    return Targets(np.where(weights > 0, values, np.nan), weights, starts, horizon, (2,))


@settings(deadline=None, max_examples=50)
@given(some_targets())
def test_moments_count_each_row_of_the_horizons_once(targets):
    items = np.arange(len(targets.starts))[::2]
    rows = sorted({row for start in targets.starts[items] for row in range(start, start + targets.horizon)})
    mean, scale = targets.moments(items)
    for k in range(2):
        weights = targets.weights[rows, k]
        values = targets.values[rows, k][weights > 0]
        if len(values) == 0:
            assert (mean[k], scale[k]) == (0, 1)
            continue
        expected = np.average(values, weights=weights[weights > 0])
        np.testing.assert_allclose(mean[k], expected)
        if len(values) > 1:
            variance = np.average((values - expected) ** 2, weights=weights[weights > 0])
            np.testing.assert_allclose(scale[k], np.sqrt(variance))


@settings(deadline=None, max_examples=50)
@given(st.lists(some_targets(), min_size=1, max_size=4), st.integers(0, 2**32 - 1))
def test_moments_by_number_are_those_of_its_windows_alone(several, seed):
    rng, horizon = np.random.default_rng(seed), min(each.horizon for each in several)
    begins = np.cumsum([0, *(len(each.values) for each in several)])
    starts = np.concatenate([each.starts + begin for each, begin in zip(several, begins[:-1], strict=True)])
    numbers = np.repeat(rng.permutation(len(several)), [len(each.starts) for each in several])
    values, weights = (np.concatenate([getattr(each, name) for each in several]) for name in ("values", "weights"))
    items = rng.permutation(len(starts))[: rng.integers(1, len(starts) + 1)]
    targets = Targets(values, weights, starts, horizon, (2,))
    mean, scale = targets.moments_by(items, numbers[items], len(several) + 1)
    for number in range(len(several) + 1):
        own = items[numbers[items] == number]
        rows = (starts[own][:, None] + np.arange(horizon)).ravel() if len(own) else []
        there = [(weights[rows, k] > 0).any() for k in range(2)]
        expected = targets.moments(own) if len(own) else (np.zeros(2), np.ones(2))
        np.testing.assert_allclose(mean[number], np.where(there, expected[0], np.nan))
        wide = np.array([np.unique(values[rows, k][weights[rows, k] > 0]).size > 1 for k in range(2)])
        np.testing.assert_allclose(scale[number][wide], expected[1][wide])
        np.testing.assert_allclose(scale[number][~wide & there], 0, atol=1e-9)


@settings(deadline=None, max_examples=50)
@given(some_targets())
def test_a_window_teaches_where_any_of_its_targets_is_there(targets):
    expected = [(targets.weights[start : start + targets.horizon] > 0).any() for start in targets.starts]
    np.testing.assert_array_equal(targets.teaching(), np.flatnonzero(expected))


def test_a_constant_target_keeps_its_scale():
    targets = Targets(np.full((4, 1), 7.0), np.ones((4, 1)), np.array([0]), 4, ())
    assert targets.moments(np.array([0])) == (7.0, 1.0)


@settings(deadline=None, max_examples=50)
@given(some_targets())
def test_standardised_values_have_no_hole_and_missing_ones_no_weight(targets):
    values, weights = targets.standardised(*targets.moments(np.arange(len(targets.starts))))
    assert values.dtype == np.float32
    assert np.isfinite(values).all()
    weights = np.ones_like(values) if weights is None else weights
    assert (weights[np.isnan(targets.values)] == 0).all()


def test_weights_that_are_all_alike_are_left_away():
    targets = Targets(np.arange(4.0)[:, None], np.ones((4, 1)), np.array([0]), 4, ())
    values, weights = targets.standardised(*targets.moments(np.array([0])))
    assert weights is None
    np.testing.assert_allclose(values.std(), 1.0)
    np.testing.assert_allclose(values.mean(), 0.0, atol=1e-7)


class Anyone(BaseEstimator):
    pass


@pytest.mark.parametrize("shape", [(30,), (30, 2), (30, 4, 2)])
def test_targets_of_arrays_stand_window_after_window(shape):
    y = np.random.default_rng(0).standard_normal(shape)
    weight = np.arange(30.0)
    targets = read_targets("Anyone", read_inputs(Anyone(), np.zeros((30, 3, 1)), reset=True), y, weight)
    horizon, n_targets = (4, 2) if len(shape) == 3 else (1, *shape[1:], 1)[:2]
    assert (targets.horizon, targets.n_targets, targets.shape) == (horizon, n_targets, shape[1:])
    cut = targets.values[targets.starts[:, None] + np.arange(horizon)]
    np.testing.assert_array_equal(cut, y.reshape(30, horizon, n_targets))
    weights = targets.weights[targets.starts[:, None] + np.arange(horizon)]
    np.testing.assert_allclose(weights, np.broadcast_to(weight[:, None, None] / weight[1:].mean(), weights.shape))


def test_targets_of_windows_stand_beside_the_rows_of_the_table():
    X, y = make_panel(n_series=2, n_rows=40, missing=0.2, interleave=True, random_state=0)
    windows = SlidingWindower(5, 3).fit_transform(X)
    targets = read_targets("Anyone", read_inputs(Anyone(), windows, reset=True), y, None)
    cut = targets.values[targets.starts[:, None] + np.arange(3)]
    np.testing.assert_array_equal(cut[..., 0], windows.targets(y))
    weights = targets.weights[targets.starts[:, None] + np.arange(3)]
    np.testing.assert_array_equal(weights > 0, ~np.isnan(cut))


@pytest.mark.parametrize(
    ("y", "weight", "refusal"),
    [
        (None, None, "Anyone requires y to be passed"),
        (3.0, None, "is the single value 3.0"),
        (np.full(30, np.nan), None, r"y is missing \(NaN\) in every row"),
        (np.ones(29), None, "inconsistent numbers of samples"),
        (np.ones(30), np.zeros(30), "at least one non-zero number"),
        (np.ones(30), -np.ones(30), "Negative values"),
        (np.where(np.arange(30) == 3, np.inf, 1.0), None, "infinity"),
    ],
)
def test_targets_that_teach_nothing_are_refused(y, weight, refusal):
    inputs = read_inputs(Anyone(), np.zeros((30, 3, 1)), reset=True)
    with pytest.raises(ValueError, match=refusal):
        read_targets("Anyone", inputs, y, weight)


def test_a_target_whose_square_is_infinite_is_refused():
    targets = Targets(np.array([[-1e200], [1e200]]), np.ones((2, 1)), np.array([0]), 2, ())
    with pytest.raises(ValueError, match="give it in a larger unit"), np.errstate(over="ignore"):
        targets.moments(np.array([0]))


def test_a_value_beyond_a_bound_or_on_it_but_for_rounding_lies_on_it():
    capacity = np.float64(np.float32(2500.3))  # as a static column has it: above 2500.3
    values = np.array([[-5.0], [0.0], [1000.0], [2500.3], [2600.0], [np.nan]])
    bounds = np.zeros((6, 1)), np.full((6, 1), capacity)
    targets = Targets(values, (~np.isnan(values)).astype(float), np.arange(6), 1, (), bounds)
    rows, weights = targets.standardised(np.array([700.0]), np.array([311.0]))
    on_bounds = rows[:, 0] == rows[:, 1], rows[:, 0] == rows[:, 2]
    np.testing.assert_array_equal(on_bounds, [[1, 1, 0, 0, 0, 0], [0, 0, 0, 1, 1, 0]])
    np.testing.assert_allclose(rows[2], (np.array([1000, 0, capacity]) - 700) / 311, rtol=1e-6)
    assert np.isfinite(rows).all()
    assert weights[5] == 0
