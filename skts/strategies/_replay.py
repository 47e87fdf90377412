"""Learning from truths in the order in which they came in, each forecast by what was known when it was made."""

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Learner(Protocol):
    """What learns round by round."""

    def answer(self) -> Floats:
        """Give what forecasts are made with: ndarray of shape (n_values,)."""
        ...

    def learn(self, feedback: Floats) -> None:
        """Learn from one round."""
        ...


def replay(
    learner: Learner, ticks: Ints, seen: Ints, teaches: Bools, feedback: Callable[[Ints, Floats], Floats]
) -> Floats:
    """Let a learner go through the truths of some rows, time by time.

    A round is a time with a truth. What it is told is how the forecasts of that time did, as they were made: with the
    answer of the learner after all rounds before `seen`, which is earlier than the time itself.

    Parameters
    ----------
    learner : Learner
    ticks, seen : ndarray of int64 of shape (n_rows,)
        The time of every row, and the one before which truths were known as it was forecast; ``seen <= ticks``.
    teaches : ndarray of bool of shape (n_rows,)
        Whether its truth is there.
    feedback : callable
        Given some rows of one round, (n_round,), and the answers with which they were forecast, (n_round, n_values),
        it gives what the learner is told.

    Returns
    -------
    answers : ndarray of float64 of shape (n_rows, n_values)
        What every row is forecast with.
    """
    teaching = np.flatnonzero(teaches)
    order = teaching[np.argsort(ticks[teaching], kind="stable")]
    times, starts = np.unique(ticks[order], return_index=True)
    known = np.searchsorted(times, seen, side="left")  # rounds before each row
    answers = np.empty((len(times) + 1, len(learner.answer())))
    answers[0] = learner.answer()
    for i, rows in enumerate(np.split(order, starts[1:]) if len(times) else []):
        learner.learn(feedback(rows, answers[known[rows]]))
        answers[i + 1] = learner.answer()
    return answers[known]


def split_cells(keys: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Put rows with the same keys together.

    Parameters
    ----------
    keys : ndarray of int64 of shape (n_rows, n_keys)

    Yields
    ------
    cell : ndarray of int64 of shape (n_keys,)
    rows : ndarray of int64
        Increasing.
    """
    cells, numbers = np.unique(keys, axis=0, return_inverse=True)
    order = np.argsort(numbers.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(numbers.ravel(), minlength=len(cells)))
    yield from zip(cells, np.split(order, ends[:-1]), strict=True)
