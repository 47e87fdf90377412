"""A beta distribution between two bounds, and a probability on each of them."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import betaincinv
from torch import Tensor, nn

from skts.nn.heads._bounds import clip
from skts.nn.heads._distribution_head import DistributionHead, DistributionLoss, check_levels, in_torch

_ON_BOUND = 1e-3  # share of the width within which a truth counts as on the bound: densities are infinite there


class InflatedBetaHead(DistributionHead):
    """Forecast a beta distribution between two bounds, and a probability on each of them.

    Trained by likelihood. A truth within a thousandth of the width from a bound counts as on it.

    Notes
    -----
    The zero-and-one-inflated beta distribution of Ospina and Ferrari (2010),
    https://doi.org/10.1007/s00362-008-0125-4, on any bounds. A forecast is a location m, a scale s and two numbers a
    and b, so that it can be moved and scaled as others are: with bounds l and u, w = u - l, the beta distribution has
    the mean l + w / (1 + exp(-4 (m - (l + u) / 2) / w)), which is close to m in the middle, and the precision
    w**2 / (4 s**2), so that its deviation is close to s there. The probabilities on the lower bound, between the bounds
    and on the upper one are as exp((l - m) / s + a), 1 and exp((m - u) / s + b).
    """

    with_bounds = "needed"
    needs_both = True
    shapes: ClassVar[tuple[float, ...]] = (-1.0, -1.0)

    def __init__(self) -> None:
        super().__init__("likelihood")

    def __repr__(self) -> str:
        return "InflatedBetaHead()"

    def make_criterion(self) -> tuple[type[nn.Module], dict[str, Any]]:
        """Give the likelihood."""
        return InflatedBetaLoss, {"loss": self.loss}

    def point(self, forecast: Any) -> Any:
        """Refuse: there is no forecast without bounds."""
        raise TypeError("InflatedBetaHead forecasts within bounds, and none are given.")

    def quantiles(self, forecast: NDArray[np.float64], levels: Sequence[float]) -> NDArray[np.float64]:
        """Refuse: there is no forecast without bounds."""
        raise TypeError("InflatedBetaHead forecasts within bounds, and none are given.")

    def point_within(self, forecast: Any, lower: Any, upper: Any) -> Any:
        """Give the mean, of the beta distribution and of both bounds."""
        (own, was_array), (low, _), (high, _) = in_torch(forecast), in_torch(lower), in_torch(upper)
        mean, _, logs = describe(own, low, high)
        shares = logs.exp()
        inside = shares[..., 1] * (low + (high - low) * mean)
        point = clip(shares[..., 0] * low + inside + shares[..., 2] * high, low, high)
        return point.numpy() if was_array else point

    def quantiles_within(
        self, forecast: NDArray[np.float64], levels: Sequence[float], lower: Any, upper: Any
    ) -> NDArray[np.float64]:
        """Give quantiles exactly: a bound itself where its probability reaches the level."""
        (own, _), (low, _), (high, _) = in_torch(forecast), in_torch(lower), in_torch(upper)
        mean, precision, logs = (part.numpy()[..., None] for part in describe(own, low, high))
        shares, least, most = np.exp(logs[..., 0]), np.asarray(lower)[..., None], np.asarray(upper)[..., None]
        asked = (check_levels(levels) - shares[..., :1]) / shares[..., 1:2]  # the level within the beta distribution
        inside = betaincinv(mean * precision, (1 - mean) * precision, np.clip(asked, 0, 1))
        return clip(least + (most - least) * inside, least, most)


class InflatedBetaLoss(DistributionLoss):
    """The negative log-likelihood of a beta distribution inflated on both bounds."""

    def forward(self, forecast: Tensor, targets: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
        """Compute the loss (...) of forecasts (..., 4), and of targets within bounds (...)."""
        mean, precision, logs = describe(forecast, lower, upper)
        width = upper - lower
        share = (targets - lower) / width
        on_low, on_high = share <= _ON_BOUND, share >= 1 - _ON_BOUND
        within = share.clamp(_ON_BOUND, 1 - _ON_BOUND)
        a, b = mean * precision, (1 - mean) * precision
        density = (a - 1) * within.log() + (b - 1) * torch.log1p(-within)
        density = density + torch.lgamma(precision) - torch.lgamma(a) - torch.lgamma(b) - width.log()
        inside = logs[..., 1] + density
        return self._reduce(-torch.where(on_low, logs[..., 0], torch.where(on_high, logs[..., 2], inside)))


def describe(forecast: Tensor, lower: Tensor, upper: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Give mean (...) and precision (...) of the beta distribution between 0 and 1, and log-probabilities (..., 3).

    The probabilities are those of the lower bound, of what lies between, and of the upper bound.
    """
    location, scale, width = forecast[..., 0], forecast[..., 1], upper - lower
    mean = torch.sigmoid(4 * (location - (lower + upper) / 2) / width).clamp(1e-4, 1 - 1e-4)
    precision = (width / (2 * scale)).square().clamp(1e-2, 1e6)
    below, above = (lower - location) / scale + forecast[..., 2], (location - upper) / scale + forecast[..., 3]
    logs = torch.log_softmax(torch.stack([below, torch.zeros_like(below), above], dim=-1), dim=-1)
    return mean, precision, logs
