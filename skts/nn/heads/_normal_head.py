"""A normal distribution."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtri
from torch import Tensor, nn

from skts.nn.heads._distribution_head import DistributionHead, DistributionLoss, check_levels

SQRT_2, SQRT_PI = math.sqrt(2), math.sqrt(math.pi)
LOG_SQRT_2_PI = 0.5 * math.log(2 * math.pi)


class NormalHead(DistributionHead):
    """Forecast a normal distribution: its mean, and its standard deviation.

    Parameters
    ----------
    loss : {"crps", "likelihood"}, default="crps"
    """

    def make_criterion(self) -> tuple[type[nn.Module], dict[str, Any]]:
        """Give the loss of a normal distribution."""
        return NormalLoss, {"loss": self.loss}

    def quantiles(self, forecast: NDArray[np.float64], levels: Sequence[float]) -> NDArray[np.float64]:
        """Give quantiles exactly."""
        return forecast[..., :1] + forecast[..., 1:2] * ndtri(check_levels(levels))


class NormalLoss(DistributionLoss):
    """The CRPS or the negative log-likelihood of a normal distribution."""

    def forward(self, forecast: Tensor, targets: Tensor) -> Tensor:
        """Compute the loss (...) of forecasts (..., 2) and targets (...)."""
        location, scale = forecast[..., 0], forecast[..., 1]
        z = (targets - location) / scale
        if self.loss == "crps":
            return self._reduce(scale * standard_crps(z))
        return self._reduce(0.5 * z**2 + scale.log() + LOG_SQRT_2_PI)


def standard_crps(z: Tensor) -> Tensor:
    """Give the CRPS of the standard normal distribution for a truth."""
    return z * torch.erf(z / SQRT_2) + 2 * standard_density(z) - 1 / SQRT_PI


def standard_density(z: Tensor) -> Tensor:
    """Give the density of the standard normal distribution."""
    return torch.exp(-0.5 * z**2) / (SQRT_2 * SQRT_PI)
