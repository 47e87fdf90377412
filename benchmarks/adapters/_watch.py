"""What a training is watched by: times, and what it had learned at marks."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, Self

import numpy as np
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

FIRST, FACTOR = 0.5, 1.25  # seconds of the first mark of a clock, and by how much they grow


class Watch:
    """What a training is watched by: the times at which its loop begins, is looked at, and ends.

    Adapters call `begin`, `look` after each epoch (or step, see `Adapter.looks_after`) and `end`. Of looks, the time of
    those is taken whose numbers are given, or of all; on a CUDA device that waits for the device.
    """

    def __init__(self, at: set[int] | None = None):
        self.at = at
        self.n_looks = 0
        self.began = self.ended = 0.0
        self.times: list[tuple[int, float]] = []

    def __deepcopy__(self, memo: Any) -> Self:
        return self  # libraries copy their models, callbacks and all; there is one watch

    def begin(self) -> None:
        self.began = now()

    def look(self, module: torch.nn.Module) -> None:
        self.n_looks += 1
        if self.at is None or self.n_looks in self.at:
            self.times.append((self.n_looks, now()))

    def end(self, module: torch.nn.Module) -> None:
        self.ended = now()

    def seconds_of_a_look(self) -> float:
        """Give the median of the seconds from one look to the next, the time before the first left out."""
        spans = [(end - start) / (n - m) for (m, start), (n, end) in pairwise(self.times)]
        return float(np.median(spans))


class Clock(Watch):
    """Count the wall seconds from now on, and keep what was learned at marks that grow by a quarter."""

    def __init__(self) -> None:
        super().__init__()
        self.marks: list[tuple[float, Any]] = []  # seconds, and the weights as they were then
        self._next = FIRST
        self._before, self._since = 0.0, time.perf_counter()

    @property
    def seconds(self) -> float:
        """The seconds counted so far."""
        return self._before + time.perf_counter() - self._since

    @contextmanager
    def standing(self) -> Iterator[None]:
        """Count nothing inside."""
        self._before = self.seconds
        try:
            yield
        finally:
            self._since = time.perf_counter()

    def look(self, module: torch.nn.Module) -> None:
        self.n_looks += 1
        if self.seconds >= self._next:
            self._keep(module)

    def end(self, module: torch.nn.Module) -> None:
        self._keep(module)

    def _keep(self, module: torch.nn.Module) -> None:
        """Copy the weights for a mark, and set the next."""
        with self.standing():
            weights = {name: value.detach().clone() for name, value in module.state_dict().items()}
            self.marks.append((self._before, weights))
            while self._next <= self._before:
                self._next *= FACTOR


def now() -> float:
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
    return time.perf_counter()


@contextmanager
def stopping_after(n_steps: int | None) -> Iterator[None]:
    """Interrupt the training after some steps of the optimizer; skorch takes that for its end."""
    taken = 0

    def on_step(*_: Any) -> None:
        nonlocal taken
        taken += 1
        if taken == n_steps:
            raise KeyboardInterrupt

    if n_steps is None:
        yield
        return
    handle = register_optimizer_step_post_hook(on_step)
    try:
        yield
    finally:
        handle.remove()
