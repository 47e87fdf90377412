import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.pipeline import make_pipeline

from skts import HistoryPrepender, LSTMRegressor, NetRegressor, SlidingWindower, SourceAttentionRegressor
from skts.inspection import source_weights
from skts.nn import SourceAttention
from skts.strategies import EnsembleRegressor
from tests._sources import HORIZON, make_table

WINDOW, N_NEW = 6, 10
SMALL = {"hidden_size": 4, "max_epochs": 1, "random_state": 0, "device": "cpu"}
TWO = {"one": "^one_", "two": "^two_"}
pytestmark = pytest.mark.filterwarnings("ignore:.*rest on blank or missing")


@pytest.fixture(scope="module")
def panel():
    parts = [make_table({"one": 0.2, "two": 0.4}, n_rows=80, seed=seed) for seed in range(2)]
    X, y = (pd.concat([each[i] for each in parts], keys=["b", "a"], names=["farm"]).droplevel(1) for i in range(2))
    order = np.argsort(X.index.get_level_values("time"), kind="stable")  # series interleave
    return X.iloc[order], y.iloc[order]


def make_pipe(**options):
    steps = HistoryPrepender(WINDOW), SlidingWindower(WINDOW, HORIZON, known=["one_wind", "two_wind"])
    pipe = make_pipeline(*steps, SourceAttentionRegressor(TWO, **SMALL | options))
    return pipe.set_output(transform="pandas")


@pytest.fixture(scope="module")
def fitted(panel):
    X, y = panel
    is_new = X.groupby("farm").cumcount().to_numpy() >= 80 - N_NEW
    return make_pipe().fit(X[~is_new], y[~is_new]), X[is_new]


def test_there_is_a_row_for_each_forecast_in_the_order_of_the_table(fitted):
    pipe, X = fitted
    weights = source_weights(pipe, X)
    assert weights.columns.tolist() == ["one", "two"]
    assert weights.index.names == ["farm", "time", "lead"]
    pd.testing.assert_index_equal(weights.index.droplevel("lead"), X.index)
    assert weights.xs("a").index.get_level_values("lead").tolist() == [1, 2, 3, 4, 1, 2, 3, 4, 1, 2]
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-6)
    turned = X.iloc[::-1].sort_index(level="time", kind="stable")
    pd.testing.assert_frame_equal(source_weights(pipe, turned).loc[weights.index], weights, check_exact=False)


def test_weights_are_those_that_the_network_has_when_it_forecasts(fitted):
    pipe, X = fitted
    weights = source_weights(pipe, X)
    seen = []
    network = pipe[-1].net_.module_
    mix = network._mix

    def record(*args):
        seen.append(mix(*args))
        return seen[-1]

    network._mix = record
    try:
        pipe.predict(X)
    finally:
        del network._mix
    (window, ahead), positions = (each.numpy() for _, each in seen), pipe[:-1].transform(X)
    np.testing.assert_allclose(positions.to_rows(ahead.astype(float)), weights, rtol=1e-5)
    assert window.shape[1] == WINDOW


def test_a_row_of_the_window_stands_there_once(fitted):
    pipe, X = fitted
    weights = source_weights(pipe, X, part="window")
    assert weights.index.names == ["farm", "time"]
    assert not weights.index.duplicated().any()
    # six rows of history before each series, and of the ten new ones all before the last origin
    assert weights.groupby("farm").size().tolist() == [WINDOW + 8] * 2
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-6)
    # encoders of the window look at one row alone: what it says, not where it stands
    network, row = pipe[-1].net_.module_, X.iloc[[0]].to_numpy(dtype=np.float32, copy=True)
    expected = network.weights_of_window(torch.from_numpy(row)[None])[0, 0].detach()
    np.testing.assert_allclose(weights.loc[X.index[0]], expected, rtol=1e-5)


def test_a_source_that_is_missing_weighs_exactly_nothing_in_these_rows_alone(fitted):
    pipe, X = fitted
    is_gone = np.arange(len(X)) % 3 == 0
    gone = X.assign(two_wind=X["two_wind"].mask(is_gone))
    weights = source_weights(pipe, gone)
    np.testing.assert_array_equal(weights["two"].to_numpy() == 0, is_gone)
    np.testing.assert_allclose(weights["one"][is_gone], 1)
    nobody = source_weights(pipe, gone.assign(one_wind=X["one_wind"].mask(is_gone)))
    np.testing.assert_array_equal(nobody.isna().all(axis=1), is_gone)


def test_of_a_table_with_runs_each_row_of_each_run_has_its_weights():
    X, y = make_table({"one": 0.2, "two": 0.4}, n_rows=80)
    first = np.arange(0, 76, 3)  # a run every three hours, each of four: they overlap
    rows = (first[:, None] + np.arange(HORIZON)).ravel()
    run = np.repeat(X.index.get_level_values("time")[first], HORIZON)
    levels = [X.index.get_level_values("station")[rows], run, X.index.get_level_values("time")[rows]]
    index = pd.MultiIndex.from_arrays(levels, names=["station", "run", "time"])
    X, y = X.iloc[rows].set_axis(index), y.iloc[rows].set_axis(index)
    X["two_wind"] = X["two_wind"].mask(np.arange(len(X)) % 5 == 0)
    is_new = run >= run[60]
    weights = source_weights(make_pipe().fit(X[~is_new], y[~is_new]), X[is_new])
    pd.testing.assert_index_equal(weights.index.droplevel("lead"), X.index[is_new])
    assert weights.index.get_level_values("lead").tolist() == [1, 2, 3, 4] * (is_new.sum() // 4)
    np.testing.assert_array_equal(weights["two"] == 0, X["two_wind"][is_new].isna())


def test_of_windows_and_arrays_rows_are_told_by_what_is_known(panel):
    X, y = panel
    windower = SlidingWindower(WINDOW, HORIZON, known=[0, 1])
    regressor = SourceAttentionRegressor({"one": [0], "two": [1]}, **SMALL)
    training = windower.fit_transform(X)
    weights = source_weights(regressor.fit(training, y), training)
    assert len(weights) == len(training) * HORIZON
    assert weights.index.names == ["farm", "time", "lead"]
    assert not weights.index.duplicated().any()
    array = X.to_numpy()[:80]
    windower.fit(array)
    weights = source_weights(make_pipeline(windower, regressor), array)
    assert weights.index.names == ["time", "lead"]
    assert weights.index.get_level_values("time").tolist() == list(range(WINDOW, 80))


def test_networks_of_a_net_regressor_number_their_sources(panel):
    X, y = panel
    windows = SlidingWindower(WINDOW, HORIZON, known=[0, 1]).fit_transform(X)
    params = {"sources": [[0], [1]], "known": [0, 1], "hidden_size": 4}
    regressor = NetRegressor(SourceAttention, params, max_epochs=1, device="cpu").fit(windows, y)
    assert source_weights(regressor, windows).columns.tolist() == [0, 1]


def test_what_has_no_weights_is_refused(panel, fitted):
    X, y = panel
    windows = SlidingWindower(WINDOW, HORIZON).fit_transform(X)
    regressor = SourceAttentionRegressor(TWO, **SMALL).fit(windows, y)
    with pytest.raises(ValueError, match="needs a source with a column that is known over the horizon"):
        source_weights(regressor, windows)
    assert source_weights(regressor, windows, part="window").notna().all(axis=None)
    with pytest.raises(ValueError, match="LSTMRegressor has none: give a SourceAttentionRegressor"):
        source_weights(LSTMRegressor(**SMALL).fit(windows, y), windows)
    ensemble = EnsembleRegressor(SourceAttentionRegressor(TWO, **SMALL), 2, random_state=0).fit(windows, y)
    with pytest.raises(ValueError, match=r"others in `estimators_`: give a member, `estimators_\[0\]`"):
        source_weights(ensemble, windows)
    with pytest.raises(ValueError, match="'part' parameter"):
        source_weights(*fitted, part="all")
