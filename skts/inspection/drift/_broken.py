"""What is plainly broken: columns that are missing, stand still or changed their unit."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# of units that are mistaken for each other: kilo and mega, m/s and km/h, shares and percent, hours and minutes
# by how much the size of a block may be beside it, in natural logarithms
FACTORS = {1000.0: 0.7, 1e6: 0.7, 3.6: 0.15, 100.0: 0.2, 60.0: 0.2}
KELVIN = 273.15
_NEAR_KELVIN = 15.0


def find_unit(sizes: Floats, medians: Floats, known: Floats) -> tuple[Floats, list[str], Ints]:
    """Find blocks whose values are larger or smaller than those of training by a factor that a change of units makes.

    Parameters
    ----------
    sizes, medians : ndarray of shape (n_blocks, n_series)
        The quantile 0.9 of the absolute values, and the median.
    known : ndarray of shape (6, n_series)
        Of training, as `describe_sizes` gives it.

    Returns
    -------
    ratios : ndarray of shape (n_series,)
        The size by that of training, of the first block that looks so, or else of the last.
    notes : list of n_series str
        "" where nothing does.
    first : ndarray of int64 of shape (n_series,)
        The block; -1 where none.
    """
    whole, smallest, largest, median, low, high = known
    n_series = sizes.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = sizes / whole
        unseen = (sizes > 2 * largest) | (sizes < smallest / 2)
        log = np.log(ratios)
    notes, first, shown = [""] * n_series, np.full(n_series, -1, dtype=np.int64), np.full(n_series, np.nan)
    if len(ratios):
        shown = ratios[-1].copy()
    hits = {
        f"about {write_factor(factor)}: another unit?": (np.abs(log - np.log(factor)) < near) & unseen
        for factor, near in _with_inverses()
    }
    narrow = high - low < 80  # of degrees, no column of another kind
    for sign, word in ((1, "higher"), (-1, "lower")):
        away = np.abs(medians - median - sign * KELVIN) < _NEAR_KELVIN
        hits[f"about 273.15 {word} than in training: kelvin or degrees Celsius"] = away & narrow
    for note, hit in hits.items():
        for series in np.flatnonzero(hit.any(axis=0) & (first < 0)):
            first[series] = hit[:, series].argmax()
            notes[series], shown[series] = note, ratios[first[series], series]
    return shown, notes, first


def _with_inverses() -> list[tuple[float, float]]:
    return [(each, near) for factor, near in FACTORS.items() for each in (factor, 1 / factor)]


def write_factor(factor: float) -> str:
    """Write by what a unit is multiplied: `1,000 times that of training`, `1/1,000 of that of training`."""
    return f"{factor:,g} times that of training" if factor > 1 else f"1/{1 / factor:,g} of that of training"
