"""Composition: any regressor on windows, one model per series, forecasts that feed on themselves, fits apart."""

from skts.strategies._fit_in_process import FitInProcess
from skts.strategies._per_series_regressor import PerSeriesRegressor
from skts.strategies._recursive_regressor import RecursiveRegressor
from skts.strategies._windowed_regressor import WindowedRegressor

__all__ = ["FitInProcess", "PerSeriesRegressor", "RecursiveRegressor", "WindowedRegressor"]
