"""What the transformers of this folder share that make few columns of many."""

import re
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from skts.features import BaseColumnAdder


class BaseColumnReplacer(BaseColumnAdder):
    """A transformer that adds columns and, unless `keep`, drops those that they are made of."""

    keep: bool
    _used: NDArray[np.int64]

    def transform(self, X: Any) -> Any:
        """Put the new columns after those of the table, without those that they are made of.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_features)

        Returns
        -------
        X : DataFrame of shape (n_rows, n_features_out)
            The same rows and index.
        """
        table = self._add(X)
        kept = self._kept()
        return table.iloc[:, kept] if isinstance(table, pd.DataFrame) else table[:, kept]

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """Name the columns that come out.

        Parameters
        ----------
        input_features : array-like of str of shape (n_features,), default=None
            Names for the columns that came in, where `fit` saw none.

        Returns
        -------
        names : ndarray of str of shape (n_features_out,)
        """
        return super().get_feature_names_out(input_features)[self._kept()]

    def _kept(self) -> NDArray[np.int64]:
        check_is_fitted(self)
        n_columns = self.n_features_in_ + len(self._names_new)
        return np.arange(n_columns) if self.keep else np.setdiff1d(np.arange(n_columns), self._used)


def match_columns(names: ArrayLike, pattern: str, groups: tuple[str, ...], owner: str) -> dict[str, dict[tuple, int]]:
    """Group columns by a pattern.

    Parameters
    ----------
    names : array-like of str of shape (n_features,)
    pattern : str
        A regular expression with the group `variable` and the others, which hold whole numbers.
    groups : tuple of str
        The names of the other groups.
    owner : str
        Who asks, for the message.

    Returns
    -------
    found : dict
        By variable, in the order of the columns: the position of the column of each tuple of numbers.

    Raises
    ------
    ValueError
        A pattern without the groups, no column that matches, or two that are the same.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{owner}: pattern={pattern!r} is no regular expression: {error}.") from error
    if not {"variable", *groups} <= set(compiled.groupindex):
        raise ValueError(
            f"{owner}: pattern={pattern!r} must have the groups "
            f"{', '.join(f'(?P<{group}>...)' for group in ('variable', *groups))}."
        )
    names = [str(name) for name in np.asarray(names, dtype=object)]
    found: dict[str, dict[tuple, int]] = {}
    for position, name in enumerate(names):
        match = compiled.fullmatch(name)
        if match is None:
            continue
        key = tuple(int(match[group]) for group in groups)
        before = found.setdefault(match["variable"], {}).setdefault(key, position)
        if before != position:
            raise ValueError(
                f"{owner}: the columns {names[before]!r} and {name!r} are the same by pattern={pattern!r}."
            )
    if not found:
        raise ValueError(
            f"{owner}: no column matches pattern={pattern!r}; there are {names[:8]}{' ...' if len(names) > 8 else ''}. "
            'Where a step before lost the names, call set_output(transform="pandas") on the pipeline.'
        )
    return found
