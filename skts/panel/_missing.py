"""Which rows have a target, and whether it can be scored."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

_LARGEST_TO_SQUARE = float(np.sqrt(np.finfo(np.float64).max)) / 4


def check_squares(y: ArrayLike) -> None:
    """Refuse a target whose errors cannot be squared, as scores and deviations do.

    Raises
    ------
    ValueError
        It reaches further than the root of the largest number.
    """
    values = _read_numbers(y)
    largest = float(np.abs(values[np.isfinite(values)]).max(initial=0))
    if largest > _LARGEST_TO_SQUARE:
        raise ValueError(f"y reaches {largest:g}, whose square is infinite: give it in a larger unit.")


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
    values = _read_numbers(y)
    if values.ndim == 0:
        raise ValueError(f"y is {y!r}: one value for each row is expected.")
    missing: NDArray[np.bool_] = np.isnan(values)
    return np.logical_not(missing.any(axis=tuple(range(1, values.ndim))))


def _read_numbers(y: ArrayLike) -> NDArray[np.float64]:
    try:
        return np.asarray(y, dtype=np.float64)
    except (ValueError, TypeError) as error:
        error.add_note("This is in y: numbers are expected, and NaN where the target is missing.")
        raise
