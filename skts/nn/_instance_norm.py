"""Windows on their own scale, and forecasts back on that of the target."""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from skts.nn._forecaster import Forecaster, State
from skts.nn.heads import Head

Norm = Literal["last", "mean", "median", "series"]
_FLATTEST = 1e-5  # variance below which a window counts as flat, in squared units of the standardised target
_SMALLEST = 1e-4  # deviation of a series, in units of the standardised target
_QUIET = 0.1  # what is added to a mean deviation, in units of the standardised target


class InstanceNorm(Forecaster):
    """Take the level (and scale) of each window, or series, off the target's past, and give it back to the forecast.

    Parameters
    ----------
    make_network : callable
        Makes the network inside, any :class:`Forecaster`.
    head : Head
        Of that network.
    kind : {"last", "mean", "median", "series"}
        "last" takes off the last value; "mean" takes off the mean and divides by the standard deviation; "median" takes
        off the median and divides by the mean deviation from it. "series" does as "mean", with those of `by_series`
        instead of those of the window.
    columns : sequence of int of length n_targets
        The column of `past` that holds the past of each target.
    slope, offset : sequence of float of length n_targets
        Standardised target = slope * column + offset, whatever unit the column has: the network reads the target's past
        in units of the standardised target.
    by_series : (mean, deviation), default=None
        Of the standardised target in each series, both of shape (n_series, n_targets), for "series". A series that is
        not known (-1) has 0 and 1.

    Notes
    -----
    After Kim et al. (2022), "Reversible instance normalization", https://openreview.net/forum?id=cGDAkQo1C0p, without
    its learned scale, and Zeng et al. (2023), https://arxiv.org/abs/2205.13504, for the last value.
    """

    columns: Tensor
    slope: Tensor
    offset: Tensor
    levels: Tensor
    scales: Tensor

    def __init__(
        self,
        make_network: Callable[[], nn.Module],
        head: Head,
        kind: Norm,
        columns: Sequence[int],
        slope: Sequence[float],
        offset: Sequence[float],
        by_series: tuple[ArrayLike, ArrayLike] | None = None,
    ):
        super().__init__()
        self.network = make_network()
        self.head = head
        self.kind = kind
        self.whole_window = f"instance_norm={kind!r}"
        self.lookahead = getattr(self.network, "lookahead", 0)
        self.reads_series = kind == "series" or getattr(self.network, "reads_series", False)
        self.reads_static = getattr(self.network, "reads_static", False)
        self.register_buffer("columns", torch.as_tensor(columns, dtype=torch.int64))
        self.register_buffer("slope", torch.as_tensor(slope, dtype=torch.float32))
        self.register_buffer("offset", torch.as_tensor(offset, dtype=torch.float32))
        if kind == "series":
            assert by_series is not None
            level, scale = (torch.as_tensor(np.asarray(each), dtype=torch.float32) for each in by_series)  # (S, T)
            self.register_buffer("levels", torch.cat([level, torch.zeros_like(level[:1])]))  # the last: unknown ones
            self.register_buffer("scales", torch.cat([scale.clamp(min=_SMALLEST), torch.ones_like(scale[:1])]))

    def forward(
        self,
        past: Tensor,
        known: Tensor | None = None,
        series: Tensor | None = None,
        state: State | None = None,
        static: Tensor | None = None,
    ) -> tuple[Tensor, None]:
        """Forecast the horizon after each window; see :class:`Forecaster`."""
        past, middle, scale = self._take_off(past, series)
        about = {} if static is None else {"static": static}
        forecast, _ = self.network(past, known, series, **about)  # (B, H, T, ...)
        return self.head.rescale(forecast, scale, middle * self.slope + self.offset), None

    def normalise(self, past: Tensor, series: Tensor | None = None) -> Tensor:
        """Make of the past (B, W, F) of series (B,) what the network inside reads."""
        return self._take_off(past, series)[0]

    def _take_off(self, past: Tensor, series: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Give the past without the level and scale of each window, or series, and these (B, 1, T)."""
        own = past[:, :, self.columns]  # (B, W, T)
        middle, scale = self._moments(own) if self.kind != "series" else self._of_series(series)
        return past.index_copy(2, self.columns, (own - middle) * self.slope / scale), middle, scale

    def _of_series(self, series: Tensor | None) -> tuple[Tensor, Tensor]:
        """Give the middle of each series (B, 1, T) in units of its column, and its scale in those of the target."""
        assert series is not None
        number = torch.where(series < 0, len(self.levels) - 1, series)
        return (self.levels[number][:, None] - self.offset) / self.slope, self.scales[number][:, None]

    def _moments(self, own: Tensor) -> tuple[Tensor, Tensor]:
        """Give the middle of each window (B, W, T) in units of its column, and its scale in those of the target."""
        if self.kind == "last":
            return own[:, -1:], torch.ones_like(own[:, -1:])
        if self.kind == "mean":
            variance, middle = torch.var_mean(own, dim=1, keepdim=True, correction=0)
            return middle, (variance * self.slope**2 + _FLATTEST).sqrt()
        sign = self.slope.sign()  # of an even number of values torch takes the lower middle one
        middle = (own * sign).median(dim=1, keepdim=True).values * sign
        return middle, (own - middle).abs().mean(dim=1, keepdim=True) * self.slope.abs() + _QUIET
