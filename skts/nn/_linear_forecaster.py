"""One linear map from the window to the horizon."""

import torch
from torch import Tensor, nn

from skts.nn._forecaster import Forecaster, State
from skts.nn.heads import Head, PointHead


class LinearForecaster(Forecaster):
    """A linear map of the window to the whole horizon, plus a linear share of each row's known and static columns.

    Shapes: B windows, W rows of window, H rows of horizon, F features, K known features, D static columns, T targets;
    `...` are the dimensions that the head adds.

    Parameters
    ----------
    n_features, n_known, n_targets : int
        F, K and T.
    horizon, window : int
        H and W. None, for whole series, is refused.
    head : Head, default=None
        Makes the map; a point by default.
    n_static : int, default=0
        D: each adds the same to every row of the horizon.
    kernel_size : int, default=None
        Rows of the moving average that splits each column in trend and remainder, each with weights of its own.
        None splits nothing.

    Notes
    -----
    With `kernel_size` the DLinear of Zeng et al. (2023), https://arxiv.org/abs/2205.13504, in which the moving average
    repeats the first and the last row at the ends. Inside of :class:`InstanceNorm` ("last") its NLinear.
    """

    def __init__(
        self,
        n_features: int,
        n_known: int,
        n_targets: int,
        horizon: int,
        window: int | None,
        head: Head | None = None,
        n_static: int = 0,
        *,
        kernel_size: int | None = None,
    ):
        super().__init__()
        if window is None:
            raise ValueError(
                "A linear map needs windows, and was given whole series: give SlidingWindower(window=...) a number of "
                "rows."
            )
        self.shape = (horizon, n_targets)
        self.kernel_size = kernel_size
        self.reads_static = n_static > 0
        self.head = PointHead() if head is None else head
        self.past = self.head.make_layer(window * n_features * (2 if kernel_size else 1), horizon * n_targets)
        self.known = nn.Linear(n_known, n_targets, bias=False) if n_known else None
        self.static = nn.Linear(n_static, n_targets, bias=False) if n_static else None

    def forward(
        self,
        past: Tensor,
        known: Tensor | None = None,
        series: Tensor | None = None,
        state: State | None = None,
        static: Tensor | None = None,
    ) -> tuple[Tensor, None]:
        """Forecast the horizon after each window; see :class:`Forecaster`."""
        if self.kernel_size is not None:
            trend = moving_average(past, self.kernel_size)
            past = torch.cat([trend, past - trend], dim=2)  # (B, W, 2 * F)
        forecast = self.past(past.flatten(1)).unflatten(1, self.shape)  # (B, H, T, ...)
        share = None if self.known is None else self.known(known)  # (B, H, T)
        if self.static is not None:
            own = self.static(static)[:, None].expand(-1, *self.shape)  # (B, H, T)
            share = own if share is None else share + own
        if share is None:
            return forecast, None
        return self.head.rescale(forecast, torch.ones_like(share), share), None


def moving_average(rows: Tensor, kernel_size: int) -> Tensor:
    """Average each row with those around it, the ends repeated: (B, W, F)."""
    before = (kernel_size - 1) // 2
    padding = (before, kernel_size - 1 - before)
    padded = nn.functional.pad(rows.transpose(1, 2), padding, mode="replicate")  # (B, F, W + kernel_size - 1)
    return nn.functional.avg_pool1d(padded, kernel_size, stride=1).transpose(1, 2)
