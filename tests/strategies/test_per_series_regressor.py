import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from joblib import parallel_config
from sklearn import config_context
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.callback import ProgressBar
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, Ridge

from skts.datasets import make_panel
from skts.exceptions import LostSeriesError, PanelIndexError, ShortSeriesError
from skts.strategies import PerSeriesRegressor, WindowedRegressor
from tests._panels import ragged_panels
from tests.strategies._pipes import make_pipe, split


class Memory(RegressorMixin, BaseEstimator):
    """Keeps the rows, targets and weights of fit, and forecasts the first value of each row and its mean target."""

    def fit(self, X, y, sample_weight=None):
        self.X_, self.y_, self.weights_ = X, y, sample_weight
        return self

    def predict(self, X, shift=0.0):
        return np.column_stack([X.iloc[:, 0] + shift, np.full(len(X), np.mean(self.y_))])


@pytest.fixture(scope="module")
def parts():
    return split(*make_panel(n_series=3, n_rows=100, interleave=True, random_state=0), 20)


@settings(max_examples=25)
@given(ragged_panels())
def test_each_clone_sees_its_rows_and_forecasts_them_in_place(X):
    y, weights = X["seen"] * 2, np.arange(len(X))
    regressor = PerSeriesRegressor(Memory()).fit(X, y, sample_weight=weights)
    names = X.index.get_level_values(0)
    assert set(regressor.estimators_) == set(names)
    for name, memory in regressor.estimators_.items():
        pd.testing.assert_frame_equal(memory.X_, X[names == name])
        pd.testing.assert_series_equal(memory.y_, y[names == name])
        np.testing.assert_array_equal(memory.weights_, weights[names == name])
    y_pred = regressor.predict(X, shift=0.5)
    np.testing.assert_array_equal(y_pred[:, 0], X["seen"] + 0.5)
    np.testing.assert_allclose(y_pred[:, 1], y.groupby(level=0).transform("mean"))


@pytest.mark.parametrize("by", ["farm", ["farm"], 0])
def test_a_clone_sees_all_rows_that_share_a_key(by):
    X, y = make_panel(n_series=3, n_rows=20, interleave=True, random_state=0)
    names = {"station_0": ("f", 1), "station_1": ("f", 2), "station_2": ("g", 1)}
    index = pd.MultiIndex.from_tuples([(*names[name], time) for name, time in X.index], names=["farm", "phase", "time"])
    X, y = X.set_axis(index), y.set_axis(index)
    regressor = PerSeriesRegressor(Memory(), by=by).fit(X, y)
    assert list(regressor.estimators_) == ["f", "g"]
    farms = X.index.get_level_values("farm")
    for name, memory in regressor.estimators_.items():
        pd.testing.assert_frame_equal(memory.X_, X[farms == name])
    regressor.set_params(by=None)  # which changes nothing until the next fit
    new = X.rename(index={2: 3}, level="phase")  # a phase that was not there
    np.testing.assert_array_equal(regressor.predict(new)[:, 0], X["power"])
    np.testing.assert_allclose(regressor.predict(new)[:, 1], y.groupby(level="farm").transform("mean"))
    with pytest.raises(ValueError, match=r"no estimator for 1 of 2 series.*\['h'\]"):
        regressor.predict(X.rename(index={"g": "h"}, level="farm"))
    with pytest.raises(ValueError, match=r"PerSeriesRegressor\(by='site'\): no index level 'site'"):
        PerSeriesRegressor(Memory(), by="site").fit(X, y)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_pipeline_per_series_forecasts_as_if_it_had_met_no_other(parts, n_jobs):
    X_train, X_test, y_train, _ = parts
    with parallel_config("threading"):  # starting processes takes longer than all other tests of this folder
        y_pred = PerSeriesRegressor(make_pipe(), n_jobs=n_jobs).fit(X_train, y_train).predict(X_test)
    for name in X_test.index.levels[0]:
        train, test = (table.index.get_level_values(0) == name for table in (X_train, X_test))
        alone = make_pipe().fit(X_train[train], y_train[train])
        np.testing.assert_allclose(y_pred[test], alone.predict(X_test[test]))


def test_quantiles_are_passed_on(parts):
    X_train, X_test, y_train, _ = parts
    trees = HistGradientBoostingRegressor(loss="quantile", max_iter=5, min_samples_leaf=5)
    pipe = make_pipe(WindowedRegressor(trees, leads="rows", lags=[1], quantiles=(0.1, 0.9)))
    y_pred = PerSeriesRegressor(pipe).fit(X_train, y_train).predict(X_test, quantiles=[0.1, 0.9])
    assert y_pred.shape == (len(X_test), 2)


@pytest.mark.parametrize("to", [np.asarray, lambda X: X.droplevel(0)], ids=["array", "times"])
def test_a_table_of_one_series_is_one_clone(to):
    X, y = make_panel(n_series=1, n_rows=50, random_state=0)
    regressor = PerSeriesRegressor(Ridge()).fit(to(X), y)
    assert list(regressor.estimators_) == [None]
    np.testing.assert_allclose(regressor.predict(to(X)), Ridge().fit(to(X), y).predict(to(X)))


def test_several_levels_name_a_series():
    X, _ = make_panel(n_series=2, n_rows=10, random_state=0)
    X = pd.concat({"north": X, "south": X * 2})
    regressor = PerSeriesRegressor(LinearRegression()).fit(X, X["power"])
    assert set(regressor.estimators_) == {(farm, f"station_{i}") for farm in ("north", "south") for i in range(2)}


def test_series_may_have_steps_of_their_own():
    hourly, _ = make_panel(n_series=1, n_rows=60, random_state=0)
    slow, _ = make_panel(n_series=1, n_rows=60, freq="7min", random_state=1)
    X = pd.concat([hourly, slow.rename(index={"station_0": "station_1"})])
    new = np.arange(120) % 60 >= 40
    regressor = PerSeriesRegressor(make_pipe()).fit(X[~new], X["power"][~new])
    assert regressor.score(X[new], X["power"][new]) > 0


def test_a_series_that_was_not_in_fit_is_named(parts):
    X_train, X_test, y_train, _ = parts
    known = X_train.index.get_level_values(0) != "station_1"
    regressor = PerSeriesRegressor(Ridge()).fit(X_train[known], y_train[known])
    with pytest.raises(ValueError, match=r"no estimator for 1 of 3 series.*\['station_1'\]. Fit on a table"):
        regressor.predict(X_test)


def test_an_error_says_which_series_it_comes_from(parts):
    X_train, _, y_train, _ = parts
    short = X_train.index.get_level_values(0) != "station_2"
    short |= np.arange(len(X_train)) < 9
    with pytest.raises(ShortSeriesError) as told:
        PerSeriesRegressor(make_pipe()).fit(X_train[short], y_train[short])
    assert told.value.__notes__ == ["PerSeriesRegressor was fitting series 'station_2'."]


def test_a_table_that_lost_its_series_or_a_clone_that_loses_rows_is_refused(parts):
    X_train, X_test, y_train, _ = parts
    with pytest.raises(LostSeriesError, match="y carries 3"):
        PerSeriesRegressor(Ridge()).fit(X_train.to_numpy(), y_train)
    regressor = PerSeriesRegressor(Ridge()).fit(X_train, y_train)
    with pytest.raises(LostSeriesError, match="1 series level"):
        regressor.predict(X_test.reset_index(drop=True))
    with pytest.raises(PanelIndexError, match="has no rows"):
        regressor.predict(X_test[:0])
    losing = PerSeriesRegressor(make_pipe().set_params(history="passthrough")).fit(X_train, y_train)
    with pytest.raises(ValueError, match=r"series 'station_0' got 14 for 20 rows: put HistoryPrepender"):
        losing.predict(X_test)


def test_weights_are_routed_to_those_that_ask(parts):
    X_train, _, y_train, _ = parts
    weights = np.arange(len(X_train))
    with config_context(enable_metadata_routing=True):
        asked = PerSeriesRegressor(Memory().set_fit_request(sample_weight="importance"))
        asked.fit(X_train, y_train, importance=weights)
        with pytest.raises(ValueError, match=r"sample_weight.*not explicitly set"):
            PerSeriesRegressor(Memory()).fit(X_train, y_train, sample_weight=weights)
    station = X_train.index.get_level_values(0) == "station_1"
    np.testing.assert_array_equal(asked.estimators_["station_1"].weights_, weights[station])


def test_callbacks_reach_every_clone(parts, capsys):
    pytest.importorskip("rich")
    PerSeriesRegressor(make_pipe()).set_callbacks(ProgressBar()).fit(parts[0], parts[2])
    assert "PerSeriesRegressor - series | Pipeline - fit #2" in capsys.readouterr().out


def test_it_can_be_copied_and_pickled(parts):
    X_train, X_test, y_train, _ = parts
    regressor = PerSeriesRegressor(make_pipe()).fit(X_train, y_train)
    y_pred = regressor.predict(X_test)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(regressor)).predict(X_test), y_pred)
    np.testing.assert_array_equal(clone(regressor).fit(X_train, y_train).predict(X_test), y_pred)
    assert regressor.get_params()["estimator__windows__horizon"] == 3
