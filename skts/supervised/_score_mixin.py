"""Scores over the rows that have a target."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_array, check_consistent_length

from skts.panel import has_target
from skts.windows import Windows


class ScoreMixin(RegressorMixin):
    """A regressor whose `score` leaves out what has no target."""

    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
        """Give the coefficient of determination of the forecasts, over the rows that have a target.

        Parameters
        ----------
        X : Windows, or array-like of shape (n_windows, window, n_features) or (n_windows, n_features)
        y : array-like
            As `predict` answers; beside training windows also one value per row of the table.
        sample_weight : array-like of shape (n_rows,), default=None

        Returns
        -------
        score : float
            R squared.
        """
        y_pred = self.predict(X)
        y = check_array(
            y, dtype=np.float64, ensure_2d=False, allow_nd=True, ensure_all_finite="allow-nan", input_name="y"
        )
        if isinstance(X, Windows) and X.is_training:
            y = X.targets(y) if y.shape != y_pred.shape else y
            y, y_pred = (values.reshape(-1, *values.shape[2:]) for values in (y, y_pred))
        check_consistent_length(y, y_pred)
        there = has_target(y)
        if not there.any():
            raise ValueError(f"{type(self).__name__}.score: y is missing (NaN) in every row.")
        y, y_pred = (values[there].reshape(int(there.sum()), -1) for values in (y, y_pred))
        weights = None if sample_weight is None else np.asarray(sample_weight)[there]
        return r2_score(y, y_pred, sample_weight=weights)
