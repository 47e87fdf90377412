"""Where the network lives, what it computes in, and randomness that stays inside a fit."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

import torch
from torch import nn

_PACKAGES = ("torch.nn.", "skts.")  # whose modules are known to draw nothing but in dropout


def resolve_device(device: str) -> torch.device:
    """Turn a `device` parameter into a device that is there.

    Parameters
    ----------
    device : str
        "auto" takes CUDA where it is and the CPU elsewhere; anything else is a torch device ("cpu", "cuda:1", "mps").

    Raises
    ------
    ValueError
        An unknown device, or CUDA where there is none.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"device={device!r} is no device that torch knows: give 'auto', 'cpu' or 'cuda'.") from error
    if resolved.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            f"device={device!r} was asked for, and torch sees no CUDA device: give device='auto' to take CUDA only "
            "where it is, or install a CUDA build of torch."
        )
    return resolved


def check_precision(precision: str, network: nn.Module, device: torch.device) -> None:
    """Refuse a precision that the layers of a network cannot be computed in.

    Parameters
    ----------
    precision : {"float32", "bf16"}
    network : Module
    device : torch.device

    Raises
    ------
    ValueError
        A recurrent layer of each kind in it was tried, and failed.
    """
    if precision == "float32":
        return
    kinds = {type(layer) for layer in network.modules() if isinstance(layer, nn.LSTM | nn.GRU | nn.RNN)}
    for kind in kinds:
        try:
            layer = kind(1, 1, device="meta").to_empty(device=device)  # draws no random weights
            with torch.autocast(device.type, torch.bfloat16):
                layer(torch.zeros(1, 1, 1, device=device))
        except RuntimeError as error:
            raise ValueError(
                f"precision={precision!r} was asked for, and torch cannot run {kind.__name__} layers in bfloat16 on "
                f"this {device}: give precision='float32'."
            ) from error


class _FitLock:
    """Excludes fits of other threads while one needs the generators of the whole process."""

    def __init__(self) -> None:
        self.renew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.renew)  # whoever held it is not there

    def renew(self) -> None:
        """Make a lock that nobody holds."""
        self.lock = RLock()


_fit_lock = _FitLock()


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch inside the block, alone among threads, and leave its global generators as they were."""
    on_cuda = device.type == "cuda"
    with _fit_lock.lock, torch.random.fork_rng(devices=[device] if on_cuda else []):
        torch.default_generator.manual_seed(seed)
        if on_cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield


def draws_in_training(network: nn.Module) -> bool:
    """Tell whether a network may draw from torch's global generators while it trains: dropout, and what is unknown."""
    for layer in network.modules():
        if not f"{type(layer).__module__}.".startswith(_PACKAGES):
            return True
        drops = getattr(layer, "dropout", 0.0) if isinstance(layer, nn.RNNBase) else getattr(layer, "p", 0.0)
        if isinstance(drops, float | int) and drops > 0:
            return True
    return False
