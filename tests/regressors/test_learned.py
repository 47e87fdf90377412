"""What a fit used is frozen: parameters that change afterwards change nothing until the next fit."""

import re

import numpy as np
import pytest
import torch
from sklearn.base import clone

from skts import (
    DLinearRegressor,
    GRURegressor,
    LSTMRegressor,
    NetRegressor,
    NLinearRegressor,
    SlidingWindower,
    SourceAttentionRegressor,
    TransformerRegressor,
)
from skts.datasets import make_panel
from skts.nn import EncoderDecoder, LinearForecaster, PointHead
from tests.regressors._networks import LeakyMemory

USUAL = {"max_epochs": 2, "random_state": 0, "device": "cpu", "warm_start": True}
REGRESSORS = {
    "lstm": LSTMRegressor(4, **USUAL, quantiles=(0.1, 0.9), lookahead=2, bidirectional=True, series_embedding=2),
    "gru": GRURegressor(4, **USUAL, rolling="stateful"),
    "dlinear": DLinearRegressor(**USUAL),
    "nlinear": NLinearRegressor(**USUAL, quantiles=(0.1, 0.9)),
    "sources": SourceAttentionRegressor({"wind": [0]}, hidden_size=4, **USUAL, lookahead=2),
    "transformer": TransformerRegressor(4, **USUAL, lookahead=2),
    "net": NetRegressor(LeakyMemory, network_params={"n_units": 3}, **USUAL),
}
TAKEN_OVER = {
    "max_epochs": 3,
    "lr": 0.02,
    "lr_schedule": "cosine",
    "batch_size": 16,
    "subsample": 0.5,
    "weight_decay": 0.1,
    "early_stopping": True,
    "n_iter_no_change": 1,
    "validation_fraction": 0.3,
    "precision": "bf16",
    "verbose": 1,
    "random_state": 7,
    "rolling": "stateful",
    "origins_per_pass": 2,
}
REFUSED = {
    "hidden_size": 12,
    "num_layers": 3,
    "num_heads": 2,
    "ffn_expansion": 1,
    "around": 1,
    "dropout": 0.5,
    "input_dropout": 0.5,
    "bidirectional": False,
    "lookahead": 3,
    "patch_len": 3,
    "instance_norm": "last",
    "series_embedding": 3,
    "embedding_by": "station",
    "kernel_size": 3,
    "sources": {"rest": [1]},
    "shared": False,
    "source_dropout": 0.3,
    "quantiles": (0.2, 0.8),
    "distribution": "normal",
    "bounds": (0, 1),
    "active": "is_day",
    "device": "meta",
    "net_params": {"gradient_clip": None},
    "network": LinearForecaster,
    "network_params": {"n_units": 5},
    "head": PointHead(),
}
OTHER = TAKEN_OVER | REFUSED | {"warm_start": False}
WITHOUT_EFFECT = {"verbose", "early_stopping", "validation_fraction", "n_iter_no_change", "rolling"}  # on two epochs


def pairs(names):
    """Give each regressor, and each of these parameters that it has."""
    return [(kind, name) for kind, one in REGRESSORS.items() for name in names if hasattr(one, name)]


@pytest.fixture(scope="module")
def panel():
    X, y = make_panel(n_series=2, n_rows=90, random_state=0)
    return SlidingWindower(12, 4, known=["wind"]).fit_transform(X), y


def other_value(regressor, name):
    """Another value of a parameter than the regressor has."""
    value = OTHER[name]
    if name == "rolling" and regressor.rolling == "stateful":
        return "windows"
    if name == "quantiles" and regressor.quantiles is None:
        return (0.1, 0.9)
    if name == "bidirectional":
        return not regressor.bidirectional
    return value


def test_every_parameter_is_looked_at():
    assert {name for regressor in REGRESSORS.values() for name in regressor.get_params(deep=False)} == {*OTHER}


@pytest.mark.parametrize("kind", REGRESSORS)
def test_a_parameter_that_changes_after_the_fit_changes_no_forecast(panel, kind):
    windows, y = panel
    regressor = clone(REGRESSORS[kind]).fit(windows, y)
    asked = {} if regressor.quantiles is None else {"quantiles": [0.1, 0.4, 0.9]}
    y_pred, quantiles = regressor.predict(windows), regressor.predict(windows, **asked)
    for name in regressor.get_params(deep=False):
        regressor.set_params(**{name: other_value(regressor, name)})
        np.testing.assert_array_equal(regressor.predict(windows), y_pred, err_msg=name)
        np.testing.assert_array_equal(regressor.predict(windows, **asked), quantiles, err_msg=name)
    if not asked:
        with pytest.raises(ValueError, match=r"predict\(quantiles=...\): fit with"):
            regressor.predict(windows, quantiles=[0.1])


@pytest.mark.parametrize(("kind", "name"), pairs(REFUSED))
def test_what_a_net_cannot_take_over_is_refused_by_name(panel, kind, name):
    windows, y = panel
    regressor = clone(REGRESSORS[kind])
    before, now = getattr(regressor, name), other_value(regressor, name)
    regressor.fit(windows, y)
    y_pred = regressor.predict(windows)
    message = (
        f"{type(regressor).__name__}({name}={now!r}) cannot go on from the net that was fitted with {name}={before!r}: "
        "set that back, or fit a fresh one (warm_start=False)."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        regressor.set_params(**{name: now}).fit(windows, y)
    np.testing.assert_array_equal(regressor.predict(windows), y_pred)
    assert regressor.n_iter_ == 2
    regressor.set_params(**{name: before}).fit(windows, y)
    assert regressor.n_iter_ == 4


def taken_over(regressor):
    """Give what can be seen of the parameters that a net took over."""
    net, group = regressor.net_, regressor.net_.optimizer_.param_groups[0]
    return {
        "lr": group["lr"],
        "lr_schedule": net.lr_schedule,
        "batch_size": regressor.batch_size_,
        "subsample": net.get_params()["iterator_train__subsample"],
        "weight_decay": group["weight_decay"],
        "precision": net.precision,
        "verbose": net.verbose,
        "early_stopping": "valid_loss" in regressor.history_,
    }


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        pytest.param(*pair, marks=pytest.mark.bf16 if pair in {("lstm", "precision"), ("sources", "precision")} else ())
        for pair in pairs(TAKEN_OVER)
    ],
)
def test_what_may_change_between_two_fits_is_taken_over(panel, kind, name):
    windows, y = panel
    regressor, same = (clone(REGRESSORS[kind]).fit(windows, y) for _ in range(2))
    now = other_value(regressor, name)
    regressor.set_params(**{name: now}).fit(windows, y)
    same.fit(windows, y)
    assert taken_over(regressor).get(name, now) == now
    assert regressor.n_iter_ == (5 if name == "max_epochs" else 4)
    if name not in WITHOUT_EFFECT:
        assert not np.array_equal(regressor.predict(windows), same.predict(windows))


@pytest.mark.parametrize("kind", REGRESSORS)
def test_all_of_it_may_change_at_once(panel, kind):
    windows, y = panel
    regressor = clone(REGRESSORS[kind]).fit(windows, y)
    changes = {name: other_value(regressor, name) for one, name in pairs(TAKEN_OVER) if one == kind}
    changes |= {"precision": "float32"}
    regressor.set_params(**changes).fit(windows, y)
    assert taken_over(regressor).items() <= changes.items()
    assert np.isfinite(regressor.predict(windows)).all()


def test_a_change_of_rolling_counts_from_the_next_fit(panel):
    windows, y = panel
    regressor = GRURegressor(4, **USUAL).fit(windows, y)
    regressor.set_params(rolling="stateful")
    np.testing.assert_array_equal(regressor.predict(windows), regressor.predict(windows, rolling="windows"))
    regressor.fit(windows, y)
    np.testing.assert_array_equal(regressor.predict(windows), regressor.predict(windows, rolling="stateful"))
    assert not np.array_equal(regressor.predict(windows), regressor.predict(windows, rolling="windows"))


def test_early_stopping_may_begin_and_end_with_a_fit(panel):
    windows, y = panel
    noise = np.random.default_rng(0).standard_normal(len(y))
    regressor = GRURegressor(4, **USUAL).set_params(lr=0.05).fit(windows, noise)
    regressor.set_params(early_stopping=True, n_iter_no_change=2, max_epochs=100).fit(windows, noise)
    stopped = regressor.n_iter_
    assert stopped < 60
    regressor.set_params(early_stopping=False, max_epochs=5).fit(windows, noise)
    assert regressor.n_iter_ == stopped + 5
    assert np.isnan(regressor.history_["valid_loss"][-5:]).all()


def test_weight_decay_reaches_the_optimizer_and_shrinks_the_weights(panel):
    windows, y = panel
    norms = []
    for decay in (0.0, 10.0):
        regressor = DLinearRegressor(max_epochs=20, lr=0.05, random_state=0, device="cpu", weight_decay=decay)
        regressor.fit(windows, y)
        assert {group["weight_decay"] for group in regressor.net_.optimizer_.param_groups} == {decay}
        norms.append(float(regressor.net_.module_.past.weight.detach().norm()))
    assert norms[1] < 0.7 * norms[0]
    warm = DLinearRegressor(max_epochs=20, lr=0.05, random_state=0, device="cpu", warm_start=True).fit(windows, y)
    warm.set_params(weight_decay=10.0).fit(windows, y)
    assert {group["weight_decay"] for group in warm.net_.optimizer_.param_groups} == {10.0}
    assert float(warm.net_.module_.past.weight.detach().norm()) < 0.7 * norms[0]


def test_a_fit_that_was_refused_takes_nothing_over(panel):
    windows, y = panel
    regressor = GRURegressor(4, **USUAL).fit(windows, y)
    with pytest.raises(ValueError, match="hidden_size=5"):
        regressor.set_params(hidden_size=5, lr=0.5, weight_decay=0.5, batch_size=7).fit(windows, y)
    group = regressor.net_.optimizer_.param_groups[0]
    assert (group["lr"], group["weight_decay"], regressor.net_.batch_size) == (0.003, 0.0, 64)


def test_two_changes_are_refused_together(panel):
    windows, y = panel
    regressor = GRURegressor(4, **USUAL).fit(windows, y)
    with pytest.raises(ValueError, match=r"GRURegressor\(dropout=0.5, hidden_size=5\) cannot go on .*dropout=0.0, hid"):
        regressor.set_params(hidden_size=5, dropout=0.5).fit(windows, y)


def test_a_net_in_units_of_its_first_fit_goes_on_in_them(panel):
    windows, y = panel
    regressor = GRURegressor(4, **USUAL).fit(windows, y)
    learned = regressor._learned
    regressor.fit(windows, 1000 * y)
    np.testing.assert_array_equal(regressor._learned.y_scale, learned.y_scale)
    assert regressor.history_["train_loss"][2] > 1e4 * regressor.history_["train_loss"][1]


def test_an_encoder_without_a_state_of_its_own_keeps_none(panel):
    regressor = NetRegressor(EncoderDecoder, network_params={"hidden_size": 3}, **USUAL).fit(*panel)
    state = regressor.net_.module_.state_dict()
    before = {name: values.clone() for name, values in state.items()}
    for rolling in ("windows", "stateful"):
        regressor.predict(panel[0], rolling=rolling)
    assert all(torch.equal(before[name], values) for name, values in regressor.net_.module_.state_dict().items())
