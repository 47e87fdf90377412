import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from skts import HistoryPrepender, SlidingWindower
from skts.datasets import make_panel
from skts.exceptions import MissingHistoryWarning
from skts.supervised import read_inputs, to_output, warn_missing_history


class Anyone(BaseEstimator):
    pass


@pytest.fixture(scope="module")
def panel():
    return make_panel(n_series=2, n_rows=40, interleave=True, random_state=0)


@pytest.mark.parametrize("y_shape", [(), (1,), (2,)])
@pytest.mark.parametrize("levels", [(), (3,)])
def test_forecasting_windows_give_one_value_a_row_in_the_order_of_the_table(panel, y_shape, levels):
    X, y = panel
    windower = SlidingWindower(5, 3, known=["wind"]).fit(X)
    windows = windower.transform(X)
    n_targets = 1 if y_shape == () else y_shape[0]
    truth = windows.to_panel(y.to_numpy()[:, None])[windows.horizon_positions()]  # (n_windows, 3, 1)
    rest = np.arange(n_targets * np.prod(levels, dtype=int)).reshape(n_targets, *levels)
    forecasts = truth.reshape(*truth.shape[:2], *[1] * rest.ndim) + rest
    output = to_output(forecasts, read_inputs(Anyone(), windows, reset=True), y_shape)
    forecast = X.groupby(level=0).cumcount().to_numpy() >= 5
    expected = y.to_numpy()[forecast].reshape(-1, *[1] * rest.ndim) + rest
    np.testing.assert_array_equal(output, expected if y_shape else expected[:, 0])


@pytest.mark.parametrize("y_shape", [(), (1,), (2,), (4, 2)])
@pytest.mark.parametrize("levels", [(), (3,)])
def test_arrays_give_the_shape_of_y(y_shape, levels):
    inputs = read_inputs(Anyone(), np.zeros((9, 5, 2)), reset=True)
    horizon, n_targets = y_shape if len(y_shape) == 2 else (1, *y_shape, 1)[:2]
    forecasts = np.random.default_rng(0).standard_normal((9, horizon, n_targets, *levels))
    output = to_output(forecasts, inputs, y_shape)
    assert output.shape == (9, *y_shape, *levels)
    np.testing.assert_array_equal(output.ravel(), forecasts.ravel())


def test_training_windows_are_given_by_window(panel):
    X, y = panel
    windows = SlidingWindower(5, 3).fit_transform(X)
    forecasts = windows.targets(y)[..., None]
    inputs = read_inputs(Anyone(), windows, reset=True)
    np.testing.assert_array_equal(to_output(forecasts, inputs, ()), windows.targets(y))
    np.testing.assert_array_equal(to_output(forecasts, inputs, (1,)), forecasts)


def test_one_warning_counts_the_forecasts_that_rest_on_blank_inputs(panel):
    X, _ = panel
    history = HistoryPrepender(5).fit(X)
    windows = SlidingWindower(5, 3).fit(X).transform(history.transform(X))
    with pytest.warns(
        MissingHistoryWarning, match=r"12 of 80 forecasts rest on blank or missing inputs, filled"
    ) as caught:
        warn_missing_history(windows, ", filled")  # the first two blocks of each series
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_missing_history(SlidingWindower(5, 3).fit_transform(X))
