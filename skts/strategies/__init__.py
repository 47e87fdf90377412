"""Composition: any regressor on windows, ensembles, combination, calibration, scenarios, recursion."""

from skts.strategies._column_regressor import ColumnRegressor
from skts.strategies._combination_regressor import CombinationRegressor
from skts.strategies._conformal_regressor import ConformalRegressor
from skts.strategies._ensemble_regressor import EnsembleRegressor
from skts.strategies._fit_in_process import FitInProcess
from skts.strategies._per_series_regressor import PerSeriesRegressor
from skts.strategies._portfolio import portfolio
from skts.strategies._recalibrated_regressor import RecalibratedRegressor
from skts.strategies._recursive_regressor import RecursiveRegressor
from skts.strategies._scenario_sampler import ScenarioSampler
from skts.strategies._update import update
from skts.strategies._windowed_regressor import WindowedRegressor

__all__ = [
    "ColumnRegressor",
    "CombinationRegressor",
    "ConformalRegressor",
    "EnsembleRegressor",
    "FitInProcess",
    "PerSeriesRegressor",
    "RecalibratedRegressor",
    "RecursiveRegressor",
    "ScenarioSampler",
    "WindowedRegressor",
    "portfolio",
    "update",
]
