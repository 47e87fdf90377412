"""A training step that is recorded once, and replayed for every batch of its size."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.optim import Optimizer

from skts.exceptions import GraphCaptureWarning

_FEWEST_STEPS = 32  # below which recording costs more than it saves


class Recorder(Protocol):
    """What records a function: :class:`CudaGraph`, or a stand-in."""

    def warm_up(self, function: Callable[[], None]) -> None: ...
    def rehearse(self, function: Callable[[], None]) -> str | None: ...
    def record(self, function: Callable[[], None]) -> Callable[[], None]: ...
    def release(self) -> None: ...


class CapturedStep:
    """Take training steps, most of them by replaying one that was recorded.

    The first batches are trained in the ordinary way, which is the warm-up that a recording needs; so each batch
    teaches once, in its turn, as without a recording. Batches of another size, such as the last of an epoch, are never
    recorded.

    Parameters
    ----------
    step : callable
        Takes the numbers of the windows of a batch, and trains on them.
    optimizer : torch.optim.Optimizer
        What `step` uses.
    size : int
        Items of a batch that is recorded: windows, or passes.
    device : torch.device
    recorder : Recorder or None
        None records nothing.
    tell : callable, default=None
        Called with a message where a step turns out to be none that can be recorded.
    """

    n_warm_up = 3

    def __init__(
        self,
        step: Callable[[Tensor], None],
        optimizer: Optimizer,
        size: int,
        device: torch.device,
        recorder: Recorder | None,
        tell: Callable[[str], Any] | None = None,
    ):
        self.step = step
        self.optimizer = optimizer
        self.recorder = recorder
        self.tell = tell
        self.items = torch.zeros(size, dtype=torch.int64, device=device)  # what a recorded step reads
        self.n_warm = 0
        self.replay: Callable[[], None] | None = None
        self.recorded: Any = None

    def __call__(self, items: Tensor) -> None:
        """Train on the windows of these numbers."""
        if self.recorder is None or (len(items) != len(self.items) and self.replay is not None):
            self.step(items)
        elif len(items) != len(self.items):
            self.recorder.warm_up(partial(self.step, items))  # before a recording, all work is on its stream
        elif self.replay is None and self.n_warm < self.n_warm_up:
            self._warm_up(self.recorder, items)
        else:
            self.items.copy_(items)
            if self.replay is None and not self._record(self.recorder):
                self.step(items)
                return
            assert self.replay is not None
            self.replay()

    def check(self) -> None:
        """Forget the recording if the optimizer or its parameters are no longer what they were in it."""
        if self.replay is not None and self.recorder is not None and self.recorded != describe(self.optimizer):
            self.release()

    def release(self) -> None:
        """Give the memory of the recording back."""
        self.replay, self.n_warm = None, 0
        if self.recorder is not None:
            self.optimizer.zero_grad(set_to_none=True)  # gradients lie in that memory
            self.recorder.release()

    def _warm_up(self, recorder: Recorder, items: Tensor) -> None:
        self.n_warm += 1
        step = partial(self.step, items)
        if self.n_warm < self.n_warm_up:
            recorder.warm_up(step)
        elif (reason := recorder.rehearse(step)) is not None:
            self.recorder = None
            self.step(items)  # the rehearsal broke off before the optimizer's step
            if self.tell is not None:
                self.tell(f"Trained without a CUDA graph, since a step waits for the device: {reason}")

    def _record(self, recorder: Recorder) -> bool:
        try:
            with capturable(self.optimizer):
                self.replay = recorder.record(partial(self.step, self.items))
        except torch.OutOfMemoryError as error:
            self.recorder = None  # of this fit alone: another one may need less
            self._warn("There is not enough memory on the device to record the training step", error)
            return False
        except RuntimeError as error:
            self.recorder = None
            self._warn("The training step could not be recorded", error)
            return False
        self.recorded = describe(self.optimizer)
        return True

    @staticmethod
    def _warn(what: str, error: RuntimeError) -> None:
        warnings.warn(
            f"{what} as a CUDA graph, and it runs without one, more slowly: {error} Where training then fails too, "
            "start a new process with net_params={'cuda_graph': False}.",
            GraphCaptureWarning,
            stacklevel=4,
        )


def is_worth_recording(n_steps: int) -> bool:
    """Tell whether a fit is long enough to record a step of it."""
    return n_steps >= _FEWEST_STEPS


def can_be_recorded(optimizer: Optimizer) -> bool:
    """Tell whether an optimizer keeps its whole state on the device: one of torch's, fused or capturable."""
    return type(optimizer).__module__.startswith("torch.optim.") and all(
        group.get("fused") or group.get("capturable") for group in optimizer.param_groups
    )


@contextmanager
def capturable(optimizer: Optimizer) -> Iterator[None]:
    """Tell the optimizer inside the block that it is recorded; a fused one is ready for that."""
    groups = [group for group in optimizer.param_groups if "capturable" in group]
    before = [group["capturable"] for group in groups]
    for group in groups:
        group["capturable"] = True
    try:
        yield
    finally:
        for group, value in zip(groups, before, strict=True):
            group["capturable"] = value


def describe(optimizer: Optimizer) -> list[Any]:
    """Say what of an optimizer a recording holds fast; its learning rates are not among it."""
    return [
        (
            {key: value for key, value in group.items() if key not in ("params", "lr", "initial_lr")},
            [(values.data_ptr(), values.requires_grad, _places(optimizer, values)) for values in group["params"]],
        )
        for group in optimizer.param_groups
    ]


def _places(optimizer: Optimizer, parameter: Tensor) -> dict[str, int]:
    """Say where the state of a parameter lies; a state that was loaded lies elsewhere."""
    state = optimizer.state.get(parameter, {})
    return {key: value.data_ptr() for key, value in state.items() if isinstance(value, Tensor)}
