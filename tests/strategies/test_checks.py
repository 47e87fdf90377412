"""scikit-learn's own checks on the strategies."""

from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.utils.estimator_checks import parametrize_with_checks

from skts.strategies import (
    ColumnRegressor,
    CombinationRegressor,
    ConformalRegressor,
    PerSeriesRegressor,
    RecalibratedRegressor,
    RecursiveRegressor,
    ScenarioSampler,
    WindowedRegressor,
)

trees = HistGradientBoostingRegressor(max_iter=5)


@parametrize_with_checks(
    [
        WindowedRegressor(Ridge()),
        WindowedRegressor(Ridge(), leads="rows"),
        WindowedRegressor(trees),
        PerSeriesRegressor(Ridge()),
        RecursiveRegressor(trees, target=0, horizon=2, history=2),
        ColumnRegressor(0),
        CombinationRegressor([("ridge", Ridge()), ("trees", trees)]),
        CombinationRegressor([("ridge", Ridge()), ("trees", trees)], method="stacked"),
        CombinationRegressor([("ridge", Ridge()), ("trees", trees)], method="boa"),
        ConformalRegressor(Ridge(), method="residual"),
        RecalibratedRegressor(Ridge()),
        ScenarioSampler(ConformalRegressor(Ridge(), method="residual")),
    ],
)
def test_estimator(estimator, check):
    check(estimator)
