"""Networks and heads of one's own, on everything that the regressors of the package stand on."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skts import GRURegressor, HistoryPrepender, NetRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.model_selection import PanelTimeSeriesSplit
from skts.nn import EncoderDecoder, PointHead, QuantileHead
from tests.regressors._networks import LaplaceHead, LeakyMemory, Plain


def make_regressor(network=LeakyMemory, **kwargs):
    return NetRegressor(network, **{"max_epochs": 2, "random_state": 0, "device": "cpu"} | kwargs)


def make_pipe(**kwargs):
    steps = [
        ("scale", StandardScaler()),
        ("history", HistoryPrepender(12)),
        ("windows", SlidingWindower(12, 4, known=["wind"])),
        ("net", make_regressor(**kwargs)),
    ]
    return Pipeline(steps).set_output(transform="pandas")


@pytest.fixture(scope="module")
def panel():
    return make_panel(n_series=2, n_rows=120, random_state=0)


@pytest.fixture(scope="module")
def windows(panel):
    return SlidingWindower(12, 4, known=["wind"]).fit_transform(panel[0])


def split(X, y, n_test):
    new = (X.groupby("station").cumcount() >= len(X) // 2 - n_test).to_numpy()
    return X[~new], X[new], y[~new], y[new]


# --- a network --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("head", [None, LaplaceHead()], ids=["point", "laplace"])
def test_as_many_forecasts_as_rows_and_no_observed_value_of_the_block_is_read(panel, head):
    X_train, X_test, y_train, y_test = split(*panel, 10)
    pipe = make_pipe(head=head).fit(X_train, y_train.mask(np.arange(len(y_train)) % 7 == 0))
    y_pred = pipe.predict(X_test)
    assert y_pred.shape == (20,)
    row = np.tile(np.arange(10), 2)  # blocks of 4, 4 and 2 rows
    spoiled = pipe.predict(X_test.assign(power=X_test["power"] + 100 * (row >= 4)))
    np.testing.assert_array_equal(spoiled[row < 8], y_pred[row < 8])
    assert (spoiled[row >= 8] != y_pred[row >= 8]).all()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(pipe)).predict(X_test), y_pred)
    np.testing.assert_array_equal(
        clone(pipe).fit(X_train, y_train.mask(np.arange(220) % 7 == 0)).predict(X_test), y_pred
    )
    assert np.isfinite(pipe.score(X_test, y_test))


def test_it_learns():
    X, y = make_panel(n_series=2, n_rows=500, noise=0.05, random_state=0)
    X_train, X_test, y_train, y_test = split(X, y, 100)
    pipe = make_pipe(max_epochs=15, lr=0.02, early_stopping=True, network_params={"n_units": 16}).fit(X_train, y_train)
    assert pipe.score(X_test, y_test) > 0.7
    assert len(pipe[-1].history_["valid_loss"]) == pipe[-1].n_iter_ <= 15


@pytest.mark.parametrize("options", [{}, {"quantiles": (0.1, 0.9)}, {"head": LaplaceHead()}], ids=str)
def test_going_on_from_a_state_is_reading_a_window_that_holds_the_whole_past(panel, windows, options):
    regressor = make_regressor(**options).fit(windows, panel[1])
    whole = SlidingWindower(12, 4, known=["wind"]).fit(panel[0]).transform(panel[0].loc[["station_1"]][:16])
    np.testing.assert_allclose(regressor.predict(whole, rolling="stateful"), regressor.predict(whole), rtol=1e-5)
    assert not np.allclose(regressor.predict(windows, rolling="stateful"), regressor.predict(windows), rtol=1e-4)


def test_one_pass_teaches_several_origins(panel, windows):
    one, four, usual = (make_regressor(origins_per_pass=n).fit(windows, panel[1]) for n in (1, 4, "auto"))
    np.testing.assert_array_equal(four.predict(windows), usual.predict(windows))
    assert not np.array_equal(four.predict(windows), one.predict(windows))


def test_a_missing_target_teaches_nothing(panel, windows):
    y, holes = panel[1], np.random.default_rng(0).random(240) < 0.3
    missing = make_regressor(head=LaplaceHead()).fit(windows, y.mask(holes))
    weightless = make_regressor(head=LaplaceHead()).fit(windows, y.mask(holes, 1e3), sample_weight=~holes)
    np.testing.assert_allclose(missing.predict(windows), weightless.predict(windows), rtol=1e-4)


def test_whole_series_may_be_read(panel):
    windows = SlidingWindower(None, 4, history=12, known=["wind"]).fit_transform(panel[0])
    regressor = make_regressor().fit(windows, panel[1])
    assert regressor.predict(windows).shape == (len(windows), 4)


def test_its_parameters_are_searched(panel):
    grid = {"net__network_params": [{"n_units": 2}, {"n_units": 9}]}
    search = GridSearchCV(make_pipe(), grid, cv=PanelTimeSeriesSplit(2, test_size=24)).fit(*panel)
    assert len(search.best_estimator_[-1].net_.module_.rate) == search.best_params_["net__network_params"]["n_units"]
    assert search.cv_results_["mean_test_score"][0] != search.cv_results_["mean_test_score"][1]


def test_two_targets(panel, windows):
    both = pd.DataFrame({"a": panel[1], "b": 1000 - panel[1]})
    regressor = make_regressor(head=LaplaceHead(), max_epochs=8, lr=0.02).fit(windows, both)
    y_pred = regressor.predict(windows, quantiles=[0.1, 0.9])
    assert y_pred.shape == (len(windows), 4, 2, 2)
    np.testing.assert_allclose(y_pred.mean(axis=(0, 1, 3)), both.mean(), atol=0.2)


def test_the_level_of_each_window_may_be_taken_off(panel):
    X, y = panel
    windower = SlidingWindower(12, 4, known=["wind"])
    for head in (None, LaplaceHead()):
        regressor = make_regressor(head=head, instance_norm="mean").fit(windower.fit_transform(X), y)
        moved = regressor.predict(windower.transform(X.assign(power=X["power"] + 30)))
        np.testing.assert_allclose(moved, regressor.predict(windower.transform(X)) + 30, rtol=1e-4)


def test_networks_of_the_package_may_be_given_too(panel, windows):
    named = GRURegressor(4, max_epochs=2, random_state=0, device="cpu").fit(windows, panel[1])
    given = make_regressor(EncoderDecoder, network_params={"cell": "gru", "hidden_size": 4}).fit(windows, panel[1])
    np.testing.assert_array_equal(given.predict(windows), named.predict(windows))


@pytest.mark.parametrize("n_origins", ["auto", 1])
def test_a_linear_skip_beside_a_recurrence(panel, windows, n_origins):
    params = {"hidden_size": 4, "linear_skip": True}
    regressor = make_regressor(EncoderDecoder, network_params=params, origins_per_pass=n_origins)
    skip = regressor.fit(windows, panel[1]).net_.module_.skip.linear
    assert skip.weight.shape == (4, 12 * 2)
    assert (skip.weight != 0).any()
    with pytest.raises(ValueError, match=r"NetRegressor\(linear_skip=True, origins_per_pass=2\).*one origin alone"):
        regressor.set_params(origins_per_pass=2).fit(windows, panel[1])


# --- a head -----------------------------------------------------------------------------------------------


def test_quantiles_are_those_of_the_distribution(panel):
    X_train, X_test, y_train, _ = split(*panel, 10)
    pipe = make_pipe(head=LaplaceHead()).fit(X_train, y_train)
    levels = [0.01, 0.3, 0.5, 0.97]
    quantiles = pipe.predict(X_test, quantiles=levels)
    np.testing.assert_allclose(quantiles[:, 2], pipe.predict(X_test))
    width = (quantiles[:, 3] - quantiles[:, 2]) / stats.laplace.ppf(0.97)
    np.testing.assert_allclose(quantiles, stats.laplace.ppf(levels, quantiles[:, 2:3], width[:, None]))


def test_its_width_has_the_unit_of_the_target(panel, windows):
    y = panel[1]
    levels = [0.1, 0.5, 0.9]
    small, large = (
        make_regressor(head=LaplaceHead()).fit(windows, factor * y).predict(windows, quantiles=levels)
        for factor in (1.0, 1e3)
    )
    np.testing.assert_allclose(large, 1e3 * small, rtol=1e-3, atol=1)


def test_quantiles_cover_what_they_say():
    X, y = make_panel(n_series=2, n_rows=500, noise=0.1, random_state=0)
    X_train, X_test, y_train, y_test = split(X, y, 100)
    pipe = make_pipe(head=LaplaceHead(), max_epochs=15, lr=0.02).fit(X_train, y_train)
    below = pipe.predict(X_test, quantiles=[0.1, 0.5, 0.9]) > y_test.to_numpy()[:, None]
    np.testing.assert_allclose(below.mean(axis=0), [0.1, 0.5, 0.9], atol=0.15)


def test_a_head_of_the_package_is_what_quantiles_stand_for(panel, windows):
    asked = make_regressor(quantiles=(0.1, 0.9)).fit(windows, panel[1])
    given = make_regressor(head=QuantileHead((0.1, 0.9))).fit(windows, panel[1])
    np.testing.assert_array_equal(*(one.predict(windows, quantiles=[0.1, 0.6]) for one in (asked, given)))


def test_only_one_of_head_and_quantiles_may_be_given(panel, windows):
    with pytest.raises(ValueError, match=r"NetRegressor\(head=..., quantiles=...\).*Give only one"):
        make_regressor(head=PointHead(), quantiles=(0.1, 0.9)).fit(windows, panel[1])


# --- modules that know nothing of skts ----------------------------------------------------------------------


def test_a_plain_module_forecasts_points(panel):
    X_train, X_test, y_train, _ = split(*panel, 10)
    pipe = make_pipe(network=Plain, max_epochs=20, lr=0.01).fit(X_train, y_train)
    assert pipe.predict(X_test).shape == (20,)
    assert np.corrcoef(pipe.predict(X_test), X_test["power"])[0, 1] > 0.3


@pytest.mark.parametrize("options", [{"quantiles": (0.1, 0.9)}, {"head": LaplaceHead()}], ids=["quantiles", "head"])
def test_of_a_plain_module_nothing_else_is_asked(panel, windows, options):
    message = r"NetRegressor: Plain takes no `head` and forecasts points alone.*head.make_layer\(n_inputs, n_outputs\)"
    with pytest.raises(ValueError, match=message):
        make_regressor(Plain, **options).fit(windows, panel[1])
    fitted = make_regressor(Plain).fit(windows, panel[1])
    with pytest.raises(ValueError, match=r"predict\(quantiles=...\): fit with NetRegressor\(quantiles="):
        fitted.predict(windows, quantiles=[0.5])


@pytest.mark.parametrize("asked", [{"rolling": "stateful"}, {"origins_per_pass": 2}])
def test_what_takes_a_causal_network_is_refused_for_another(panel, windows, asked):
    (name, value) = next(iter(asked.items()))
    with pytest.raises(ValueError, match=rf"NetRegressor\({name}={value!r}\): what reads a window as a whole"):
        make_regressor(Plain, **asked).fit(windows, panel[1])


def test_a_network_without_a_forecast_says_what_is_missing(panel, windows):
    class Empty(LeakyMemory):
        encode = torch.nn.Module.forward

    with pytest.raises(NotImplementedError):
        make_regressor(Empty).fit(windows, panel[1])


def test_a_forecast_of_another_shape_is_refused(panel, windows):
    class Flat(Plain):
        def forward(self, past, known=None, series=None, state=None):
            return super().forward(past)[0][..., 0], None  # (B, H)

    message = (
        r"Flat gave a forecast of shape \(64, 4\), and \(n_windows, horizon, n_targets\) = \(64, 4, 1\) is expected"
    )
    with pytest.raises(ValueError, match=message):
        make_regressor(Flat).fit(windows, panel[1])


def test_an_argument_that_a_network_does_not_take_is_named(panel, windows):
    with pytest.raises(TypeError, match="unexpected keyword argument 'n_unit'") as caught:
        make_regressor(network_params={"n_unit": 3}).fit(windows, panel[1])
    assert caught.value.__notes__ == ["Raised in making the network of NetRegressor."]


def test_what_is_no_network_is_refused(panel, windows):
    with pytest.raises(ValueError, match="The 'network' parameter of NetRegressor"):
        NetRegressor("lstm").fit(windows, panel[1])
    with pytest.raises(ValueError, match="The 'head' parameter of NetRegressor"):
        make_regressor(head="laplace").fit(windows, panel[1])
