"""Weights of experts: by least squares on held-out forecasts, and online."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

Floats = NDArray[np.float64]


def stack(experts: Floats, y: Floats) -> Floats:
    """Find the weights, none negative and 1 in sum, whose mean of the forecasts has the least squared error.

    With weights of sum 1 the error of the mean is the mean of the errors, so that ``|E w|`` is to be least on the
    simplex. Its solution is that of ``nnls([E; 1], [0; 1])``, but for the sum: along a ray ``s v``, with v on the
    simplex, ``s**2 |E v|**2 + (s - 1)**2`` is at best ``|E v|**2 / (1 + |E v|**2)``, least where ``|E v|`` is.

    Parameters
    ----------
    experts : ndarray of shape (n_rows, n_experts)
    y : ndarray of shape (n_rows,)

    Returns
    -------
    weights : ndarray of shape (n_experts,)
    """
    errors = experts - y[:, None]
    scale = np.sqrt(np.mean(errors**2) * len(errors))
    if not scale > 0:
        return np.full(experts.shape[1], 1 / experts.shape[1])
    factor = np.linalg.qr(errors / scale, mode="r")  # as many rows as experts, whatever the table
    n_experts = experts.shape[1]
    found, _ = nnls(np.vstack([factor, np.ones(n_experts)]), np.append(np.zeros(len(factor)), 1.0))
    return found / found.sum()


def average(experts: Floats, weights: Floats) -> Floats:
    """Give the weighted mean of the experts that say something.

    Parameters
    ----------
    experts : ndarray of shape (n_rows, ..., n_experts)
        NaN where an expert says nothing.
    weights : ndarray of shape (n_rows, n_experts)

    Returns
    -------
    mean : ndarray of shape (n_rows, ...)
        NaN where no expert says anything.
    """
    shares = share_out(weights.reshape(len(weights), *(1,) * (experts.ndim - 2), -1), ~np.isnan(experts))
    mean = (shares * np.nan_to_num(experts)).sum(axis=-1)
    return np.where(np.isnan(experts).all(axis=-1), np.nan, mean)


def share_out(weights: Floats, awake: NDArray[np.bool_]) -> Floats:
    """Give the weights of experts that are silent to the others: in proportion, alike where these have none."""
    shares = np.where(awake, weights, 0.0)
    total = shares.sum(axis=-1, keepdims=True)
    alike = awake / np.maximum(awake.sum(axis=-1, keepdims=True), 1)
    return np.where(total > 0, shares / np.where(total > 0, total, 1.0), alike)


class MLPoly:
    """Polynomially weighted averages with a learning rate for each expert, which nobody sets.

    Weights are in proportion to ``rate * max(regret, 0)``. A rate is one over the sum of the squares of its expert's
    regrets, and of the greatest square of all.

    Parameters
    ----------
    n_experts : int
    """

    def __init__(self, n_experts: int):
        self.regret = np.zeros(n_experts)
        self.spread = np.zeros(n_experts)  # one over the rate
        self.largest = 0.0

    def answer(self) -> Floats:
        """Give the weights, alike for all while no expert is better than the mean."""
        gain = np.maximum(self.regret, 0.0)
        if not gain.any():
            return np.full(len(gain), 1 / len(gain))
        weights = np.divide(gain, self.spread, out=np.zeros_like(gain), where=gain > 0)
        return weights / weights.sum()

    def learn(self, feedback: Floats) -> None:
        """Learn from the loss of the mean less that of each expert: ndarray of shape (n_experts,)."""
        largest = max(self.largest, float(np.max(feedback**2)))
        self.spread += feedback**2 + (largest - self.largest)
        self.largest = largest
        self.regret += feedback


class BOA:
    """Bernstein online aggregation: exponential weights whose regrets are made smaller by their squares.

    Parameters
    ----------
    n_experts : int
    """

    def __init__(self, n_experts: int):
        self.regret = np.zeros(n_experts)  # less rate * its square, round by round
        self.squares = np.zeros(n_experts)
        self.largest = np.zeros(n_experts)
        self.rate = np.zeros(n_experts)

    def answer(self) -> Floats:
        """Give the weights."""
        exponent = self.rate * self.regret
        weights = np.exp(exponent - exponent.max())
        return weights / weights.sum()

    def learn(self, feedback: Floats) -> None:
        """Learn from the loss of the mean less that of each expert: ndarray of shape (n_experts,)."""
        self.largest = np.maximum(self.largest, np.abs(feedback))
        self.squares += feedback**2
        there = self.squares > 0
        safe = np.where(there, self.squares, 1.0), np.where(there, self.largest, 1.0)
        rate = np.minimum(np.sqrt(np.log(len(feedback)) / safe[0]), 0.5 / safe[1])
        self.rate = np.where(there, rate, 0.0)
        self.regret += feedback - self.rate * feedback**2
