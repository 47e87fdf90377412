"""Corrections of quantiles by the scores that held-out forecasts had, fixed or following what came since."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_SATURATION = 5.0  # the share of misses times log(rounds) at which the integrator would give way
_STEEPEST = 1.5  # of its tangent


def rank(level: float, n: int) -> int:
    """Find which of n sorted scores bounds the next one from above, or below, with at least the share that is due.

    Returns
    -------
    rank : int
        From 1. For levels above one half ``ceil((n + 1) level)``, for those below the mirror image of it; the outermost
        score where n is too small for the level.
    """
    n_due = (n + 1) * level
    # 10 * 0.9 is a little more than 9
    return int(np.clip(np.ceil(n_due - 1e-9) if level > 0.5 else np.floor(n_due + 1e-9), 1, n))


def one_sided(ordered: Floats, levels: Floats) -> Floats:
    """Give the correction of every level by its own scores.

    Parameters
    ----------
    ordered : ndarray of shape (n_rows, n_levels)
        Target less forecast, each column sorted.
    levels : ndarray of shape (n_levels,)

    Returns
    -------
    corrections : ndarray of shape (n_levels,)
        The median of the scores for the median.
    """
    n = len(ordered)
    own = [ordered[rank(level, n) - 1, i] for i, level in enumerate(levels)]
    middle = ordered[(n - 1) // 2] / 2 + ordered[n // 2] / 2
    return np.where(np.isclose(levels, 0.5), middle, own)


def two_sided(scores: Floats, levels: Floats) -> Floats:
    """Give the corrections that widen both ends of central intervals by as much.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_levels)
        Target less forecast.
    levels : ndarray of shape (n_levels,)
        Each with its mirror image, or all with the same scores.

    Returns
    -------
    corrections : ndarray of shape (n_levels,)
        0 for the median.
    """
    out = np.zeros(len(levels))
    for i, level in enumerate(levels):
        mirrored = np.flatnonzero(np.isclose(levels, 1 - level))
        other = int(mirrored[0]) if len(mirrored) else i
        low, high = (i, other) if level < 0.5 else (other, i)
        outside = np.sort(np.maximum(-scores[:, low], scores[:, high]))
        share = abs(2 * level - 1)
        if share > 1e-9:
            place = int(np.clip(np.ceil((len(outside) + 1) * share - 1e-9), 1, len(outside)))
            out[i] = np.sign(level - 0.5) * outside[place - 1]
    return out


class ACI:
    """Adaptive conformal inference: the level moves against what was covered too little or too much.

    Parameters
    ----------
    ordered : ndarray of shape (n_rows, n_levels)
        Held-out scores, each column sorted.
    levels : ndarray of shape (n_levels,)
    rate : float
        By how much of a miss.
    """

    def __init__(self, ordered: Floats, levels: Floats, rate: float):
        self.ordered = ordered
        self.levels = levels
        self.rate = rate
        self.moved = levels.copy()

    def answer(self) -> Floats:
        """Give the corrections."""
        at = np.array([rank(level, len(self.ordered)) for level in self.moved]) - 1
        return self.ordered[at, np.arange(len(self.levels))]

    def learn(self, feedback: Floats) -> None:
        """Learn from the share of rows below each quantile: ndarray of shape (n_levels,)."""
        self.moved = self.moved + self.rate * (self.levels - feedback)


class PID:
    """Conformal PID control without a scorecaster: the quantile itself moves, and more so while misses add up.

    Parameters
    ----------
    ordered : ndarray of shape (n_rows, n_levels)
        Held-out scores, each column sorted.
    levels : ndarray of shape (n_levels,)
    rate : float
        By how much of the greatest score.
    """

    def __init__(self, ordered: Floats, levels: Floats, rate: float):
        self.levels = levels
        self.scale = np.abs(ordered[[0, -1]]).max(axis=0)
        self.rate = rate
        self.tracked = one_sided(ordered, levels)
        self.missed = np.zeros(len(levels))
        self.n_rounds = 0

    def answer(self) -> Floats:
        """Give the corrections."""
        n = self.n_rounds + 1
        angle = self.missed * np.log(n) / (n * _SATURATION)
        return self.tracked + self.scale * np.tan(np.clip(angle, -_STEEPEST, _STEEPEST))

    def learn(self, feedback: Floats) -> None:
        """Learn from the share of rows below each quantile: ndarray of shape (n_levels,)."""
        self.n_rounds += 1
        self.missed = self.missed + self.levels - feedback
        self.tracked = self.tracked + self.rate * self.scale * (self.levels - feedback)
