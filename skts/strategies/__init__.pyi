from ._column_regressor import ColumnRegressor
from ._combination_regressor import CombinationRegressor
from ._conformal_regressor import ConformalRegressor
from ._ensemble_regressor import EnsembleRegressor
from ._fit_in_process import FitInProcess
from ._per_series_regressor import PerSeriesRegressor
from ._portfolio import portfolio
from ._recalibrated_regressor import RecalibratedRegressor
from ._recursive_regressor import RecursiveRegressor
from ._scenario_sampler import ScenarioSampler
from ._update import update
from ._windowed_regressor import WindowedRegressor

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
