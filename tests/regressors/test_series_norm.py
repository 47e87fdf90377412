import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skts import (
    GRURegressor,
    HistoryPrepender,
    LSTMRegressor,
    NetRegressor,
    SlidingWindower,
    TransformerRegressor,
)
from skts.datasets import make_panel
from skts.exceptions import MissingHistoryWarning, UnseenSeriesWarning
from skts.nn import EncoderDecoder

SAME = {"max_epochs": 2, "random_state": 0, "device": "cpu"}
REGRESSORS = [
    LSTMRegressor(hidden_size=4, **SAME),
    GRURegressor(hidden_size=4, quantiles=(0.1, 0.9), **SAME),
    TransformerRegressor(hidden_size=8, num_heads=2, **SAME),
    NetRegressor(EncoderDecoder, network_params={"hidden_size": 4}, **SAME),
]


def make_pipe(regressor):
    windower = SlidingWindower(12, 4, known=["wind"])
    return make_pipeline(HistoryPrepender(12), windower, clone(regressor).set_params(instance_norm="series"))


@pytest.fixture(scope="module")
def stations():
    """Two stations with the same days, the second 50 times as large and 7 higher."""
    X, y = make_panel(n_series=1, n_rows=200, random_state=0)
    X = X[["wind"]].assign(power=y)
    parts = [X.droplevel(0).assign(power=scale * y.to_numpy() + level) for scale, level in ((1.0, 0.0), (50.0, 7.0))]
    X = pd.concat(parts, keys=["small", "large"], names=["station", "time"])
    X["wind"] = (X["wind"] - X["wind"].mean()) / X["wind"].std()
    is_new = X.index.get_level_values("time") >= X.index.get_level_values("time")[-40]
    return X[~is_new], X[is_new]


@pytest.mark.parametrize("regressor", REGRESSORS, ids=lambda regressor: type(regressor).__name__)
def test_stations_that_differ_in_size_alone_are_forecast_alike(stations, regressor):
    X, X_new = stations
    forecast = pd.Series(make_pipe(regressor).fit(X, X["power"]).predict(X_new), X_new.index)
    small, large = forecast["small"].to_numpy(), forecast["large"].to_numpy()
    np.testing.assert_allclose((large - 7) / 50, small, rtol=0, atol=2e-3 * X["power"]["small"].std())
    assert small.std() > 0.01


def test_a_station_that_was_not_trained_is_forecast_on_the_scale_of_all(stations):
    X, X_new = stations
    pipe = make_pipe(REGRESSORS[0]).fit(X, X["power"])
    with pytest.warns(UnseenSeriesWarning), pytest.warns(MissingHistoryWarning):
        forecast = pipe.predict(X_new.loc[["large"]].rename({"large": "other"}, level=0))
    assert np.isfinite(forecast).all()
    assert np.abs(forecast - pipe.predict(X_new.loc[["large"]])).max() > 1  # the same rows by another name


def test_a_scaler_in_front_changes_nothing(stations):
    X, X_new = stations
    forecasts = [pipe.fit(X, X["power"]).predict(X_new) for pipe in (make_pipe(REGRESSORS[0]), scaled("series"))]
    np.testing.assert_allclose(*forecasts, rtol=2e-3)


def test_one_series_is_forecast_as_without(stations):
    X, X_new = (part.loc["small"] for part in stations)
    forecasts = [scaled(kind).fit(X, X["power"]).predict(X_new) for kind in ("series", None)]
    np.testing.assert_allclose(*forecasts, rtol=0, atol=2e-2 * X["power"].std())


def scaled(kind):
    *steps, regressor = make_pipe(REGRESSORS[0]).named_steps.values()
    pipe = make_pipeline(StandardScaler(), *steps, regressor.set_params(instance_norm=kind))
    return pipe.set_output(transform="pandas")
