from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skts import DLinearRegressor, NLinearRegressor, SlidingWindower
from skts.datasets import make_panel

PHI = (1.2, -0.6)


def make_autoregression(n_rows, seed):
    """One series that swings: y[t] = 1.2 y[t - 1] - 0.6 y[t - 2] + noise of deviation 1."""
    shocks, y = np.random.default_rng(seed).standard_normal(n_rows), np.zeros(n_rows)
    for t in range(2, n_rows):
        y[t] = PHI[0] * y[t - 1] + PHI[1] * y[t - 2] + shocks[t]
    return y[:, None], y


def best_forecasts(past):
    """The expected next three values, from the last two of each window."""
    values = [past[:, -2, 0], past[:, -1, 0]]
    for _ in range(3):
        values.append(PHI[0] * values[-1] + PHI[1] * values[-2])
    return np.stack(values[2:], axis=1)


def make_regressor(**kwargs):
    return DLinearRegressor(**{"max_epochs": 2, "lr": 0.01, "random_state": 0, "device": "cpu"} | kwargs)


def test_an_autoregression_is_recovered():
    X, y = make_autoregression(2000, 0)
    windower = SlidingWindower(8, 3)
    regressors = [make_regressor(max_epochs=20), NLinearRegressor(max_epochs=20, lr=0.01, random_state=0, device="cpu")]
    trained = [regressor.fit(windower.fit_transform(X), y) for regressor in regressors]
    X, y = make_autoregression(1000, 1)
    windows = windower.fit_transform(X)
    forecasts = [best_forecasts(windows[:]), *(one.predict(windows) for one in trained), windows[:][:, -1:, 0]]
    best, dlinear, nlinear, last = (np.mean((windows.targets(y) - forecast) ** 2) for forecast in forecasts)
    assert best <= dlinear < 1.05 * best
    assert best <= nlinear < 0.7 * last  # its weights add up to 1, those of a series that returns to 0 do not


def test_a_linear_share_of_known_columns_is_recovered():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((600, 2))
    y = X @ [0.0, 3.0] + 5  # of the known column, at each row
    windows = SlidingWindower(4, 3, known=[1]).fit_transform(X)
    regressor = make_regressor(max_epochs=30, lr=0.02).fit(windows, y)
    assert_allclose(regressor.predict(windows), windows.targets(y), atol=0.5)
    weight = regressor.net_.module_.known.weight.item() * regressor._learned.y_scale[0]
    assert abs(weight - 3) < 0.1


def test_the_kernel_counts_and_may_be_longer_than_the_window():
    X, y = make_panel(n_series=1, n_rows=80, random_state=0)
    windows = SlidingWindower(6, 2).fit_transform(X)
    forecasts = [make_regressor(kernel_size=size).fit(windows, y).predict(windows) for size in (1, 2, 5, 1000)]
    assert np.isfinite(forecasts).all()
    assert all(abs(one - other).max() > 1e-3 for one, other in pairwise(forecasts))


@pytest.mark.parametrize("shape", [(30,), (30, 3), (30, 4, 2)])
def test_arrays_are_answered_in_the_shape_of_y(shape):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((30, 7, 2)), rng.standard_normal(shape)
    for regressor in (make_regressor(), NLinearRegressor(max_epochs=1, device="cpu")):
        assert regressor.fit(X, y).predict(X).shape == shape


def test_the_kernel_is_named_where_it_is_wrong():
    with pytest.raises(ValueError, match="The 'kernel_size' parameter of DLinearRegressor"):
        make_regressor(kernel_size=0).fit(np.zeros((5, 3, 1)), np.zeros(5))


def test_another_window_is_refused():
    X, y = make_panel(n_series=1, n_rows=80, random_state=0)
    regressor = make_regressor().fit(SlidingWindower(6, 2).fit_transform(X), y)
    with pytest.raises(ValueError, match="fitted with 6 rows of window and is now given 7"):
        regressor.predict(SlidingWindower(7, 2).fit_transform(X))


def test_quantiles_increase_with_a_schedule_too():
    X, y = make_panel(n_series=2, n_rows=80, random_state=0)
    windows = SlidingWindower(6, 2, known=["wind"]).fit_transform(X)
    options = {"quantiles": (0.1, 0.9), "lr_schedule": "one_cycle"}
    quantiles = make_regressor(**options).fit(windows, y).predict(windows, quantiles=[0.1, 0.5, 0.9])
    assert (np.diff(quantiles, axis=-1) > 0).all()
