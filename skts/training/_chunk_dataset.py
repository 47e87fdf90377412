"""Whole series as tensors on the device, read chunk after chunk."""

from collections.abc import Iterator
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skts.training._passes import cut_chunks
from skts.training._window_dataset import Inputs, Targets, WindowDataset


class ChunkDataset(WindowDataset):
    """Chunks of whole series, each a pass that serves the windows which end in it, in an order that carries a state.

    A batch holds the chunks of several series at one place; the next batch goes on where they end. A series that has
    ended leaves the batch. Made by `cut`.
    """

    taught: Tensor  # (n_chunks, length): whether a window ends at each row
    numbers: Tensor  # (n_chunks, length): its number, else -1
    continues: Tensor  # (n_chunks,): whether the chunk goes on where another ended
    first_chunks: NDArray[np.int64]  # (n_series,): where the chunks of each series begin
    n_chunks: NDArray[np.int64]  # (n_series,)
    n_windows: int

    @classmethod
    def cut(cls, dataset: WindowDataset, spans: NDArray[np.int64], length: int) -> Self:
        """Cut the spans that the windows of a dataset lie in.

        Parameters
        ----------
        dataset : WindowDataset
            Windows of one row: the last one before each origin.
        spans : ndarray of shape (n_spans, 2)
            First row of each span, and the row behind its last.
        length : int
            Rows of a chunk.
        """
        starts = dataset.starts.cpu().numpy()
        chunk_starts, places, sharing, numbers = cut_chunks(spans, starts, length)
        chunks = cls.__new__(cls)
        vars(chunks).update(vars(dataset.subset(sharing)))
        chunks._fill_spans(spans)
        device = dataset.starts.device
        if dataset.target_starts is not None:
            chunks.target_starts = torch.from_numpy(chunk_starts - starts[0]).to(device) + dataset.target_starts[0]
        chunks.starts = torch.from_numpy(chunk_starts).to(device)
        chunks.numbers = torch.from_numpy(numbers).to(device)
        chunks.taught = chunks.numbers >= 0
        chunks.n_origins = length
        chunks.n_windows = len(starts)
        chunks.continues = torch.from_numpy(places > 0).to(device)
        chunks.first_chunks = np.flatnonzero(places == 0)
        chunks.n_chunks = np.diff(np.append(chunks.first_chunks, len(places)))
        chunks._make_room(length)
        return chunks

    def batches(self, batch_size: int, shuffle: bool = False) -> Iterator[Tensor]:
        """Give the numbers of the chunks of each batch: of up to `batch_size` series at once."""
        n_series = len(self.first_chunks)
        order = torch.randperm(n_series).numpy() if shuffle else np.arange(n_series)
        for start in range(0, n_series, batch_size):
            group = order[start : start + batch_size]
            group = group[np.argsort(-self.n_chunks[group], kind="stable")]  # those that end first stand last
            for place in range(int(self.n_chunks[group[0]])):
                going = group[self.n_chunks[group] > place]
                yield torch.from_numpy(self.first_chunks[going] + place).to(self.starts.device, non_blocking=True)

    def n_batches(self, batch_size: int, shuffle: bool = False) -> int:
        """Count the batches of one pass, or a few more: how series meet in batches decides."""
        n_groups = -(-len(self.n_chunks) // batch_size)
        return int(np.sort(self.n_chunks)[-n_groups:].sum())

    def _fill_spans(self, spans: NDArray[np.int64]) -> None:
        """Fill what is missing with the last value of the span, since a chunk does not see the one before it."""
        if not self.has_holes:
            return
        n_rows, device = len(self.panel), self.panel.device
        begin = torch.zeros(n_rows, dtype=torch.int64, device=device)
        begin[torch.from_numpy(spans[:, 0]).to(device)] = torch.from_numpy(spans[:, 0]).to(device)
        begin = begin.cummax(dim=0).values[:, None]  # (n_rows, 1)
        rows = torch.arange(n_rows, device=device)[:, None]
        seen = torch.where(torch.isnan(self.panel), -1, rows).cummax(dim=0).values  # (n_rows, n_features)
        filled = self.panel.gather(0, seen.clamp(min=0))
        self.panel = torch.where(seen >= begin, filled, 0.0)
        self.has_holes = self.has_holes_ahead = False
        if self.known is not None:
            self.ahead = self.panel[:, self.known].contiguous()

    def gather(self, items: Tensor) -> tuple[Inputs, Targets | None]:
        """Gather a batch on the device, and say which chunks go on from the batch before."""
        inputs, targets = super().gather(items)
        return {**inputs, "continues": self.continues[items]}, targets
