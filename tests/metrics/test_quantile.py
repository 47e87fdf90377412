import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm
from sklearn.metrics import mean_absolute_error, mean_pinball_loss

from skts.metrics import crps_from_quantiles, mean_quantile_loss

PERCENTILES = np.arange(1, 100) / 100
values = st.floats(-100, 100, width=32)


@st.composite
def quantile_forecasts(draw):
    """Draw levels at any distances, targets, forecasts in any order and weights."""
    levels = np.sort(draw(st.lists(st.integers(1, 999), min_size=1, max_size=6, unique=True))) / 1000
    n_rows = draw(st.integers(1, 5))
    y = draw(arrays(float, n_rows, elements=values))
    return levels, y, draw(arrays(float, (n_rows, len(levels)), elements=values)), draw(st.integers(0, 9))


def pinball(y, q, level):
    return level * (y - q) if y >= q else (1 - level) * (q - y)


def test_the_quantile_loss_by_hand():
    # 0.1 * 3 and 0.9 * 3 for the row above both columns, 0.9 * 1 and 0.9 * 1 for the row between them
    assert mean_quantile_loss([5.0], [[2.0, 2.0]], quantiles=[0.1, 0.9]) == pytest.approx((0.3 + 2.7) / 2)
    assert mean_quantile_loss([1.0], [[2.0, 0.0]], quantiles=[0.1, 0.9]) == pytest.approx((0.9 + 0.9) / 2)


@settings(deadline=None, max_examples=60)
@given(quantile_forecasts())
def test_the_quantile_loss_is_the_mean_of_all_pinball_losses(case):
    levels, y, p, _ = case
    losses = [pinball(y[i], p[i, j], levels[j]) for i in range(len(y)) for j in range(len(levels))]
    np.testing.assert_allclose(mean_quantile_loss(y, p, quantiles=levels), np.mean(losses), rtol=1e-9, atol=1e-9)


def test_the_loss_of_one_quantile_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    y, p, w = rng.normal(size=(3, 50)) ** 2
    expected = mean_pinball_loss(y, p, alpha=0.2, sample_weight=w)
    for column in (p, p[:, None]):
        assert mean_quantile_loss(y, column, quantiles=[0.2], sample_weight=w) == expected


def test_the_crps_by_hand():
    # shares of (0, 1) nearest to 0.1, 0.3 and 0.9: 0.2, 0.4 and 0.4; pinball losses 0.1, 0.3 and 0.9
    assert crps_from_quantiles([1.0], [[0.0, 0.0, 0.0]], quantiles=[0.1, 0.3, 0.9]) == pytest.approx(
        2 * (0.2 * 0.1 + 0.4 * 0.3 + 0.4 * 0.9)
    )


@settings(deadline=None, max_examples=60)
@given(quantile_forecasts())
def test_the_crps_is_twice_the_trapezoids_with_constant_ends(case):
    levels, y, p, seed = case
    w = np.random.default_rng(seed).uniform(0.1, 1, len(y))
    ends = np.concatenate([[0], levels, [1]])
    of_rows = []
    for target, forecast in zip(y, p, strict=True):
        losses = [pinball(target, q, level) for q, level in zip(forecast, levels, strict=True)]
        of_rows.append(2 * np.trapezoid([losses[0], *losses, losses[-1]], ends))
    score = crps_from_quantiles(y, p, quantiles=levels, sample_weight=w)
    np.testing.assert_allclose(score, np.average(of_rows, weights=w), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("levels", [PERCENTILES, [0.5], [0.05, 0.5, 0.95]], ids=["percentiles", "median", "unequal"])
def test_the_crps_of_a_point_forecast_is_its_absolute_error(levels):
    y, p = np.random.default_rng(0).normal(size=(2, 40))
    columns = np.tile(p[:, None], len(levels))
    np.testing.assert_allclose(crps_from_quantiles(y, columns, quantiles=levels), mean_absolute_error(y, p))


def normal_crps(y, mean, sd):
    """Gneiting and Raftery (2007), equation 21, as a loss."""
    z = (y - mean) / sd
    return sd * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))


def error_of_normal_crps(levels):
    rng = np.random.default_rng(0)
    mean, sd = rng.normal(size=200), rng.uniform(0.5, 2, 200)
    y = rng.normal(mean, sd)
    p = norm.ppf(levels, mean[:, None], sd[:, None])
    expected = normal_crps(y, mean, sd).mean()
    return abs(crps_from_quantiles(y, p, quantiles=levels) / expected - 1)


def test_many_quantiles_give_the_closed_form_of_the_normal_distribution():
    assert error_of_normal_crps((np.arange(1000) + 0.5) / 1000) < 1e-4
    unequal = norm.cdf(np.linspace(-4, 4, 400))  # dense in the tails
    assert np.ptp(np.diff(unequal)) > 0.005
    assert error_of_normal_crps(unequal) < 1e-4


def test_more_quantiles_come_nearer_to_the_closed_form():
    errors = [error_of_normal_crps((np.arange(n) + 0.5) / n) for n in (3, 10, 30, 100)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 2e-4 < 0.05 < errors[0]
