"""Windows on their own scale, and forecasts back on that of the target."""

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

_FLATTEST = 1e-5  # variance below which a window counts as flat, in squared units of the target
_QUIET = 0.1  # what is added to a mean deviation, in units of the target


class InstanceNorm(nn.Module):
    """Take the level (and scale) of each window off the target's past, and give it back to the forecast.

    Parameters
    ----------
    make_network : callable
        Makes the network inside, whose `forward` takes `past` and what else there is.
    kind : {"last", "mean", "median"}
        "last" takes off the last value; "mean" takes off the mean and divides by the standard deviation; "median" takes
        off the median and divides by the mean deviation from it.
    columns : sequence of int of length n_targets
        The column of `past` that holds the past of each target.
    slope, offset : sequence of float of length n_targets
        target = slope * column + offset, with a target of deviation 1 or so: the flattest windows are measured by it.

    Notes
    -----
    After Kim et al. (2022), "Reversible instance normalization", https://openreview.net/forum?id=cGDAkQo1C0p, without
    its learned scale, and Zeng et al. (2023), https://arxiv.org/abs/2205.13504, for the last value. Where one pass has
    several origins, the rows before the first of them decide.
    """

    columns: Tensor
    slope: Tensor
    offset: Tensor

    def __init__(
        self,
        make_network: Callable[[], nn.Module],
        kind: Literal["last", "mean", "median"],
        columns: Sequence[int],
        slope: Sequence[float],
        offset: Sequence[float],
    ):
        super().__init__()
        self.network = make_network()
        self.kind = kind
        self.register_buffer("columns", torch.as_tensor(columns, dtype=torch.int64))
        self.register_buffer("slope", torch.as_tensor(slope, dtype=torch.float32))
        self.register_buffer("offset", torch.as_tensor(offset, dtype=torch.float32))

    def forward(self, past: Tensor, **others: Tensor) -> Tensor:
        """Forecast.

        Parameters
        ----------
        past : Tensor of shape (B, W + O - 1, F)
        **others
            What else the network takes; without `origins` (B, O) there is one.

        Returns
        -------
        forecast : Tensor of shape (B * O, H, T), or (B * O, H, T, Q)
        """
        n_origins = others["origins"].shape[1] if "origins" in others else 1
        own = past[:, :, self.columns]  # (B, W + O - 1, T)
        first = own[:, : own.shape[1] - n_origins + 1]  # (B, W, T)
        level, scale = self._moments(first)  # (B, 1, T)
        past = past.index_copy(2, self.columns, (own - level) / scale)
        forecast = self.network(past, **others)  # (B * O, H, T, Q)
        level, scale = (self._like(moment, forecast, n_origins) for moment in (level, scale))
        slope, offset = (values.view(1, 1, -1, *[1] * (forecast.ndim - 3)) for values in (self.slope, self.offset))
        return forecast * scale * slope.abs() + level * slope + offset

    def _moments(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Give level and scale of each window (B, W, T): both (B, 1, T)."""
        if self.kind == "last":
            return rows[:, -1:], torch.ones_like(rows[:, -1:])
        if self.kind == "mean":
            variance, level = torch.var_mean(rows, dim=1, keepdim=True, correction=0)
            return level, (variance + _FLATTEST / self.slope**2).sqrt()
        level = rows.median(dim=1, keepdim=True).values
        return level, (rows - level).abs().mean(dim=1, keepdim=True) + _QUIET / self.slope.abs()

    @staticmethod
    def _like(moment: Tensor, forecast: Tensor, n_origins: int) -> Tensor:
        """Repeat (B, 1, T) for each origin, with a dimension for quantiles where there are any."""
        moment = moment.repeat_interleave(n_origins, dim=0)
        return moment if forecast.ndim == 3 else moment[..., None]
