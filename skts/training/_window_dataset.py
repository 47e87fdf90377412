"""Windows as tensors on the device, gathered by index."""

import copy
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

Inputs = dict[str, Tensor]
Targets = tuple[Tensor, Tensor]


class WindowDataset(Dataset):
    """One float32 panel on the device, and integer addresses of the windows in it.

    Parameters
    ----------
    panel : Tensor of float32 of shape (n_panel_rows, n_features)
        NaN is missing.
    starts : Tensor of int64 of shape (n_windows,)
        The panel row where each window starts.
    window : int
        Rows of a window.
    known : Tensor of int64 of shape (n_known,), default=None
        Columns that are read over the horizon too; the panel holds those rows right behind each window.
    horizon : int, default=1
        Rows of the horizon.
    targets : Tensor of float32 of shape (n_target_rows, n_targets), default=None
        No NaN: a missing target has the weight 0.
    weights : Tensor of float32 of shape (n_target_rows, n_targets), default=None
    target_starts : Tensor of int64 of shape (n_windows,), default=None
        The target row of the first value of each window's horizon.

    Notes
    -----
    A missing input takes the last value seen in the window, else 0 (the mean of a scaled column).
    """

    def __init__(
        self,
        panel: Tensor,
        starts: Tensor,
        *,
        window: int,
        known: Tensor | None = None,
        horizon: int = 1,
        targets: Tensor | None = None,
        weights: Tensor | None = None,
        target_starts: Tensor | None = None,
    ):
        self.panel = panel
        self.starts = starts
        self.window = window
        self.known = known if known is not None and len(known) else None
        self.horizon = horizon
        self.targets = targets
        self.weights = weights
        self.target_starts = target_starts
        self.ahead = None if self.known is None else panel[:, self.known].contiguous()
        self.holes = torch.isnan(panel).any(dim=0).nonzero()[:, 0]  # columns that need filling
        self.has_holes = len(self.holes) > 0
        self.has_holes_ahead = self.ahead is not None and bool(torch.isnan(self.ahead).any())

    def __len__(self) -> int:
        return len(self.starts)

    def subset(self, items: NDArray[np.int64]) -> Self:
        """Give a dataset of some of the windows, on the same panel."""
        chosen = torch.from_numpy(items).to(self.starts.device)
        subset = copy.copy(self)
        subset.starts = self.starts[chosen]
        subset.target_starts = None if self.target_starts is None else self.target_starts[chosen]
        return subset

    def to(self, device: torch.device) -> Self:
        """Move every tensor to the device, once."""
        for name, value in vars(self).items():
            if isinstance(value, Tensor):
                setattr(self, name, value.to(device))
        return self

    def gather(self, items: Tensor) -> tuple[Inputs, Targets | None]:
        """Gather a batch on the device.

        Parameters
        ----------
        items : Tensor of int64 of shape (B,)
            Numbers of windows.

        Returns
        -------
        inputs : dict
            `past` (B, window, n_features) and, with known columns, `future` (B, horizon, n_known).
        targets : tuple of Tensor or None
            Values (B, horizon, n_targets) and weights, both (B, horizon, n_targets).
        """
        starts = self.starts[items]
        past = take(self.panel, starts, self.window)  # (B, W, F)
        if self.has_holes:
            past[:, :, self.holes] = fill_forward(past[:, :, self.holes])
        inputs = {"past": past}
        if self.ahead is not None:
            future = take(self.ahead, starts + self.window, self.horizon)  # (B, H, K)
            if self.has_holes_ahead:
                last = past[:, -1:, self.known]  # (B, 1, K), filled
                future = fill_forward(torch.cat([last, future], dim=1))[:, 1:]
            inputs["future"] = future
        if self.targets is None or self.weights is None or self.target_starts is None:
            return inputs, None
        first = self.target_starts[items]
        targets = take(self.targets, first, self.horizon)  # (B, H, T)
        weights = take(self.weights, first, self.horizon)  # (B, H, T)
        return inputs, (targets, weights)


def take(table: Tensor, starts: Tensor, length: int) -> Tensor:
    """Take `length` consecutive rows of a contiguous table from each start: (B, length, n_columns)."""
    n_rows, n_columns = table.shape
    strided = table.as_strided((n_rows - length + 1, length, n_columns), (n_columns, n_columns, 1))
    return strided.index_select(0, starts)


def fill_forward(values: Tensor) -> Tensor:
    """Fill NaN with the last value before it along dimension 1, and with 0 where there is none: (B, L, C)."""
    steps = torch.arange(values.shape[1], device=values.device)[None, :, None]  # (1, L, 1)
    seen = torch.where(torch.isnan(values), 0, steps).cummax(dim=1).values  # (B, L, C)
    filled = values.gather(1, seen)
    return torch.where(torch.isnan(filled), 0.0, filled)
