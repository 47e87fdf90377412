"""Forecasting of many series with neural networks that are plain scikit-learn estimators."""

from skts._version import __version__
from skts.regressors import LSTMRegressor
from skts.windows import HistoryPrepender, SlidingWindower, Windows

__all__ = ["HistoryPrepender", "LSTMRegressor", "SlidingWindower", "Windows", "__version__"]
