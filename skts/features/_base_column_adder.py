"""What all transformers of this folder share: a table in, the same table with more columns out."""

from abc import ABCMeta, abstractmethod
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skts._compat import check_feature_names_in, fit_context, fit_task
from skts.panel import naming_cells, read_values, refuse_repeated


class BaseColumnAdder(CallbackSupportMixin, TransformerMixin, BaseEstimator, metaclass=ABCMeta):
    """A transformer that adds columns. A subclass names them and computes them."""

    _parameter_constraints: dict[str, list] = {}

    @abstractmethod
    def _learn(self, X: Any, values: NDArray[Any]) -> list[str]:
        """Learn what there is to learn from the table and its values, and give the names of the new columns."""

    @abstractmethod
    def _compute(self, X: Any, values: NDArray[Any]) -> NDArray[np.float64]:
        """Compute the new columns, (n_rows, n_new)."""

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the columns.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
            The training table. NaN is allowed.
        y : None
            Ignored; there for the sake of `Pipeline`.

        Returns
        -------
        self : object
        """
        with fit_task(self, X, y):
            values = read_values(self, X, reset=True)
            self._names_new = self._learn(X if isinstance(X, pd.DataFrame) else values, values)
            refuse_repeated([*self._names_in(), *self._names_new], type(self).__name__)
        return self

    def transform(self, X: Any) -> Any:
        """Add the new columns after those of the table.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)

        Returns
        -------
        X : ndarray or DataFrame of shape (n_rows, n_features + n_new)
            A DataFrame stays a DataFrame with the same rows and index; columns without string names become `x0`, `x1`
            and so on, as everywhere in scikit-learn.
        """
        return self._add(X)

    def _add(self, X: Any) -> Any:
        """Add the new columns; apart from `transform`, which `set_output` wraps once for every class that has one."""
        check_is_fitted(self)
        values = read_values(self, X, reset=False)
        if not isinstance(X, pd.DataFrame):
            new = self._compute_finite(values, values)
            return np.concatenate([values, new], axis=1, dtype=np.result_type(values.dtype, np.float32))
        new = self._compute_finite(X, values)
        if not hasattr(self, "feature_names_in_"):
            X = X.set_axis(self._names_in(), axis=1)
        return pd.concat([X, pd.DataFrame(new, index=X.index, columns=self._names_new)], axis=1)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """Name the columns that come out.

        Parameters
        ----------
        input_features : array-like of str of shape (n_features,), default=None
            Names for the columns that came in, where `fit` saw none.

        Returns
        -------
        names : ndarray of str of shape (n_features + n_new,)
        """
        check_is_fitted(self)
        return np.array([*self._names_in(input_features), *self._names_new], dtype=object)

    def _compute_finite(self, X: Any, values: NDArray[Any]) -> NDArray[np.float64]:
        """Compute the new columns, and refuse to pass on an overflow."""
        with naming_cells(X), np.errstate(over="ignore"):
            new = self._compute(X, values)
        rows, columns = np.nonzero(np.isinf(new))
        if len(rows):
            raise ValueError(
                f"{type(self).__name__}: the new column {self._names_new[columns[0]]!r} becomes infinite in row "
                f"{rows[0]}: look for extreme values in the columns that it is made of."
            )
        return new

    def _names_in(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        return check_feature_names_in(self, input_features)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
