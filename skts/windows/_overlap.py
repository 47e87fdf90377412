"""How many independent windows a set of overlapping ones is worth: pure functions on arrays."""

import numpy as np
from numpy.typing import NDArray

from skts.windows._origins import ranges

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_FLAT = 1e-12  # share of the mean square of a target below which the variance of its means is rounding
_N_SAMPLED = 16, 128  # series that a sample is taken of, long ones or short
_ROUNDED = 1e-9  # a sum of correlations that the Fourier transform may make of 0


def independent_by_series(
    values: NDArray[np.floating],
    origins: Ints,
    series: Ints,
    spans: Ints,
    times: Ints,
    *,
    horizon: int,
    longest_gap: int,
) -> tuple[Ints, Floats]:
    """Count the independent windows that the windows of each series are worth.

    Parameters
    ----------
    values : ndarray of float of shape (n_panel_rows,)
        What is forecast, NaN where it is missing: a window carries its mean over the horizon.
    origins, series : ndarray of shape (n_windows,)
        The first row of each horizon, increasing, and the number of its series, not decreasing.
    spans : ndarray of shape (n_spans, 2)
        Stretches of rows without a gap.
    times : ndarray of shape (n_spans,)
        The time of the first row of each span, in rows.
    horizon, longest_gap : int
        In rows. A gap that leaves out more rows counts as that long, which bounds the memory.

    Returns
    -------
    numbers : ndarray of shape (n_series_with_windows,)
    n_independent : ndarray of shape (n_series_with_windows,)
    """
    numbers, first = np.unique(series, return_index=True)
    span_begins = np.ascontiguousarray(spans[:, 0])  # which every search would copy
    n_independent = []
    for mine in np.split(origins, first[1:])[: len(numbers)]:
        own, holder = np.unique(np.searchsorted(span_begins, mine, side="right") - 1, return_inverse=True)
        begins, lengths = spans[own, 0], spans[own, 1] - spans[own, 0]
        places = _lay_out(lengths, times[own], longest_gap)
        rows = ranges(begins, lengths, 1)
        level = np.full(int(places[-1] + lengths[-1]), np.nan)
        means = means_ahead(values[rows].astype(np.float64), np.repeat(np.cumsum(lengths), lengths), horizon)
        level[ranges(places, lengths, 1)] = means
        n_independent.append(count_independent(level, places[holder] + mine - begins[holder]))
    return numbers, np.array(n_independent, dtype=np.float64)


def sample_windows(bounds: Ints, at_most: int) -> Ints:
    """Choose some windows to judge the rest by: the first ones of series that lie evenly among all.

    Parameters
    ----------
    bounds : ndarray of shape (n_series + 1,)
        The windows of series `i` are those from `bounds[i]` to `bounds[i + 1]`.
    at_most : int
        Windows to choose.

    Returns
    -------
    chosen : ndarray of shape (n_chosen,)
        Increasing; every window where they are no more than `at_most`.
    """
    n_windows = int(bounds[-1])
    if n_windows <= at_most:
        return np.arange(n_windows)
    of_each = min(n_windows // (len(bounds) - 1) + 1, at_most // _N_SAMPLED[0])
    n_sampled = min(at_most // max(of_each, 1), _N_SAMPLED[1])
    evenly = np.linspace(0, n_windows - 1, n_sampled, dtype=np.int64)
    numbers = np.unique(np.searchsorted(bounds, evenly, side="right") - 1)
    first, stop = bounds[numbers], bounds[numbers + 1]
    return ranges(first, np.minimum(stop - first, at_most // len(numbers)), 1)


def _lay_out(lengths: Ints, times: Ints, longest_gap: int) -> Ints:
    """Place the spans of one series in time: the row where each starts, in a table with room for the gaps."""
    gaps = np.diff(times) - lengths[:-1]
    return np.append(0, np.cumsum(lengths[:-1] + np.clip(gaps, 0, longest_gap)))


def count_independent(level: Floats, origins: Ints) -> float:
    """Count the independent windows that the windows of one series are worth.

    Parameters
    ----------
    level : ndarray of shape (n_rows,)
        What a window that starts its horizon at each row carries; NaN where none can. Regular in time.
    origins : ndarray of shape (n_windows,)
        The rows where those windows do, increasing.

    Returns
    -------
    n_independent : float
        `n / (1 + 2 / n * sum(pairs[k] * rho[k] for k >= 1))`, from 1 to n, with n the windows that carry something,
        `pairs[k]` how many two of them start k rows apart, and `rho` the autocorrelation of `level`; 0 without any.
    """
    origins = origins[np.isfinite(level[origins])]
    n_windows = len(origins)
    if n_windows < 2:
        return float(n_windows)
    rho = initial_monotone(autocorrelation(level))
    shared = np.dot(count_pairs(origins, len(rho))[1:], rho[1:])
    return float(n_windows / max(1 + 2 * shared / n_windows, 1))


def autocorrelation(values: Floats) -> Floats:
    """Correlate a series with itself at every lag, over the pairs of rows that are there.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        Regular in time; NaN is missing, at least one is not.

    Returns
    -------
    rho : ndarray of shape (n_rows,)
        In [-1, 1] and 1 at lag 0; 0 at a lag without pairs, 1 at every lag of a constant.
    """
    present = np.isfinite(values)
    deviations = np.where(present, values - values[present].mean(), 0)
    if not deviations.any():
        return np.ones(len(values))
    n_pairs = np.arange(len(values), 0, -1.0) if present.all() else np.rint(_lagged_products(present))
    covariance = _lagged_products(deviations) / np.maximum(n_pairs, 1) * (n_pairs > 0)
    return np.clip(covariance / covariance[0], -1, 1)


def initial_monotone(rho: Floats) -> Floats:
    """Keep of an autocorrelation its initial positive sequence, and make that monotone.

    Neighbouring lags 2 m and 2 m + 1 make a pair. It ends before the first pair whose sum is not positive, and a pair
    whose sum is larger than that of one before is scaled down to it: without that, a chance rise beyond the last true
    correlation, which is as long as a horizon, is taken for one, and never a chance fall.
    """
    pairs = rho[: len(rho) // 2 * 2].reshape(-1, 2)  # the last lag of an odd number has no pair, and no two windows
    sums = pairs.sum(axis=1)
    stop = int(np.argmin(np.append(sums, 0) > _ROUNDED))
    scale = np.minimum.accumulate(sums[:stop]) / sums[:stop]
    return (pairs[:stop] * scale[:, None]).ravel()


def count_pairs(origins: Ints, n_lags: int) -> Floats:
    """Count the pairs of windows that start k rows apart, for k from 0 to `n_lags - 1`."""
    first, last = int(origins[0]), int(origins[-1])
    if last - first == len(origins) - 1:
        return np.maximum(len(origins) - np.arange(n_lags, dtype=np.float64), 0)
    starts = np.zeros(last - first + 1)
    starts[origins - first] = 1
    counts = np.rint(_lagged_products(starts))[:n_lags]
    return np.pad(counts, (0, n_lags - len(counts)))


def means_ahead(values: Floats, stops: Ints, horizon: int) -> Floats:
    """Average the values that are there over the horizon of every row.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        NaN is missing.
    stops : ndarray of shape (n_rows,)
        Where the run of each row ends.
    horizon : int
        In rows.

    Returns
    -------
    level : ndarray of shape (n_rows,)
        NaN where the run ends before the horizon does, or every value in it is missing. What varies by rounding alone
        is made constant.
    """
    present = np.isfinite(values)
    if not present.any():
        return np.full(len(values), np.nan)
    shifted = np.where(present, values - values[present][0], 0)  # exactly 0 where nothing varies
    rows = np.arange(len(values))
    ends = np.minimum(rows + horizon, stops)
    total, count = np.append(0, np.cumsum(shifted)), np.append(0, np.cumsum(present))
    n_present = count[ends] - count[rows]
    whole = (n_present > 0) & (ends == rows + horizon)
    level = np.where(whole, (total[ends] - total[rows]) / np.maximum(n_present, 1), np.nan)
    if whole.any() and level[whole].var() <= _FLAT * np.mean(shifted**2):
        level[whole] = 0
    return level


def _lagged_products(values: NDArray[np.generic]) -> Floats:
    """Sum `values[i] * values[i + k]` over i, for every lag k, by the Fourier transform."""
    size = 1 << (2 * len(values) - 1).bit_length()
    spectrum = np.fft.rfft(values, size)
    return np.fft.irfft(spectrum.real**2 + spectrum.imag**2, size)[: len(values)]
