"""Regressors on a CUDA device."""

import os
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skts import (
    DLinearRegressor,
    GRURegressor,
    HistoryPrepender,
    LSTMRegressor,
    NetRegressor,
    NLinearRegressor,
    SlidingWindower,
    SourceAttentionRegressor,
    TransformerRegressor,
)
from skts.datasets import make_panel
from skts.model_selection import PanelTimeSeriesSplit
from skts.nn import EncoderDecoder
from skts.strategies import EnsembleRegressor
from tests._runs import forecast_runs

pytestmark = [pytest.mark.cuda, pytest.mark.usefixtures("exact", "recorded")]
USUAL = {
    "max_epochs": 8,
    "random_state": 0,
    "device": "cuda",
    "batch_size": 32,
    "net_params": {"iterator_train__shuffle": False, "cuda_graph": True},
}
REGRESSORS = [
    LSTMRegressor(8, **USUAL),
    GRURegressor(8, **USUAL, lr_schedule="cosine"),
    DLinearRegressor(**USUAL),
    LSTMRegressor(8, **USUAL, quantiles=(0.1, 0.9), bidirectional=True, lookahead=2, series_embedding=2),
    LSTMRegressor(8, **USUAL | {"batch_size": 4}, origins_per_pass=4, rolling="stateful", lr_schedule="one_cycle"),
    LSTMRegressor(8, **USUAL, instance_norm="median", patch_len=3, weight_decay=0.1),
    LSTMRegressor(8, **USUAL, instance_norm="series"),
    NetRegressor(EncoderDecoder, network_params={"hidden_size": 8, "linear_skip": True}, **USUAL),
    LSTMRegressor(8, **USUAL, early_stopping=True, n_iter_no_change=2),
    NLinearRegressor(**USUAL),
    SourceAttentionRegressor({"one": [0], "other": [1]}, hidden_size=8, **USUAL, lookahead=2, series_embedding=2),
    TransformerRegressor(8, **USUAL, patch_len=3, dropout=0.0, lookahead=2, series_embedding=2),
    LSTMRegressor(8, **USUAL, distribution="censored_normal", bounds=(0, None)),
    GRURegressor(8, **USUAL, quantiles=(0.1, 0.9), bounds=(0, None)),
]


@pytest.fixture(scope="module")
def panel():
    return make_panel(n_series=2, n_rows=200, random_state=0)


@pytest.fixture(scope="module")
def windows(panel):
    return SlidingWindower(12, 4, known=["wind"]).fit_transform(panel[0].assign(power=panel[1]))


def make_pipe(**options):
    return make_pipeline(
        StandardScaler(),
        HistoryPrepender(12),
        SlidingWindower(12, 4, known=["wind"]),
        LSTMRegressor(8, **USUAL | options),
    ).set_output(transform="pandas")


def without(regressor, **options):
    """The same regressor without graphs."""
    return clone(regressor).set_params(net_params=regressor.net_params | {"cuda_graph": False}, **options)


@pytest.mark.parametrize("regressor", REGRESSORS, ids=repr)
def test_forecasts_are_those_of_the_cpu_with_and_without_a_graph(windows, panel, recorded, regressor):
    _, y = panel
    replayed = regressor.fit(windows, y)
    assert recorded
    ordinary, on_cpu = without(regressor).fit(windows, y), without(regressor, device="cpu").fit(windows, y)
    scale = y.std()
    np.testing.assert_allclose(replayed.predict(windows) / scale, ordinary.predict(windows) / scale, atol=2e-3)
    np.testing.assert_allclose(replayed.predict(windows) / scale, on_cpu.predict(windows) / scale, atol=1e-2)


@pytest.mark.parametrize("regressor", REGRESSORS, ids=repr)
def test_bf16_is_near_that_of_the_cpu(windows, panel, recorded, regressor):
    _, y = panel
    replayed = clone(regressor).set_params(precision="bf16").fit(windows, y)
    assert recorded
    on_cpu = without(regressor, precision="bf16", device="cpu").fit(windows, y)
    assert np.abs(replayed.predict(windows) - on_cpu.predict(windows)).max() < 0.1 * y.std()


@pytest.mark.parametrize("first", [1, 10], ids=["from the run on", "long after the run"])
def test_runs_are_read_as_on_the_cpu(recorded, first):
    X, y = forecast_runs(8, first=first)
    windows = SlidingWindower(12, 24, known=["wind"]).fit_transform(X / X.std())
    replayed = LSTMRegressor(8, **USUAL, bidirectional=True, lookahead=2).fit(windows, y)
    assert recorded
    on_cpu = without(replayed, device="cpu").fit(windows, y)
    np.testing.assert_allclose(replayed.predict(windows) / y.std(), on_cpu.predict(windows) / y.std(), atol=1e-2)


def test_dropout_of_all_kinds_trains(windows, panel, recorded):
    options = USUAL | {"max_epochs": 12, "net_params": {"cuda_graph": True}}
    regressor = LSTMRegressor(8, **options, dropout=0.3, input_dropout=0.2, num_layers=2).fit(windows, panel[1])
    assert recorded
    assert regressor.history_["train_loss"][-1] < regressor.history_["train_loss"][0]


def test_a_warm_start_goes_on(windows, panel, recorded):
    _, y = panel
    halves = LSTMRegressor(8, **USUAL, warm_start=True).fit(windows, y)
    halves.set_params(lr=0.001, batch_size=16).fit(windows, y)
    assert len(recorded) == 2
    ordinary = without(halves).set_params(lr=0.003, batch_size=32).fit(windows, y)
    ordinary.set_params(lr=0.001, batch_size=16).fit(windows, y)
    assert halves.n_iter_ == ordinary.n_iter_ == 16
    np.testing.assert_allclose(halves.predict(windows) / y.std(), ordinary.predict(windows) / y.std(), atol=2e-3)


def test_whole_series_train_without_a_graph(panel, recorded):
    X, y = panel
    windows = SlidingWindower(None, 4, history=12, known=["wind"]).fit_transform(X)
    on_cuda = LSTMRegressor(8, **USUAL | {"batch_size": 1, "max_epochs": 20}).fit(windows, y)
    on_cpu = clone(on_cuda).set_params(device="cpu").fit(windows, y)
    assert not recorded
    np.testing.assert_allclose(on_cuda.predict(windows) / y.std(), on_cpu.predict(windows) / y.std(), atol=1e-2)


def test_a_pipeline_lives_on_the_device_and_forecasts_from_there(panel):
    X, y = panel
    new = (X.groupby("station").cumcount() >= 180).to_numpy()
    pipe = make_pipe().fit(X[~new], y[~new])
    assert {parameter.device.type for parameter in pipe[-1].net_.module_.parameters()} == {"cuda"}
    on_cpu = clone(pipe).set_params(lstmregressor__device="cpu").fit(X[~new], y[~new])
    np.testing.assert_allclose(pipe.predict(X[new]) / y.std(), on_cpu.predict(X[new]) / y.std(), atol=1e-2)


def test_memory_does_not_grow_over_fits(windows, panel):
    regressor = LSTMRegressor(8, **USUAL, early_stopping=True)
    used = []
    for _ in range(4):
        regressor.fit(windows, panel[1]).predict(windows)
        used.append(torch.cuda.memory_allocated())
    assert len(set(used[1:])) == 1


LOAD = """
import pickle, sys, warnings
import numpy as np, torch
from skorch.exceptions import DeviceWarning
assert not torch.cuda.is_available()
warnings.simplefilter("ignore", DeviceWarning)
folder = sys.argv[1]
with open(f"{folder}/regressor", "rb") as file:
    regressor = pickle.load(file)
with open(f"{folder}/data", "rb") as file:
    windows, y = pickle.load(file)
np.save(f"{folder}/forecast.npy", regressor.predict(windows))
regressor.set_params(warm_start=True, device="auto").fit(windows, y)
assert regressor.n_iter_ == 16
"""


def test_what_was_trained_on_a_gpu_is_loaded_where_there_is_none(windows, panel, tmp_path):
    regressor = LSTMRegressor(8, **USUAL, lr_schedule="cosine").fit(windows, panel[1])
    (tmp_path / "regressor").write_bytes(pickle.dumps(regressor))
    (tmp_path / "data").write_bytes(pickle.dumps((windows, panel[1])))
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", LOAD, str(tmp_path)], env=environment, check=True)
    np.testing.assert_allclose(
        np.load(tmp_path / "forecast.npy") / panel[1].std(), regressor.predict(windows) / panel[1].std(), atol=1e-3
    )


def test_what_was_trained_on_a_cpu_goes_on_on_a_gpu(windows, panel):
    regressor = LSTMRegressor(8, **USUAL | {"device": "cpu"}).fit(windows, panel[1])
    loaded = pickle.loads(pickle.dumps(regressor))
    np.testing.assert_array_equal(loaded.predict(windows), regressor.predict(windows))
    fresh = loaded.set_params(device="cuda").fit(windows, panel[1])
    assert {parameter.device.type for parameter in fresh.net_.module_.parameters()} == {"cuda"}


def test_two_workers_of_a_search_share_one_gpu(panel):
    X, y = panel
    search = GridSearchCV(
        make_pipe(max_epochs=3),
        {"lstmregressor__hidden_size": [4, 8]},
        cv=PanelTimeSeriesSplit(2, test_size=24),
        n_jobs=2,
        error_score="raise",
    ).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_members_trained_at_once_share_one_gpu(windows, panel):
    ensemble = EnsembleRegressor(LSTMRegressor(8, **USUAL), 2, random_state=0)
    in_turn = clone(ensemble).fit(windows, panel[1]).predict(windows)
    at_once = ensemble.set_params(n_jobs=2).fit(windows, panel[1]).predict(windows)
    np.testing.assert_allclose(at_once / panel[1].std(), in_turn / panel[1].std(), atol=2e-3)


def test_a_batch_size_is_found(recorded):
    X, y = make_panel(n_series=4, n_rows=1500, random_state=0)
    windows = SlidingWindower(12, 4, known=["wind"]).fit_transform(X)
    options = USUAL | {"max_epochs": 1, "batch_size": "auto"}
    regressor = LSTMRegressor(8, **options, lr=0.01).fit(windows, y)
    assert regressor.batch_size_ in (64, 128, 256)
    assert regressor.lr_ == pytest.approx(0.01 * (regressor.batch_size_ / 64) ** 0.5)
    given = clone(regressor).set_params(batch_size=regressor.batch_size_, lr=regressor.lr_).fit(windows, y)
    np.testing.assert_allclose(given.predict(windows) / y.std(), regressor.predict(windows) / y.std(), atol=2e-3)


@pytest.mark.parametrize("regressor", [LSTMRegressor(8, **USUAL), GRURegressor(8, **USUAL, instance_norm="mean")])
def test_the_gradient_by_the_window_is_the_slope_of_the_forecast(panel, windows, regressor):
    """cuDNN has none of a recurrence that is not in training."""
    regressor = clone(regressor).fit(windows, panel[1])
    few = replace(windows, origins=windows.origins[::40])
    gradient = regressor.input_gradient(few)[:, :, 0, -2, -1]  # of the power two rows before the origin
    assert torch.backends.cudnn.enabled
    sides = []
    for step in (-0.05, 0.05):
        moved = few.panel.copy()
        moved[few.origins - 2, -1] += step
        sides.append(regressor.predict(replace(few, panel=moved)))
    assert np.allclose(gradient, (sides[1] - sides[0]) / 0.1, rtol=0.05, atol=5e-3 * np.abs(gradient).max())
