"""Columns whose level jumps between runs as it does when the unit changes."""

import warnings

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.exceptions import SuspectUnitsWarning
from skts.weather._run_table import RunTable

Floats = NDArray[np.float64]
HOUR = 3_600_000_000_000  # ns
KELVIN = 273.15
CELSIUS = (-100.0, 70.0)  # what the air and the ground may have
FACTOR = 3.0  # decades
FEWEST_SHARED = 0.5  # of the hours of the day that a run has, those that the runs before it have too


def warn_of_suspect_units(table: RunTable) -> None:
    """Warn of columns whose unit seems to change between the runs of a provider.

    Compared are means by run and hour of the day, as many fields have a day: a run of the night has no level in common
    with one of the noon.
    """
    n_runs = len(table.runs)
    if n_runs < 2:
        return
    cell = table.run * 24 + (table.times // HOUR % 24)[table.time]
    found = []
    for j in range(table.frame.shape[1]):
        values = table.frame.iloc[:, j].to_numpy(dtype=np.float64, na_value=np.nan)
        there = np.isfinite(values)
        cells, values = (cell, values) if there.all() else (cell[there], values[there])
        counts = np.bincount(cells, minlength=n_runs * 24)
        with np.errstate(invalid="ignore", divide="ignore"):
            means, sizes = (
                (np.bincount(cells, weights=part, minlength=n_runs * 24) / counts).reshape(n_runs, 24)
                for part in (values, np.abs(values))
            )
        told = find_kelvin(means) or find_factor(sizes)
        if told is not None:
            row, which = told
            run = table.clock.label(table.runs[row])
            found.append(f"{table.provider}_{table.frame.columns[j]} from the run {run} on ({which})")
    if found:
        warnings.warn(
            f"The unit seems to change between the runs of {table.provider!r}: {'; '.join(found)}. Nothing was "
            "changed: look at the files, and bring all runs to one unit before join_runs.",
            SuspectUnitsWarning,
            stacklevel=3,
        )


def find_kelvin(means: Floats) -> tuple[int, str] | None:
    """Find a jump between degrees Celsius and kelvin.

    Parameters
    ----------
    means : ndarray of shape (n_runs, 24)
        By run and hour of the day; NaN where a run has no value.

    Returns
    -------
    jump : (int, str) or None
        The run that jumps, and what it looks like.
    """
    if np.isnan(means).all():
        return None
    low, high = _bounds(means)
    cold = (low >= CELSIUS[0]) & (high <= CELSIUS[1])
    warm = (low >= CELSIUS[0] + KELVIN) & (high <= CELSIUS[1] + KELVIN)
    there = np.isfinite(low)
    if not cold.any() or not warm.any() or (cold | warm)[there].mean() < 0.95:
        return None
    step = _compare(means)
    rows = np.flatnonzero((np.abs(np.abs(step) - KELVIN) < 30) & (cold | warm))
    if len(rows) == 0:
        return None
    number = int(min(warm.sum(), cold.sum()))
    what = "kelvin" if warm.sum() <= cold.sum() else "degrees Celsius"
    return int(rows[0]), f"a jump of {step[rows[0]]:+.1f}; {number:,} of {int(there.sum()):,} runs look like {what}"


def find_factor(sizes: Floats) -> tuple[int, str] | None:
    """Find a jump by a factor of about 1,000.

    Parameters
    ----------
    sizes : ndarray of shape (n_runs, 24)
        The mean of the absolute values by run and hour of the day; NaN where a run has no value.

    Returns
    -------
    jump : (int, str) or None
        The run that jumps, and what it looks like.
    """
    with np.errstate(divide="ignore"):
        decades = np.where(sizes > 0, np.log10(sizes), np.nan)
    if np.isnan(decades).all():
        return None
    step = _compare(decades)
    rows = np.flatnonzero(np.abs(np.abs(step) - FACTOR) < 0.3)
    if len(rows) == 0 or not _two_levels(decades):
        return None
    return int(rows[0]), f"a jump by a factor of {10 ** step[rows[0]]:,.4g}"


def _compare(levels: Floats) -> Floats:
    """Subtract from each run the one before it at the same hours: the median over them; NaN where few are shared."""
    filled = pd.DataFrame(levels).ffill().shift().to_numpy()
    steps = levels - filled
    shared = np.isfinite(steps).sum(axis=1) >= FEWEST_SHARED * np.maximum(np.isfinite(levels).sum(axis=1), 1)
    median = pd.DataFrame(steps.T).median().to_numpy()
    return np.where(shared, median, np.nan)


def _two_levels(decades: Floats) -> bool:
    """Tell whether the runs have two levels with nothing between them, so that no third explains the jump."""
    level = np.sort(pd.DataFrame(decades.T).median().dropna().to_numpy())
    gaps = np.diff(level)
    cut = int(gaps.argmax())
    low, high = level[: cut + 1], level[cut + 1 :]
    return bool(gaps[cut] > 1.0 and abs(np.median(high) - np.median(low) - FACTOR) < 0.5)


def _bounds(means: Floats) -> tuple[Floats, Floats]:
    frame = pd.DataFrame(means.T)
    return frame.min().to_numpy(), frame.max().to_numpy()
