"""Which items make a batch, and in which order."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from torch import Generator, Tensor

from skts.training._address_table import AddressTable, Chunks, Inputs, Targets


class Sampler(Protocol):
    """Batches of item numbers, on the CPU; `len` counts them."""

    def __iter__(self) -> Iterator[Tensor]: ...
    def __len__(self) -> int: ...


class Batches:
    """Gather the batches of a table on its device: the iterator that skorch loops over, in place of a DataLoader.

    Parameters
    ----------
    dataset : AddressTable
    batch_size : int
        Windows in a batch, as passes allow; the last one holds what is left. -1 takes all.
    shuffle : bool, default=False
        Whether to draw a new order at each pass.
    by_series : bool, default=False
        Whether each batch holds windows of one series.
    subsample : float, default=1.0
        Share of the items of each series that are drawn at each pass, where they are shuffled.
    generator : torch.Generator, default=None
        What the order is drawn from, on the CPU; torch's own by default.
    """

    def __init__(
        self,
        dataset: AddressTable,
        batch_size: int,
        shuffle: bool = False,
        by_series: bool = False,
        subsample: float = 1.0,
        generator: Generator | None = None,
    ):
        self.dataset = dataset
        self.batch_size = batch_size
        size = items_of(dataset, batch_size)
        if dataset.chunks is not None:
            if by_series or subsample < 1:
                raise ValueError(
                    f"{'by_series=True' if by_series else f'subsample={subsample}'} needs windows, and was given whole "
                    "series: give SlidingWindower(window=...) a number of rows."
                )
            self.sampler: Sampler = InChunks(dataset.chunks, size, shuffle, generator)
        elif by_series or (subsample < 1 and shuffle):
            assert dataset.series is not None
            share = subsample if shuffle else 1.0
            self.sampler = BySeries(
                dataset.series.cpu(), size, shuffle, share, mixed=not by_series, generator=generator
            )
        else:
            self.sampler = Mixed(len(dataset), size, shuffle, generator)

    def __len__(self) -> int:
        return len(self.sampler)

    def __iter__(self) -> Iterator[tuple[Inputs, Targets | None]]:
        for items in self.numbers():
            yield self.dataset.gather(items)

    def numbers(self) -> Iterator[Tensor]:
        """Give the numbers of the items of each batch, on the device."""
        batches = list(self.sampler)
        if batches and self.dataset.device.type != "cpu":  # one copy for the whole pass
            batches = list(torch.cat(batches).to(self.dataset.device).split([len(items) for items in batches]))
        yield from batches


class Mixed:
    """Batches of any items: in order, or shuffled anew at each pass."""

    def __init__(self, n_items: int, size: int, shuffle: bool, generator: Generator | None = None):
        self.n_items = n_items
        self.size = size
        self.shuffle = shuffle
        self.generator = generator

    def __len__(self) -> int:
        return -(-self.n_items // self.size)

    def __iter__(self) -> Iterator[Tensor]:
        order = torch.randperm(self.n_items, generator=self.generator) if self.shuffle else torch.arange(self.n_items)
        yield from order.split(self.size)


class BySeries:
    """Batches that know the series of their items: of one series each, or mixed with an equal share of every one.

    Parameters
    ----------
    series : Tensor of int of shape (n_items,)
        The number of the series of each item, from -1.
    size : int
        Items of a batch.
    shuffle : bool
    share : float
        Of the items of each series that are drawn at each pass.
    mixed : bool
    generator : torch.Generator or None
    """

    def __init__(
        self, series: Tensor, size: int, shuffle: bool, share: float, *, mixed: bool, generator: Generator | None = None
    ):
        self.series = series.long() + 1
        self.size = size
        self.shuffle = shuffle
        self.mixed = mixed
        self.generator = generator
        self.counts = torch.bincount(self.series)
        self.share = share
        if share < 1:
            self.counts = (self.counts * share).ceil().long()

    def __len__(self) -> int:
        return -(-int(self.counts.sum()) // self.size) if self.mixed else int(-(-self.counts // self.size).sum())

    def __iter__(self) -> Iterator[Tensor]:
        n_items = len(self.series)
        order = torch.randperm(n_items, generator=self.generator) if self.shuffle else torch.arange(n_items)
        if self.share < 1:
            order = draw_share(order, self.series, self.counts)
        if self.mixed:
            yield from order.split(self.size)
            return
        batches = split_by_series(order, self.series[order], self.counts.tolist(), self.size)
        n_batches = len(batches)
        turns = torch.randperm(n_batches, generator=self.generator) if self.shuffle else torch.arange(n_batches)
        for number in turns.tolist():
            yield batches[number]


class InChunks:
    """Chunks of up to `size` whole series at once, in the order that carries their states.

    A batch holds the chunks of several series at one place; the next batch goes on where they end. A series that has
    ended leaves the batch.
    """

    def __init__(self, chunks: Chunks, size: int, shuffle: bool, generator: Generator | None = None):
        self.chunks = chunks
        self.size = size
        self.shuffle = shuffle
        self.generator = generator

    def __len__(self) -> int:
        """Count the batches of one pass, or a few more: how series meet in batches decides."""
        n_groups = -(-len(self.chunks.counts) // self.size)
        return int(np.sort(self.chunks.counts)[-n_groups:].sum())

    def __iter__(self) -> Iterator[Tensor]:
        first, counts = self.chunks.first, self.chunks.counts
        n_series = len(first)
        order = torch.randperm(n_series, generator=self.generator).numpy() if self.shuffle else np.arange(n_series)
        for start in range(0, n_series, self.size):
            group = order[start : start + self.size]
            group = group[np.argsort(-counts[group], kind="stable")]  # those that end first stand last
            for place in range(int(counts[group[0]])):
                going = group[counts[group] > place]
                yield torch.from_numpy(first[going] + place)


def items_of(table: AddressTable, batch_size: int) -> int:
    """Say how many items teach as many windows; of whole series, that many series are read at once."""
    if batch_size == -1:
        return max(1, len(table) if table.chunks is None else len(table.chunks.first))
    return batch_size if table.chunks is not None else max(1, round(batch_size / table.windows_per_item))


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


def draw_share(order: Tensor, series: Tensor, counts: Tensor) -> Tensor:
    """Keep the first items of each series in a shuffled order.

    Parameters
    ----------
    order : Tensor of int64 of shape (n_items,)
    series : Tensor of int64 of shape (n_items,)
        The number of the series of each item, in their own order.
    counts : Tensor of int64 of shape (n_series,)
        How many to keep of each.

    Returns
    -------
    order : Tensor of int64 of shape (n_kept,)
    """
    own = series[order]
    grouped = own.sort(stable=True)
    first = torch.searchsorted(grouped.values, grouped.values)  # where each group begins
    rank = torch.empty_like(order)
    rank[grouped.indices] = torch.arange(len(order)) - first
    return order[rank < counts[own]]
