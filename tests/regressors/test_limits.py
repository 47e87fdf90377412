"""Bounds, rows known to be zero, and distributions, through the regressors."""

import pickle
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skts import (
    DLinearRegressor,
    HistoryPrepender,
    LSTMRegressor,
    NetRegressor,
    NLinearRegressor,
    SlidingWindower,
    TransformerRegressor,
)
from skts.nn import CensoredNormalHead, EncoderDecoder, StudentTHead
from skts.strategies import EnsembleRegressor, PerSeriesRegressor
from skts.supervised import read_inputs, read_targets
from tests._runs import forecast_runs, of_runs
from tests.regressors._networks import LaplaceHead, LeakyMemory

CAPACITY = {"a": 1.0, "b": 3.7}
KINDS = [{}, {"quantiles": (0.1, 0.9)}, {"distribution": "censored_normal"}, {"distribution": "inflated_beta"}]
IDS = ["point", "quantiles", "censored_normal", "inflated_beta"]
LSTM = partial(LSTMRegressor, 6, max_epochs=2, lr=0.01, random_state=0, device="cpu")


def make_table(n_rows=240, seed=0):
    """Two parks of different capacity, by night 0 and by wind at times at a bound."""
    rng = np.random.default_rng(seed)
    times = pd.date_range("2024-01-01", periods=n_rows, freq="h")
    index = pd.MultiIndex.from_product([list(CAPACITY), times], names=["park", "time"])
    wind, noise = rng.normal(0.4, 0.6, len(index)), rng.normal(0, 0.1, len(index))
    capacity = index.get_level_values("park").map(CAPACITY).to_numpy(dtype=float)
    is_day = ((index.get_level_values("time").hour >= 6) & (index.get_level_values("time").hour < 20)).astype(float)
    power = np.clip(wind + noise, 0, 1) * capacity * is_day
    X = pd.DataFrame({"power": power, "wind": wind, "is_day": is_day, "capacity": capacity}, index=index)
    return X, X["power"]


@pytest.fixture(scope="module")
def windows():
    X, y = make_table()
    return SlidingWindower(12, 6, known=["wind", "is_day"], static=["capacity"]).fit_transform(X), y


def capacity_of(windows):
    return windows.static[windows.series, 0].astype(float)[:, None]


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
def test_no_forecast_lies_beyond_the_capacity_of_its_park(windows, kind):
    X, y = windows
    linear = DLinearRegressor(3, max_epochs=10, lr=0.03, bounds=(0, "capacity"), random_state=0, device="cpu", **kind)
    y_pred, capacity = linear.fit(X, y).predict(X), capacity_of(X)
    assert (y_pred >= 0).all()
    assert (y_pred <= capacity).all()
    assert y_pred[capacity[:, 0] > 2].max() > 1.01
    if kind:
        quantiles = linear.predict(X, quantiles=[0.1, 0.5, 0.9])
        assert (quantiles[..., 2] == capacity).any()
        assert (np.diff(quantiles, axis=-1) >= 0).all()
        assert (quantiles >= 0).all()
        assert (quantiles <= capacity[..., None]).all()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(linear)).predict(X), y_pred)


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
def test_what_is_known_to_be_zero_is_answered_so_and_teaches_nothing(windows, kind):
    X, y = windows
    night = make_table()[0]["is_day"] == 0
    lstm = LSTM(active="is_day", bounds=(0, 4), **kind)
    is_night = X.targets(night)
    y_pred = lstm.fit(X, y).predict(X)
    assert (y_pred[is_night] == 0).all()
    assert (y_pred[~is_night] != 0).any(axis=None)
    if kind:
        quantiles = lstm.predict(X, quantiles=[0.1, 0.9])
        assert (quantiles[is_night] == 0).all()
        assert quantiles.shape == (*y_pred.shape, 2)
    other = y.where(~night, 3.9)  # the nights say something else, and nobody listens
    np.testing.assert_array_equal(clone(lstm).fit(X, other).predict(X), y_pred)
    assert np.abs(clone(lstm).set_params(active=None).fit(X, other).predict(X) - y_pred).max() > 0.1


def test_a_mass_on_the_bound_is_learned_as_well_as_what_lies_between():
    rng = np.random.default_rng(0)
    X, wind = np.zeros((1500, 1)), rng.normal(0.2, 0.5, 1500)
    y = np.clip(wind, 0, 1)
    levels = [0.1, 0.3, 0.6, 0.9, 0.97]
    expected = np.quantile(y, levels)
    for kind in ({"quantiles": levels}, *KINDS[2:]):
        linear = DLinearRegressor(1, max_epochs=12, lr=0.02, bounds=(0, 1), random_state=0, device="cpu", **kind)
        linear.fit(X, y)
        np.testing.assert_allclose(linear.predict(X[:1], quantiles=levels)[0], expected, atol=0.06)
        if "quantiles" not in kind:
            assert linear.predict(X[:1])[0] == pytest.approx(y.mean(), abs=0.03)


def test_quantiles_of_a_distribution_are_exact_in_units_of_the_target():
    rng = np.random.default_rng(0)
    X, y = np.zeros((1500, 1)), 500 + 40 * rng.standard_t(5, 1500)
    levels = [0.02, 0.37, 0.5, 0.8, 0.995]
    for distribution, law in (("normal", stats.norm), ("student_t", stats.t)):
        linear = DLinearRegressor(1, max_epochs=10, lr=0.02, distribution=distribution, random_state=0, device="cpu")
        found = linear.fit(X, y).predict(X[:1], quantiles=levels)[0]
        middle, scale, *number = raw(linear, X[:1])
        freedom = [2 + 58 / (1 + np.exp(-number[0]))] if number else []
        np.testing.assert_allclose(found, law(*freedom, middle, scale).ppf(levels), rtol=1e-9)
        assert linear.predict(X[:1])[0] == pytest.approx(middle)
        np.testing.assert_allclose(found[1:4], np.quantile(y, levels[1:4]), atol=8)
        assert linear.score(X, y) <= 0.01


def raw(regressor, X):
    """What the head forecasts, in units of the target."""
    return regressor._forecast(read_inputs(regressor, X, reset=False))[0, 0, 0]


def test_a_scaler_may_have_changed_the_column_of_zeros_but_not_that_of_bounds():
    X, y = make_table()
    new = X.index.get_level_values("time") >= "2024-01-09"
    scale = make_column_transformer(
        (StandardScaler(), ["power", "wind", "is_day"]), remainder="passthrough", verbose_feature_names_out=False
    )
    steps = [HistoryPrepender(12), SlidingWindower(12, 6, known=["wind", "is_day"], static=["capacity"])]
    lstm = LSTM(bounds=(0, "capacity"), active="is_day")
    pipe = make_pipeline(scale, *steps, lstm).set_output(transform="pandas").fit(X[~new], y[~new])
    y_pred = pipe.predict(X[new])
    assert (y_pred[X["is_day"][new] == 0] == 0).all()
    assert (y_pred <= X["capacity"][new] + 1e-6).all()
    pipe = make_pipeline(StandardScaler(), *steps, lstm).set_output(transform="pandas")
    with pytest.raises(ValueError, match=r"0 to -1 in series 'a', and a lower bound .* StandardScaler"):
        pipe.fit(X[~new], y[~new])


def test_a_network_reads_a_bound_standardised(windows):
    X, y = windows
    lstm = LSTM(bounds=(0, "capacity")).fit(X, y)
    read = torch.cat([batch["static"] for batch in lstm.input_batches(X)])
    np.testing.assert_allclose(read[:, 0], np.where(X.series == 0, -1.0, 1.0), rtol=1e-5)
    large = replace(X, static=1000 * X.static)
    y_pred = LSTM(bounds=(0, "capacity")).fit(large, 1000 * y).predict(large)
    np.testing.assert_allclose(y_pred, 1000 * lstm.predict(X), rtol=1e-3)


def test_an_ensemble_and_one_network_per_series_keep_both():
    X, y = make_table()
    new = X.index.get_level_values("time") >= "2024-01-09"
    windower = SlidingWindower(12, 6, known=["wind", "is_day"], static=["capacity"])
    lstm = LSTM(bounds=(0, "capacity"), active="is_day", distribution="censored_normal")
    for pipe in (
        make_pipeline(HistoryPrepender(12), windower, EnsembleRegressor(lstm, 2, random_state=0)),
        PerSeriesRegressor(make_pipeline(HistoryPrepender(12), windower, lstm)),
    ):
        for params in ({}, {"quantiles": [0.05, 0.95]}):
            y_pred = pipe.fit(X[~new], y[~new]).predict(X[new], **params).reshape(new.sum(), -1)
            assert (y_pred[X["is_day"][new] == 0] == 0).all()
            assert (y_pred >= 0).all()
            assert (y_pred <= X["capacity"][new].to_numpy()[:, None] + 1e-6).all()


@pytest.mark.parametrize("network", [TransformerRegressor, NLinearRegressor, DLinearRegressor])
@pytest.mark.parametrize("kind", KINDS, ids=IDS)
def test_every_network_takes_them(windows, network, kind):
    X, y = windows
    regressor = network(max_epochs=1, bounds=(0, "capacity"), active="is_day", random_state=0, device="cpu", **kind)
    y_pred = regressor.fit(X, y).predict(X)
    assert (y_pred >= 0).all()
    assert (y_pred <= capacity_of(X)).all()
    assert np.isfinite(y_pred).all()


@pytest.mark.parametrize("options", [{"origins_per_pass": 4}, {"instance_norm": "mean"}, {"rolling": "stateful"}])
def test_passes_scales_by_window_and_whole_series_keep_them(windows, options):
    X, y = windows
    lstm = LSTM(bounds=(0, "capacity"), active="is_day", distribution="inflated_beta", **options).fit(X, y)
    y_pred = lstm.predict(X)
    assert ((y_pred >= 0) & (y_pred <= capacity_of(X))).all()
    assert (y_pred[X.targets(make_table()[0]["is_day"]) == 0] == 0).all()


def test_bf16_takes_them(windows):
    X, y = windows
    for kind in KINDS:
        regressor = DLinearRegressor(max_epochs=1, bounds=(0, "capacity"), precision="bf16", device="cpu", **kind)
        try:
            regressor.fit(X, y)
        except ValueError as error:
            pytest.skip(str(error))
        assert np.isfinite(regressor.history_["train_loss"]).all()


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
def test_the_gradient_of_the_inputs_is_that_of_the_answer(windows, kind):
    X, y = windows
    lstm = LSTM(bounds=(0, "capacity"), active="is_day", **kind).fit(X, y)
    some = X.take(np.arange(0, len(X), 9))
    gradient, y_pred = lstm.input_gradient(some), lstm.predict(some)
    at_bound = (y_pred == 0) | (y_pred == capacity_of(some))
    assert at_bound.any()
    if kind.get("distribution") is None:
        assert (gradient[at_bound] == 0).all()
    else:
        assert (gradient[X.take(np.arange(0, len(X), 9)).targets(make_table()[0]["is_day"]) == 0] == 0).all()
    column, step = 1, 1e-2
    window = [int(some.origins[3]) - 1]
    moved = []
    for sign in (1, -1):
        panel = some.panel.copy()
        panel[window, column] += sign * step
        moved.append(lstm.predict(replace(some, panel=panel))[3])
    np.testing.assert_allclose(gradient[3, :, 0, -1, column], (moved[0] - moved[1]) / (2 * step), atol=5e-3)


def test_a_warm_start_goes_on_and_refuses_other_limits_by_name(windows):
    X, y = windows
    lstm = LSTM(bounds=(0, "capacity"), active="is_day", distribution="inflated_beta", warm_start=True).fit(X, y)
    assert lstm.fit(X, y).n_iter_ == 4
    lstm.partial_fit(X, y)
    assert (lstm.predict(X) <= capacity_of(X)).all()
    for name, value in {"bounds": (0, 9.0), "active": None, "distribution": "censored_normal"}.items():
        with pytest.raises(ValueError, match=f"{name}=.* cannot go on from the net"):
            clone_fitted(lstm).set_params(**{name: value}).fit(X, y)


def clone_fitted(estimator):
    return pickle.loads(pickle.dumps(estimator))


def test_parameters_changed_after_fit_change_nothing(windows):
    X, y = windows
    lstm = LSTM(bounds=(0, 0.8), active="is_day").fit(X, y)
    y_pred = lstm.predict(X)
    np.testing.assert_array_equal(lstm.set_params(bounds=None, active=None).predict(X), y_pred)


def test_a_network_of_ones_own_takes_a_head_with_bounds(windows):
    X, y = windows
    net = NetRegressor(EncoderDecoder, head=CensoredNormalHead("likelihood"), bounds=(0, 4), max_epochs=1, device="cpu")
    assert (net.fit(X, y).predict(X) >= 0).all()
    with pytest.raises(ValueError, match=r"head=\.\.\., distribution=\.\.\."):
        clone(net).set_params(distribution="normal").fit(X, y)
    with pytest.raises(ValueError, match="LaplaceHead knows no bounds"):
        NetRegressor(LeakyMemory, head=LaplaceHead(), bounds=(0, 4), device="cpu").fit(np.zeros((9, 3)), np.ones(9))


def test_a_loss_of_ones_own_meets_the_bounds_too(windows):
    X, y = windows
    lstm = LSTM(bounds=(0, 0.6), net_params={"criterion": torch.nn.HuberLoss}).fit(X, y)
    assert (
        lstm.history_["train_loss"]
        != LSTM(net_params={"criterion": torch.nn.HuberLoss}).fit(X, y).history_["train_loss"]
    )
    assert lstm.predict(X).max() <= 0.6


def test_two_targets_have_the_same_bounds():
    X, y = np.random.default_rng(0).standard_normal((60, 4, 2)), np.random.default_rng(1).random((60, 3, 2))
    for kind in KINDS:
        lstm = LSTM(bounds=(0.2, 0.7), **kind).fit(X, y)
        y_pred = lstm.predict(X)
        assert y_pred.shape == y.shape
        assert ((y_pred >= 0.2) & (y_pred <= 0.7)).all()


def test_one_bound_may_be_open():
    X, y = np.random.default_rng(0).standard_normal((60, 4, 2)), np.random.default_rng(1).exponential(size=60)
    for kind in KINDS[:3]:
        assert (LSTM(bounds=(0, None), **kind).fit(X, y).predict(X) >= 0).all()
    with pytest.raises(ValueError, match="InflatedBetaHead needs a lower and an upper bound"):
        LSTM(bounds=(0, None), distribution="inflated_beta").fit(X, y)


def test_runs_have_the_bounds_of_their_series_too():
    X, y = forecast_runs(8, horizon=18)
    farm, time = X.index.get_level_values("farm"), X.index.get_level_values("time")
    X["capacity"], X["is_day"] = np.where(farm == "a", 60.0, 130.0), (time.hour >= 7).astype(float)
    y = y.clip(0, X["capacity"]) * X["is_day"]
    windower = SlidingWindower(12, 18, known=["wind", "is_day"], static=["capacity"])
    linear = DLinearRegressor(3, max_epochs=8, lr=0.03, bounds=(0, "capacity"), active="is_day", random_state=0)
    pipe = make_pipeline(HistoryPrepender(12), windower, linear)
    train = of_runs(X, 0, 6)
    y_pred = pipe.fit(X[train], y[train]).predict(X[~train])
    assert (y_pred[X["is_day"][~train] == 0] == 0).all()
    assert (y_pred <= X["capacity"][~train]).all()
    assert y_pred.max() > 61
    targets = pipe[-1]._learned.limits.put_on(*pairs(windower.fit_transform(X[train]), y[train], pipe[-1]))
    windows = windower.fit_transform(X[train])
    upper = targets.bounds[1][:, 0][windows.horizon_positions()]
    np.testing.assert_array_equal(upper, np.repeat(np.where(windows.series == 0, 60.0, 130.0)[:, None], 18, axis=1))


def pairs(windows, y, regressor):
    inputs = read_inputs(regressor, windows, reset=False)
    return read_targets("LSTMRegressor", inputs, y, None), inputs


BAD = {
    r"bounds=\(1, 0\)\): 1 to 0 in series 'a'": {"bounds": (1, 0)},
    r"bounds=\(0,\)\): a lower and an upper": {"bounds": (0,)},
    r"bounds=\(None, None\)\): a lower": {"bounds": (None, None)},
    r"'power' is no static column of the windows, which have \['capacity'\]": {"bounds": (0, "power")},
    r"% of y lies outside. Give bounds in units of y": {"bounds": (-9, -8)},
    r"active='power'\) is none of the columns that are known ahead, \['wind', 'is_day'\]": {"active": "power"},
    r"active='wind'\): the column has \d+ different values, and two are expected": {"active": "wind"},
    r"NormalHead knows no bounds. Give distribution='censored_normal'": {"bounds": (0, 4), "distribution": "normal"},
    r"CensoredNormalHead forecasts within bounds": {"distribution": "censored_normal"},
    r"a distribution gives any quantile": {"distribution": "normal", "quantiles": (0.1, 0.9)},
}


@pytest.mark.parametrize("message", BAD)
def test_what_cannot_be_is_refused(windows, message):
    with pytest.raises(ValueError, match=message):
        LSTM(**BAD[message]).fit(*windows)


def test_a_park_without_a_capacity_is_named():
    X, y = make_table()
    X.loc["b", "capacity"] = np.nan
    windows = SlidingWindower(12, 6, known=["wind", "is_day"], static=["capacity"]).fit_transform(X)
    with pytest.raises(ValueError, match="the capacity of series 'b' is missing"):
        LSTM(bounds=(0, "capacity")).fit(windows, y)


def test_arrays_have_no_columns_by_name():
    X, y = np.zeros((9, 3)), np.arange(9.0)
    with pytest.raises(ValueError, match=r"active='is_day'\) names a column that is known ahead: give windows"):
        LSTM(active="is_day").fit(X, y)
    with pytest.raises(ValueError, match="'capacity' is no static column"):
        LSTM(bounds=(0, "capacity")).fit(X, y)


def test_a_head_says_by_what_it_is_trained(windows):
    X, y = windows
    losses = [LSTM(distribution=StudentTHead(loss)).fit(X, y).history_["train_loss"] for loss in ("crps", "likelihood")]
    assert losses[0] != losses[1]
    with pytest.raises(ValueError, match="levels lie within 0 and 1"):
        LSTM(distribution="student_t").fit(X, y).predict(X, quantiles=[1.2])
