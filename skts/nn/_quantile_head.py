"""Quantiles that cannot cross."""

import torch
from torch import Tensor, nn


class QuantileHead(nn.Module):
    """Answer increasing quantiles: the middle one, and positive steps away from it.

    Parameters
    ----------
    n_inputs : int
        Width of what the head reads.
    n_outputs : int
        How many numbers have quantiles.
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
        """Answer quantiles.

        Parameters
        ----------
        inputs : Tensor of shape (..., n_inputs)

        Returns
        -------
        quantiles : Tensor of shape (..., n_outputs, Q)
        """
        raw = self.linear(inputs).unflatten(-1, (self.n_outputs, -1))  # (..., N, Q)
        middle = raw[..., self.middle : self.middle + 1]  # (..., N, 1)
        down = nn.functional.softplus(raw[..., : self.middle])  # (..., N, Q below)
        up = nn.functional.softplus(raw[..., self.middle + 1 :])  # (..., N, Q above)
        below = middle - down.flip(-1).cumsum(-1).flip(-1)
        return torch.cat([below, middle, middle + up.cumsum(-1)], dim=-1)
