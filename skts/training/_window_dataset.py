"""Windows as tensors on the device, gathered by index."""

import copy
from collections.abc import Iterator
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from skts.training._passes import join_passes

Inputs = dict[str, Tensor]
Targets = tuple[Tensor, Tensor | None]
_BY_WINDOW = ("starts", "target_starts", "series", "stops")


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
        None weighs all targets alike, which costs less.
    target_starts : Tensor of int64 of shape (n_windows,), default=None
        The target row of the first value of each window's horizon.
    series : Tensor of int64 of shape (n_windows,), default=None
        The number of each window's series.
    tells_series : bool, default=False
        Whether the network is told that number.
    context : int, default=0
        Rows behind the horizon whose known columns are read too.
    stops : Tensor of int64 of shape (n_windows,), default=None
        The panel row at which the run of each window ends. Where the context reaches over it, the last row is repeated.

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
        series: Tensor | None = None,
        tells_series: bool = False,
        context: int = 0,
        stops: Tensor | None = None,
    ):
        self.panel = panel
        self.starts = starts
        self.window = window
        self.known = known if known is not None and len(known) else None
        self.horizon = horizon
        self.targets = targets
        self.weights = weights
        self.target_starts = target_starts
        self.series = series
        self.tells_series = tells_series
        self.context = context
        self.stops = stops
        self.taught: Tensor | None = None  # (n_windows, O): which origins of a pass are windows
        self.n_origins = 1
        self.windows_per_item = 1.0  # of a pass, how many it teaches on average
        self.subsample = 1.0  # share of the windows in shuffled batches
        self.by_series = False  # whether each batch holds windows of one series
        self._counted: Tensor | None = None  # windows of each series, on the CPU
        self.ahead = None if self.known is None else panel[:, self.known].contiguous()
        self.holes = torch.isnan(panel).any(dim=0).nonzero()[:, 0]  # columns that need filling
        self.has_holes = len(self.holes) > 0
        self.has_holes_ahead = self.ahead is not None and bool(torch.isnan(self.ahead).any())
        if context:
            self._make_room(context)

    def __len__(self) -> int:
        return len(self.starts)

    def subset(self, items: NDArray[np.int64]) -> Self:
        """Give a dataset of some of the windows, on the same panel."""
        chosen = torch.from_numpy(items).to(self.starts.device)
        subset = copy.copy(self)
        subset._counted = None
        for name in _BY_WINDOW:
            of_windows = getattr(self, name)
            setattr(subset, name, None if of_windows is None else of_windows[chosen])
        return subset

    def fork(self, n_origins: int) -> Self:
        """Join windows that follow each other closely: one pass over their rows then serves them all.

        Parameters
        ----------
        n_origins : int
            O: a pass reads `window + n_origins - 1` rows, and serves every window that starts at its first O rows.

        Returns
        -------
        dataset : WindowDataset
            As many passes as are needed to serve every window once.
        """
        assert self.stops is not None
        starts, stops = self.starts.cpu().numpy(), self.stops.cpu().numpy()
        first, taught = join_passes(starts, np.minimum(starts + n_origins, stops), n_origins)
        forked = self.subset(first)
        forked.taught = torch.from_numpy(taught).to(self.starts.device)
        forked.n_origins = n_origins
        forked.windows_per_item = len(self) / len(forked)
        forked._make_room(n_origins - 1)
        return forked

    def batches(self, batch_size: int, shuffle: bool = False) -> Iterator[Tensor]:
        """Give the numbers of the items of each batch; shuffled, they are drawn from torch's generator.

        Items are windows, or passes: as many as teach some `batch_size` windows.
        """
        n, device = len(self), self.starts.device
        order = torch.randperm(n, device=device) if shuffle else torch.arange(n, device=device)
        if shuffle and self.subsample < 1:
            order = self._draw(order)
        if not self.by_series:
            yield from order.split(self.items_of(batch_size))
            return
        counts, size = self._counts(self._share(shuffle)).tolist(), self.items_of(batch_size)
        batches = split_by_series(order, self._numbers_of_series()[order], counts, size)
        for number in torch.randperm(len(batches)).tolist() if shuffle else range(len(batches)):
            yield batches[number]

    def n_batches(self, batch_size: int, shuffle: bool = False) -> int:
        """Count the batches of an epoch."""
        size, share = self.items_of(batch_size), self._share(shuffle)
        if self.by_series:
            return int(-(-self._counts(share) // size).sum())
        return -(-(len(self) if share == 1 else int(self._counts(share).sum())) // size)

    def items_of(self, batch_size: int) -> int:
        """Say how many items teach as many windows."""
        return max(1, round(batch_size / self.windows_per_item))

    def _share(self, shuffle: bool) -> float:
        """Say which share of the windows an epoch sees."""
        return self.subsample if shuffle else 1.0

    def _counts(self, share: float) -> Tensor:
        """Count the windows of each series in an epoch (n_series,), on the CPU: counted once, since that waits."""
        if self._counted is None:
            self._counted = torch.bincount(self._numbers_of_series()).cpu()
        return self._counted if share == 1 else (self._counted * share).ceil().long()

    def _numbers_of_series(self) -> Tensor:
        """Give the number of the series of each item, from 0; those without a name have one together."""
        assert self.series is not None
        return self.series + 1

    def _draw(self, order: Tensor) -> Tensor:
        """Keep the first windows of each series in a shuffled order, as many as its share."""
        series = self._numbers_of_series()[order]
        grouped = series.sort(stable=True)
        first = torch.searchsorted(grouped.values, grouped.values)  # where each group begins
        rank = torch.empty_like(order)
        rank[grouped.indices] = torch.arange(len(order), device=order.device) - first
        counts = self._counts(self.subsample)
        shares, n_kept = counts.to(order.device, non_blocking=True), int(counts.sum())
        kept = (rank >= shares[series]).sort(stable=True).indices[:n_kept]  # a mask would wait for the device
        return order[kept]

    def _make_room(self, n_rows: int) -> None:
        """Let reading go on behind the last row: nothing that counts comes from there."""
        for name in ("panel", "ahead", "targets", "weights"):
            table = getattr(self, name)
            if table is not None:
                setattr(self, name, torch.cat([table, table.new_zeros(n_rows, table.shape[1])]))

    def to(self, device: torch.device) -> Self:
        """Move every tensor to the device, once."""
        self._counted = None
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
            `past` (B, window + O - 1, n_features), with known columns `future` (B, horizon + context + O - 1, n_known),
            where it is asked for `series` (B,), and with several origins `origins` (B, O), whether each is a window's.
        targets : tuple of Tensor or None
            Values and weights, both (B * O, horizon, n_targets); weights are None where all are alike.
        """
        starts, further = self.starts[items], self.n_origins - 1
        past = take(self.panel, starts, self.window + further)  # (B, W + O - 1, F)
        if self.has_holes:
            past[:, :, self.holes] = fill_forward(past[:, :, self.holes])
        inputs = {"past": past}
        if self.ahead is not None:
            inputs["future"] = self._future(items, starts + self.window, past)
        if self.tells_series and self.series is not None:
            inputs["series"] = self.series[items]
        if self.taught is not None:
            inputs["origins"] = self.taught[items]
        if self.targets is None or self.target_starts is None:
            return inputs, None
        first = self.target_starts[items]
        targets = self._ahead_of_origins(self.targets, first)
        weights = None if self.weights is None else self._ahead_of_origins(self.weights, first)
        if self.taught is not None:
            taught = inputs["origins"].flatten()[:, None, None]  # (B * O, 1, 1)
            weights = taught.expand_as(targets) if weights is None else weights * taught
        return inputs, (targets, weights)

    def _ahead_of_origins(self, table: Tensor, first: Tensor) -> Tensor:
        """Gather the rows of the horizon behind each origin: (B * O, H, T)."""
        rows = take(table, first, self.horizon + self.n_origins - 1)  # (B, H + O - 1, T)
        if self.taught is None:
            return rows
        return rows.unfold(1, self.horizon, 1).transpose(2, 3).flatten(0, 1)

    def _future(self, items: Tensor, origins: Tensor, past: Tensor) -> Tensor:
        """Gather the known columns behind the windows: (B, H + C + O - 1, K)."""
        assert self.ahead is not None
        assert self.known is not None
        length = self.horizon + self.context + self.n_origins - 1
        future = take(self.ahead, origins, length)
        if self.context:
            assert self.stops is not None
            ends = (self.stops[items] - origins)[:, None, None]  # (B, 1, 1)
            beyond = torch.arange(length, device=future.device)[None, :, None] >= ends
            future = future.masked_fill(beyond, torch.nan)
        if self.has_holes_ahead or self.context:
            last = past[:, self.window - 1 : self.window, self.known]  # (B, 1, K), filled
            future = fill_forward(torch.cat([last, future], dim=1))[:, 1:]
        return future


def split_by_series(order: Tensor, series: Tensor, counts: list[int], size: int) -> list[Tensor]:
    """Split items into batches of up to `size` of one series each.

    Parameters
    ----------
    order, series : Tensor of int64 of shape (n_items,)
        The items, and the number of the series of each; within a series their order stays.
    counts : list of int
        How many items each series has.
    size : int

    Returns
    -------
    batches : list of Tensor
        Series after series.
    """
    grouped = order[series.sort(stable=True).indices]
    return [batch for own in grouped.split(counts) if len(own) for batch in own.split(size)]


def take(table: Tensor, starts: Tensor, length: int) -> Tensor:
    """Take `length` consecutive rows of a contiguous table from each start: (B, length, n_columns)."""
    n_rows, n_columns = table.shape
    strided = table.as_strided((n_rows - length + 1, length, n_columns), (n_columns, n_columns, 1))
    return strided.index_select(0, starts)


def fill_forward(values: Tensor) -> Tensor:
    """Fill NaN with the last value before it along dimension 1, and with 0 where there is none: (B, L, C)."""
    steps = torch.arange(values.shape[1], device=values.device)[None, :, None]  # (1, L, 1)
    seen = steps.masked_fill(torch.isnan(values), 0).cummax(dim=1).values  # (B, L, C)
    filled = values.gather(1, seen)
    return filled.masked_fill(torch.isnan(filled), 0.0)
