"""Many threads may forecast with one fitted estimator, and fits in threads repeat themselves."""

import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skts import DLinearRegressor, GRURegressor, HistoryPrepender, LSTMRegressor, NetRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.model_selection import PanelTimeSeriesSplit
from skts.strategies import EnsembleRegressor
from tests.regressors._networks import LaplaceHead, LeakyMemory

USUAL = {"max_epochs": 1, "random_state": 0, "device": "cpu"}
LOOKING_AHEAD = {"bidirectional": True, "lookahead": 2, "series_embedding": 2}
REGRESSORS = {
    "windows": LSTMRegressor(6, **USUAL, quantiles=(0.1, 0.9)),
    "stateful": LSTMRegressor(6, **USUAL, **LOOKING_AHEAD, rolling="stateful"),
    "dropout": GRURegressor(6, **USUAL, dropout=0.5, num_layers=2, rolling="stateful"),
    "norm": GRURegressor(6, **USUAL, instance_norm="median"),
    "linear": DLinearRegressor(**USUAL),
    "own": NetRegressor(LeakyMemory, head=LaplaceHead(), **USUAL, rolling="stateful"),
    "ensemble": EnsembleRegressor(GRURegressor(6, **USUAL), 2, random_state=0),
}


@pytest.fixture(autouse=True)
def _switch_often(monkeypatch):
    """Let threads take turns after nearly every step, and chunks be short, so that a shared state is met."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    monkeypatch.setattr("skts.supervised._inputs._CHUNK_ROWS", 11)
    yield
    sys.setswitchinterval(before)


@pytest.fixture(scope="module")
def panel():
    X, y = make_panel(n_series=3, n_rows=80, random_state=0)
    return X, y


def everything(estimator):
    """What an estimator holds, as its pickle says it."""
    return pickle.dumps(estimator)


@pytest.mark.parametrize("whole", [False, True], ids=["of windows", "of whole series"])
@pytest.mark.parametrize("kind", REGRESSORS)
def test_forecasts_in_many_threads_are_those_of_one(panel, kind, whole):
    if whole and kind in ("norm", "linear"):
        return  # which need windows
    X, y = panel
    windower = SlidingWindower(None if whole else 12, 4, history=12, known=["wind"])
    regressor = clone(REGRESSORS[kind]).fit(windower.fit_transform(X), y)
    tables = [X.loc[["station_0"]], X.loc[["station_2", "station_1"]][:100], X] * 6
    windows = [windower.transform(table) for table in tables]
    before = everything(regressor)
    expected = [regressor.predict(some) for some in windows]
    with ThreadPoolExecutor(6) as threads:
        forecasts = list(threads.map(regressor.predict, windows))
    for forecast, own in zip(forecasts, expected, strict=True):
        np.testing.assert_array_equal(forecast, own)
    assert everything(regressor) == before


@pytest.mark.parametrize("options", [{}, {"dropout": 0.3, "input_dropout": 0.2}, {"subsample": 0.5}], ids=str)
def test_fits_in_threads_are_those_in_turn(panel, options):
    windows, y = SlidingWindower(12, 4, known=["wind"]).fit_transform(panel[0]), panel[1]
    regressor = LSTMRegressor(4, max_epochs=2, device="cpu", early_stopping=True, **options)
    ensemble = EnsembleRegressor(regressor, 4, random_state=0)
    in_turn = clone(ensemble).fit(windows, y).predict(windows, members=True)
    before = torch.get_rng_state()
    with joblib.parallel_config(backend="threading"):
        at_once = clone(ensemble).set_params(n_jobs=4).fit(windows, y).predict(windows, members=True)
    np.testing.assert_array_equal(at_once, in_turn)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_a_search_in_threads_is_that_in_turn(panel, dropout):
    regressor = GRURegressor(4, **USUAL | {"max_epochs": 2}, dropout=dropout)
    pipe = make_pipeline(HistoryPrepender(12), SlidingWindower(12, 4, known=["wind"]), regressor)
    search = GridSearchCV(pipe, {"gruregressor__lr": [0.003, 0.02]}, cv=PanelTimeSeriesSplit(2, test_size=12))
    in_turn = clone(search).fit(*panel).cv_results_
    before = torch.get_rng_state()
    with joblib.parallel_config(backend="threading"):
        at_once = clone(search).set_params(n_jobs=2).fit(*panel).cv_results_
    for key in ("split0_test_score", "split1_test_score"):
        np.testing.assert_array_equal(at_once[key], in_turn[key])
    assert torch.equal(torch.get_rng_state(), before)


def test_a_fit_may_run_while_another_estimator_forecasts(panel):
    windows, y = SlidingWindower(12, 4, known=["wind"]).fit_transform(panel[0]), panel[1]
    fitted, fresh = (clone(REGRESSORS["dropout"]).fit(windows, y) for _ in range(2))
    expected = fitted.predict(windows)
    with ThreadPoolExecutor(2) as threads:
        training = threads.submit(clone(fresh).set_params(max_epochs=3).fit, windows, y)
        forecasts = [threads.submit(fitted.predict, windows) for _ in range(5)]
        assert all(np.array_equal(forecast.result(), expected) for forecast in forecasts)
        again = training.result().predict(windows)
    np.testing.assert_array_equal(clone(fresh).set_params(max_epochs=3).fit(windows, y).predict(windows), again)
