"""What all transformers of the folder promise."""

import importlib.util
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_selector
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skts import HistoryPrepender, LSTMRegressor, SlidingWindower
from skts.exceptions import PanelIndexError
from skts.features import CalendarFeatures, NeighbourFeatures, SolarFeatures, WindFeatures

TIMES = pd.date_range("2024-03-30", periods=48, freq="h", tz="Europe/Paris", name="time")
INDEX = pd.MultiIndex.from_product([["north", "east", "south"], TIMES], names=["farm", "time"])
X = pd.DataFrame(
    np.random.default_rng(0).normal(size=(len(INDEX), 3)) * 5, index=INDEX, columns=["power", "u100", "v100"]
)
HAVE_PVLIB = importlib.util.find_spec("pvlib") is not None
NEEDS_PVLIB = pytest.mark.skipif(not HAVE_PVLIB, reason="pvlib is not installed")
PLACES = {"north": 50.0, "east": 47.5, "south": 43.0}
INDEX_READERS = [
    CalendarFeatures(),
    NeighbourFeatures(["u100", "v100"]),
    NeighbourFeatures("u100", n_neighbours=2),
    pytest.param(SolarFeatures(PLACES, 2.0), marks=NEEDS_PVLIB),
]
ADDERS = [WindFeatures("u100", "v100"), *INDEX_READERS]
each_adder = pytest.mark.parametrize("adder", ADDERS, ids=lambda adder: type(adder).__name__)


@each_adder
def test_the_table_stays_and_float_columns_come_behind_it(adder):
    before = X.copy()
    out = clone(adder).fit_transform(X)
    pd.testing.assert_frame_equal(X, before)
    pd.testing.assert_frame_equal(out.iloc[:, :3], X)
    assert out.shape[1] > 3
    assert (out.dtypes == "float64").all()
    assert np.isfinite(out).all(axis=None)


@each_adder
def test_names_are_those_of_the_columns(adder):
    fitted = clone(adder).fit(X)
    assert list(fitted.get_feature_names_out()) == list(fitted.transform(X).columns)
    assert list(fitted.get_feature_names_out(X.columns)) == list(fitted.transform(X).columns)
    with pytest.raises(NotFittedError):
        clone(adder).get_feature_names_out()


@each_adder
def test_permuting_the_rows_permutes_the_output(adder):
    order = np.random.default_rng(1).permutation(len(X))
    fitted = clone(adder).fit(X)
    pd.testing.assert_frame_equal(fitted.transform(X.iloc[order]), fitted.transform(X).iloc[order])
    pd.testing.assert_frame_equal(clone(adder).fit(X.iloc[order]).transform(X), fitted.transform(X))


@each_adder
def test_missing_values_pass_through(adder):
    holes = X.mask(np.random.default_rng(2).random(X.shape) < 0.1)
    out = clone(adder).fit(X).transform(holes)
    pd.testing.assert_frame_equal(out.iloc[:, :3], holes)


@each_adder
def test_clone_pickle_and_set_output_change_nothing(adder):
    fitted = clone(adder).fit(X)
    expected = fitted.transform(X)
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(fitted)).transform(X), expected)
    pd.testing.assert_frame_equal(clone(fitted).set_output(transform="pandas").fit_transform(X), expected)


@each_adder
def test_a_column_that_is_there_already_is_refused(adder):
    name = clone(adder).fit(X).get_feature_names_out()[-1]
    with pytest.raises(ValueError, match=f"more than one column '{name}'"):
        clone(adder).fit(X.assign(**{name: 0.0}))


@each_adder
def test_whole_numbers_stay_whole(adder):
    whole = X.round().astype("int64")
    out = clone(adder).fit_transform(whole)
    pd.testing.assert_frame_equal(out.iloc[:, :3], whole)


def test_columns_without_string_names_get_those_of_scikit_learn():
    numbered = X.set_axis([0, 1, 2], axis=1)
    out = WindFeatures(1, 2, features=["speed"]).fit_transform(numbered)
    assert list(out.columns) == ["x0", "x1", "x2", "speed_x1"]
    out = NeighbourFeatures([1], n_neighbours=1).fit_transform(numbered)
    assert list(out.columns) == ["x0", "x1", "x2", "x1@1"]
    assert list(numbered.columns) == [0, 1, 2]


@pytest.mark.parametrize("adder", INDEX_READERS, ids=lambda adder: type(adder).__name__)
@pytest.mark.parametrize("lose", [np.asarray, lambda X: X.reset_index(drop=True)], ids=["array", "RangeIndex"])
def test_a_table_without_times_is_refused_with_the_way_out(adder, lose):
    with pytest.raises(PanelIndexError, match=r'set_output\(transform="pandas"\)'):
        clone(adder).fit(lose(X))
    step = FunctionTransformer(lose)
    with pytest.raises(PanelIndexError, match=f"^{type(adder).__name__} reads times from the index"):
        make_pipeline(step, clone(adder)).fit(X)


@each_adder
def test_every_new_row_gets_a_forecast(adder):
    is_new = X.index.get_level_values("time") >= TIMES[36]
    train, new = X[~is_new], X[is_new].sample(frac=1, random_state=0).sort_index(level="time")
    pipe = Pipeline(
        [
            ("adder", clone(adder)),
            ("scale", StandardScaler()),
            ("history", HistoryPrepender(4)),
            ("windows", SlidingWindower(4, horizon=3, known=make_column_selector(r"^(?!power)"))),
            ("lstm", LSTMRegressor(hidden_size=4, max_epochs=1, device="cpu", random_state=0)),
        ]
    ).set_output(transform="pandas")
    pipe.fit(train, train["power"])
    assert len(pipe["windows"].known_) == len(pipe["adder"].get_feature_names_out()) - 1
    forecast = pipe.predict(new)
    assert forecast.shape == (len(new),)
    assert np.isfinite(forecast).all()
