"""What is usual at a season and a time of the day: quantiles of a column, and how far a value lies from them."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.panel import Clock

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
N_MONTHS = 12
HOURS_OF_PART = 6
N_PARTS = 24 // HOURS_OF_PART
LEVELS = (0.16, 0.5, 0.84)  # of a normal distribution one deviation below the middle, the middle, and one above
_MOST = 6.0  # deviations; what lies further says no more
_FLOOR = 0.05  # of the deviation over all seasons: a night without sun has none of its own


def seasons_of(clock: Clock | None, ticks: Ints) -> tuple[Ints, Ints]:
    """Find the month, from 0, and the part of the day of each time: 0 where the times are no dates.

    Parameters
    ----------
    clock : Clock or None
    ticks : ndarray of int64 of shape (n_times,)

    Returns
    -------
    months, parts : ndarray of int64 of shape (n_times,)
    """
    labels = None if clock is None else clock.labels(ticks)
    if not isinstance(labels, pd.DatetimeIndex | pd.PeriodIndex):
        return np.zeros(len(ticks), dtype=np.int64), np.zeros(len(ticks), dtype=np.int64)
    months = np.asarray(labels.month, dtype=np.int64) - 1
    return months, np.asarray(labels.hour, dtype=np.int64) // HOURS_OF_PART


def quantiles_there(values: Floats, levels: Floats) -> Floats:
    """Find quantiles of each column, missing values left out: (n, S) to (S, L); NaN of a column without any."""
    n_there = np.isfinite(values).sum(axis=0)
    out = np.full((values.shape[1], len(levels)), np.nan)
    if not n_there.any():
        return out
    ordered = np.sort(values, axis=0)  # NaN comes last
    place = levels * (np.maximum(n_there, 1) - 1)[:, None]  # (S, L)
    below = np.floor(place).astype(np.int64)
    above, column = np.minimum(below + 1, len(values) - 1), np.arange(values.shape[1])[:, None]
    low, high = ordered[below, column], ordered[above, column]
    share = place - below
    return np.where(share > 0, low + share * (high - low), low)


def learn_bands(values: Floats, months: Ints, parts: Ints, levels: Floats, fewest: int) -> Floats:
    """Find the quantiles of each series at each season: a month with its two neighbours, and a part of the day.

    Parameters
    ----------
    values : ndarray of shape (n_times, n_series)
        NaN is missing.
    months, parts : ndarray of int64 of shape (n_times,)
    levels : ndarray of shape (n_levels,)
    fewest : int
        Values that a series must have in the month itself.

    Returns
    -------
    bands : ndarray of shape (12, 4, n_series, n_levels)
        NaN of a season that a series was not there in.
    """
    n_series = values.shape[1]
    bands = np.full((N_MONTHS, N_PARTS, n_series, len(levels)), np.nan)
    for month in np.unique(months):
        is_there = np.isfinite(values[months == month]).sum(axis=0) >= fewest
        near = np.isin(months, [(month - 1) % N_MONTHS, month, (month + 1) % N_MONTHS])
        for part in np.unique(parts[near]):
            found = quantiles_there(values[near & (parts == part)], levels)
            bands[month, part, is_there] = found[is_there]
    return bands


def borrow_seasons(bands: Floats) -> Floats:
    """Give each month that a series was not there in the quantiles of the nearest month that it was there in.

    Parameters
    ----------
    bands : ndarray of shape (12, 4, n_series, n_levels)
        NaN of the months that are not there.

    Returns
    -------
    bands : ndarray of shape (12, 4, n_series, n_levels)
    """
    filled = bands.copy()
    for away in range(1, N_MONTHS // 2 + 1):
        for shift in (away, -away):
            filled = np.where(np.isnan(filled), np.roll(bands, shift, axis=0), filled)
    return filled


def smallest_deviations(values: Floats) -> Floats:
    """Tell what counts as a deviation of each series at least, (n_times, n_series) to (n_series,)."""
    there = np.isfinite(values)
    n_there = np.maximum(there.sum(axis=0), 1)
    filled = np.where(there, values, 0.0)
    mean = filled.sum(axis=0) / n_there
    deviation = np.sqrt((np.where(there, values - mean, 0.0) ** 2).sum(axis=0) / n_there)
    rounding = 1e-6 * np.maximum(np.abs(filled).max(axis=0, initial=0.0), 1e-6)
    return np.maximum(_FLOOR * deviation, rounding)


def standardise(values: Floats, bands: Floats, months: Ints, parts: Ints, smallest: Floats) -> tuple[Floats, Floats]:
    """Tell how far each value lies from the middle of its season, and whether it lies outside of the band.

    Parameters
    ----------
    values : ndarray of shape (n_times, n_series)
    bands : ndarray of shape (12, 4, n_series, 5)
        The lower end of the band, the quantiles at `LEVELS`, and the upper end.
    months, parts : ndarray of int64 of shape (n_times,)
    smallest : ndarray of shape (n_series,)
        What counts as a deviation at least.

    Returns
    -------
    scores : ndarray of shape (n_times, n_series)
        In deviations, those above and below the middle apart, as columns are skewed; 6 at most.
    outside : ndarray of shape (n_times, n_series)
        1 or 0. Both are NaN where there is no value, or no such season.
    """
    low, below, middle, above, high = np.moveaxis(bands[months, parts], -1, 0)  # (T, S) each
    distance = values - middle
    deviation = np.maximum(np.where(distance < 0, middle - below, above - middle), smallest)
    scores = np.clip(distance / deviation, -_MOST, _MOST)
    slack = 1e-3 * smallest
    outside = np.where(np.isnan(scores), np.nan, (values < low - slack) | (values > high + slack))
    return scores, outside


def beside_others(scores: Floats) -> Floats:
    """Subtract from each series the median of all others at the same time: (n_times, n_series); NaN without others."""
    n_series = scores.shape[1]
    order = np.argsort(scores, axis=1)  # NaN comes last
    ordered = np.take_along_axis(scores, order, axis=1)
    rank = np.argsort(order, axis=1)
    n_others = np.isfinite(scores).sum(axis=1, keepdims=True) - 1
    median = np.zeros(scores.shape)
    for place in ((n_others - 1) // 2, n_others // 2):
        place = np.clip(place, 0, None)
        place = np.minimum(place + (place >= rank), n_series - 1)  # past the series itself
        median += np.take_along_axis(ordered, place, axis=1) / 2
    return np.where(n_others > 0, scores - median, np.nan)
