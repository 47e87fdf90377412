import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skts import HistoryPrepender, NLinearRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.nn import InstanceNorm, LinearForecaster

HOURS = pd.date_range("2024-01-01", periods=200, freq="h")


def make_tides(levels):
    """Stations that swing alike, every 8 hours, each about a level of its own."""
    index = pd.MultiIndex.from_product([range(len(levels)), HOURS], names=["station", "time"])
    swing = np.sin(2 * np.pi * np.arange(200) / 8 + np.arange(len(levels))[:, None])
    y = pd.Series((swing + np.array(levels)[:, None]).ravel(), index)
    return y.to_frame("level"), y


def make_regressor(**kwargs):
    return NLinearRegressor(**{"max_epochs": 2, "lr": 0.01, "random_state": 0, "device": "cpu"} | kwargs)


def test_a_level_never_seen_is_forecast_as_well():
    X, y = make_tides([0.0, 1.0, -1.0, 2.0])
    windower = SlidingWindower(8, 4)
    windows = windower.fit_transform(X)
    high, high_y = make_tides([40.0, 50.0])
    regressor = make_regressor(max_epochs=30).fit(windows, y)
    errors = high_y[high.groupby("station").cumcount() >= 8] - regressor.predict(windower.transform(high))
    assert np.abs(errors).max() < 0.1  # of a swing of 1


@pytest.mark.parametrize("scale", [1.0, -3.0])
def test_a_higher_past_is_forecast_as_much_higher(scale):
    X, y = make_panel(n_series=2, n_rows=80, random_state=0)
    windower = SlidingWindower(6, 3, known=["wind"])
    X = X.assign(power=scale * X["power"])
    regressor = make_regressor().fit(windower.fit_transform(X), y)
    moved = regressor.predict(windower.transform(X.assign(power=X["power"] + 30 * scale)))
    np.testing.assert_allclose(moved, regressor.predict(windower.transform(X)) + 30, rtol=1e-4)


def test_the_last_value_is_taken_off_windows_and_nothing_off_arrays():
    X, y = make_panel(n_series=1, n_rows=60, random_state=0)
    windows = SlidingWindower(6, 3).fit_transform(X)
    module = make_regressor().fit(windows, y).net_.module_
    assert isinstance(module, InstanceNorm)
    assert module.kind == "last"
    arrays = make_regressor().fit(np.asarray(windows), windows.targets(y)[..., None])
    assert isinstance(arrays.net_.module_, LinearForecaster)
    assert arrays.predict(np.asarray(windows)).shape == (len(windows), 3, 1)


def test_untrained_it_forecasts_near_the_last_value():
    X, y = make_tides([0.0, 500.0])
    windows = SlidingWindower(8, 4).fit_transform(X)
    y_pred = make_regressor(max_epochs=1, lr=1e-9).fit(windows, y).predict(windows)
    scale = y[y.groupby("station").cumcount() >= 8].std()
    assert abs(y_pred - windows[:][:, -1:, 0]).max() < scale  # the map starts small, in units of the target


def test_as_many_forecasts_as_rows_through_a_pipeline_that_scales():
    X, y = make_panel(n_series=2, n_rows=100, missing=0.1, random_state=0)
    new = (X.groupby("station").cumcount() >= 90).to_numpy()
    pipe = make_pipeline(
        StandardScaler(), HistoryPrepender(6), SlidingWindower(6, 4, known=["wind"]), make_regressor()
    ).set_output(transform="pandas")
    pipe.fit(X[~new], y[~new])
    with pytest.warns(UserWarning, match="forecasts rest on blank or missing inputs"):
        assert pipe.predict(X[new]).shape == (20,)
