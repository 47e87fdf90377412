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
