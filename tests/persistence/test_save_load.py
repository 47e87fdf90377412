"""What was saved is loaded: it forecasts to the last bit as before, and goes on as before."""

import copy
import functools
import re
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skts import HistoryPrepender, LSTMRegressor, NetRegressor, SlidingWindower, update
from skts.exceptions import UntrustedTypeError
from skts.nn import EncoderDecoder
from skts.persistence import load, save
from skts.strategies import WindowedRegressor
from tests._runs import forecast_runs, of_runs
from tests.persistence._estimators import LINEAR, PIPELINES, QUICK, Doubler, pipe
from tests.persistence._tables import make_tables

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # of tiny tables and few epochs


@pytest.fixture(scope="module")
def tables():
    return make_tables()


def there_and_back(estimator, tmp_path, **params):
    save(estimator, tmp_path / "model.skts", **params)
    return load(tmp_path / "model.skts", trusted=params.get("trusted"))


def assert_same_forecasts(one, other, X):
    assert_array_equal(one.predict(X), other.predict(X), strict=True)
    if hasattr(one, "sample"):
        assert_array_equal(np.asarray(one.sample(X, 2, random_state=0)), np.asarray(other.sample(X, 2, random_state=0)))


@pytest.mark.parametrize("name", PIPELINES)
def test_a_loaded_estimator_forecasts_as_it_did_and_goes_on(name, tables, tmp_path):
    X, y, X_new, y_new = tables
    estimator = clone(PIPELINES[name]).fit(X, y)
    loaded = there_and_back(estimator, tmp_path)
    assert_same_forecasts(estimator, loaded, X_new)
    told = [(repr(each), str(clone(each).get_params())) for each in (estimator, loaded)]
    told = [[re.sub("0x[0-9a-f]+", "", text) for text in texts] for texts in told]
    assert told[0] == told[1]
    for each in (estimator, loaded):
        update(each, X_new[:18], y_new[:18])
    assert_same_forecasts(estimator, loaded, X_new)


@pytest.mark.parametrize("name", ["lstm", "sgd"])
def test_training_goes_on_with_the_optimizer_and_the_generator_as_they_were(name, tables, tmp_path):
    X, y, X_new, y_new = tables
    estimator = clone(PIPELINES[name]).fit(X, y)
    loaded = there_and_back(estimator, tmp_path)
    for each in (estimator, loaded):
        update(each, X_new, y_new, epochs=1)
    ours, theirs = (each[-1].net_.module_.state_dict() for each in (estimator, loaded))
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    assert loaded[-1].history_["train_loss"] == estimator[-1].history_["train_loss"]


def test_a_table_with_runs_is_forecast_after_loading(tmp_path):
    X, y = forecast_runs(5, horizon=3, every=3)
    estimator = clone(pipe(LINEAR)).fit(X[of_runs(X, 0, 4)], y[of_runs(X, 0, 4)])
    assert_same_forecasts(estimator, there_and_back(estimator, tmp_path), X[of_runs(X, 4)])


def test_what_was_fitted_on_arrays_is_loaded(tmp_path):
    values = np.random.RandomState(0).normal(size=(60, 2))
    prepending = make_pipeline(HistoryPrepender(12), SlidingWindower(12, horizon=3), LINEAR).fit(values, values[:, 0])
    assert_same_forecasts(prepending, there_and_back(prepending, tmp_path), values[:7])
    assert_same_forecasts(prepending, there_and_back(prepending, tmp_path), values)  # known by its digest


@pytest.mark.parametrize(
    "times",
    [
        pd.date_range("2024-03-30", periods=60, freq="h", tz="Europe/Paris"),
        pd.date_range("2024-03-30", periods=60, freq="h", tz="UTC", unit="s"),
        pd.period_range("2020-01", periods=60, freq="M"),
        pd.timedelta_range("1h", periods=60, freq="h"),
        pd.RangeIndex(60),
        pd.Index(np.arange(60, dtype=np.int32)),
    ],
    ids=lambda times: str(times.dtype),
)
@pytest.mark.parametrize("names", [None, ["a", "b"], [1, 2], [("x", 1), ("x", 2)]], ids=str)
def test_the_history_of_every_kind_of_index_comes_back(times, names, tmp_path):
    if names is None:
        index = times
    elif isinstance(names[0], tuple):
        index = pd.MultiIndex.from_tuples([(*name, time) for name in names for time in times], names=["f", None, "t"])
    else:
        index = pd.MultiIndex.from_product([names, times], names=["s", "t"])
    X = pd.DataFrame({"a": np.arange(len(index)) / 7, "b": 1}, index=index)
    prepender = HistoryPrepender(3).fit(X)
    loaded = there_and_back(prepender, tmp_path)
    assert_frame_equal(loaded.tail_, prepender.tail_)
    assert_frame_equal(loaded.transform(X[-2:]), prepender.transform(X[-2:]))


class Own(EncoderDecoder):
    """A network of the user."""


def test_what_is_foreign_is_saved_and_loaded_where_it_is_trusted_and_refused_elsewhere(tables, tmp_path):
    X, y, X_new, _ = tables
    estimator = pipe(NetRegressor(Own, network_params={"hidden_size": 3}, **QUICK), Doubler()).fit(X, y)
    with pytest.raises(UntrustedTypeError, match=r"steps\[0\]\[1\] cannot be saved.*_estimators.Doubler.*trusted="):
        save(estimator, tmp_path / "refused.skts")
    assert not (tmp_path / "refused.skts").exists()
    loaded = there_and_back(estimator, tmp_path, trusted=[Doubler, Own])
    assert_same_forecasts(estimator, loaded, X_new)
    with pytest.raises(UntrustedTypeError, match=r"model\.skts is not loaded"):
        load(tmp_path / "model.skts", trusted=[Own])


def test_gradient_boosting_of_another_package_is_saved_where_it_is_trusted(tables, tmp_path):
    lightgbm = pytest.importorskip("lightgbm")
    X, y, X_new, _ = tables
    boosting = lightgbm.LGBMRegressor(n_estimators=2, min_child_samples=2, verbose=-1, n_jobs=1)
    estimator = pipe(WindowedRegressor(boosting)).fit(X, y)
    loaded = there_and_back(estimator, tmp_path, trusted=[lightgbm.LGBMRegressor, lightgbm.Booster])
    assert_same_forecasts(estimator, loaded, X_new)


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (lambda X: X, "a lambda"),
        (functools.partial(np.clip, a_min=0), "numpy.clip"),
        (np.save, "numpy.save"),
        (pd.DataFrame({"a": [1]}).head, "bound method"),
        (eval, "eval"),
    ],
)
def test_a_function_of_others_is_refused_with_its_place(function, what, tmp_path):
    estimator = make_pipeline(FunctionTransformer(function), LinearRegression())
    with pytest.raises(UntrustedTypeError, match=rf"Pipeline.steps\[0\]\[1\]\.func cannot be saved.*{what}"):
        save(estimator, tmp_path / "model.skts")


def test_saving_changes_nothing_of_the_estimator(tables, tmp_path):
    X, y, X_new, _ = tables
    estimator = clone(PIPELINES["lstm"]).fit(X, y)
    before, states = estimator.predict(X_new), torch.get_rng_state()
    params = copy.deepcopy(estimator.get_params())
    there_and_back(estimator, tmp_path)
    assert torch.equal(states, torch.get_rng_state())
    assert str(params) == str(estimator.get_params())
    assert_array_equal(estimator.predict(X_new), before)


def test_what_was_trained_on_a_device_that_is_not_here_lies_on_the_cpu(tables, tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is such a device")
    X, y, X_new, _ = tables
    estimator = pipe(LSTMRegressor(hidden_size=3, **QUICK)).fit(X, y)
    before = estimator.predict(X_new)
    estimator[-1].net_.device = "cuda"
    loaded = there_and_back(estimator, tmp_path)
    assert loaded[-1].net_.device == "cpu"
    assert_array_equal(loaded.predict(X_new), before)


def test_warnings_of_what_training_saw_are_those_of_before(tables, tmp_path):
    X, y, X_new, _ = tables
    estimator = clone(PIPELINES["dlinear"]).fit(X, y)
    loaded, said = there_and_back(estimator, tmp_path), []
    for each in (estimator, loaded):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            each.predict(X_new.rename(index={X_new.index[0][0]: "new"}))
        said.append([str(warning.message) for warning in caught])
        with pytest.raises(ValueError, match="feature names") as error:
            each.predict(X_new.rename(columns={"wind": "gust"}))
        said.append(str(error.value))
    assert said[:2] == said[2:]
    assert said[0]
