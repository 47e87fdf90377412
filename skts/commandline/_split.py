"""The last period of a table, which is forecast as if it had not been seen."""

import argparse
from dataclasses import dataclass

import numpy as np
import pandas as pd

from skts.commandline._checks import check_device, check_target, check_windows
from skts.commandline._table import Table
from skts.model_selection import PanelTimeSeriesSplit

_TEST_OF_THE_BUNDLED = 1416  # 59 days


@dataclass(frozen=True)
class Split:
    """A table, and the rows of it that are held out.

    Parameters
    ----------
    table : Table
    is_test : ndarray of bool of shape (n_rows,)
        The rows of the last period.
    """

    table: Table
    is_test: np.ndarray

    @property
    def train(self) -> tuple[pd.DataFrame, pd.Series]:
        """The rows to learn from, and their target."""
        return self.table.X[~self.is_test], self.table.y[~self.is_test]

    @property
    def test(self) -> tuple[pd.DataFrame, pd.Series]:
        """The rows to forecast, and their target."""
        return self.table.X[self.is_test], self.table.y[self.is_test]


def hold_out(table: Table, options: argparse.Namespace) -> Split:
    """Hold out the last times, from an hour of origin on where one is given.

    Raises
    ------
    ValueError
    """
    times = table.X.index.get_level_values(-1)
    distinct = times.unique().sort_values()
    n_test = _count_test(len(distinct), options)
    if options.origin is not None:
        starts = hours_of(distinct[-n_test:]) == options.origin
        if not starts.any():
            raise ValueError(f"--origin {options.origin} is no hour of the last {n_test} times: give a larger --test.")
        n_test -= int(np.argmax(starts))
    return Split(table, np.asarray(times >= distinct[-n_test]))


def split_size(train: pd.DataFrame, options: argparse.Namespace) -> int:
    """Give the number of times that one split of the search tests on."""
    n_times = train.index.get_level_values(-1).nunique()
    return max(options.horizon, n_times // (options.splits + 2))


def check_search(split: Split, options: argparse.Namespace) -> None:
    """Refuse what would fail only after the search has begun.

    Raises
    ------
    ValueError
        No device, no target to learn from, too few times.
    """
    check_device(options.device)
    X, y = split.train
    first = X.index.get_level_values(-1).unique().sort_values()[: -options.splits * split_size(X, options)]
    is_first = X.index.get_level_values(-1).isin(first)
    part = f"before the first of {options.splits} --splits"
    check_target(y[is_first], part, "Give another --test or --splits")
    check_target(split.test[1], "of --test", "Give another --test or --splits")
    check_windows(X[is_first], split.table.job, part, ", fewer --splits or a smaller --test")


def make_folds(table: Table, options: argparse.Namespace) -> tuple[Table, PanelTimeSeriesSplit]:
    """Cut the last times into test sets of whole horizons, which begin at the hour of the origin.

    Returns
    -------
    table : Table
        Without the rows after the last whole test set.
    cv : PanelTimeSeriesSplit

    Raises
    ------
    ValueError
    """
    check_device(options.device)
    distinct = table.X.index.get_level_values(-1).unique().sort_values()
    block, n_cut = options.horizon, 0
    if options.origin is not None:
        is_start = hours_of(distinct) == options.origin
        starts = np.flatnonzero(is_start)
        if len(starts) < 2:
            raise ValueError(f"--origin {options.origin} is the hour of {len(starts)} times, and two are needed.")
        day = int(np.median(np.diff(starts)))
        block = block * day // np.gcd(block, day)
        n_cut = len(distinct) - starts[-1]
        n_cut = 0 if n_cut == day else n_cut
    n_test = _count_test(len(distinct) - n_cut, options)
    size = max(block, n_test // options.splits // block * block)
    n_before = len(distinct) - n_cut - options.splits * size
    if n_before <= 0:
        raise ValueError(
            f"--splits {options.splits} of {size} times each leave nothing to learn from: the table has "
            f"{len(distinct)}. Give fewer --splits or a shorter --horizon."
        )
    if n_cut:
        distinct = distinct[:-n_cut]
        table = table.up_to(distinct[-1])
    is_first = table.X.index.get_level_values(-1) < distinct[n_before]
    part = f"before the first of {options.splits} --splits"
    check_target(table.y[is_first], part, "Give another --test or --splits")
    check_windows(table.X[is_first], table.job, part, ", fewer --splits or a smaller --test")
    return table, PanelTimeSeriesSplit(options.splits, test_size=size)


def hours_of(times: pd.Index) -> np.ndarray:
    """Give the hour of the day of times, such as "06:00".

    Raises
    ------
    ValueError
        Times without hours.
    """
    if not isinstance(times, pd.DatetimeIndex):
        raise ValueError(f"--origin needs times with hours, and those of the table are {times.dtype}.")
    return times.strftime("%H:%M").to_numpy(dtype=str)


def _count_test(n_times: int, options: argparse.Namespace) -> int:
    is_bundled = options.table is None
    n_test = options.test or min(_TEST_OF_THE_BUNDLED if is_bundled else max(1, n_times // 10), n_times // 4)
    if n_test >= n_times:
        raise ValueError(
            f"--test {n_test} leaves nothing to learn from: the table has {n_times} times. Give a smaller one."
        )
    return n_test
