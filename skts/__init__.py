"""Forecasting of many series with neural networks that are plain scikit-learn estimators."""

from skts._version import __version__
from skts.model_selection import forecast
from skts.panel import describe_panel, to_panel
from skts.regressors import (
    DLinearRegressor,
    FoundationRegressor,
    GRURegressor,
    LSTMRegressor,
    NetRegressor,
    NLinearRegressor,
    SourceAttentionRegressor,
    TransformerRegressor,
)
from skts.strategies import update
from skts.windows import HistoryPrepender, SlidingWindower, Windows, future_rows

__all__ = [
    "DLinearRegressor",
    "FoundationRegressor",
    "GRURegressor",
    "HistoryPrepender",
    "LSTMRegressor",
    "NLinearRegressor",
    "NetRegressor",
    "SlidingWindower",
    "SourceAttentionRegressor",
    "TransformerRegressor",
    "Windows",
    "__version__",
    "describe_panel",
    "forecast",
    "future_rows",
    "to_panel",
    "update",
]
