"""The two ways to measure: hide rows and forecast again, or differentiate."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.utils import Bunch

from skts.inspection.memory._contribution import Contribution, effective_memory
from skts.inspection.memory._sample import Sample
from skts.windows import Windows

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_DIFFERENTIATED_AT_ONCE = 64  # windows, each with a number for every lead, row and column


def occlude(sample: Sample, lags: Ints, block: int, rng: RandomState, advance: Callable[[], None]) -> Bunch:
    """Hide the rows at each lag, and measure what becomes of the forecasts.

    Parameters
    ----------
    sample : Sample
    lags : ndarray of int64 of shape (n_lags,)
        The latest row of each block, counted from the origin.
    block : int
        Rows that are hidden together.
    rng : RandomState
    advance : callable
        Called after each lag.

    Returns
    -------
    forward : Bunch
        `change` and `rise`, each with `by_lag`, `by_feature` and `by_lead`; `effective_memory`.
    """
    targets, windows, n_features = sample.targets, sample.windows, len(sample.feature_names)
    full, is_row = sample.forecast(windows), _is_row(windows)[:, :, None]
    error = np.abs(full - targets)

    def effects(hidden: Floats) -> tuple[Floats, Floats]:
        return np.where(is_row, np.abs(hidden - full), np.nan), np.abs(hidden - targets) - error

    donors, pairs = draw_donors(windows.series, sample.blocks, rng)
    measures = [Contribution(lags, pairs, targets.shape[1], sample.feature_names) for _ in range(2)]
    turns = rng.permutation(len(targets))
    for number, lag in enumerate(lags):
        rows = np.arange(lag, min(lag + block, sample.window + 1))
        effect = effects(sample.forecast(hide(windows, rows, donors)))
        for measure, values in zip(measures, effect, strict=True):
            measure.add(number, values)
        features = (turns + number) % n_features  # each window in its turn, for the price of one more forecast
        if n_features > 1:
            effect = effects(sample.forecast(hide(windows, rows, donors, features)))
        for measure, values in zip(measures, effect, strict=True):
            measure.add_features(number, values, features)
        advance()
    change, rise = (measure.summarise(rng) for measure in measures)
    last = np.minimum(lags + block - 1, sample.window)
    return Bunch(change=change, rise=rise, effective_memory=effective_memory(change.by_lag["mean"].to_numpy(), last))


def differentiate(sample: Sample, lags: Ints, block: int, rng: RandomState, advance: Callable[[], None]) -> Bunch:
    """Differentiate the forecasts by the rows at each lag; where rows are blocks, add them up.

    Parameters
    ----------
    sample, lags, block, rng
        As in :func:`occlude`.
    advance : callable
        Called after each of the batches that :func:`count_batches` counts.

    Returns
    -------
    backward : Bunch
        `gradient` with `by_lag`, `by_feature` and `by_lead`; `effective_memory`.
    """
    _, horizon, n_targets = sample.targets.shape
    windows, is_row = sample.windows, _is_row(sample.windows)
    n_features = len(sample.feature_names)
    contribution = Contribution(lags, sample.blocks, horizon, sample.feature_names)
    deviation = deviations(windows[:].reshape(-1, n_features).astype(np.float64))
    numbers = np.arange(n_features)
    for start in range(0, len(windows), _DIFFERENTIATED_AT_ONCE):
        some = slice(start, start + _DIFFERENTIATED_AT_ONCE)
        part = sample.regressor.input_gradient(windows.take(np.arange(len(windows))[some]))  # (B, H, T, W, F)
        strength = np.abs(part[:, :, :, ::-1]) * deviation
        strength = np.add.reduceat(strength, lags - 1, axis=3)  # (B, H, T, n_lags, F)
        strength[~is_row[some]] = np.nan
        for number in range(len(lags)):
            own = strength[:, :, :, number]  # (B, H, T, F)
            contribution.add(number, own.sum(axis=3), some)
            contribution.add_features(
                number, own.reshape(-1, horizon * n_targets, n_features).transpose(2, 0, 1), numbers
            )
        advance()
    gradient = contribution.summarise(rng)
    last = np.minimum(lags + block - 1, sample.window)
    return Bunch(gradient=gradient, effective_memory=effective_memory(gradient.by_lag["mean"].to_numpy(), last))


def count_batches(sample: Sample) -> int:
    """Count the batches of windows that are differentiated at once."""
    return -(-len(sample.windows) // _DIFFERENTIATED_AT_ONCE)


def deviations(rows: Floats) -> Floats:
    """Give the standard deviation of each column (n_rows, n_features), NaN left out; 0 where there is nothing else."""
    is_there = ~np.isnan(rows)
    counts = np.maximum(is_there.sum(axis=0), 1)
    away = np.where(is_there, rows - np.where(is_there, rows, 0.0).sum(axis=0) / counts, 0.0)
    return np.sqrt((away**2).sum(axis=0) / counts)


def draw_donors(series: Ints, blocks: Ints, rng: RandomState) -> tuple[Ints, Ints]:
    """Draw for each window another one, whose rows hide its own, by letting two blocks of time lend to each other.

    Parameters
    ----------
    series, blocks : ndarray of int64 of shape (n_windows,)
        The series of each window, and the block of time that it lies in, from 0.
    rng : RandomState

    Returns
    -------
    donors : ndarray of int64 of shape (n_windows,)
        Of the same series where the other block has a window of it, else of any.
    pairs : ndarray of int64 of shape (n_windows,)
        The number of the pair of blocks; one is of three where their number is odd, and a single block lends to itself.
        What hides a window of one pair is no part of another, so that pairs are as independent as blocks.
    """
    donors, pairs = np.empty_like(blocks), np.empty_like(blocks)
    order = rng.permutation(int(blocks.max()) + 1)
    for number, group in enumerate(np.array_split(order, max(len(order) // 2, 1))):
        for own, lender in zip(group, np.roll(group, -1), strict=True):
            lent = np.flatnonzero(blocks == lender)
            for window in np.flatnonzero(blocks == own):
                others = lent[lent != window]
                alike = others[series[others] == series[window]]
                donors[window], pairs[window] = rng.choice(alike if len(alike) else others), number
    return donors, pairs


def hide(windows: Windows, lags: Ints, donors: Ints, features: Any = None) -> Windows:
    """Replace the rows at some lags by those of other windows at the same lags.

    Parameters
    ----------
    windows : Windows
        Each in a span of its own.
    lags : ndarray of int64 of shape (n_hidden,)
        Counted from the origin, 1 is the row right before it.
    donors : ndarray of int64 of shape (n_windows,)
        The window that each takes the rows of.
    features : ndarray of int64 of shape (n_windows,), default=None
        The column of each window that is replaced; all of them by default.

    Returns
    -------
    windows : Windows
        With a panel of its own.
    """
    rows = windows.origins[:, None] - lags  # (n_windows, n_hidden)
    columns = slice(None) if features is None else features[:, None]
    panel = windows.panel.copy()
    panel[rows, columns] = windows.panel[rows[donors], columns]
    return replace(windows, panel=panel)


def _is_row(windows: Windows) -> NDArray[np.bool_]:
    """Tell which rows of each horizon the table has: (n_windows, horizon)."""
    return windows.rows[windows.horizon_positions()] >= 0
