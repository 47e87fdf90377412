"""Layers that networks are put together from."""

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
        return self.linear(self.join(rows))

    def join(self, rows: Tensor) -> Tensor:
        """Put the rows (B, W, F) of each patch side by side: (B, S, length * F)."""
        short = -rows.shape[1] % self.length
        if short:
            rows = torch.cat([rows[:, :1].expand(-1, short, -1), rows], dim=1)
        return rows.unflatten(1, (-1, self.length)).flatten(2)


class RowsAround(nn.Module):
    """Map each row, with `around` rows on both sides of it, to `size` numbers.

    Parameters
    ----------
    n_features : int
    around : int
        At both ends the last row is repeated.
    size : int
        Numbers made of a row.
    """

    def __init__(self, n_features: int, around: int, size: int):
        super().__init__()
        self.around = around
        self.linear = nn.Linear(n_features * (2 * around + 1), size, bias=False)

    def forward(self, rows: Tensor) -> Tensor:
        """Map rows (B, L, F) to (B, L, size)."""
        return self.linear(self.join(rows))

    def join(self, rows: Tensor) -> Tensor:
        """Put each row and those around it side by side: (B, L, (2 * around + 1) * F), by row and then by column."""
        if not self.around:
            return rows
        padding = (self.around, self.around)
        padded = nn.functional.pad(rows.transpose(1, 2), padding, mode="replicate")  # (B, F, L + 2 * around)
        return padded.unfold(2, 2 * self.around + 1, 1).permute(0, 2, 3, 1).flatten(2)


class ColumnDropout(nn.Module):
    """Drop whole columns of sequences, in training only, so that a network rests on no column alone.

    Parameters
    ----------
    p : float
        Share of columns dropped.
    """

    def __init__(self, p: float):
        super().__init__()
        self.dropout = nn.Dropout1d(p)

    def forward(self, rows: Tensor) -> Tensor:
        """Drop columns of rows (B, L, F)."""
        if not self.training or not self.dropout.p:
            return rows
        return self.dropout(rows.transpose(1, 2)).transpose(1, 2)


class LinearSkip(nn.Module):
    """A linear map of the whole window to the horizon, which starts at zero.

    Parameters
    ----------
    window, n_features, horizon, n_targets : int
    """

    def __init__(self, window: int, n_features: int, horizon: int, n_targets: int):
        super().__init__()
        self.shape = (horizon, n_targets)
        self.linear = nn.Linear(window * n_features, horizon * n_targets)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, past: Tensor) -> Tensor:
        """Map windows (B, W, F) to the horizon (B, H, T)."""
        return self.linear(past.flatten(1)).unflatten(1, self.shape)


class SeriesEmbedding(nn.Module):
    """A vector for each series: learned for it alone, made of what describes it, or the sum of both.

    Parameters
    ----------
    n_series : int
        How many series were trained on.
    size : int
        E, numbers learned for each series; 0 learns none.
    n_static : int, default=0
        D, numbers that describe a series.

    Notes
    -----
    An unknown series takes the mean of what was learned for the others. Where series are described, a linear map of the
    description is added, and what is learned for a series alone starts at 0: it is what the description leaves open.
    Without a vector to learn the description is the vector.

    Dropping what is learned for a series alone at random in training, as DropoutNet does (Volkovs, Yu and Poutanen
    2017, https://papers.nips.cc/paper/7081-dropoutnet-addressing-cold-start-in-recommender-systems), did not pay on the
    stations of `examples/cold_start.py`.
    """

    def __init__(self, n_series: int, size: int, n_static: int = 0):
        super().__init__()
        self.width = size or n_static
        self.table = nn.Embedding(n_series, size) if size else None
        self.describe = nn.Linear(n_static, size) if size and n_static else None
        if self.table is not None and self.describe is not None:
            nn.init.zeros_(self.table.weight)

    def forward(self, series: Tensor | None, static: Tensor | None = None) -> Tensor:
        """Give the vectors (B, width) of series (B,), -1 an unknown one, that are described by `static` (B, D)."""
        if self.table is None:
            assert static is not None
            return static
        assert series is not None
        own = self.table(series.clamp(min=0))  # (B, E)
        own = torch.where((series >= 0)[:, None], own, self.table.weight.mean(dim=0))
        return own if self.describe is None else own + self.describe(static)
