"""Windows as integer addresses into one table on the device, gathered by number."""

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

Inputs = dict[str, Tensor]
Targets = tuple[Tensor, Tensor | None]
_BY_ITEM = ("starts", "ahead_starts", "target_starts", "series", "described_by", "begins", "stops", "measured")


@dataclass(frozen=True, eq=False)
class Chunks:
    """How whole series are read: chunk after chunk, with the state carried from one to the next.

    Parameters
    ----------
    numbers : Tensor of int64 of shape (n_chunks, length)
        The number of the window that ends at each row, else -1.
    continues : Tensor of bool of shape (n_chunks,)
        Whether the chunk goes on where another ended.
    first, counts : ndarray of int64 of shape (n_series,)
        Where the chunks of each series begin, and how many it has.
    n_windows : int
    """

    numbers: Tensor
    continues: Tensor
    first: NDArray[np.int64]
    counts: NDArray[np.int64]
    n_windows: int

    def to(self, device: torch.device) -> Self:
        """Give the same on a device."""
        return replace(self, numbers=self.numbers.to(device), continues=self.continues.to(device))


@dataclass(frozen=True, eq=False)
class AddressTable(Dataset):
    """One float32 panel, and integer addresses of the items to gather from it.

    An item is a window; after `join` a pass, which serves several windows; after `chunk` a chunk of a whole series.
    Nothing of it changes once it is made.

    Parameters
    ----------
    panel : Tensor of float32 of shape (n_panel_rows, n_features)
        NaN is missing.
    starts : Tensor of int of shape (n_items,)
        The panel row where each item starts; below 0 only with `begins`.
    window : int
        Rows of a window.
    horizon : int, default=1
        Rows of the horizon.
    known : tuple of int, default=()
        Columns that are read over the horizon too.
    ahead_starts : Tensor of int of shape (n_items,), default=None
        The panel row of the first row of each item's horizon; None where it comes right after the window.
    lookahead : int, default=0
        Rows after the horizon whose known columns are read too.
    targets : Tensor of float32 of shape (n_target_rows, n_targets), default=None
        No NaN: a missing target has the weight 0.
    weights : Tensor of float32 of shape (n_target_rows, n_targets), default=None
        None weighs all targets alike, which costs less.
    target_starts : Tensor of int of shape (n_items,), default=None
        The target row of the first value of each item's horizon; None where targets stand beside the panel's rows.
    series : Tensor of int of shape (n_items,), default=None
        The number of each item's series, for a network that reads it, or for batches by series.
    reads_series : bool, default=False
        Whether the network is given that number.
    static : Tensor of float32 of shape (n_described, n_static), default=None
        What describes each series, for a network that reads it. No NaN.
    described_by : Tensor of int of shape (n_items,), default=None
        The row of `static` of each item.
    begins, stops : Tensor of int of shape (n_items,), default=None
        The first panel row that belongs to each item, and the one after its last. What is read before it is missing,
        and where the lookahead reaches after it, the last row is repeated. None where nothing is read from there.
    measured : Tensor of int of shape (n_items,), default=None
        The panel row of each item from which on columns that are not known are missing. None where all are read.
    n_origins : int, default=1
        O: origins that one item serves.
    is_taught : Tensor of bool of shape (n_items, O), default=None
        Whether a window has its origin there; None where O is 1.
    windows_per_item : float, default=1.0
        How many windows an item teaches on average.
    chunks : Chunks, default=None
    groups : Tensor of float32 of shape (n_groups, n_features), default=None
        1 where a column belongs to a group of which the network is told in which rows all of it is missing.

    Notes
    -----
    A missing input takes the last value seen in the window, else 0 (the mean of a scaled column). Where all columns of
    a group are missing in a row, they stay NaN.
    """

    panel: Tensor
    starts: Tensor
    window: int
    horizon: int = 1
    known: tuple[int, ...] = ()
    ahead_starts: Tensor | None = None
    lookahead: int = 0
    targets: Tensor | None = None
    weights: Tensor | None = None
    target_starts: Tensor | None = None
    series: Tensor | None = None
    reads_series: bool = False
    static: Tensor | None = None
    described_by: Tensor | None = None
    begins: Tensor | None = None
    stops: Tensor | None = None
    measured: Tensor | None = None
    n_origins: int = 1
    is_taught: Tensor | None = None
    windows_per_item: float = 1.0
    chunks: Chunks | None = None
    groups: Tensor | None = None

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def device(self) -> torch.device:
        """Where the table is."""
        return self.panel.device

    def to(self, device: torch.device) -> Self:
        """Give the table on a device: itself, where it is there already."""
        if self.panel[:0].to(device).device == self.device:  # "cuda" is one of them by its number
            return self
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(self, **{name: part.to(device) for name, part in parts.items() if hasattr(part, "to")})

    def subset(self, items: NDArray[np.int64]) -> Self:
        """Give a table of some of the items, on the same panel."""
        return replace(self, **self.of_items(items))

    def with_room(self) -> Self:
        """Let reading go on after the last row, and before the first: nothing that counts comes from there."""
        if len(self) == 0:
            return self
        first, last = int(self.starts.min()), int(self.starts.max())
        before, further = max(-first, 0), self.n_origins - 1
        ahead = last + self.window if self.ahead_starts is None else int(self.ahead_starts.max())
        read = max(last + self.window, ahead + self.horizon + self.lookahead if self.known else 0) + further
        taught = (last + self.window if self.target_starts is None else int(self.target_starts.max())) + further
        taught += self.horizon
        changed: dict[str, Any] = {}
        if before or read > len(self.panel):
            changed["panel"] = _pad(self.panel, before, max(read - len(self.panel), 0))
        shifted = before if self.target_starts is None else 0
        for name in ("targets", "weights"):
            table = getattr(self, name)
            if table is not None and (shifted or taught > len(table)):
                changed[name] = _pad(table, shifted, max(taught - len(table), 0))
        if before:
            changed |= {
                name: getattr(self, name) + before
                for name in ("starts", "ahead_starts", "begins", "stops", "measured")
                if getattr(self, name) is not None
            }
        return replace(self, **changed) if changed else self

    @cached_property
    def holes(self) -> Tensor | None:
        """The columns that need filling; None where nothing is missing."""
        if self.begins is not None:
            return torch.arange(self.panel.shape[1], device=self.device)
        missing = torch.isnan(self.panel).any(dim=0)
        if self.measured is not None:
            missing = missing | self.is_observed
        holes = missing.nonzero()[:, 0]
        return holes if len(holes) else None

    @cached_property
    def is_observed(self) -> Tensor:
        """Which columns are not known ahead: (n_features,)."""
        observed = torch.ones(self.panel.shape[1], dtype=torch.bool, device=self.device)
        observed[list(self.known)] = False
        return observed

    @cached_property
    def fills_known(self) -> bool:
        """Whether known rows need filling."""
        return self.lookahead > 0 or bool(torch.isnan(self.panel[:, list(self.known)]).any())

    @cached_property
    def known_groups(self) -> Tensor | None:
        """The groups of the known columns alone, in their order."""
        return None if self.groups is None else self.groups[:, list(self.known)]

    def gather(self, items: Tensor) -> tuple[Inputs, Targets | None]:
        """Gather a batch on the device.

        Parameters
        ----------
        items : Tensor of int64 of shape (B,)
            Numbers of items.

        Returns
        -------
        inputs : dict
            `past` (B, window + O - 1, n_features), with known columns `known` (B, horizon + lookahead + O - 1,
            n_known), for a network that reads them `series` (B,) and `static` (B, n_static), with several origins
            `origins` (B, O), whether each is a window's, and with chunks `continues` (B,).
        targets : tuple of Tensor or None
            Values and weights, both (B * O, horizon, n_targets); weights are None where all are alike.
        """
        starts = self.starts[items]
        past = take(self.panel, starts, self.window + self.n_origins - 1)  # (B, W + O - 1, F)
        if self.begins is not None:
            rows = starts[:, None] + torch.arange(past.shape[1], device=past.device)  # (B, W + O - 1)
            past = past.masked_fill((rows < self.begins[items, None])[..., None], torch.nan)
        if self.measured is not None:
            rows = starts[:, None] + torch.arange(past.shape[1], device=past.device)  # (B, W)
            unmeasured = (rows >= self.measured[items, None])[..., None] & self.is_observed  # (B, W, F)
            past = past.masked_fill(unmeasured, torch.nan)
        missing = None if self.groups is None else torch.isnan(past)
        if self.holes is not None:
            past[:, :, self.holes] = fill_forward(past[:, :, self.holes])
        inputs = {"past": blank_groups(past, missing, self.groups)}
        if self.known:
            ahead = starts + self.window if self.ahead_starts is None else self.ahead_starts[items]
            inputs["known"] = self._known_ahead(items, ahead, past)
        if self.reads_series and self.series is not None:
            inputs["series"] = self.series[items]
        if self.static is not None and self.described_by is not None:
            inputs["static"] = self.static[self.described_by[items]]
        if self.is_taught is not None:
            inputs["origins"] = self.is_taught[items]
        if self.chunks is not None:
            inputs["continues"] = self.chunks.continues[items]
        if self.targets is None:
            return inputs, None
        first = starts + self.window if self.target_starts is None else self.target_starts[items]
        targets = self._over_horizons(self.targets, first)
        weights = None if self.weights is None else self._over_horizons(self.weights, first)
        if self.is_taught is not None:
            is_taught = inputs["origins"].flatten()[:, None, None]  # (B * O, 1, 1)
            weights = is_taught.expand_as(targets) if weights is None else weights * is_taught
        return inputs, (targets, weights)

    def of_items(self, items: NDArray[np.int64], moved: NDArray[np.int64] | None = None) -> dict[str, Any]:
        """Give what there is one of for each item, of some of them, and their starts moved by some rows."""
        chosen = torch.from_numpy(items).to(self.device)
        parts = {name: getattr(self, name) for name in _BY_ITEM}
        parts = {name: None if part is None else part[chosen] for name, part in parts.items()}
        if moved is not None:
            for name in ("starts", "ahead_starts", "target_starts"):
                if parts[name] is not None:
                    parts[name] = parts[name] + torch.from_numpy(moved).to(parts[name])
        return parts

    def _over_horizons(self, table: Tensor, first: Tensor) -> Tensor:
        """Gather the rows of the horizon of each origin: (B * O, H, T)."""
        rows = take(table, first, self.horizon + self.n_origins - 1)  # (B, H + O - 1, T)
        if self.is_taught is None:
            return rows
        return rows.unfold(1, self.horizon, 1).transpose(2, 3).flatten(0, 1)

    def _known_ahead(self, items: Tensor, origins: Tensor, past: Tensor) -> Tensor:
        """Gather the known columns after the windows: (B, H + A + O - 1, K)."""
        length = self.horizon + self.lookahead + self.n_origins - 1
        known = take(self.panel, origins, length, self.known)
        missing = None if self.groups is None else torch.isnan(known)
        if self.lookahead and self.stops is not None:
            ends = (self.stops[items] - origins)[:, None, None]  # (B, 1, 1)
            beyond = torch.arange(length, device=known.device)[None, :, None] >= ends
            known = known.masked_fill(beyond, torch.nan)
            missing = None if missing is None else missing & ~beyond
        if self.fills_known:
            last = past[:, self.window - 1 : self.window, list(self.known)]  # (B, 1, K), filled
            known = fill_forward(torch.cat([last, known], dim=1))[:, 1:]
        return blank_groups(known, missing, self.known_groups)


def take(table: Tensor, starts: Tensor, length: int, columns: tuple[int, ...] | None = None) -> Tensor:
    """Take `length` consecutive rows of a contiguous table from each start, of some columns: (B, length, n_columns)."""
    n_rows, n_columns = table.shape
    first, step, n_taken = 0, 1, n_columns
    if columns is not None:
        steps = set(np.diff(columns).tolist())
        if len(steps) > 1 or min(steps, default=1) < 1:
            return take(table, starts, length)[:, :, list(columns)]
        first, step, n_taken = columns[0], min(steps, default=1), len(columns)
    shape, strides = (n_rows - length + 1, length, n_taken), (n_columns, n_columns, step)
    return table.as_strided(shape, strides, table.storage_offset() + first).index_select(0, starts)


def fill_forward(values: Tensor) -> Tensor:
    """Fill NaN with the last value before it along dimension 1, and with 0 where there is none: (B, L, C)."""
    steps = torch.arange(values.shape[1], device=values.device)[None, :, None]  # (1, L, 1)
    seen = steps.masked_fill(torch.isnan(values), 0).cummax(dim=1).values  # (B, L, C)
    filled = values.gather(1, seen)
    return filled.masked_fill(torch.isnan(filled), 0.0)


def blank_groups(filled: Tensor, missing: Tensor | None, groups: Tensor | None) -> Tensor:
    """Put NaN back where all columns of a group are missing.

    Parameters
    ----------
    filled : Tensor of shape (..., C)
    missing : Tensor of bool of shape (..., C), or None
        Where it had to be filled.
    groups : Tensor of float32 of shape (G, C), or None
        1 where a column belongs to a group; without groups all stays filled.
    """
    if missing is None or groups is None:
        return filled
    n_there = (~missing).to(groups.dtype) @ groups.T  # (..., G)
    is_gone = (n_there == 0).to(groups.dtype) @ groups > 0  # (..., C)
    return filled.masked_fill(is_gone, torch.nan)


def _pad(table: Tensor, before: int, after: int) -> Tensor:
    """Put rows of 0 before and after a table."""
    blank = [table.new_zeros(n, table.shape[1]) for n in (before, after)]
    return torch.cat([blank[0], table, blank[1]])
