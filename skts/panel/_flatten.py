"""Tables of other libraries as columns of pandas."""

from typing import Any

import numpy as np
import pandas as pd

from skts._optional import load


def flatten(table: Any) -> tuple[pd.DataFrame, list[Any]]:
    """Give the columns of a table, those of its index first, and the names of what its index says.

    Parameters
    ----------
    table : DataFrame of pandas or polars, Table of pyarrow, Dataset or DataArray of xarray

    Returns
    -------
    columns : DataFrame of shape (n_rows, n_columns)
        Its index, named "row", counts the rows as they were given.
    levels : list of hashable
        The columns that were index levels or dimensions; none where the table had a plain index.

    Raises
    ------
    TypeError
        Anything else.
    """
    library = type(table).__module__.split(".")[0]
    levels: list[Any] = []
    if library == "xarray" and hasattr(table, "to_dataframe"):
        dataset = table if hasattr(table, "data_vars") else table.to_dataset(name=table.name or "value")
        levels = list(dataset.dims)
        table = dataset.to_dataframe(dim_order=levels)
    elif library == "polars":
        load("pyarrow", "to_panel of a polars DataFrame")
        table = (table.collect() if hasattr(table, "collect") else table).to_pandas()
    elif library == "pyarrow" and hasattr(table, "to_pandas"):
        table = table.to_pandas()
    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            f"to_panel takes a DataFrame of pandas or polars, a Table of pyarrow or a Dataset of xarray, and this is "
            f"a {type(table).__name__}: make it one of them, pandas.DataFrame(...)."
        )
    index = table.index
    if isinstance(index, pd.MultiIndex | pd.DatetimeIndex | pd.PeriodIndex) or index.names != [None]:
        levels = _name_levels(index)
        taken = [name for name in levels if name in table.columns]
        if taken:
            raise ValueError(
                f"to_panel: {taken[0]!r} is both a level of the index and a column: rename or drop one of them."
            )
        table = table.set_axis(index.set_names(levels)).reset_index()
    repeated = table.columns[table.columns.duplicated()]
    if len(repeated):
        raise ValueError(f"to_panel: the table has more than one column {repeated[0]!r}: rename or drop one.")
    return table.set_axis(pd.RangeIndex(len(table), name="row")), levels


def plain_column(column: pd.Series) -> pd.Series:
    """Give a column of numbers the dtype that numpy has for it; NaN is missing. Any other stays."""
    if isinstance(column.dtype, np.dtype) and column.dtype != np.object_:
        return column
    if column.dtype == np.object_:  # decimals, and what is missing among numbers or truths
        there = column.dropna()
        if len(there) and there.map(lambda value: isinstance(value, str)).any():
            return column
        try:
            is_truth = all(isinstance(value, bool) for value in there)
            return pd.to_numeric(column.astype(np.float64) if is_truth else column)
        except (ValueError, TypeError):
            return column
    if not pd.api.types.is_numeric_dtype(column.dtype) or isinstance(column.dtype, pd.CategoricalDtype):
        return column
    if column.isna().any():
        return column.astype(np.float64)
    return column.astype(getattr(column.dtype, "numpy_dtype", np.float64))


def _name_levels(index: pd.Index) -> list[Any]:
    *series, time = index.names
    unnamed = "series" if len(series) == 1 else "series_{}"
    named = [unnamed.format(i) if name is None else name for i, name in enumerate(series)]
    return [*named, "time" if time is None else time]
