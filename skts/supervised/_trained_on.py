"""What a network was trained on, in a few numbers."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

import numpy as np
import pandas as pd

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
    target : tuple of str
        The names of the targets, where they have names.
    ended : str or None
        When the training ended, in UTC.
    """

    n_train: int
    n_valid: int
    n_independent: float | None = None
    clock: Clock | None = None
    first: int | None = None
    last: int | None = None
    target: tuple[str, ...] = ()
    ended: str | None = field(default=None, compare=False)  # members of an ensemble end one after another

    @classmethod
    def read(cls, inputs: Inputs, y: Any, n_train: int, n_valid: int) -> Self:
        """Read what a fit was given: costs no more than a look at 16,384 windows, once for the same Windows."""
        windows, target = inputs.windows, name_targets(y)
        if windows is None:
            return cls(n_train, n_valid, target=target)
        with np.errstate(all="ignore"):
            worth = windows.n_independent
        return cls(n_train, n_valid, worth if np.isfinite(worth) else None, windows.clock, *windows.period, target)

    def until_now(self) -> Self:
        """Say that the training has just ended."""
        return replace(self, ended=datetime.now(UTC).isoformat(timespec="seconds"))


def name_targets(y: Any) -> tuple[str, ...]:
    """Give the names of the targets, where they have names."""
    if isinstance(y, pd.DataFrame):
        return tuple(str(name) for name in y.columns)
    return (str(y.name),) if isinstance(y, pd.Series) and y.name is not None else ()
