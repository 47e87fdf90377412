"""Validation on the latest times."""

import numpy as np
from numpy.typing import NDArray

from skts.supervised._inputs import Inputs


def split_latest(
    first: NDArray[np.int64], last: NDArray[np.int64], fraction: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Split windows in two by one cut in time.

    Parameters
    ----------
    first, last : ndarray of shape (n_windows,)
        The times of each window's first and last target.
    fraction : float
        The share of the times that lies after the cut.

    Returns
    -------
    train, valid : ndarray of bool of shape (n_windows,)
        Windows whose targets all lie before the cut, and all after it; one that reaches over it is in neither.
    """
    times = np.unique(np.concatenate([first, last]))
    cut = times[len(times) - max(1, round(fraction * len(times)))]
    return last < cut, first >= cut


def split_holdout(
    owner: str, fraction: float, inputs: Inputs, teaching: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Choose the windows that teach and those that validate.

    Parameters
    ----------
    owner : str
        The estimator, for messages.
    fraction : float
        Its `validation_fraction`: share of the times, the latest, to validate on.
    inputs : Inputs
    teaching : ndarray of int64
        Numbers of the windows that have a target.

    Returns
    -------
    train, valid : ndarray of int64
        Some of `teaching`.

    Raises
    ------
    ValueError
        None of them trains, or none validates.
    """
    if inputs.windows is None:
        first = last = np.arange(len(inputs), dtype=np.int64)
    else:
        windows = inputs.windows
        first = windows.origin_ticks
        last = first + (windows.horizon - 1) * windows.step
    trains, validates = split_latest(first, last, fraction)
    train, valid = teaching[trains[teaching]], teaching[validates[teaching]]
    if not len(train) or not len(valid):
        raise ValueError(
            f"{owner}(early_stopping=True, validation_fraction={fraction}) "
            f"leaves {len(train)} windows to train on and {len(valid)} to validate on, of {len(inputs)}: "
            "give a longer table or another validation_fraction."
        )
    return train, valid
