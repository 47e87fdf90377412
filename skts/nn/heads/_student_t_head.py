"""Student's t distribution."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit, stdtrit
from torch import Tensor, nn

from skts.nn.heads._distribution_head import DistributionHead, DistributionLoss, Loss, check_levels

_FEWEST, _MOST = 2.0, 60.0  # degrees of freedom: with fewer there is no variance, with more it is a normal distribution
_START = 6.0
_N_NODES = 32


class StudentTHead(DistributionHead):
    """Forecast Student's t distribution: tails that are as heavy as the data say.

    A forecast is the location, the scale, and a number that decides the degrees of freedom, between 2 and 60. The mean
    and the median are the location.

    Parameters
    ----------
    loss : {"crps", "likelihood"}, default="crps"
    """

    shapes: ClassVar[tuple[float, ...]] = (math.log((_START - _FEWEST) / (_MOST - _START)),)

    def make_criterion(self) -> tuple[type[nn.Module], dict[str, Any]]:
        """Give the loss of Student's t distribution."""
        return StudentTLoss, {"loss": self.loss}

    def quantiles(self, forecast: NDArray[np.float64], levels: Sequence[float]) -> NDArray[np.float64]:
        """Give quantiles exactly."""
        freedom = _FEWEST + (_MOST - _FEWEST) * expit(forecast[..., 2:])
        return forecast[..., :1] + forecast[..., 1:2] * stdtrit(freedom, check_levels(levels))


class StudentTLoss(DistributionLoss):
    """The CRPS or the negative log-likelihood of Student's t distribution."""

    nodes: Tensor
    weights: Tensor

    def __init__(self, loss: Loss, reduction: str = "mean"):
        super().__init__(loss, reduction)
        nodes, weights = np.polynomial.legendre.leggauss(_N_NODES)
        self.register_buffer("nodes", torch.tensor((nodes + 1) / 2, dtype=torch.float32), persistent=False)
        self.register_buffer("weights", torch.tensor(weights, dtype=torch.float32), persistent=False)

    def forward(self, forecast: Tensor, targets: Tensor) -> Tensor:
        """Compute the loss (...) of forecasts (..., 3) and targets (...)."""
        location, scale = forecast[..., 0], forecast[..., 1]
        freedom = _FEWEST + (_MOST - _FEWEST) * torch.sigmoid(forecast[..., 2])
        z = (targets - location) / scale
        if self.loss == "crps":
            return self._reduce(scale * self._crps(z, freedom))
        return self._reduce(scale.log() - log_t_density(z, freedom))

    def _crps(self, z: Tensor, freedom: Tensor) -> Tensor:
        """Give the CRPS of the standard t distribution for a truth."""
        density = torch.exp(log_t_density(z, freedom))
        level = 2 * torch.exp(_log_beta(freedom - 0.5) - 2 * _log_beta(freedom / 2)) * freedom.sqrt()
        share = share_within(z, freedom, self.nodes, self.weights)
        return z * share + (2 * density * (freedom + z**2) - level) / (freedom - 1)


def log_t_density(z: Tensor, freedom: Tensor) -> Tensor:
    """Give the logarithm of the density of the standard t distribution."""
    return -0.5 * (freedom + 1) * torch.log1p(z**2 / freedom) - 0.5 * freedom.log() - _log_beta(freedom / 2)


def share_within(z: Tensor, freedom: Tensor, nodes: Tensor, weights: Tensor) -> Tensor:
    """Give the probability between -z and z of the standard t distribution, negative where z is.

    torch has no such function that can be differentiated by the degrees of freedom. With the substitution t = sqrt(v)
    tan(a) it is an integral of a power of the cosine, which 32 nodes of Gauss and Legendre, here between 0 and 1, give
    to float32.
    """
    end = torch.atan(z / freedom.sqrt())
    angles = end[..., None] * nodes
    powers = torch.exp((freedom - 1)[..., None] * torch.log(torch.cos(angles)))
    return end * (powers * weights).sum(dim=-1) * torch.exp(-_log_beta(freedom / 2))


def _log_beta(value: Tensor) -> Tensor:
    """Give the logarithm of the beta function of 1/2 and a value."""
    return 0.5 * math.log(math.pi) + torch.lgamma(value) - torch.lgamma(value + 0.5)
