"""What a network was trained on, in a few numbers."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from skts.panel import Clock
from skts.supervised._inputs import Inputs


@dataclass(frozen=True)
class TrainedOn:
    """What a fit was given, for who looks at the estimator: nothing of the table stays.

    Parameters
    ----------
    n_train, n_valid : int
        Windows to train, and to validate on.
    n_independent : float or None
        What all windows are worth, of many judged by some; None for arrays.
    clock : Clock or None
    first, last : int or None
        Ticks of the first and the last row; None for arrays.
    """

    n_train: int
    n_valid: int
    n_independent: float | None = None
    clock: Clock | None = None
    first: int | None = None
    last: int | None = None

    @classmethod
    def read(cls, inputs: Inputs, n_train: int, n_valid: int) -> Self:
        """Read what a fit was given: costs no more than a look at 16,384 windows, once for the same Windows."""
        windows = inputs.windows
        if windows is None:
            return cls(n_train, n_valid)
        with np.errstate(all="ignore"):
            worth = windows.n_independent
        return cls(n_train, n_valid, worth if np.isfinite(worth) else None, windows.clock, *windows.period)
