"""Which rows have a target."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def has_target(y: ArrayLike) -> NDArray[np.bool_]:
    """Tell which rows of `y` hold no NaN.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, ...)

    Returns
    -------
    mask : ndarray of bool of shape (n_rows,)
    """
    missing: NDArray[np.bool_] = np.isnan(np.asarray(y, dtype=np.float64))
    return np.logical_not(missing.reshape(len(missing), -1).any(axis=1))
