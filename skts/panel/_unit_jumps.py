"""Columns whose unit seems to change from some time on."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.panel._panel_index import PanelIndex

Floats = NDArray[np.float64]

KELVIN = 273.15
CELSIUS = (-100.0, 70.0)  # what the air and the ground may have
FEWEST = 24  # rows of a block: a day of hours
_N_BLOCKS = 200  # at most, of a series
_FEWEST_BLOCKS = 2  # on each side of a jump
_FACTORS = ((2.0, 0.15), (3.0, 0.3))  # decades, and how far from them what the data do themselves may lead
_WIDEST = 1.2  # decades within which a column of one unit stays, most of the time
_CLEAR = 1.0  # decades without a block between two units


class UnitJump(NamedTuple):
    """A column of a series that jumps as it does where the unit changes.

    Parameters
    ----------
    column : hashable
    series : int
        Its number.
    position : int
        The row, by grouped position, of the first block after the jump.
    what : str
        What it looks like.
    """

    column: Any
    series: int
    position: int
    what: str


def find_unit_jumps(X: pd.DataFrame, panel: PanelIndex) -> list[UnitJump]:
    """Find columns whose level or spread jumps by 100, 1,000 or 273.15 and stays there.

    Spreads (standard deviations by block of rows) tell a factor whatever the zero of the unit, levels that of a column
    far from zero, such as pressure, and kelvin from degrees Celsius.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_columns)
    panel : PanelIndex
        Of `X`.

    Returns
    -------
    jumps : list of UnitJump
        By column, at most one for each of its series.
    """
    past, found = panel.latest, []
    for name, column in X.items():
        if column.dtype.kind not in "iuf":
            continue
        values = column.to_numpy(dtype=np.float64)[past.rows]
        for series, (start, stop) in enumerate(zip(past.indptr[:-1], past.indptr[1:], strict=True)):
            size = max(FEWEST, -(-(stop - start) // _N_BLOCKS))
            means, spreads = block_moments(values[start:stop], size)
            told = find_factor(spreads) or find_factor(np.abs(means)) or find_kelvin(means)
            if told is not None:
                found.append(UnitJump(name, series, int(start) + told[0] * size, told[1]))
    return found


def block_moments(values: Floats, size: int) -> tuple[Floats, Floats]:
    """Give mean and standard deviation by block of `size` rows; NaN where less than half is there.

    Returns
    -------
    means, spreads : ndarray of shape (n_blocks,)
        Without the rows after the last whole block.
    """
    blocks = values[: len(values) // size * size].reshape(-1, size)
    there = np.isfinite(blocks)
    number = there.sum(axis=1)
    few = 2 * number < size
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(there, blocks, 0.0).sum(axis=1) / number
        spreads = np.sqrt((np.where(there, blocks - means[:, None], 0.0) ** 2).sum(axis=1) / number)
    return np.where(few, np.nan, means), np.where(few, np.nan, spreads)


def find_factor(spreads: Floats) -> tuple[int, str] | None:
    """Find a jump of spreads, or levels, by a factor of about 100 or 1,000, with nothing between the two levels.

    Returns
    -------
    jump : (int, str) or None
        The first block after it, and what it looks like.
    """
    places = np.flatnonzero(spreads > 0)
    decades = np.log10(spreads[places])
    if len(decades) < 2 * _FEWEST_BLOCKS:
        return None
    cut = split_in_two(decades)
    before, after = decades[:cut], decades[cut:]
    if min(len(before), len(after)) < _FEWEST_BLOCKS:
        return None
    step = float(np.median(after) - np.median(before))
    if not any(abs(abs(step) - factor) < slack for factor, slack in _FACTORS):
        return None
    lower, upper = (before, after) if step > 0 else (after, before)
    (low, below), (above, high) = np.quantile(lower, [0.1, 0.9]), np.quantile(upper, [0.1, 0.9])
    if below - low > _WIDEST or high - above > _WIDEST or above - below < _CLEAR:
        return None
    factor = 10.0 ** round(abs(step))
    return int(places[cut]), f"{'times' if step > 0 else 'divided by'} {factor:,.0f}"


def split_in_two(values: Floats) -> int:
    """Give the place where a sequence is cut into two whose means explain most of its variance."""
    number = np.arange(1, len(values))
    before = np.cumsum(values)[:-1]
    after = values.sum() - before
    apart = before / number - after / (len(values) - number)
    return 1 + int(np.argmax(number * (len(values) - number) * apart**2))


def find_kelvin(means: Floats) -> tuple[int, str] | None:
    """Find a jump of the level between degrees Celsius and kelvin.

    Returns
    -------
    jump : (int, str) or None
        The first block after it, and what it looks like.
    """
    places = np.flatnonzero(np.isfinite(means))
    levels = means[places]
    if len(levels) < 2:
        return None
    cut = split_in_two(levels)
    before, after = levels[:cut], levels[cut:]
    step = float(np.median(after) - np.median(before))
    cold, warm = (before, after) if step > 0 else (after, before)
    is_cold = CELSIUS[0] <= cold.min() and cold.max() <= CELSIUS[1]
    is_warm = CELSIUS[0] + KELVIN <= warm.min() and warm.max() <= CELSIUS[1] + KELVIN
    if abs(abs(step) - KELVIN) > 30 or not (is_cold and is_warm):
        return None
    return int(places[cut]), "from degrees Celsius to kelvin" if step > 0 else "from kelvin to degrees Celsius"
