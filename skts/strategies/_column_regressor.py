"""Forecasts that somebody else made, as columns of the table."""

from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted, column_or_1d, validate_data

from skts._compat import fit_context
from skts.nn import interpolate_levels
from skts.panel import find_columns, has_target
from skts.strategies._columns import read_numbers
from skts.supervised import ScoreMixin


class ColumnRegressor(ScoreMixin, BaseEstimator):
    """Answer what stands in a column: the forecast of a provider, a market, or another model.

    Learns nothing. So that published forecasts can be an expert of a :class:`CombinationRegressor`, or be calibrated by
    a :class:`ConformalRegressor`.

    Parameters
    ----------
    column : str or int
        The column of `X` that holds the forecast, in the unit of `y`. NaN is answered where it is missing.
    quantiles : dict of float to str or int, default=None
        The column of each level that was published, such as ``{0.1: "low", 0.9: "high"}``.

    Attributes
    ----------
    levels_ : tuple of float or None
        The levels that it answers, increasing.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` was a DataFrame.

    Examples
    --------
    >>> from skts.strategies import ColumnRegressor
    >>> ColumnRegressor(1).fit([[0.0, 5.0], [1.0, 6.0]], [4.0, 7.0]).predict([[2.0, 8.0]])
    array([8.])
    """

    __metadata_request__predict = {"quantiles": True}
    _parameter_constraints = {"column": [str, Integral], "quantiles": [Mapping, None]}

    def __init__(self, column: str | int, *, quantiles: Mapping[float, str | int] | None = None):
        self.column = column
        self.quantiles = quantiles

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the columns.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
        y : array-like of shape (n_rows,), default=None
            Not learned from.

        Returns
        -------
        self : object
        """
        X = self._read(X, reset=True)
        if y is not None:
            check_consistent_length(X, y)
            y = check_array(y, ensure_2d=False, ensure_all_finite="allow-nan", input_name="y")
            if not has_target(column_or_1d(y, warn=True)).any():
                raise ValueError("ColumnRegressor: y is missing (NaN) in every row. Give y=None or a target.")
        self._column = find_columns(X, self.column, f"ColumnRegressor(column={self.column!r})")
        levels = dict(sorted((self.quantiles or {}).items()))
        self.levels_ = tuple(levels) or None
        self._of_levels = [
            int(find_columns(X, column, f"ColumnRegressor(quantiles={self.quantiles!r})")[0])
            for column in levels.values()
        ]
        return self

    def predict(self, X: Any, quantiles: Iterable[float] | None = None) -> NDArray[np.float64]:
        """Answer the column.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
        quantiles : iterable of float, default=None
            Levels to answer, interpolated between those that were published.

        Returns
        -------
        y_pred : ndarray of shape (n_rows,) or (n_rows, n_quantiles)
        """
        check_is_fitted(self)
        X = self._read(X, reset=False)
        if quantiles is None:
            return read_numbers(X, self._column)[:, 0]
        if self.levels_ is None:
            raise ValueError(
                "ColumnRegressor.predict(quantiles=...): name the columns that hold quantiles, "
                'ColumnRegressor(quantiles={0.1: "low", 0.9: "high"}), and fit again.'
            )
        return interpolate_levels(read_numbers(X, np.array(self._of_levels)), self.levels_, quantiles)

    def _read(self, X: Any, *, reset: bool) -> Any:
        """Learn or check the columns; of a DataFrame the others may hold anything."""
        if not isinstance(X, pd.DataFrame):
            return validate_data(self, X, reset=reset, ensure_all_finite="allow-nan")
        validate_data(self, X, reset=reset, skip_check_array=True)
        return X

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.required = False
        tags.regressor_tags.poor_score = True
        return tags
