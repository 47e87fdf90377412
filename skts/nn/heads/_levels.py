"""Levels of quantiles, and what lies between those that were trained; without torch."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def sort_levels(quantiles: Iterable[float]) -> tuple[float, ...]:
    """Sort levels, with the median among them.

    Raises
    ------
    ValueError
        No level, or one that is not within 0 and 1.
    """
    levels = sorted({float(level) for level in quantiles})
    if not levels or not all(0 < level < 1 for level in levels):
        raise ValueError(
            f"quantiles={tuple(levels)}: give at least one level, each within 0 and 1, such as (0.1, 0.9)."
        )
    return tuple(sorted({*levels, 0.5}))


def interpolate_levels(
    forecasts: NDArray[np.float64], trained: tuple[float, ...], levels: Iterable[float]
) -> NDArray[np.float64]:
    """Interpolate linearly between trained quantiles.

    Parameters
    ----------
    forecasts : ndarray of shape (..., n_trained)
    trained : tuple of float of length n_trained
        Increasing.
    levels : iterable of float of length n_levels

    Returns
    -------
    forecasts : ndarray of shape (..., n_levels)

    Raises
    ------
    ValueError
        A level outside of the trained ones: a tail is nothing to guess.
    """
    known, points = np.asarray(trained), np.asarray(list(levels), dtype=np.float64)
    outside = points[~((points >= known[0]) & (points <= known[-1]))]
    if len(outside):
        raise ValueError(
            f"quantiles={outside.tolist()} lie outside of the trained levels {known[0]} to {known[-1]}: fit with "
            "quantiles that reach as far."
        )
    if len(known) == 1:
        return np.repeat(forecasts, len(points), axis=-1)
    above = np.clip(np.searchsorted(known, points), 1, len(known) - 1)
    share = (points - known[above - 1]) / (known[above] - known[above - 1])
    return forecasts[..., above - 1] * (1 - share) + forecasts[..., above] * share
