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

    Raises
    ------
    ValueError
        A single value, or one that is no number.
    """
    try:
        values = np.asarray(y, dtype=np.float64)
    except (ValueError, TypeError) as error:
        error.add_note("This is in y: numbers are expected, and NaN where the target is missing.")
        raise
    if values.ndim == 0:
        raise ValueError(f"y is {y!r}: one value for each row is expected.")
    missing: NDArray[np.bool_] = np.isnan(values)
    return np.logical_not(missing.any(axis=tuple(range(1, values.ndim))))
