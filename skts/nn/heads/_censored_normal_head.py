"""A normal distribution whose share beyond a bound lies on it."""

from typing import Any

import torch
from torch import Tensor, nn

from skts.nn.heads._bounds import clip
from skts.nn.heads._distribution_head import DistributionLoss, in_torch
from skts.nn.heads._normal_head import LOG_SQRT_2_PI, SQRT_2, SQRT_PI, NormalHead, standard_crps, standard_density

_FARTHEST = 1e6  # bound, in units of the standardised target: as good as none, and without infinite gradients
_SHARE = 0.01  # of the likelihood in the CRPS


class CensoredNormalHead(NormalHead):
    """Forecast a normal distribution whose share beyond a bound lies on that bound.

    A forecast is the mean and the deviation of the distribution before it is censored. Needs bounds, of which one may
    be infinite.

    Parameters
    ----------
    loss : {"crps", "likelihood"}, default="crps"
        With "crps", one hundredth of the likelihood is added: where nearly all of the distribution lies beyond a bound
        the CRPS hardly depends on it, and a truth within the bounds could not call it back. The sum is proper too.

    Notes
    -----
    The likelihood is that of Tobin (1958), https://doi.org/10.2307/1907382.
    """

    with_bounds = "needed"

    def make_criterion(self) -> tuple[type[nn.Module], dict[str, Any]]:
        """Give the loss of a censored normal distribution."""
        return CensoredNormalLoss, {"loss": self.loss}

    def point_within(self, forecast: Any, lower: Any, upper: Any) -> Any:
        """Give the mean of what is censored."""
        (latent, was_array), (low, _), (high, _) = in_torch(forecast), in_torch(lower), in_torch(upper)
        mean = clip(censored_mean(latent[..., 0], latent[..., 1], low, high), low, high)
        return mean.numpy() if was_array else mean


class CensoredNormalLoss(DistributionLoss):
    """The CRPS or the negative log-likelihood of a censored normal distribution."""

    def forward(self, forecast: Tensor, targets: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
        """Compute the loss (...) of forecasts (..., 2), and of targets within bounds (...)."""
        location, scale = forecast[..., 0], forecast[..., 1]
        likelihood = censored_likelihood(location, scale, targets, lower, upper)
        if self.loss == "likelihood":
            return self._reduce(likelihood)
        return self._reduce(censored_crps(location, scale, targets, lower, upper) + _SHARE * likelihood)


def censored_crps(location: Tensor, scale: Tensor, targets: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    """Give the CRPS of a censored normal distribution for truths within its bounds.

    With the distribution function F of the standard normal distribution it is the integral of F squared from the lower
    bound to the truth, and of (1 - F) squared from there to the upper one.
    """
    low, high = _standard(location, scale, lower), _standard(location, scale, upper)
    z = (targets - location) / scale
    return scale * (standard_crps(z) - _below(low) - _below(-high))


def censored_likelihood(location: Tensor, scale: Tensor, targets: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    """Give the negative logarithm of the density within the bounds, and of the probability on them."""
    on_low, on_high = targets <= lower, targets >= upper
    low = torch.where(on_low, _standard(location, scale, lower), 0.0)  # unused ones have no gradient to spoil others
    high = torch.where(on_high, _standard(location, scale, upper), 0.0)
    z = (targets - location) / scale
    inside = 0.5 * z**2 + scale.log() + LOG_SQRT_2_PI
    outside = torch.where(on_low, -torch.special.log_ndtr(low), -torch.special.log_ndtr(-high))
    return torch.where(on_low | on_high, outside, inside)


def censored_mean(location: Tensor, scale: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    """Give the mean of a censored normal distribution."""
    low, high = _standard(location, scale, lower), _standard(location, scale, upper)
    beyond, over = torch.special.ndtr(low), torch.special.ndtr(-high)
    inside = location * (1 - beyond - over) + scale * (standard_density(low) - standard_density(high))
    return inside + lower.clamp(min=-_FARTHEST) * beyond + upper.clamp(max=_FARTHEST) * over


def _standard(location: Tensor, scale: Tensor, bound: Tensor) -> Tensor:
    return (bound.clamp(-_FARTHEST, _FARTHEST) - location) / scale


def _below(z: Tensor) -> Tensor:
    """Integrate the square of the standard normal distribution function up to z."""
    share = torch.special.ndtr(z)
    return z * share**2 + 2 * standard_density(z) * share - torch.special.ndtr(SQRT_2 * z) / SQRT_PI
