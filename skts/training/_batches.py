"""The iterator that skorch loops over, in place of a DataLoader."""

from collections.abc import Iterator

from torch import Tensor

from skts.training._window_dataset import Inputs, Targets, WindowDataset


class Batches:
    """Gather the batches of a dataset on its device.

    Parameters
    ----------
    dataset : WindowDataset
    batch_size : int
        Windows in a batch; the last one holds what is left.
    shuffle : bool, default=False
        Whether to draw a new order at each pass, from torch's generator.
    """

    def __init__(self, dataset: WindowDataset, batch_size: int, shuffle: bool = False):
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle

    def __len__(self) -> int:
        return self.dataset.n_batches(self.batch_size, self.shuffle)

    def __iter__(self) -> Iterator[tuple[Inputs, Targets | None]]:
        for items in self.numbers():
            yield self.dataset.gather(items)

    def numbers(self) -> Iterator[Tensor]:
        """Give the numbers of the windows of each batch."""
        return self.dataset.batches(self.batch_size, self.shuffle)
