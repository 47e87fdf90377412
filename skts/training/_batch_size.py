"""The largest batch that still makes training faster, found by trying."""

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from skts.training._address_table import AddressTable
from skts.training._batches import items_of
from skts.training._device import seeded
from skts.training._loop import RunningLoss, choose_recorder, make_step

REFERENCE_BATCH_SIZE = 64
_GAIN = 1.1  # how much faster twice the batch must be
_FEWEST_BATCHES = 16  # that an epoch keeps
_TIMED = 5  # batches
_clock = time.perf_counter


def find_batch_size(net: Any, table: AddressTable, subsample: float = 1.0) -> int:
    """Double the batch as long as more windows a second are trained by it.

    Parameters
    ----------
    net : WindowNet
        A few steps of each size are timed on a throw-away net like it. Its own weights, the state of its optimizer and
        torch's generators stay as they are.
    table : AddressTable
        What it will train on.
    subsample : float, default=1.0
        Share of its items that an epoch draws.

    Returns
    -------
    batch_size : int
        64 or more.

    Notes
    -----
    The end comes where twice the batch trains less than a tenth more windows a second, where the memory of a CUDA
    device does not suffice, or where an epoch would have fewer than 16 steps. Times differ from run to run, and so may
    the answer.
    """
    with seeded(0, table.device):
        trial = type(net)(**(net.get_params(deep=False) | {"callbacks": [], "verbose": 0})).initialize()
        order = torch.randperm(len(table), generator=torch.Generator().manual_seed(0)).to(table.device)
        most = int(len(table) * table.windows_per_item * subsample) // _FEWEST_BATCHES
        return largest_that_gains(lambda size: _windows_per_second(trial, table, order, size), most)


def largest_that_gains(rate_of: Callable[[int], float | None], most: int) -> int:
    """Double from 64 on, up to `most`, as long as the rate gains a tenth by it; None is a size that does not work."""
    size = REFERENCE_BATCH_SIZE
    rate = rate_of(size) if 2 * size <= most else None
    while rate is not None and 2 * size <= most:
        doubled = rate_of(2 * size)
        if doubled is None or doubled < _GAIN * rate:
            break
        size, rate = 2 * size, doubled
    return size


def scale_lr(lr: float, batch_size: int, optimizer: type[torch.optim.Optimizer]) -> float:
    """Scale a learning rate that suits batches of 64 to others.

    With the square root of the size, as Malladi et al. (2022), https://arxiv.org/abs/2205.10287, derive for Adam and
    RMSprop (of their rule the learning rate alone: at large factors it would ask for momenta below 0); in proportion to
    the size for SGD, as Goyal et al. (2017), https://arxiv.org/abs/1706.02677.
    """
    factor = batch_size / REFERENCE_BATCH_SIZE
    return lr * (factor if issubclass(optimizer, torch.optim.SGD) else factor**0.5)


def _windows_per_second(trial: Any, table: AddressTable, order: Tensor, size: int) -> float | None:
    """Time a few steps, or say None where the memory of the device does not suffice."""
    step = make_step(trial, table, size, RunningLoss(order.device), choose_recorder(trial))
    n_items = items_of(table, size)
    batches = order.repeat(-(-n_items * _TIMED // len(order))).split(n_items)[:_TIMED]
    try:
        for i in range(1 if step.recorder is None else step.n_warm_up + 1):
            step(batches[i])
        _wait(order.device)
        begin = _clock()
        for items in batches:
            step(items)
        _wait(order.device)
        return n_items * table.windows_per_item * _TIMED / (_clock() - begin)
    except torch.OutOfMemoryError:
        return None
    finally:
        step.release()
        trial.optimizer_.zero_grad(set_to_none=True)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
