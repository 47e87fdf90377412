import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_pinball_loss

from skts.nn import EncoderDecoder, QuantileHead, interpolate_levels, sort_levels
from skts.nn.heads._quantile_head import PinballLoss

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


# --- levels -------------------------------------------------------------------------------------------------


def test_levels_are_sorted_once_each_with_the_median():
    assert sort_levels([0.9, 0.1, 0.9]) == (0.1, 0.5, 0.9)
    assert sort_levels(np.array([0.5])) == (0.5,)
    assert QuantileHead(iter([0.9, 0.1])).levels == (0.1, 0.5, 0.9)
    assert repr(QuantileHead([0.9])) == "QuantileHead(levels=(0.5, 0.9))"


@pytest.mark.parametrize("levels", [(), (0.0, 0.5), (0.5, 1.0), (-0.1,), (90.0,), (float("nan"),)])
def test_no_level_and_levels_beyond_0_and_1_are_refused(levels):
    with pytest.raises(ValueError, match=r"at least one level, each within 0 and 1, such as \(0.1, 0.9\)"):
        QuantileHead(levels)


@given(st.lists(st.integers(10, 90), max_size=6), st.integers(0, 99))
def test_between_trained_levels_lies_a_straight_line(levels, seed):
    trained, levels = (0.1, 0.3, 0.5, 0.9), np.array(levels) / 100
    forecasts = np.random.default_rng(seed).standard_normal((3, 2, 4)).cumsum(axis=-1)
    expected = [np.interp(levels, trained, forecast) for forecast in forecasts.reshape(-1, 4)]
    found = QuantileHead(trained).quantiles(forecasts, levels)
    np.testing.assert_allclose(found, np.reshape(expected, (3, 2, len(levels))), rtol=1e-12, atol=1e-12)


def test_a_single_level_gives_itself():
    forecasts = np.arange(6.0).reshape(3, 2, 1)
    np.testing.assert_array_equal(interpolate_levels(forecasts, (0.5,), [0.5, 0.5]), forecasts.repeat(2, axis=-1))


@pytest.mark.parametrize("level", [0.05, 0.95, float("nan")])
def test_a_tail_is_nothing_to_guess(level):
    with pytest.raises(ValueError, match=r"outside of the trained levels 0.1 to 0.9"):
        interpolate_levels(np.zeros((2, 3)), (0.1, 0.5, 0.9), [0.5, level])


def test_the_point_is_the_median():
    np.testing.assert_array_equal(QuantileHead((0.6, 0.9)).point(np.arange(6.0).reshape(2, 3)), [0, 3])


# --- the layer ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("levels", [LEVELS, (0.5,), (0.1, 0.5), tuple(i / 100 for i in range(1, 100))])
def test_quantiles_never_cross(levels):
    torch.manual_seed(0)
    layer = QuantileHead(levels).make_layer(8, 3)
    with torch.no_grad():
        layer.linear.weight *= 30
    quantiles = layer(torch.randn(50, 7, 8) * 10)
    assert quantiles.shape == (50, 7, 3, len(levels))
    assert (quantiles.diff(dim=-1) >= 0).all()


def test_they_start_as_those_of_a_normal_distribution():
    torch.manual_seed(0)
    quantiles = QuantileHead(LEVELS).make_layer(4, 1)(torch.zeros(1, 4))[0, 0]
    expected = torch.special.ndtri(torch.tensor(LEVELS))
    torch.testing.assert_close((quantiles - quantiles[2]).detach(), expected, atol=0.8, rtol=0)
    assert quantiles[-1] - quantiles[0] > 2


def test_a_network_gives_them_with_and_without_known_columns():
    past, known = torch.randn(2, 6, 3), torch.randn(2, 4, 1)
    assert EncoderDecoder(3, 1, 2, 4, head=QuantileHead(LEVELS), hidden_size=5)(past, known)[0].shape == (2, 4, 2, 5)
    assert EncoderDecoder(3, 0, 2, 4, head=QuantileHead(LEVELS), hidden_size=5)(past)[0].shape == (2, 4, 2, 5)


@pytest.mark.parametrize("convert", [np.asarray, torch.from_numpy])
def test_every_quantile_is_scaled_and_shifted(convert):
    forecast, scale, level = np.arange(12.0).reshape(2, 2, 3), np.array([2.0, 3.0]), np.array([[1.0, -1.0], [0.0, 5.0]])
    rescaled = QuantileHead(LEVELS).rescale(convert(forecast), convert(scale), convert(level))
    np.testing.assert_array_equal(rescaled, [[[1, 3, 5], [8, 11, 14]], [[12, 14, 16], [32, 35, 38]]])


# --- the loss -----------------------------------------------------------------------------------------------


def test_the_pinball_loss_equals_scikit_learn():
    levels, rng = (0.1, 0.5, 0.8), np.random.default_rng(0)
    targets, quantiles = rng.standard_normal(20), rng.standard_normal((20, 3))
    expected = np.mean([mean_pinball_loss(targets, quantiles[:, i], alpha=level) for i, level in enumerate(levels)])
    tensors = torch.tensor(quantiles, dtype=torch.float32), torch.tensor(targets, dtype=torch.float32)
    np.testing.assert_allclose(PinballLoss(levels)(*tensors), expected, rtol=1e-5)
    each = PinballLoss(levels, reduction="none")(*tensors)
    assert each.shape == (20,)
    np.testing.assert_allclose(each.mean(), expected, rtol=1e-5)


def test_it_is_the_loss_of_the_head():
    criterion, arguments = QuantileHead((0.1, 0.9)).make_criterion()
    assert criterion is PinballLoss
    assert arguments == {"levels": (0.1, 0.5, 0.9)}
