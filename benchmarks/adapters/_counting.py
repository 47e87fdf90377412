"""What a training on torch does, and where the time of its steps goes: by the public hooks of torch alone."""

import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

PARTS = ("batch", "forward", "backward", "clip", "optimizer")
_ENLARGED = 1e6  # which no gradient is small enough for to be left alone by clipping


@contextmanager
def counted() -> Iterator[dict[str, Any]]:
    """Count inside the block what was trained and forecast; it slows everything, so nothing is timed in it.

    Whether gradients are clipped is seen by their norm after the optimizer's step, once hooks made them a million times
    as large.
    """
    found: dict[str, Any] = {}
    counts: Counter[str] = Counter()
    shapes: set[tuple[int, ...]] = set()
    enlarged: set[Tensor] = set()
    norms: list[float] = []

    def on_forward(module: nn.Module, arguments: tuple) -> None:
        if not isinstance(module, nn.LSTM):
            return
        rows = arguments[0]  # (B, L, F)
        counts["windows" if module.training else "forecasts"] += rows.shape[0]
        if module.training:
            shapes.add((*rows.shape[1:], module.hidden_size, module.num_layers))
            found["dtype"] = str(rows.dtype)
            for weight in set(module.parameters()) - enlarged:
                weight.register_hook(lambda gradient: gradient * _ENLARGED)
                enlarged.add(weight)

    def on_step(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        (group,) = optimizer.param_groups
        gradients = [weight.grad for weight in group["params"] if weight.grad is not None]
        norms.append(float(torch.nn.utils.get_total_norm(gradients)))
        counts["steps"] += 1
        found["optimizer"] = f"{type(optimizer).__name__}(lr={group['lr']}, weight_decay={group['weight_decay']})"
        found["fused"] = bool(group["fused"])
        found["parameters"] = sum(parameter.numel() for parameter in group["params"])

    with ExitStack() as stack:
        stack.callback(register_module_forward_pre_hook(on_forward).remove)
        stack.callback(register_optimizer_step_post_hook(on_step).remove)
        yield found
    assert len(shapes) == 1, f"not one length of windows: {shapes}"
    found.update(zip(("rows", "features", "hidden", "layers"), *shapes, strict=True))
    found.update({name: counts[name] for name in ("steps", "windows", "forecasts")})
    found["clip"] = round(max(norms), 3)
    found["clipped"] = sum(abs(norm - found["clip"]) < 1e-3 for norm in norms)


class ClosureFirst(torch.optim.AdamW):
    """Run the closure before the step, for libraries that train in one, so that hooks see the update alone."""

    def step(self, closure: Any = None) -> Any:
        loss = None if closure is None else closure()
        super().step()
        return loss


@contextmanager
def profiled() -> Iterator[dict[str, float]]:
    """Tell the milliseconds of each part of a training step inside the block, once it has ended; medians of the steps.

    A step begins where the one before ended. Its parts follow each other: "batch" until the network is called,
    "forward" until it has returned, "backward" until the last gradient is there (with the loss), "clip" until the
    optimizer's step, "optimizer" until that is done.
    """
    clock = _StepClock()
    torch.optim.AdamW([nn.Parameter(torch.zeros(1))])  # whose step takes hooks from the first instance on
    spent: dict[str, float] = {}
    with ExitStack() as stack:
        for register, hook in (
            (register_module_forward_pre_hook, clock.on_call),
            (register_module_forward_hook, clock.on_return),
            (register_optimizer_step_pre_hook, clock.before_optimizer),
            (register_optimizer_step_post_hook, clock.after_optimizer),
        ):
            stack.callback(register(hook).remove)  # type: ignore[operator]
        yield spent
    columns = dict(zip(PARTS, zip(*clock.steps, strict=True), strict=True))
    spent.update({part: 1e3 * statistics.median(seconds) for part, seconds in columns.items()})
    spent["whole"] = 1e3 * statistics.median(map(sum, clock.steps))


class _StepClock:
    """The seconds of each part of each step but the first."""

    def __init__(self) -> None:
        self.steps: list[list[float]] = []
        self.times: list[float] = []  # of the step under way: where parts ended
        self.depth, self.last_gradient = 0, 0.0
        self.hooked: set[Tensor] = set()

    def on_call(self, module: nn.Module, arguments: Any) -> None:
        self.depth += 1
        if self.depth == 1 and len(self.times) == 1 and module.training:
            for weight in set(module.parameters()) - self.hooked:
                weight.register_post_accumulate_grad_hook(self._on_gradient)
                self.hooked.add(weight)
            self.times.append(time.perf_counter())

    def on_return(self, module: nn.Module, arguments: Any, result: Any) -> None:
        self.depth -= 1
        if self.depth == 0 and len(self.times) == 2:
            self.times.append(time.perf_counter())

    def _on_gradient(self, weight: Tensor) -> None:
        self.last_gradient = time.perf_counter()

    def before_optimizer(self, *_: Any) -> None:
        if len(self.times) == 3:
            self.times += [self.last_gradient, time.perf_counter()]

    def after_optimizer(self, *_: Any) -> None:
        ended = time.perf_counter()
        if len(self.times) == 5:
            ends = [*self.times, ended]
            self.steps.append([end - start for start, end in pairwise(ends)])
        self.times = [ended]
