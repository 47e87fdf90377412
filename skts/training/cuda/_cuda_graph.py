"""Work on a CUDA device, recorded once and replayed."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import ClassVar

import torch


class CudaGraph:
    """Record what a function does on a CUDA device, and do it again with one launch.

    Parameters
    ----------
    device : torch.device

    Notes
    -----
    After "Whole-network capture" in https://docs.pytorch.org/docs/stable/notes/cuda.html. A recorded function reads and
    writes the memory it did when it was recorded; random numbers go on at each replay.
    """

    kept: ClassVar[list[torch.cuda.CUDAGraph]] = []  # of recordings that broke off: torch's allocator may refer to them
    failed: ClassVar[list[RuntimeError]] = []  # why, where it was not for want of memory: this process records no more

    def __init__(self, device: torch.device):
        self.device = torch.device("cuda", torch.cuda.current_device() if device.index is None else device.index)
        self.stream = _side_stream(self.device)
        self.graph: torch.cuda.CUDAGraph | None = None

    def warm_up(self, function: Callable[[], None]) -> None:
        """Run the function on the side, as is needed before it can be recorded: libraries set themselves up."""
        self.stream.wait_stream(torch.cuda.current_stream(self.device))
        try:
            with torch.cuda.stream(self.stream):
                function()
        finally:
            torch.cuda.current_stream(self.device).wait_stream(self.stream)

    def rehearse(self, function: Callable[[], None]) -> str | None:
        """Run the function, and say why it cannot be recorded: it must never wait for the device."""
        try:
            with waiting_is_an_error():
                self.warm_up(function)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            return str(error)
        return None

    def record(self, function: Callable[[], None]) -> Callable[[], None]:
        """Record the function, without running it, and give what replays it."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(self.device), torch.cuda.stream(torch.cuda.current_stream(self.device)):
            # torch leaves the stream of a recording current where that fails; the block above takes it back
            try:
                # other threads may go on with theirs meanwhile
                with torch.cuda.graph(graph, stream=self.stream, capture_error_mode="thread_local"):
                    function()
            except RuntimeError as error:
                self.kept.append(graph)
                if not isinstance(error, torch.OutOfMemoryError):
                    self.failed.append(error.with_traceback(None))
                raise
        self.graph = graph
        return graph.replay

    def release(self) -> None:
        """Give the memory of the recording back; nothing must refer to it any more."""
        if self.graph is not None:
            torch.cuda.synchronize(self.device)
            self.graph.reset()
            self.graph = None
            torch.cuda.empty_cache()


@contextmanager
def waiting_is_an_error() -> Iterator[None]:
    """Let everything in the block fail that waits for a CUDA device."""
    before = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Synchronization debug mode is a prototype", UserWarning)
        torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode(before)


@cache
def _side_stream(device: torch.device) -> torch.cuda.Stream:
    """Give one stream for all recordings, since cuBLAS keeps a workspace for every stream that it has seen."""
    return torch.cuda.Stream(device)
