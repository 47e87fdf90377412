"""Consecutive rows joined into one recurrent step."""

import torch
from torch import Tensor, nn


class Patches(nn.Module):
    """Join every `length` rows into one step of `size` numbers.

    Parameters
    ----------
    n_features : int
    length : int
        Rows of a patch. Where they do not divide the window, its first row is repeated in front.
    size : int
        Numbers of a step.

    Notes
    -----
    168 hours become 7 days. After Lin et al. (2023), "SegRNN", https://arxiv.org/abs/2308.11200, whose ReLU is left
    out: it made forecasts worse.
    """

    def __init__(self, n_features: int, length: int, size: int):
        super().__init__()
        self.length = length
        self.linear = nn.Linear(n_features * length, size)

    def forward(self, rows: Tensor) -> Tensor:
        """Turn rows (B, W, F) into steps (B, ceil(W / length), size)."""
        short = -rows.shape[1] % self.length
        if short:
            rows = torch.cat([rows[:, :1].expand(-1, short, -1), rows], dim=1)
        joined = rows.unflatten(1, (-1, self.length)).flatten(2)  # (B, S, length * F)
        return self.linear(joined)
