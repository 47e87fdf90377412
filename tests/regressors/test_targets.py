import numpy as np
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
