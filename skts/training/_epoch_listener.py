"""Epochs told to somebody outside of skorch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from skorch import NeuralNet
from skorch.callbacks import Callback


class EpochListener(Callback):
    """Call a function when an epoch begins and another when it ends.

    Parameters
    ----------
    begin : callable
        Takes nothing.
    end : callable
        Takes nothing; a true answer stops the training.
    """

    def __init__(self, begin: Callable[[], Any], end: Callable[[], bool]):
        self.begin = begin
        self.end = end

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Tell that an epoch begins."""
        self.begin()

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Tell that an epoch ended, and stop where the answer is true."""
        if self.end():
            raise KeyboardInterrupt  # skorch's way to end a training

    @contextmanager
    def listening_to(self, net: NeuralNet) -> Iterator[Self]:
        """Listen to a net inside the block only, so that it pickles without its listeners."""
        net.callbacks_.insert(0, ("epoch_listener", self))
        try:
            yield self
        finally:
            net.callbacks_.remove(("epoch_listener", self))
