"""What a network knows of each series beside its rows."""

import torch
from torch import Tensor, nn


class SeriesEmbedding(nn.Module):
    """A learned vector for each series; an unknown series takes the mean of them.

    Parameters
    ----------
    n_series : int
        How many series were trained on.
    size : int
        Length of a vector.
    """

    def __init__(self, n_series: int, size: int):
        super().__init__()
        self.table = nn.Embedding(n_series, size)

    def forward(self, series: Tensor) -> Tensor:
        """Look vectors up.

        Parameters
        ----------
        series : Tensor of int64 of shape (B,)
            Numbers of series; -1 is an unknown one.

        Returns
        -------
        vectors : Tensor of shape (B, size)
        """
        own = self.table(series.clamp(min=0))  # (B, E)
        return torch.where((series >= 0)[:, None], own, self.table.weight.mean(dim=0))
