import pytest
import torch

from skts.training._clip_gradient import clip_gradient


def make_parameters(scale):
    torch.manual_seed(0)
    parameters = [torch.nn.Parameter(torch.zeros(shape)) for shape in ((4, 3), (4,), (1, 2))]
    for parameter in parameters[:2]:  # the last one has no gradient
        parameter.grad = scale * torch.randn_like(parameter)
    return parameters


@pytest.mark.parametrize("scale", [1e-3, 1.0, 100.0, torch.inf])
def test_it_clips_as_torch_does(scale):
    ours, usual = make_parameters(scale), make_parameters(scale)
    clip_gradient(ours, 1.0)
    torch.nn.utils.clip_grad_norm_(usual, 1.0)
    for own, other in zip(ours[:2], usual[:2], strict=True):
        torch.testing.assert_close(own.grad, other.grad, rtol=1e-6, atol=0, equal_nan=True)
    assert ours[2].grad is None


def test_without_gradients_nothing_happens():
    parameter = torch.nn.Parameter(torch.ones(2))
    clip_gradient([parameter], 1.0)
    assert parameter.grad is None
    assert parameter.tolist() == [1.0, 1.0]
