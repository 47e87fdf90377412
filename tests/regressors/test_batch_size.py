"""The size of batches that a regressor settles on."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone

from skts import (
    DLinearRegressor,
    GRURegressor,
    LSTMRegressor,
    NLinearRegressor,
    SlidingWindower,
    SourceAttentionRegressor,
    TransformerRegressor,
)
from skts.datasets import make_panel
from skts.regressors import _net_options
from skts.strategies import EnsembleRegressor

ALL = [LSTMRegressor, GRURegressor, DLinearRegressor, NLinearRegressor, SourceAttentionRegressor, TransformerRegressor]


@pytest.fixture(scope="module")
def panel():
    X, y = make_panel(n_series=2, n_rows=90, random_state=0)
    return SlidingWindower(12, 4, known=["wind"]).fit_transform(X), y


@pytest.fixture
def finds(monkeypatch):
    """Let every search find 256, and count them."""
    searches = []
    monkeypatch.setattr(
        _net_options, "find_batch_size", lambda net, table, subsample: searches.append((len(table), subsample)) or 256
    )
    return searches


def make(regressor=DLinearRegressor, **options):
    return regressor(
        **{"max_epochs": 1, "random_state": 0, "device": "cpu", "lr": 0.01, "batch_size": "auto"} | options
    )


def weights_of(regressor):
    return torch.cat([parameter.detach().ravel() for parameter in regressor.net_.module_.parameters()])


@pytest.mark.parametrize("regressor", ALL)
def test_auto_trains_as_the_numbers_that_it_found(panel, finds, regressor):
    auto = make(regressor, **({"hidden_size": 4, "dropout": 0.2} if "hidden_size" in regressor().get_params() else {}))
    auto.fit(*panel)
    assert (auto.batch_size_, auto.lr_) == (256, pytest.approx(0.02))
    assert auto.get_params()["batch_size"] == "auto"
    given = clone(auto).set_params(batch_size=256, lr=auto.lr_).fit(*panel)
    torch.testing.assert_close(weights_of(auto), weights_of(given), rtol=0, atol=0)
    assert len(finds) == 1


def test_the_search_itself_changes_nothing(panel):
    auto = make(max_epochs=2).fit(*panel)  # too few windows for more than 64
    assert (auto.batch_size_, auto.lr_) == (64, 0.01)
    given = make(max_epochs=2, batch_size=64).fit(*panel)
    torch.testing.assert_close(weights_of(auto), weights_of(given), rtol=0, atol=0)


def test_every_fit_says_what_it_took(panel):
    regressor = make(batch_size=32).fit(*panel)
    assert (regressor.batch_size_, regressor.lr_) == (32, 0.01)
    assert regressor.set_params(batch_size=16, lr=0.1).fit(*panel).batch_size_ == 16
    assert regressor.lr_ == 0.1
    whole = make(batch_size=32, net_params={"batch_size": -1, "lr": 0.5}).fit(*panel)
    assert (whole.batch_size_, whole.lr_) == (len(panel[0]), 0.5)
    assert make(batch_size=32, lr_schedule="one_cycle").fit(*panel).lr_ == 0.01


def test_a_fresh_fit_searches_anew_and_one_that_goes_on_does_not(panel, finds):
    regressor = make(warm_start=True).fit(*panel)
    regressor.fit(*panel).partial_fit(*panel)
    pickle.loads(pickle.dumps(regressor)).fit(*panel)
    assert len(finds) == 1
    assert (regressor.batch_size_, regressor.lr_) == (256, pytest.approx(0.02))
    assert regressor.net_.batch_size == 256
    regressor.set_params(warm_start=False).fit(*panel)
    assert len(finds) == 2


@pytest.mark.parametrize("name", ["lr", "optimizer__lr"])
def test_net_params_have_the_last_word(panel, finds, name):
    regressor = make(net_params={name: 0.5}).fit(*panel)
    assert (regressor.batch_size_, regressor.lr_) == (256, 0.5)
    assert make(net_params={"iterator_train__batch_size": 7}).fit(*panel).batch_size_ == 7
    assert make(net_params={"optimizer": torch.optim.SGD}).fit(*panel).lr_ == pytest.approx(0.04)
    assert len(finds) == 2


def test_a_search_counts_on_the_share_that_an_epoch_draws(panel, finds):
    make(subsample=0.5).fit(*panel)
    assert finds == [(len(panel[0]), 0.5)]


def test_a_member_of_an_ensemble_can_be_had_again(panel, finds):
    ensemble = EnsembleRegressor(make(), 2, random_state=0).fit(*panel)
    again = clone(ensemble.estimators_[1]).fit(*panel)
    np.testing.assert_array_equal(again.predict(panel[0]), ensemble.predict(panel[0], members=True)[..., 1])


def test_a_batch_of_all_windows_is_one_step_an_epoch(panel):
    regressor = make(batch_size=32, max_epochs=3, net_params={"batch_size": -1}).fit(*panel)
    assert regressor.batch_size_ == len(panel[0])
    steps = {int(state["step"]) for state in regressor.net_.optimizer_.state.values()}
    assert steps == {3}
    assert np.isfinite(regressor.predict(panel[0])).all()


def test_whole_series_take_64(finds):
    X, y = make_panel(n_series=2, n_rows=90, random_state=0)
    windows = SlidingWindower(None, 4, history=12, known=["wind"]).fit_transform(X)
    regressor = make(LSTMRegressor, hidden_size=2).fit(windows, y)
    assert (regressor.batch_size_, regressor.lr_) == (64, 0.01)
    assert finds == []


@pytest.mark.parametrize("bad", ["large", 0, 1.5, None])
def test_another_size_is_refused(panel, bad):
    with pytest.raises(ValueError, match="The 'batch_size' parameter of DLinearRegressor"):
        make(batch_size=bad).fit(*panel)
