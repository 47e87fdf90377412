"""Validation on the latest times."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skts.regressors._inputs import Inputs
from skts.regressors._targets import Targets


def split_latest(
    first: NDArray[np.int64], last: NDArray[np.int64], fraction: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Split windows in two by one cut in time.

    Parameters
    ----------
    first, last : ndarray of shape (n_windows,)
        The times of each window's first and last target.
    fraction : float
        The share of the times that lies behind the cut.

    Returns
    -------
    train, valid : ndarray of bool of shape (n_windows,)
        Windows whose targets all lie before the cut, and all behind it; one that reaches over it is in neither.
    """
    times = np.unique(np.concatenate([first, last]))
    cut = times[len(times) - max(1, round(fraction * len(times)))]
    return last < cut, first >= cut


def split_windows(estimator: Any, inputs: Inputs, targets: Targets) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Choose the windows that teach and those that validate.

    Parameters
    ----------
    estimator : estimator
        Whose `early_stopping` and `validation_fraction` decide.
    inputs : Inputs
    targets : Targets

    Returns
    -------
    train, valid : ndarray of int64
        Numbers of windows; without early stopping none validates.
    """
    teaching = targets.teaching()
    if not teaching.any():
        raise ValueError(
            f"{type(estimator).__name__}: y is missing (NaN) over the horizon of every window: there is nothing "
            "to learn from."
        )
    if not estimator.early_stopping:
        return np.flatnonzero(teaching), np.empty(0, dtype=np.int64)
    if inputs.windows is None:
        first = last = np.arange(len(inputs), dtype=np.int64)
    else:
        windows = inputs.windows
        first, last = windows.ticks[windows.origins], windows.ticks[windows.origins + windows.horizon - 1]
    train, valid = split_latest(first, last, estimator.validation_fraction)
    train, valid = train & teaching, valid & teaching
    if not train.any() or not valid.any():
        raise ValueError(
            f"{type(estimator).__name__}(early_stopping=True, validation_fraction={estimator.validation_fraction}) "
            f"leaves {int(train.sum())} windows to train on and {int(valid.sum())} to validate on, of {len(inputs)}: "
            "give a longer table or another validation_fraction."
        )
    return np.flatnonzero(train), np.flatnonzero(valid)
