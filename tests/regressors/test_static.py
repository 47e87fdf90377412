"""Regressors that read what describes a series, and series that share a key."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.compose import make_column_selector
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from skts import (
    DLinearRegressor,
    GRURegressor,
    HistoryPrepender,
    LSTMRegressor,
    NetRegressor,
    NLinearRegressor,
    SlidingWindower,
    TransformerRegressor,
)
from skts.datasets import make_panel
from skts.exceptions import MissingHistoryWarning, UnscaledColumnsWarning
from skts.inspection import attention_map, check_leakage, feature_importance, memory_profile
from skts.nn import EncoderDecoder
from skts.strategies import EnsembleRegressor, WindowedRegressor
from skts.supervised import read_inputs
from tests.regressors._networks import LeakyMemory, Plain

USUAL = {"max_epochs": 1, "random_state": 0, "device": "cpu"}
REGRESSORS = {
    "lstm": LSTMRegressor(4, **USUAL, lookahead=1, bidirectional=True),
    "lstm, embedded": LSTMRegressor(4, **USUAL, series_embedding=3, origins_per_pass=3),
    "gru, normalised": GRURegressor(4, **USUAL, series_embedding=3, patch_len=2, instance_norm="mean"),
    "transformer": TransformerRegressor(4, **USUAL, num_heads=1, patch_len=3),
    "transformer, embedded": TransformerRegressor(4, **USUAL, num_heads=1, patch_len=3, series_embedding=3),
    "dlinear": DLinearRegressor(3, **USUAL),
    "nlinear": NLinearRegressor(**USUAL, quantiles=(0.1, 0.9)),
    "net": NetRegressor(EncoderDecoder, {"hidden_size": 4}, **USUAL),
    "ensemble": EnsembleRegressor(LSTMRegressor(4, **USUAL), 2, random_state=0),
}
STATIC = ["height", "tilt"]


@pytest.fixture(scope="module")
def panel():
    """Three stations with two numbers that describe each."""
    X, y = make_panel(n_series=3, n_rows=60, random_state=0)
    return X.assign(height=np.repeat([-1.0, 0.0, 1.0], 60), tilt=np.repeat([0.5, -1.0, 0.5], 60)), y


def make_windower(**options):
    return SlidingWindower(6, 3, **{"known": ["wind"], "static": STATIC} | options)


def of_station(windows, forecasts, name):
    return forecasts[windows.series_names[windows.series] == name]


# --- what describes a series ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REGRESSORS)
def test_the_description_is_that_of_the_windows_own_series(panel, name):
    X, y = panel
    windower = make_windower()
    windows = windower.fit_transform(X)
    regressor = clone(REGRESSORS[name]).fit(windows, y)
    y_pred = regressor.predict(windows)
    alone = windower.transform(X.loc[["station_2"]])  # the first of one series here, the last of three there
    every = windower.transform(X)
    np.testing.assert_allclose(
        regressor.predict(alone), regressor.predict(every)[-len(alone.rows[alone.origins[0] :]) :], rtol=1e-4, atol=1e-6
    )
    other = X.copy()
    other.loc["station_1", "tilt"] = 2.0
    moved = regressor.predict(windower.fit_transform(other))
    is_moved = ~np.isclose(moved, y_pred, rtol=1e-5, atol=1e-7).all(axis=1)
    np.testing.assert_array_equal(is_moved, windows.series == 1)


@pytest.mark.parametrize("name", ["lstm, embedded", "gru, normalised", "transformer, embedded"])
def test_an_unseen_series_starts_from_its_description(panel, name):
    X, y = panel
    regressor = clone(REGRESSORS[name]).set_params(max_epochs=2).fit(make_windower().fit_transform(X), y)
    module = getattr(regressor.net_.module_, "network", regressor.net_.module_)
    new = X.rename(index={"station_2": "elsewhere"})
    windows = make_windower().fit_transform(new)
    y_pred = of_station(windows, regressor.predict(windows), "elsewhere")
    table = module.embedding.table.weight
    assert not torch.equal(table, torch.zeros_like(table))
    with torch.no_grad():
        table.copy_(table.mean(dim=0).expand(3, 3))
    windows = make_windower().fit_transform(X)
    np.testing.assert_allclose(of_station(windows, regressor.predict(windows), "station_2"), y_pred, rtol=1e-4)
    assert not np.allclose(of_station(windows, regressor.predict(windows), "station_0"), y_pred, rtol=1e-2)


@pytest.mark.parametrize("size", [0, 2])
def test_stations_that_differ_in_nothing_but_their_description_are_told_apart_and_new_ones_between(size):
    X, _ = make_panel(n_series=5, n_rows=60, random_state=0)
    height = np.repeat([-1.0, -0.5, 0.0, 0.5, 1.0], 60)
    X, y = X.assign(power=0.0, wind=0.0, height=height), X["power"] * 0 + height
    windower, is_new = SlidingWindower(4, 2, static=["height"]), np.isin(height, [0.5])
    regressor = LSTMRegressor(8, **USUAL | {"max_epochs": 30}, lr=0.02, series_embedding=size)
    regressor.fit(windower.fit_transform(X[~is_new]), y[~is_new])
    windows = windower.fit_transform(X)
    assert np.abs(regressor.predict(windows) - windows.targets(y)).max() < 0.2
    blind = LSTMRegressor(8, **USUAL | {"max_epochs": 30}, lr=0.02, series_embedding=size)
    windower = SlidingWindower(4, 2)
    blind.fit(windower.fit_transform(X.loc[~is_new, ["power"]]), y[~is_new])
    windows = windower.fit_transform(X[["power"]])
    assert np.abs(of_station(windows, blind.predict(windows), "station_3") - 0.5).min() > 0.4


@pytest.mark.parametrize("size", [0, 2])
def test_whole_series_are_read_with_their_description(panel, size):
    X, y = panel
    regressor = LSTMRegressor(4, **USUAL, series_embedding=size)
    regressor.fit(make_windower().fit_transform(X), y)
    first = X[X.groupby(level=0).cumcount() < 9]  # windows that begin with their series
    windows = make_windower().fit(X).transform(first)
    y_pred = regressor.predict(windows, rolling="stateful")
    np.testing.assert_allclose(y_pred, regressor.predict(windows), rtol=1e-5)
    assert len(np.unique(y_pred)) == 9


def test_a_missing_description_is_that_of_the_mean(panel):
    X, y = panel
    regressor = clone(REGRESSORS["lstm, embedded"]).fit(make_windower().fit_transform(X), y)
    lost, mean = (X.assign(tilt=X["tilt"].where(X["height"] != 0, value)) for value in (np.nan, 0.0))
    expected = regressor.predict(make_windower().fit_transform(mean))
    with pytest.warns(MissingHistoryWarning, match="156 of 468"):  # training windows of one station of three
        y_pred = regressor.predict(make_windower().fit_transform(lost))
    np.testing.assert_array_equal(y_pred, expected)


# --- a tabular regressor ----------------------------------------------------------------------------------------


class Columns(WindowedRegressor):
    """Shows the columns that it would give its estimator."""

    def show(self, windows):
        return self._design.of(read_inputs(self, windows, reset=False)).rows(np.arange(len(windows)))


@pytest.mark.parametrize("leads", ["outputs", "rows"])
@pytest.mark.parametrize("trees", [True, False])
def test_static_columns_stand_after_the_known_ones(panel, leads, trees):
    X, y = panel
    X = X.assign(tilt=X["tilt"].where(X["height"] != 0))
    estimator = HistGradientBoostingRegressor(max_iter=1) if trees else LinearRegression()
    regressor = Columns(estimator, leads=leads)
    windows, plain = make_windower().fit_transform(X), make_windower(static=None).fit_transform(X[["power", "wind"]])
    found = regressor.fit(windows, y).show(windows)
    without = regressor.fit(plain, y).show(plain)
    static = windows.static[windows.series]
    if leads == "rows":
        static = static.repeat(3, axis=0)
        np.testing.assert_array_equal(found[:, -1], without[:, -1])
        found, without = found[:, :-1], without[:, :-1]
    np.testing.assert_array_equal(found[:, :-2], without)
    np.testing.assert_array_equal(found[:, -2:], static if trees else np.nan_to_num(static))


# --- series that share a key --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def farms(panel):
    """Two phases of one farm and one of another."""
    X, y = panel
    names = {"station_0": ("f", 1), "station_1": ("f", 2), "station_2": ("g", 1)}
    index = pd.MultiIndex.from_tuples([(*names[name], time) for name, time in X.index], names=["farm", "phase", "time"])
    return X[["power", "wind"]].set_axis(index), y.set_axis(index)


@pytest.mark.parametrize("by", ["farm", 0, ["farm"]])
def test_series_of_one_key_share_a_vector(farms, by):
    X, y = farms
    windower = make_windower(static=None)
    windows = windower.fit_transform(X)
    options = USUAL | {"series_embedding": 3}
    regressor = LSTMRegressor(4, **options, embedding_by=by).fit(windows, y)
    assert regressor.net_.module_.embedding.table.weight.shape == (2, 3)
    assert LSTMRegressor(4, **options).fit(windows, y).net_.module_.embedding.table.weight.shape == (3, 3)
    y_pred = regressor.predict(windows)
    renamed = windower.fit_transform(X.rename(index={1: 7}, level="phase"))  # a new phase of a farm that was there
    np.testing.assert_allclose(regressor.predict(renamed)[renamed.series == 1], y_pred[windows.series == 0], rtol=1e-5)
    swapped = windower.fit_transform(X.rename(index={"f": "g", "g": "f"}, level="farm"))
    assert not np.allclose(np.sort(regressor.predict(swapped), axis=None), np.sort(y_pred, axis=None), rtol=1e-5)


def test_a_level_that_the_index_has_not_is_refused(farms, panel):
    windows = make_windower(static=None).fit_transform(farms[0])
    with pytest.raises(ValueError, match=r"LSTMRegressor\(embedding_by='frm'\): no index level 'frm'.*mean 'farm'"):
        LSTMRegressor(4, **USUAL, series_embedding=2, embedding_by="frm").fit(windows, farms[1])
    fitted = LSTMRegressor(4, **USUAL, series_embedding=2, embedding_by="farm").fit(windows, farms[1])
    other = make_windower(static=None).fit_transform(panel[0][["power", "wind"]])
    with pytest.raises(ValueError, match=r"no index level 'farm' among \['station'"):
        fitted.predict(other)


# --- refusals and warnings -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", [LeakyMemory, Plain])
def test_a_network_that_reads_no_description_is_refused(panel, network):
    with pytest.raises(ValueError, match=f"NetRegressor: {network.__name__} reads no static columns.*have 2: leave"):
        NetRegressor(network, **USUAL).fit(make_windower().fit_transform(panel[0]), panel[1])


@pytest.mark.parametrize("regressor", [LSTMRegressor(4, **USUAL), WindowedRegressor(LinearRegression())])
def test_other_static_columns_than_in_fit_are_refused(panel, regressor):
    X, y = panel
    regressor = clone(regressor).fit(make_windower().fit_transform(X), y)
    for windows in (make_windower(static=None).fit_transform(X[["power", "wind"]]), np.zeros((2, 6, 2))):
        with pytest.raises(ValueError, match=r"known columns|fitted with 2 static columns and is now given 0"):
            regressor.predict(windows)


def test_a_description_in_large_units_is_warned_of(panel):
    X, y = panel
    windows = make_windower().fit_transform(X.assign(height=1000 * X["height"]))
    with pytest.warns(UnscaledColumnsWarning, match=r"far from 1: static 0 \(816\)\."):
        LSTMRegressor(4, **USUAL).fit(windows, y)


# --- inspection ------------------------------------------------------------------------------------------------------


def test_what_looks_inside_takes_a_description_for_no_column_of_the_window(panel):
    X, y = panel
    pipe = make_pipeline(make_windower(), TransformerRegressor(4, **USUAL, num_heads=1, series_embedding=2))
    pipe.fit(X, y)
    windows = pipe[0].transform(X)
    assert pipe[-1].input_gradient(windows).shape == (len(windows), 3, 1, 6, 2)
    assert next(pipe[-1].input_batches(windows))["static"].shape == (len(windows), 2)
    profile = memory_profile(pipe, X, y, n_windows=10, random_state=0)
    assert profile.forward.change.by_feature.columns.tolist() == ["power", "wind"]
    parts = attention_map(pipe, X, n_windows=10, random_state=0).parts
    assert parts.key_names.tolist() == ["power", "wind", "place", "series"]
    assert parts.sizes.shape[-2:] == (3, 4)


def test_a_description_is_neither_permuted_in_time_nor_perturbed(panel):
    X, y = panel
    is_new = X.groupby(level=0).cumcount().to_numpy() >= 30
    pipe = make_pipeline(HistoryPrepender(6), make_windower(), LSTMRegressor(4, **USUAL)).fit(X[~is_new], y[~is_new])
    options = {"block": 8, "same_hour": False, "n_repeats": 1, "random_state": 0}
    assert feature_importance(pipe, X[is_new], y[is_new], **options).names == ["power", "wind"]
    with pytest.raises(ValueError, match=r"groups=\{'site': ...\}\) has static columns alone.*LeaveSeriesOut"):
        feature_importance(pipe, X[is_new], y[is_new], groups={"site": make_column_selector("^height|tilt")}, **options)
    report = check_leakage(pipe, X, y, n_origins=2, per_series=True, random_state=0)
    assert report.ok, str(report)
    assert report.roles == {"target": ["power"], "observed columns": [], "known columns": ["wind"]}
