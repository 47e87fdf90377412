"""The values of a table, and where those stand that are no finite numbers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import DTypeLike, NDArray
from sklearn.utils.validation import validate_data


def read_values(estimator: Any, X: Any, *, reset: bool, dtype: DTypeLike = "numeric") -> NDArray[Any]:
    """Validate a table as scikit-learn does, NaN allowed, and name the cell that it refuses.

    Parameters
    ----------
    estimator : estimator
        Whose `n_features_in_` and `feature_names_in_` are set (`reset`) or checked.
    X : array-like or DataFrame of shape (n_rows, n_features)
    reset : bool
    dtype : dtype or "numeric", default="numeric"
        As :func:`~sklearn.utils.check_array` has it.

    Returns
    -------
    values : ndarray of shape (n_rows, n_features)
    """
    if isinstance(X, pd.DataFrame) and X.shape[1] == 0:  # of which numpy says that it lacks a dtype
        raise ValueError(
            f"Found array with 0 feature(s) (shape={X.shape}) while a minimum of 1 is required by "
            f"{type(estimator).__name__}."
        )
    largest = float(np.finfo(np.float32 if dtype == np.float32 else np.float64).max)
    # what does not fit into the dtype is refused as infinite, without a warning before
    with naming_cells(X, largest), np.errstate(over="ignore"):
        return validate_data(estimator, X, reset=reset, dtype=dtype, ensure_all_finite="allow-nan")


@contextmanager
def naming_cells(X: Any, largest: float = np.inf) -> Iterator[None]:
    """Say, where values are refused within, which cell of the table is no number.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_rows, n_features)
    largest : float, default=inf
        The largest number that is taken.
    """
    try:
        yield
    except (ValueError, TypeError) as error:
        found = find_no_number(X, largest)
        if found is not None:
            row, column, value = found
            error.add_note(
                f"Row {row}, column {column!r}: {value!r}. Finite numbers are expected, and NaN where one is missing: "
                "correct the value, or turn the column into numbers or drop it. What names the series or tells the "
                "time of each row belongs into the index: skts.to_panel(X, series=..., time=...)."
            )
        raise


def find_no_number(X: Any, largest: float) -> tuple[int, Any, Any] | None:
    """Find the first cell of a table that is neither a finite number nor missing, column by column.

    Parameters
    ----------
    X : ndarray or DataFrame of shape (n_rows, n_features), or anything else
        Of which no cell is found.
    largest : float
        What counts as finite.

    Returns
    -------
    found : (row, column name, value), or None
    """
    if not isinstance(X, pd.DataFrame | np.ndarray) or X.ndim != 2:
        return None
    table = pd.DataFrame(X)
    for position, name in enumerate(table.columns):
        column = table.iloc[:, position]
        if pd.api.types.is_complex_dtype(column.dtype):
            continue
        is_time = pd.api.types.is_datetime64_any_dtype(column.dtype) or column.dtype.kind == "m"
        numbers = pd.to_numeric(column.astype(object), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        bad = np.flatnonzero(column.notna().to_numpy() & (is_time | ~(np.abs(numbers) <= largest)))
        if len(bad):
            return int(bad[0]), name, column.iloc[bad[0]]
    return None
