"""Where the network lives, and randomness that stays inside a fit."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


def resolve_device(device: str) -> torch.device:
    """Turn a `device` parameter into a device that is there.

    Parameters
    ----------
    device : str
        "auto" takes CUDA where it is and the CPU elsewhere; anything else is a torch device ("cpu", "cuda:1").

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


def check_precision(precision: str, device: torch.device) -> None:
    """Refuse a precision that the device cannot compute a recurrent layer in.

    Parameters
    ----------
    precision : {"float32", "bf16"}
    device : torch.device

    Raises
    ------
    ValueError
        Tried, and failed.
    """
    if precision == "float32":
        return
    try:
        layer = torch.nn.LSTM(1, 1, device="meta").to_empty(device=device)  # draws no random weights
        with torch.autocast(device.type, torch.bfloat16):
            layer(torch.zeros(1, 1, 1, device=device))
    except RuntimeError as error:
        raise ValueError(
            f"precision={precision!r} was asked for, and torch cannot run an LSTM in bfloat16 on {device}: "
            "give precision='float32'."
        ) from error


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch inside the block and leave its global generators as they were."""
    on_cuda = device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if on_cuda else []):
        torch.default_generator.manual_seed(seed)
        if on_cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield
