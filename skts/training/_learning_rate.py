"""The learning rate over the steps of a fit."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR


class LearningRate:
    """Move the rates of an optimizer by one of torch's schedules, and put them back in the end.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
    schedule : {"constant", "cosine", "one_cycle"}
    n_steps : int
        Steps of the whole fit.

    Notes
    -----
    The schedule runs on an optimizer of its own and in Python's numbers, so that it is exact, and never waits for a
    device on which the rates may be.
    """

    def __init__(self, optimizer: Optimizer, schedule: str, n_steps: int):
        self.optimizer = optimizer
        self.before = [group["lr"] for group in self.groups]
        self.tensors: list[Tensor] | None = None
        self.schedule: LRScheduler | None = None
        if schedule == "constant":
            return
        self.carrier = torch.optim.SGD([{"params": [torch.zeros(())], "lr": float(rate)} for rate in self.before])
        if schedule == "cosine":
            self.schedule = CosineAnnealingLR(self.carrier, T_max=n_steps)
        else:
            rates = [group["lr"] for group in self.carrier.param_groups]
            self.schedule = OneCycleLR(self.carrier, rates, total_steps=n_steps, cycle_momentum=False)
        self.carrier.step()  # torch warns of schedules that move before their optimizer does
        self._put()

    @property
    def groups(self) -> list[dict[str, Any]]:
        """The groups of the optimizer, which are others once a state was loaded."""
        return self.optimizer.param_groups

    def step(self) -> None:
        """Go on to the next step of the schedule."""
        if self.schedule is not None:
            self.schedule.step()
            self._put()

    def restore(self) -> None:
        """Leave the rates as they were, where a schedule moved them."""
        if self.schedule is not None:
            for group, rate in zip(self.groups, self.before, strict=True):
                group["lr"] = rate

    @contextmanager
    def on_device(self, device: torch.device) -> Iterator[None]:
        """Keep the rates in tensors inside the block, always the same ones, which a recorded step reads again."""
        if self.tensors is None:
            self.tensors = [torch.zeros((), dtype=torch.float32, device=device) for _ in self.groups]
        rates = [group["lr"] for group in self.groups]
        for group, tensor, rate in zip(self.groups, self.tensors, rates, strict=True):
            group["lr"] = tensor.fill_(rate)
        try:
            yield
        finally:
            for i, group in enumerate(self.groups):
                group["lr"] = rates[i] if self.schedule is None else self.carrier.param_groups[i]["lr"]

    def _put(self) -> None:
        for group, moved in zip(self.groups, self.carrier.param_groups, strict=True):
            _set(group, moved["lr"])


def _set(group: dict[str, Any], rate: float) -> None:
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(rate)  # a number in the arguments of a kernel: nothing waits
    else:
        group["lr"] = rate
