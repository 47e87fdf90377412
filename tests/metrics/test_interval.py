import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skts.metrics import interval_coverage, interval_score, mean_quantile_loss

values = st.floats(-100, 100, width=32)


@st.composite
def intervals(draw):
    """Draw targets (some exactly at an end), lower and upper ends in their order, and weights."""
    n_rows = draw(st.integers(1, 6))
    lower, upper = np.sort(draw(arrays(float, (2, n_rows), elements=values)), axis=0)
    y = draw(arrays(float, n_rows, elements=values))
    place = draw(arrays(int, n_rows, elements=st.integers(0, 3)))
    y = np.choose(place, [lower, upper, (lower + upper) / 2, y])
    return y, lower, upper, draw(arrays(float, n_rows, elements=st.floats(0.5, 2)))


def test_the_score_by_hand():
    y, lower, upper = [3.0, 1.5, 4.25, 2.0], [2.0] * 4, [4.0] * 4
    for row, expected in enumerate([2.0, 2.0 + 20 * 0.5, 2.0 + 20 * 0.25, 2.0]):
        one = slice(row, row + 1)
        assert interval_score(y[one], lower[one], upper[one], alpha=0.1) == pytest.approx(expected)
    assert interval_score(y, lower, upper, alpha=0.1) == pytest.approx((2 + 12 + 7 + 2) / 4)
    assert interval_coverage(y, lower, upper) == 0.5


@settings(deadline=None, max_examples=60)
@given(intervals(), st.floats(0.01, 0.99))
def test_the_score_is_equation_43_row_by_row(case, alpha):
    y, lower, upper, weight = case
    total = 0.0
    for i in range(len(y)):
        score = upper[i] - lower[i]
        if y[i] < lower[i]:
            score += 2 / alpha * (lower[i] - y[i])
        if y[i] > upper[i]:
            score += 2 / alpha * (y[i] - upper[i])
        total += weight[i] * score
    score = interval_score(y, lower, upper, alpha=alpha, sample_weight=weight)
    np.testing.assert_allclose(score, total / weight.sum(), rtol=1e-9, atol=1e-7)


@settings(deadline=None, max_examples=60)
@given(intervals())
def test_the_coverage_counts_the_rows_between_the_ends_and_on_them(case):
    y, lower, upper, weight = case
    inside = sum(w for w, low, value, up in zip(weight, lower, y, upper, strict=True) if low <= value <= up)
    np.testing.assert_allclose(interval_coverage(y, lower, upper, sample_weight=weight), inside / weight.sum())


def test_ends_that_cross_are_scored_as_two_quantiles_and_cover_nothing():
    y, ends = np.array([3.0, 1.0]), np.array([[4.0, 2.0], [4.0, 2.0]])
    pinball = mean_quantile_loss(y, ends, quantiles=[0.1, 0.9])
    assert interval_score(y, *ends.T, alpha=0.2) == pytest.approx(2 * pinball / 0.1)
    assert interval_score(y, *ends.T, alpha=0.2) > interval_score(y, *ends.T[::-1], alpha=0.2)
    assert interval_coverage(y, *ends.T) == 0


@pytest.mark.parametrize("alpha", [0, 1, 5, -0.1])
def test_an_alpha_outside_0_to_1_is_refused(alpha):
    with pytest.raises(ValueError, match="alpha"):
        interval_score([1.0], [0.0], [2.0], alpha=alpha)
