"""One linear map from the window to the horizon."""

import torch
from torch import Tensor, nn

from skts.nn._quantile_head import QuantileHead


class LinearForecaster(nn.Module):
    """A linear map of the window to the whole horizon, plus a linear share of each row's known columns.

    Shapes: B windows, W rows of window, H rows of horizon, F features, K known features, T targets.

    Parameters
    ----------
    n_features, n_known, n_targets : int
        F, K and T.
    horizon, window : int
        H and W.
    kernel_size : int, default=None
        Rows of the moving average that splits each column in trend and remainder, each with weights of its own.
        None splits nothing.
    levels : tuple of float, default=None
        Q quantile levels to answer instead of a mean.

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
        window: int,
        *,
        kernel_size: int | None = None,
        levels: tuple[float, ...] | None = None,
    ):
        super().__init__()
        self.shape = (horizon, n_targets)
        self.kernel_size = kernel_size
        n_inputs, n_outputs = window * n_features * (2 if kernel_size else 1), horizon * n_targets
        self.past = QuantileHead(n_inputs, n_outputs, levels) if levels else nn.Linear(n_inputs, n_outputs)
        self.ahead = nn.Linear(n_known, n_targets, bias=False) if n_known else None

    def forward(self, past: Tensor, future: Tensor | None = None) -> Tensor:
        """Forecast the horizon.

        Parameters
        ----------
        past : Tensor of shape (B, W, F)
        future : Tensor of shape (B, H, K), default=None
            Only with known columns.

        Returns
        -------
        forecast : Tensor of shape (B, H, T), or (B, H, T, Q) with levels
        """
        if self.kernel_size is not None:
            trend = moving_average(past, self.kernel_size)
            past = torch.cat([trend, past - trend], dim=2)  # (B, W, 2 * F)
        forecast = self.past(past.flatten(1)).unflatten(1, self.shape)  # (B, H, T, Q)
        if self.ahead is None:
            return forecast
        share = self.ahead(future)  # (B, H, T)
        return forecast + (share[..., None] if forecast.ndim == 4 else share)


def moving_average(rows: Tensor, kernel_size: int) -> Tensor:
    """Average each row with those around it, the ends repeated: (B, W, F)."""
    before = (kernel_size - 1) // 2
    padding = (before, kernel_size - 1 - before)
    padded = nn.functional.pad(rows.transpose(1, 2), padding, mode="replicate")  # (B, F, W + kernel_size - 1)
    return nn.functional.avg_pool1d(padded, kernel_size, stride=1).transpose(1, 2)
