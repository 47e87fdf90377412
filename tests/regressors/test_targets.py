import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skts.regressors._targets import Targets


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
@given(some_targets())
def test_a_window_teaches_where_any_of_its_targets_is_there(targets):
    expected = [(targets.weights[start : start + targets.horizon] > 0).any() for start in targets.starts]
    np.testing.assert_array_equal(targets.teaching(), expected)


def test_a_constant_target_keeps_its_scale():
    targets = Targets(np.full((4, 1), 7.0), np.ones((4, 1)), np.array([0]), 4, ())
    assert targets.moments(np.array([0])) == (7.0, 1.0)


# --- blocks drawn with replacement ------------------------------------------------------------------------


@st.composite
def some_rows(draw):
    """Targets of a panel of several series, the times of their rows, and the length of a block."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    lengths = draw(st.lists(st.integers(3, 12), min_size=1, max_size=3))
    times = np.concatenate([np.sort(rng.choice(40, size=length, replace=False)) for length in lengths])
    weights = rng.uniform(0.5, 2.0, (len(times), 2))
    weights[rng.random(len(times)) < 0.3, 1] = 0.0
    weights[rng.random(len(times)) < 0.2] = 0.0
    starts = np.sort(rng.choice(len(times) - 1, size=draw(st.integers(1, 5)), replace=True))
    weights[starts[0]] = 1.0
    return Targets(np.ones_like(weights), weights, starts, 2, (2,)), times, draw(st.integers(1, 15))


@settings(deadline=None, max_examples=100)
@given(some_rows(), st.integers(0, 99))
def test_as_many_blocks_of_time_are_drawn_as_there_are_and_all_series_alike(where, seed):
    targets, times, rows = where
    items = np.arange(len(targets.starts))[::2]
    drawn, distinct = targets.resampled(times, rows, items, seed).weights, sorted(set(times.tolist()))
    taught = np.zeros(len(times), dtype=bool)
    for start in targets.starts[items]:
        taught[start : start + 2] = (targets.weights[start : start + 2] > 0).any(axis=1)
    blocks = [np.isin(times, distinct[begin : begin + rows]) for begin in range(0, len(distinct), rows)]
    teaching = [block for block in blocks if (block & taught).any()]
    total, before = (np.array([weights[block].sum() for block in teaching]) for weights in (drawn, targets.weights))
    counts = len(teaching) * (total / before) / (total / before).sum()
    np.testing.assert_allclose(counts, counts.round(), atol=1e-9)
    unit = (total / before).sum() / len(teaching)
    expected = np.zeros_like(drawn)
    for block, count in zip(teaching, counts, strict=True):
        expected[block] = targets.weights[block] * count * unit
    np.testing.assert_allclose(drawn, expected)
    assert drawn[drawn > 0].mean() == pytest.approx(1.0)


def test_blocks_are_drawn_with_replacement_and_the_seed_decides():
    targets, times = Targets(np.ones((40, 1)), np.ones((40, 1)), np.arange(39), 2, ()), np.arange(40)
    items = np.arange(39)
    draws = [targets.resampled(times, 5, items, seed).weights[::5, 0] for seed in range(100)]  # of 8 blocks
    np.testing.assert_array_equal(draws[3], targets.resampled(times, 5, items, 3).weights[::5, 0])
    assert len({tuple(draw) for draw in draws}) > 90
    assert abs(np.mean([draw == 0 for draw in draws]) - (7 / 8) ** 8) < 0.06  # how often a block is never drawn
    np.testing.assert_allclose(targets.resampled(times, 40, items, 0).weights, 1.0)  # a single block is always drawn


def test_arrays_draw_blocks_of_whole_windows():
    weights = np.arange(1.0, 13.0)[:, None]  # 6 windows of 2 targets
    targets = Targets(np.ones((12, 1)), weights, 2 * np.arange(6), 2, (2, 1))
    counts = {
        tuple(np.round(targets.resampled(np.arange(6), 3, np.arange(6), seed).weights[:, 0] / weights[:, 0], 9))
        for seed in range(20)
    }
    assert all(len({*some[:6]}) == len({*some[6:]}) == 1 for some in counts)
    assert len(counts) == 3


def test_what_is_not_drawn_does_not_teach():
    targets = Targets(np.ones((12, 1)), np.ones((12, 1)), np.arange(0, 12, 2), 2, ())
    drawn = targets.resampled(np.arange(12), 2, np.arange(6), seed=0)
    np.testing.assert_array_equal(drawn.teaching(), drawn.weights[::2, 0] > 0)
    assert 0 < drawn.teaching().sum() < 6
    np.testing.assert_array_equal(targets.weights, 1.0)
