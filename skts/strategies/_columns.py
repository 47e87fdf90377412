"""Columns of a table as numbers."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def read_numbers(X: Any, columns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Read some columns as numbers, what is missing as NaN: ndarray of shape (n_rows, n_columns), a copy."""
    if isinstance(X, pd.DataFrame):
        return X.iloc[:, columns].to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    return np.asarray(X)[:, columns].astype(np.float64)
