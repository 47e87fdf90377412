"""What can be told of a job before the search, in terms of the command's options."""

import argparse

import numpy as np
import torch

from skts.commandline._table import Table
from skts.panel import PanelIndex, stretch_starts
from skts.training import resolve_device


def split_size(table: Table, options: argparse.Namespace) -> int:
    """Give the number of times that one split of the search tests on."""
    n_times = table.train[0].index.get_level_values(-1).nunique()
    return max(options.horizon, n_times // (options.splits + 2))


def check_job(table: Table, options: argparse.Namespace) -> None:
    """Refuse what would fail only after the search has begun.

    Raises
    ------
    ValueError
        No device, no target to learn from, too few times.
    """
    try:
        resolve_device(options.device)
    except ValueError:
        there = "auto, cpu or cuda" if torch.cuda.is_available() else "auto or cpu, as torch sees no CUDA device"
        raise ValueError(f"--device {options.device} is not there: give {there}.") from None
    X, y = table.train
    first = X.index.get_level_values(-1).unique().sort_values()[: -options.splits * split_size(table, options)]
    is_first = X.index.get_level_values(-1).isin(first)
    for part, rows in ((f"before the first of {options.splits} --splits", y[is_first]), ("of --test", table.test[1])):
        if len(rows) and rows.isna().all():
            raise ValueError(
                f"--target {table.target!r} is empty in all {len(rows):,} rows {part}: nothing can be learnt from or "
                "scored there. Give another --test or --splits."
            )
    longest = _longest_run(X[is_first])
    if longest < options.window + options.horizon:
        n_window = longest - options.horizon
        shorter = f"a --window of at most {n_window}" if n_window > 0 else "a shorter --horizon"
        raise ValueError(
            f"--window {options.window} and --horizon {options.horizon} need {options.window + options.horizon} times "
            f"of a series without a gap to learn from, and the longest stretch before the first of {options.splits} "
            f"--splits has {longest}: give {shorter}, fewer --splits or a smaller --test."
        )


def _longest_run(X: object) -> int:
    """Give the length of the longest stretch of a series without a gap."""
    panel = PanelIndex.read(X)
    return int(np.diff(stretch_starts(panel.ticks, panel.indptr, panel.step)).max(initial=0))
