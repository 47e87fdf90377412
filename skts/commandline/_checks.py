"""What can be told of a job before the work, in terms of the command's options."""

import numpy as np
import pandas as pd
import torch

from skts.commandline._job import Job
from skts.panel import PanelIndex, stretch_starts
from skts.training import resolve_device


def check_device(device: str) -> None:
    """Refuse a device that is not there.

    Raises
    ------
    ValueError
    """
    try:
        resolve_device(device)
    except ValueError:
        there = "auto, cpu or cuda" if torch.cuda.is_available() else "auto or cpu, as torch sees no CUDA device"
        raise ValueError(f"--device {device} is not there: give {there}.") from None


def check_target(y: pd.Series, part: str, way_out: str) -> None:
    """Refuse rows of which none has a target.

    Raises
    ------
    ValueError
    """
    if len(y) and y.isna().all():
        raise ValueError(
            f"--target {y.name!r} is empty in all {len(y):,} rows {part}: nothing can be learnt from or scored there. "
            f"{way_out}."
        )


def check_windows(X: pd.DataFrame, job: Job, part: str, way_out: str) -> None:
    """Refuse rows that make no window to train on.

    Raises
    ------
    ValueError
    """
    longest, needed = _longest_run(X), job.window + job.horizon
    if longest < needed:
        n_window = longest - job.horizon
        shorter = f"a --window of at most {n_window}" if n_window > 0 else "a shorter --horizon"
        raise ValueError(
            f"--window {job.window} and --horizon {job.horizon} need {needed} times of a series without a gap "
            f"to learn from, and the longest stretch {part} has {longest}: give {shorter}{way_out}."
        )


def _longest_run(X: pd.DataFrame) -> int:
    """Give the length of the longest stretch of a series without a gap."""
    if len(X) == 0:
        return 0
    panel = PanelIndex.read(X)
    return int(np.diff(stretch_starts(panel.ticks, panel.indptr, panel.step)).max(initial=0))
