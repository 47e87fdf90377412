"""Memory that a training step needs, kept by the process."""

import ctypes
import os
import warnings
from functools import cache

import torch

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of glibc's malloc.h
_NEVER = 2**31 - 1  # the largest C int
_ENVIRONMENT = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(_NEVER)}  # read by glibc when a process starts


def tune_allocator() -> bool:
    """Let this process keep the memory that it freed, so that training on a CPU is faster.

    A recurrent layer asks for some megabytes of workspace at each step. glibc maps blocks of that size afresh from the
    system and gives them back at once, and the system clears every page of them again. After this call they come from
    the heap, and freed memory stays with the process. Weights and forecasts do not change.

    Returns
    -------
    tuned : bool
        False where nothing was done: where the C library is not glibc (macOS, Windows, Alpine Linux).

    Warns
    -----
    RuntimeWarning
        Nothing was done.

    Notes
    -----
    Sets `M_MMAP_MAX` to 0 and `M_TRIM_THRESHOLD` to its largest value with glibc's mallopt
    (https://man7.org/linux/man-pages/man3/mallopt.3.html), for as long as the process lives: it may hold more memory
    than it uses. The same is written into the environment, where worker processes that start later (`n_jobs`) read it.
    Where another allocator is preloaded (jemalloc, tcmalloc) neither has an effect, and it needs none.

    Examples
    --------
    >>> from skts.training import tune_allocator
    >>> tune_allocator()  # doctest: +SKIP
    True
    """
    if not _has_glibc():
        warnings.warn(
            "tune_allocator did nothing: it knows the allocator of glibc alone, and this process runs on another C "
            "library, which may not need it.",
            RuntimeWarning,
            stacklevel=2,
        )
        return False
    mallopt = ctypes.CDLL(None).mallopt
    if not (mallopt(_M_MMAP_MAX, 0) and mallopt(_M_TRIM_THRESHOLD, _NEVER)):
        warnings.warn("tune_allocator did nothing: glibc's mallopt refused.", RuntimeWarning, stacklevel=2)
        return False
    os.environ.update(_ENVIRONMENT)
    return True


def mention_allocator(device: torch.device) -> None:
    """Print, once per process, that `tune_allocator` would help, where it would."""
    if device.type == "cpu" and _has_glibc() and not _is_tuned():
        _mention()


@cache
def _mention() -> None:
    print(
        "Training on the CPU is faster after skts.training.tune_allocator(), called once at the start of the process."
    )


def _is_tuned() -> bool:
    """Tell whether it was called here, or by the process that started this one."""
    return all(os.environ.get(name) == value for name, value in _ENVIRONMENT.items())


def _has_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, ValueError, OSError):  # Windows has no confstr, musl and macOS not this name
        return False
