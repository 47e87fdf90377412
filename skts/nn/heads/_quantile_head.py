"""Quantiles that cannot cross."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skts.nn.heads._head import Head
from skts.nn.heads._levels import interpolate_levels, sort_levels


class QuantileHead(Head):
    """Forecast increasing quantiles, trained by the pinball loss.

    Parameters
    ----------
    levels : iterable of float
        Within 0 and 1; the median is always among them, and is what `predict` answers.

    Raises
    ------
    ValueError
        No level, or one that is not within 0 and 1.
    """

    gives_quantiles = True
    with_bounds = "clipped"

    def __init__(self, levels: Iterable[float]):
        self.levels = sort_levels(levels)

    def make_layer(self, n_inputs: int, n_outputs: int) -> nn.Module:
        """Make a layer of increasing quantiles."""
        return IncreasingQuantiles(n_inputs, n_outputs, self.levels)

    def make_criterion(self) -> tuple[type[nn.Module], dict[str, Any]]:
        """Give the pinball loss of the levels."""
        return PinballLoss, {"levels": self.levels}

    def rescale(self, forecast: Any, scale: Any, level: Any) -> Any:
        """Scale and shift every quantile."""
        return forecast * scale[..., None] + level[..., None]

    def point(self, forecast: Any) -> Any:
        """Give the median."""
        return forecast[..., self.levels.index(0.5)]

    def quantiles(self, forecast: NDArray[np.float64], levels: Sequence[float]) -> NDArray[np.float64]:
        """Interpolate between the levels that were trained."""
        return interpolate_levels(forecast, self.levels, levels)


class IncreasingQuantiles(nn.Module):
    """A linear layer whose outputs increase: the middle one, and positive steps away from it.

    Parameters
    ----------
    n_inputs, n_outputs : int
    levels : tuple of float
        Increasing, within 0 and 1; Q of them.

    Notes
    -----
    Steps are softplus of a linear map, so the quantiles never cross. They start as those of a normal distribution of
    deviation 1, which is the scale of a standardised target.
    """

    def __init__(self, n_inputs: int, n_outputs: int, levels: tuple[float, ...]):
        super().__init__()
        self.n_outputs = n_outputs
        self.middle = len(levels) // 2
        self.linear = nn.Linear(n_inputs, n_outputs * len(levels))
        steps = torch.special.ndtri(torch.tensor(levels, dtype=torch.float64)).diff()
        start = torch.cat([steps[: self.middle], torch.zeros(1), steps[self.middle :]]).clamp(min=1e-3)
        with torch.no_grad():
            bias = self.linear.bias.unflatten(0, (n_outputs, len(levels)))
            bias += torch.where(torch.arange(len(levels)) == self.middle, 0.0, start.expm1().log())

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (..., n_inputs) to quantiles (..., n_outputs, Q)."""
        raw = self.linear(inputs).unflatten(-1, (self.n_outputs, -1))  # (..., N, Q)
        middle = raw[..., self.middle : self.middle + 1]  # (..., N, 1)
        down = nn.functional.softplus(raw[..., : self.middle])  # (..., N, Q below)
        up = nn.functional.softplus(raw[..., self.middle + 1 :])  # (..., N, Q above)
        below = middle - down.flip(-1).cumsum(-1).flip(-1)
        return torch.cat([below, middle, middle + up.cumsum(-1)], dim=-1)


class PinballLoss(nn.Module):
    """Average the pinball loss over a set of quantile levels.

    Parameters
    ----------
    levels : tuple of float
        Q levels within 0 and 1.
    reduction : {"none", "mean"}, default="mean"
        "none" gives a loss for each target.

    Notes
    -----
    After Koenker and Bassett (1978), https://doi.org/10.2307/1913643.
    """

    levels: Tensor

    def __init__(self, levels: tuple[float, ...], reduction: str = "mean"):
        super().__init__()
        self.reduction = reduction
        self.register_buffer("levels", torch.tensor(levels, dtype=torch.float32))

    def forward(self, quantiles: Tensor, targets: Tensor) -> Tensor:
        """Compute the loss.

        Parameters
        ----------
        quantiles : Tensor of shape (..., Q)
        targets : Tensor of shape (...)

        Returns
        -------
        loss : Tensor of shape (...) or ()
        """
        short = targets[..., None] - quantiles  # (..., Q), positive where the forecast is too low
        losses = torch.maximum(self.levels * short, (self.levels - 1) * short).mean(dim=-1)
        return losses.mean() if self.reduction == "mean" else losses
