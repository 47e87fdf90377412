"""Errors and coverage of forecasts in blocks of time."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.inspection._plot._forecast_table import number_series, rows_with_target, steps_of
from skts.model_selection import find_levels
from skts.panel import Clock

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Promise:
    """What a backtest says of errors to come.

    Parameters
    ----------
    names : Index or None
        The names of the series; None where the table has one without a name.
    levels : dict of str to float
        The columns with quantiles, and their levels.
    means : dict of str to ndarray of shape (n_blocks, n_series + 1)
        By check, "error", "pinball" and "coverage", the mean of each block and series, and of all series together.
    sizes : ndarray of shape (n_blocks, n_series + 1)
        The mean of the absolute forecasts.
    months : ndarray of bool of shape (12,)
        Those that it has forecasts of; all where the times are no dates.
    """

    names: pd.Index | None
    levels: dict[str, float]
    means: dict[str, Floats]
    sizes: Floats
    months: NDArray[np.bool_]

    @classmethod
    def of(cls, result: pd.DataFrame, length: int) -> "Promise":
        """Read a backtest, in blocks of so many times."""
        levels = find_levels(result)
        there = rows_with_target(result, ["y_pred", *levels], "DriftReference.promise")
        numbers, names = number_series(there)
        blocks = steps_of(there["time"]) // length
        n_blocks = int(blocks.max()) + 1
        means = {
            check: means_by_block(values, blocks, numbers, n_blocks, len(names), length)
            for check, values in losses_of(there, levels).items()
        }
        sizes = means_by_block(sizes_of(there), blocks, numbers, n_blocks, len(names), length)
        return cls(None if names == [None] else pd.Index(names), levels, means, sizes, _months_of(there["time"]))


def losses_of(table: pd.DataFrame, levels: dict[str, float]) -> dict[str, Floats]:
    """Give the loss of each forecast: its absolute error; of quantiles their pinball loss, and whether they cover."""
    truth = table["y_true"].to_numpy(dtype=np.float64)
    losses = {"error": np.abs(truth - table["y_pred"].to_numpy(dtype=np.float64))}
    if levels:
        quantiles = table[list(levels)].to_numpy(dtype=np.float64)
        excess, level = truth[:, None] - quantiles, np.array(list(levels.values()))
        losses["pinball"] = np.maximum(level * excess, (level - 1) * excess).mean(axis=1)
        if len(levels) > 1:
            losses["coverage"] = ((truth >= quantiles[:, 0]) & (truth <= quantiles[:, -1])).astype(np.float64)
    return losses


def sizes_of(table: pd.DataFrame) -> Floats:
    """Give the absolute value of each forecast."""
    return np.abs(table["y_pred"].to_numpy(dtype=np.float64))


def means_by_block(values: Floats, blocks: Ints, series: Ints, n_blocks: int, n_series: int, fewest: float) -> Floats:
    """Average by block and series, and over all series: (n_blocks, n_series + 1).

    A block counts that has half of the `fewest` rows that it should have of a series; over all series, half of as many
    as the usual block has.
    """
    cell = blocks * n_series + series
    counts = np.bincount(cell, minlength=n_blocks * n_series).reshape(n_blocks, n_series)
    sums = np.bincount(cell, values, minlength=n_blocks * n_series).reshape(n_blocks, n_series)
    total, n_total = sums.sum(axis=1, keepdims=True), counts.sum(axis=1, keepdims=True)
    enough = (2 * counts >= fewest) & (counts > 0)
    enough_in_all = 2 * n_total >= np.median(n_total[n_total > 0]) if n_total.any() else n_total > 0
    means = np.full((n_blocks, n_series + 1), np.nan)
    np.divide(sums, counts, out=means[:, :-1], where=enough)
    np.divide(total, n_total, out=means[:, -1:], where=enough_in_all & (n_total > 0))
    return means


def _months_of(times: Any) -> NDArray[np.bool_]:
    index = pd.Index(times)
    months = np.ones(12, dtype=bool)
    if isinstance(index, pd.DatetimeIndex | pd.PeriodIndex):
        months = np.isin(np.arange(12), np.asarray(index.month) - 1)
    return months


def ticks_of(times: Any) -> Ints:
    """Give the tick of each time."""
    return Clock.read(pd.Index(times))[1]
