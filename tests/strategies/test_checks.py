"""scikit-learn's own checks on the strategies."""

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.utils.estimator_checks import parametrize_with_checks

from skts.strategies import PerSeriesRegressor, RecursiveRegressor, WindowedRegressor

trees = HistGradientBoostingRegressor(max_iter=5)
FLOAT32 = "the columns are float32, so both ways agree to 1e-6, and to 1e-7 on some processors and by luck"


def expected_failures(estimator):
    if isinstance(estimator, WindowedRegressor) and isinstance(estimator.estimator, Ridge):
        checks = (
            "sample_weight_equivalence_on_dense_data",
            "methods_sample_order_invariance",
            "methods_subset_invariance",
        )
        return {f"check_{name}": FLOAT32 for name in checks}
    return {}


@parametrize_with_checks(
    [
        WindowedRegressor(Ridge()),
        WindowedRegressor(Ridge(), leads="rows"),
        WindowedRegressor(trees),
        PerSeriesRegressor(Ridge()),
        RecursiveRegressor(trees, target=0, horizon=2, history=2),
    ],
    expected_failed_checks=expected_failures,
    xfail_strict=False,  # how float32 rounds depends on the processor: on some the check passes
)
def test_estimator(estimator, check):
    check(estimator)


def test_order_and_company_of_rows_matter_to_rounding_alone():
    X, y = np.random.default_rng(0).standard_normal((2, 20, 3))
    regressor = WindowedRegressor(Ridge()).fit(X, y[:, 0])
    expected = regressor.predict(X)
    np.testing.assert_allclose(regressor.predict(X[::-1])[::-1], expected, rtol=1e-5)
    np.testing.assert_allclose(
        np.concatenate([regressor.predict(X[i : i + 1]) for i in range(20)]), expected, rtol=1e-5
    )
