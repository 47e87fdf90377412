"""The loss whose minimum is a quantile."""

import torch
from torch import Tensor, nn


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
