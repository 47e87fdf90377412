"""New blocks of time beside those that are known to be alike, and since when they differ."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skts.inspection.drift._null import Null, share_of_variance

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Function = Callable[[Floats], Floats]


def _log(values: Floats) -> Floats:
    return np.log(np.maximum(values, 1e-12))


def _angle(shares: Floats) -> Floats:
    return np.arcsin(np.sqrt(np.clip(shares, 0, 1)))


def _share(angles: Floats) -> Floats:
    return np.sin(np.clip(angles, 0, np.pi / 2)) ** 2


def _same(values: Floats) -> Floats:
    return values


def _square(values: Floats) -> Floats:
    return np.maximum(values, 0) ** 2


@dataclass(frozen=True)
class Check:
    """How the means of a check are compared.

    Parameters
    ----------
    there, back : callable
        To a scale on which means of blocks stray by the same measure wherever they lie, and back.
    smallest : float
        What counts as a spread at least, on that scale.
    both_sides : bool
        Whether means that are too low count, too.
    """

    there: Function
    back: Function
    smallest: float
    both_sides: bool


CHECKS = {
    "level": Check(_same, _same, 0.02, True),
    "range": Check(np.sqrt, _square, 0.02, False),
    "beside": Check(_same, _same, 0.02, True),
    "error": Check(_log, np.exp, 0.02, False),
    "pinball": Check(_log, np.exp, 0.02, False),
    "coverage": Check(_angle, _share, 0.01, True),
}


@dataclass(frozen=True)
class Judgement:
    """What was found of each unit, which is a column of a series, say: its block that differs most, or all together.

    Parameters
    ----------
    value, low, high : ndarray of shape (n_units,)
        The mean, and the band that it should lie in.
    p_value : ndarray of shape (n_units,)
        NaN where it could not be judged.
    alarm : ndarray of bool of shape (n_units,)
    block : ndarray of int64 of shape (n_units,)
        The first block that is out of the band, the last one where only all together are.
    score : ndarray of shape (n_units,)
        In deviations.
    usual : ndarray of shape (n_units,)
    """

    value: Floats
    low: Floats
    high: Floats
    p_value: Floats
    alarm: NDArray[np.bool_]
    block: Ints
    score: Floats
    usual: Floats


def judge(
    name: str, known: Floats, new: Floats, level: float, n_checks: int, sizes: tuple[Floats, Floats] | None = None
) -> Judgement:
    """Compare the means of new blocks with those of known ones.

    Parameters
    ----------
    name : str
        Of the check.
    known : ndarray of shape (n_known, n_units)
    new : ndarray of shape (n_new, n_units)
    level : float
        With which probability all checks together may sound an alarm, in any unit, where nothing has changed.
    n_checks : int
    sizes : (ndarray of shape (n_known, n_units), ndarray of shape (n_new, n_units)), default=None
        The size of what was forecast in each block: where forecasts are larger, so are errors, and the bands allow for
        as much of that as the known blocks show.

    Returns
    -------
    judgement : Judgement
    """
    check = CHECKS[name]
    known, new = check.there(known), check.there(new)
    known_part, part = (np.zeros(known.shape), np.zeros(new.shape)) if sizes is None else explain(known, *sizes)
    null = Null.learn(known - known_part, check.smallest, both_sides=check.both_sides)
    moved = new - part
    n_new, n_units = moved.shape
    n_tests = n_checks * (n_new + (n_new > 1))
    scores, means, widths = null.score(moved), moved, np.broadcast_to(np.sqrt(1 + 1 / (null.n_blocks - 1)), moved.shape)
    if n_new > 1:
        k = np.where(np.isfinite(moved).any(axis=0), np.isfinite(moved).sum(axis=0), np.nan)
        together = np.where(np.isfinite(moved), moved, 0.0).sum(axis=0) / k
        width = np.sqrt(share_of_variance(k, null.persistence) + share_of_variance(null.n_blocks, null.persistence))
        scores = np.vstack([scores, null.score_all(moved)])
        means, widths = np.vstack([moved, together]), np.vstack([widths, width])
        part = np.vstack([part, np.where(np.isfinite(moved), part, 0.0).sum(axis=0) / k])
    size = np.where(np.isnan(scores), -np.inf, np.abs(scores) if check.both_sides else scores)
    worst, unit = size.argmax(axis=0), np.arange(n_units)
    limit = null.limit(level, n_tests)
    reach = limit * null.spread * widths[worst, unit]
    middle = null.mean + part[worst, unit]
    low = check.back(middle - reach) if check.both_sides else np.zeros(n_units)
    score = scores[worst, unit]
    alarm = size[worst, unit] > limit
    beyond = size[:n_new] > limit
    first = np.where(beyond.any(axis=0), beyond.argmax(axis=0), n_new - 1)
    return Judgement(
        value=check.back(means[worst, unit] + part[worst, unit]),
        low=np.where(np.isnan(reach), np.nan, low),
        high=check.back(middle + reach),
        p_value=null.p_value(score, n_tests),
        alarm=alarm,
        block=first.astype(np.int64),
        score=score,
        usual=check.back(null.mean + part[first, unit]),
    )


def explain(known: Floats, known_sizes: Floats, new_sizes: Floats) -> tuple[Floats, Floats]:
    """Tell how far blocks lie from their mean for the size of what was forecast in them, by one slope for all units.

    Parameters
    ----------
    known, known_sizes : ndarray of shape (n_known, n_units)
    new_sizes : ndarray of shape (n_new, n_units)

    Returns
    -------
    known_part : ndarray of shape (n_known, n_units)
    new_part : ndarray of shape (n_new, n_units)
    """
    there = np.isfinite(known) & np.isfinite(known_sizes)
    if not there.any():
        return np.zeros(known.shape), np.zeros(new_sizes.shape)
    n = np.maximum(there.sum(axis=0), 1)
    usual = np.where(there, known_sizes, 0.0).sum(axis=0) / n
    # nothing at all, as in the dark, is not infinitely small
    known_logs, new_logs = (_log(np.maximum(sizes, 0.05 * usual)) for sizes in (known_sizes, new_sizes))
    centre = np.where(there, known_logs, 0.0).sum(axis=0) / n
    mean = np.where(there, known, 0.0).sum(axis=0) / n
    apart = np.where(there, known_logs - centre, 0.0)
    squares = float((apart**2).sum())
    slope = float((apart * np.where(there, known - mean, 0.0)).sum()) / squares if squares > 1e-4 * there.sum() else 0.0
    new_apart = np.clip(np.nan_to_num(new_logs - centre), apart.min(), apart.max())
    return slope * apart, slope * new_apart


def find_change(days: Floats, usual: float, end: int, n_days: int) -> int:
    """Find the day from which on values differ: where their sum above half of the shift begins to grow.

    Parameters
    ----------
    days : ndarray of shape (n,)
        The mean of each day; NaN where there is none.
    usual : float
        The mean before.
    end : int
        The day after the last one of the block that is known to differ.
    n_days : int
        Days of that block.

    Returns
    -------
    day : int
        From 0.
    """
    block = days[end - n_days : end]
    shift = float(block[np.isfinite(block)].mean()) - usual if np.isfinite(block).any() else 0.0
    gain = np.sign(shift) * (days[:end] - usual) - abs(shift) / 2
    total = np.concatenate([[0.0], np.cumsum(np.where(np.isfinite(gain), gain, 0.0))])
    return int(total[:end].argmin())
