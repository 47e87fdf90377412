"""Validation on the latest times."""

import numpy as np
from numpy.typing import NDArray


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
