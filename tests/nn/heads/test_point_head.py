import numpy as np
import pytest
import torch

from skts.nn import PointHead, QuantileHead

HEADS = [(PointHead(), ()), (QuantileHead([0.1, 0.9]), (3,))]


def test_a_point_is_a_linear_map_trained_by_its_squared_error():
    layer = PointHead().make_layer(4, 3)
    assert (layer.in_features, layer.out_features) == (4, 3)
    assert PointHead().make_criterion() == (torch.nn.MSELoss, {})


def test_the_point_is_the_forecast_itself_and_there_are_no_quantiles():
    forecast, head = np.arange(6.0).reshape(2, 3), PointHead()
    np.testing.assert_array_equal(head.point(forecast), forecast)
    assert not head.gives_quantiles
    with pytest.raises(TypeError, match="PointHead gives no quantiles"):
        head.quantiles(forecast, [0.5])


@pytest.mark.parametrize("convert", [np.asarray, torch.from_numpy])
def test_a_forecast_is_scaled_and_shifted(convert):
    forecast, scale, level = np.arange(4.0).reshape(2, 2), np.array([2.0, 3.0]), np.array([[1.0, -1.0], [0.0, 5.0]])
    rescaled = PointHead().rescale(convert(forecast), convert(scale), convert(level))
    np.testing.assert_array_equal(rescaled, [[1, 2], [4, 14]])


@pytest.mark.parametrize(("head", "described_by"), HEADS, ids=["point", "quantiles"])
def test_every_head_keeps_its_contract_of_shapes(head, described_by):
    forecast = head.make_layer(5, 2)(torch.randn(4, 3, 5))  # (..., T, *S)
    assert forecast.shape == (4, 3, 2, *described_by)
    criterion, arguments = head.make_criterion()
    assert criterion(**arguments, reduction="none")(forecast, torch.zeros(4, 3, 2)).shape == (4, 3, 2)
    assert head.rescale(forecast, torch.ones(2), torch.zeros(2)).shape == forecast.shape
    assert head.point(forecast.detach().numpy()).shape == (4, 3, 2)
    assert head.gives_quantiles == bool(described_by)


@pytest.mark.parametrize(("head", "described_by"), HEADS, ids=["point", "quantiles"])
def test_what_is_rescaled_is_the_forecast_of_the_rescaled_target(head, described_by):
    """The loss says so: that of a * y + b is a times, or a squared times, that of y, whatever was forecast."""
    criterion, arguments = head.make_criterion()
    loss = criterion(**arguments, reduction="none")
    forecast, y = torch.randn(6, 2, *described_by), torch.randn(6, 2)
    scale, level = torch.tensor([3.0, 0.5]), torch.tensor([-1.0, 4.0])
    grown = loss(head.rescale(forecast, scale, level), scale * y + level)
    torch.testing.assert_close(grown, loss(forecast, y) * (scale if head.gives_quantiles else scale**2))
