"""When training began and ended, and what it did: told by hooks of torch, which every library runs on."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import torch
from skorch.callbacks import Callback
from torch.optim.optimizer import register_optimizer_step_post_hook

from skts.training._clip_gradient import clip_gradient

MARKS: dict[str, float] = {}


def mark(name: str) -> None:
    MARKS[name] = time.perf_counter()


class SkorchMarks(Callback):
    """Mark where the loop over epochs begins and ends, in skorch."""

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        mark("begin")

    def on_train_end(self, net, X=None, y=None, **kwargs):
        mark("end")


def lightning_marks() -> Any:
    """Mark the same in Lightning."""
    from pytorch_lightning.callbacks import Callback as LightningCallback

    class LightningMarks(LightningCallback):
        def on_train_start(self, trainer, module):
            mark("begin")

        def on_train_end(self, trainer, module):
            mark("end")

    return LightningMarks()


@contextmanager
def counted() -> Iterator[dict[str, Any]]:
    """Count inside the block what was trained and forecast; it slows everything, so no round is timed in it."""
    found: dict[str, Any] = {}
    counts: Counter[str] = Counter()
    shapes: set[tuple[int, ...]] = set()

    def on_lstm(module: torch.nn.Module, arguments: tuple) -> None:
        if not isinstance(module, torch.nn.LSTM):
            return
        rows = arguments[0]  # (B, L, F)
        counts["windows" if module.training else "forecasts"] += rows.shape[0]
        if module.training:
            shapes.add((*rows.shape[1:], module.hidden_size, module.num_layers))
            found["dtype"] = str(rows.dtype)

    def on_step(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        counts["steps"] += 1
        (group,) = optimizer.param_groups
        found["optimizer"] = f"{type(optimizer).__name__}(lr={group['lr']}, weight_decay={group['weight_decay']})"
        found["fused"] = bool(group["fused"])
        found["parameters"] = sum(parameter.numel() for parameter in group["params"])

    def clip(parameters: Any, max_norm: float, *arguments: Any, **options: Any) -> Any:
        counts["clipped"] += 1
        found["clip"] = max_norm
        return original(parameters, max_norm, *arguments, **options)

    def own_clip(parameters: Any, max_norm: float) -> None:
        counts["clipped"] += 1
        found["clip"] = max_norm
        clip_gradient(parameters, max_norm)

    original = torch.nn.utils.clip_grad_norm_
    before = torch.nn.modules.module.register_module_forward_pre_hook(on_lstm)
    after = register_optimizer_step_post_hook(on_step)
    with ExitStack() as stack:
        for place in ("torch.nn.utils.clip_grad_norm_", "skorch.callbacks.regularization.clip_grad_norm_"):
            stack.enter_context(patch(place, clip))
        stack.enter_context(patch("skts.training._window_net.clip_gradient", own_clip))
        try:
            yield found
        finally:
            before.remove()
            after.remove()
    assert len(shapes) == 1, f"not one length of windows: {shapes}"
    found.update(zip(("rows", "features", "hidden", "layers"), *shapes, strict=True))
    found.update({name: counts[name] for name in ("steps", "windows", "clipped", "forecasts")})


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
