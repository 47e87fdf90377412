"""Which columns make up each source."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.panel import find_columns

Source = str | int | Sequence[str] | Sequence[int]


def find_sources(
    sources: Mapping[str, Source] | None, names: NDArray[Any] | None, n_features: int, owner: str
) -> dict[str, NDArray[np.int64]]:
    """Resolve sources to columns.

    Parameters
    ----------
    sources : dict of str to (str, int, list of str or int), or None
        A string is a regular expression that is searched for in the names. None is one source of all columns.
    names : ndarray of str of shape (n_features,), or None
        None where the columns have no names.
    n_features : int
    owner : str
        Who wants them, for the message.

    Returns
    -------
    columns : dict of str to ndarray of int64 of shape (n_columns,)
        The positions of each, increasing.

    Raises
    ------
    ValueError
        There is no such column, no source, a source without a column, or a column in two of them.
    """
    if sources is None:
        return {"all": np.arange(n_features)}
    if not sources:
        raise ValueError(f"{owner}(sources={{}}): at least one source is expected, or None for all columns together.")
    found = {name: _find(name, key, names, n_features, owner) for name, key in sources.items()}
    source_of: dict[int, str] = {}
    for name, columns in found.items():
        for column in columns.tolist():
            if column in source_of:
                which = column if names is None else repr(str(names[column]))
                raise ValueError(
                    f"{owner}(sources=...): column {which} is in source {source_of[column]!r} and in source {name!r}, "
                    "and each column may be in one: make their patterns exclude each other, '^gfs_' for 'gfs'."
                )
            source_of[column] = name
    return found


def _find(name: str, key: Source, names: NDArray[Any] | None, n_features: int, owner: str) -> NDArray[np.int64]:
    """Resolve one source."""
    owner = f"{owner}(sources={{{name!r}: {key!r}}})"
    if isinstance(key, str):
        columns = _search(key, names, owner)
    else:
        table = np.empty((0, n_features)) if names is None else pd.DataFrame(columns=pd.Index(names))
        columns = np.unique(find_columns(table, key, owner))
    if not len(columns):
        raise ValueError(f"{owner}: at least one column is expected.")
    return columns


def _search(pattern: str, names: NDArray[Any] | None, owner: str) -> NDArray[np.int64]:
    """Find the columns in whose names there is a match."""
    if names is None:
        raise ValueError(
            f"{owner}: a pattern is searched for in the names of the columns, and these have none. Give positions, or "
            'let SlidingWindower be given a DataFrame: call set_output(transform="pandas") on the pipeline.'
        )
    try:
        found = [i for i, column in enumerate(names) if re.search(pattern, str(column))]
    except re.error as error:
        raise ValueError(
            f"{owner}: this is no regular expression ({error}). Write a plain point as '\\\\.'."
        ) from error
    if not found:
        raise ValueError(f"{owner}: no name of a column matches, and there are {[str(one) for one in names]}.")
    return np.asarray(found, dtype=np.int64)
