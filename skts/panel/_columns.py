"""Columns and choices by name."""

import difflib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts._compat import get_column_indices

Columns = str | int | slice | Sequence[str] | Sequence[int] | Callable[[Any], Any]


def find_columns(X: Any, key: Columns, owner: str) -> NDArray[np.int64]:
    """Resolve column names, positions or a selector, as ColumnTransformer does.

    Parameters
    ----------
    X : ndarray or DataFrame of shape (n_rows, n_features)
    key : str, int, slice, list of str or int, or callable
        A callable is given `X` and returns one of the others.
    owner : str
        Who wants them, for the message: `WindFeatures(u='u10')`.

    Returns
    -------
    positions : ndarray of int64 of shape (n_columns,)

    Raises
    ------
    ValueError
        The table has no such column.
    """
    key = key(X) if callable(key) else key
    key = key.tolist() if isinstance(key, np.ndarray | pd.Index) else key
    key = list(key) if isinstance(key, tuple) else key
    try:
        return np.asarray(get_column_indices(X, key), dtype=np.int64)
    except (ValueError, IndexError) as error:
        raise ValueError(f"{owner}: {_explain(X, key)}") from error


def _explain(X: Any, key: Any) -> str:
    names = key if isinstance(key, list) else [key]
    if X.shape[1] == 0:
        return "the table has no columns. Give one with at least one."
    if not any(isinstance(name, str) for name in names):
        return f"the table has n_features={X.shape[1]}. Give positions from 0 to {X.shape[1] - 1}."
    if not isinstance(X, pd.DataFrame):
        return (
            f"the table has n_features={X.shape[1]} columns without names. Give positions, or a DataFrame; where a "
            'step before lost the names, call set_output(transform="pandas") on the pipeline.'
        )
    return refusal(names, X.columns.astype(str), "column")


def check_choices(chosen: Iterable[str], known: Iterable[str], owner: str, what: str) -> None:
    """Refuse a choice that is not among the known ones."""
    if set(chosen) - set(known):
        raise ValueError(f"{owner}: {refusal(chosen, known, what)}")


def refusal(chosen: Iterable[Any], known: Iterable[str], what: str) -> str:
    """Say which names are not among the known ones, and which may have been meant."""
    known = list(known)
    missing = [str(name) for name in chosen if name not in known]
    close = [match for name in missing for match in difflib.get_close_matches(name, known, n=1)]
    hint = f" Did you mean {', '.join(map(repr, close))}?" if close else ""
    return f"no {what} {', '.join(map(repr, missing))} among {known}.{hint}"


def refuse_repeated(names: Sequence[str], owner: str) -> None:
    """Refuse new columns whose names are there already."""
    repeated = pd.Index(names)[pd.Index(names).duplicated()].unique().tolist()
    if repeated:
        raise ValueError(
            f"{owner} would give the table more than one column {', '.join(map(repr, repeated))}: rename or drop what "
            "has that name, and ask for nothing twice."
        )
