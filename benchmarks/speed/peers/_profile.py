"""Where the time of a training step goes: exclusive times of what every loop on torch calls."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import torch
from _marks import MARKS
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.utils.data import dataloader

from skts.nn import EncoderDecoder
from skts.training._clip_gradient import clip_gradient
from skts.training._window_dataset import WindowDataset

PARTS = ("gather", "forward", "backward", "clip", "optimizer", "rest")
_PLACES: tuple[tuple[str, Any, str], ...] = (
    ("gather", WindowDataset, "gather"),
    ("gather", dataloader._SingleProcessDataLoaderIter, "__next__"),
    ("forward", EncoderDecoder, "forward"),
    ("backward", torch.Tensor, "backward"),
    ("optimizer", torch.optim.AdamW, "step"),
    ("optimizer", torch.optim.AdamW, "zero_grad"),
)
_CLIPS = ("torch.nn.utils.clip_grad_norm_", "skorch.callbacks.regularization.clip_grad_norm_")


class Clock:
    """Seconds spent in each part, less those spent in parts that it calls."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.inner: list[float] = []  # of each part under way: what parts inside it took

    def wrap(self, part: str, function: Callable) -> Callable:
        def timed(*arguments: Any, **options: Any) -> Any:
            self.inner.append(0.0)
            start = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                took = time.perf_counter() - start
                self.seconds[part] += took - self.inner.pop()
                if self.inner:
                    self.inner[-1] += took

        return timed


@contextmanager
def profiled() -> Iterator[dict[str, float]]:
    """Tell milliseconds a step of each part of the training inside the block, once it has ended."""
    clock, spent, n_steps = Clock(), {}, 0

    def on_step(*_: Any) -> None:
        nonlocal n_steps
        n_steps += 1

    counter = register_optimizer_step_post_hook(on_step)
    with ExitStack() as stack:
        for part, owner, name in _PLACES:
            stack.enter_context(patch.object(owner, name, clock.wrap(part, getattr(owner, name))))
        clipping = clock.wrap("clip", torch.nn.utils.clip_grad_norm_)
        for place in _CLIPS:
            stack.enter_context(patch(place, clipping))
        stack.enter_context(patch("skts.training._window_net.clip_gradient", clock.wrap("clip", clip_gradient)))
        try:
            yield spent
        finally:
            counter.remove()
    whole = MARKS["end"] - MARKS["begin"]
    clock.seconds["rest"] = whole - sum(clock.seconds.values())
    spent.update({part: 1e3 * clock.seconds[part] / n_steps for part in PARTS}, whole=1e3 * whole / n_steps)
