"""Quantile levels: which are trained, and others between them."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def trained_levels(quantiles: Iterable[float]) -> tuple[float, ...]:
    """Sort the levels that were asked for, with the median among them.

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
    forecasts: NDArray[np.float64], trained: tuple[float, ...], asked: Iterable[float]
) -> NDArray[np.float64]:
    """Interpolate linearly between trained quantiles.

    Parameters
    ----------
    forecasts : ndarray of shape (..., n_trained)
    trained : tuple of float of length n_trained
        Increasing.
    asked : iterable of float of length n_asked

    Returns
    -------
    forecasts : ndarray of shape (..., n_asked)

    Raises
    ------
    ValueError
        A level outside of the trained ones: a tail is nothing to guess.
    """
    levels, points = np.asarray(trained), np.asarray(list(asked), dtype=np.float64)
    outside = points[~((points >= levels[0]) & (points <= levels[-1]))]
    if len(outside):
        raise ValueError(
            f"quantiles={outside.tolist()} lie outside of the trained levels {levels[0]} to {levels[-1]}: fit with "
            "quantiles that reach as far."
        )
    if len(levels) == 1:
        return np.repeat(forecasts, len(points), axis=-1)
    above = np.clip(np.searchsorted(levels, points), 1, len(levels) - 1)
    share = (points - levels[above - 1]) / (levels[above] - levels[above - 1])
    return forecasts[..., above - 1] * (1 - share) + forecasts[..., above] * share
