"""Other values in some cells of a table."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import NDArray

KINDS = ("plausible", "wild", "missing")
_WILD = 1000.0  # standard deviations: what dilutes in a mean over a whole table must still show


def perturb(
    table: Any,
    cells: NDArray[np.bool_],
    kind: str,
    rng: RandomState,
    alike: Mapping[int, NDArray[np.int64]] | None = None,
) -> Any:
    """Put other values into some cells.

    Parameters
    ----------
    table : ndarray of shape (n_rows,) or (n_rows, n_columns), Series or DataFrame
        Left as it is.
    cells : ndarray of bool of shape (n_rows, n_columns)
    kind : {"plausible", "wild", "missing"}
        Values as the column has them elsewhere, values up to thousands of standard deviations away, or NaN. Columns
        that are not of floating point always take values that they have elsewhere.
    rng : RandomState
    alike : mapping of int to ndarray of int64 of shape (n_rows,), default=None
        By the position of a column a number for each row: rows of one number take one value.

    Returns
    -------
    table : ndarray, Series or DataFrame
        Of the same type and shape.
    """
    frame: Any = pd.DataFrame(table)  # whose columns are replaced, not written to
    for position in np.flatnonzero(cells.any(axis=0)).tolist():
        column = frame.iloc[:, position].copy()
        if isinstance(column.dtype, pd.SparseDtype):  # which takes no values by row
            column = column.sparse.to_dense()
        rows = np.flatnonzero(cells[:, position])
        if alike is None or position not in alike:
            column.iloc[rows] = _draw(column, len(rows), kind, rng)
        else:
            numbers, of_each = np.unique(alike[position][rows], return_inverse=True)
            column.iloc[rows] = _draw(column, len(numbers), kind, rng)[of_each]
        frame.isetitem(position, column)
    if isinstance(table, pd.DataFrame):
        return frame
    if isinstance(table, pd.Series):
        column = frame.iloc[:, 0]
        column.name = table.name
        return column
    return frame.to_numpy(dtype=table.dtype).reshape(table.shape)


def _draw(column: pd.Series, n_values: int, kind: str, rng: RandomState) -> Any:
    there = column.dropna().to_numpy()
    if not pd.api.types.is_float_dtype(column.dtype):
        return rng.choice(there, n_values)
    dtype = getattr(column.dtype, "numpy_dtype", column.dtype)  # pandas' own Float64 is float64
    if kind == "missing":
        return np.full(n_values, np.nan, dtype=dtype)
    there = there.astype(np.float64) if len(there) else np.zeros(1)
    spread = there.std() or max(abs(there[0]), 1.0)
    noise = rng.normal(size=n_values)
    # a value drawn from few may be the one that is there already: the noise makes every cell another one
    values = rng.choice(there, n_values) + 0.1 * spread * noise if kind == "plausible" else _WILD * spread * noise
    return values.astype(dtype)
