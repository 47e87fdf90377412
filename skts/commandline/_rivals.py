"""What every forecaster must beat, on the same windows and rows."""

from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin

from skts.panel import series_names
from skts.training import fill_forward
from skts.windows import Windows


class LastValue(RegressorMixin, BaseEstimator):
    """Forecast the last value of a column that a window has seen (persistence).

    Parameters
    ----------
    column : int
        The column of the windows that holds the past of the target.
    """

    def __init__(self, column: int):
        self.column = column

    def fit(self, X: Windows, y: Any) -> Self:
        """Learn what to say where a window has seen nothing: the mean."""
        self.mean_ = np.nanmean(y)
        return self

    def predict(self, X: Windows) -> NDArray[np.float64]:
        """Forecast every row."""
        target = torch.from_numpy(np.asarray(X)[..., self.column])
        seen = ~torch.isnan(target).all(dim=1)
        last = fill_forward(target[..., None])[:, -1, 0].double().where(seen, self.mean_)
        return X.to_rows(np.repeat(last.numpy()[:, None], X.horizon, axis=1))


class TimeOfDay(RegressorMixin, BaseEstimator):
    """Forecast the training mean of each series at each time of the day (climatology); reads the index alone."""

    def fit(self, X: pd.DataFrame, y: pd.Series) -> Self:
        """Average by series and time of day."""
        self.mean_ = float(np.nanmean(y))
        self.means_ = y.groupby(self._keys(X)).mean()
        return self

    def predict(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Forecast every row."""
        keys = pd.MultiIndex.from_arrays(self._keys(X))
        return self.means_.reindex(keys).fillna(self.mean_).to_numpy(dtype=np.float64)

    @staticmethod
    def _keys(X: pd.DataFrame) -> list[Any]:
        names = series_names(X.index)
        series = np.zeros(len(X)) if names is None else names
        times = pd.DatetimeIndex(X.index.get_level_values(-1))
        return [series, times.hour * 60 + times.minute]
