"""What is passed to skorch: callbacks, criterion, optimizer, batches."""

import numpy as np
import pytest
import torch
from skorch.callbacks import BatchScoring, Checkpoint, EarlyStopping, EpochScoring, LRScheduler, PassthroughScoring

from skts import DLinearRegressor, LSTMRegressor, NetRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.strategies import EnsembleRegressor
from skts.supervised import read_inputs, read_targets
from tests.regressors._networks import LeakyMemory

NO_FILES = dict.fromkeys(("f_params", "f_optimizer", "f_criterion", "f_history"))


@pytest.fixture(scope="module")
def panel():
    X, y = make_panel(n_series=2, n_rows=90, random_state=0)
    return SlidingWindower(12, 4, known=["wind"]).fit_transform(X), y


def make(cls=DLinearRegressor, **options):
    return cls(**{"max_epochs": 3, "random_state": 0, "device": "cpu"} | options)


def with_callbacks(*callbacks, **options):
    return make(**options, net_params={"callbacks": list(callbacks)})


@pytest.mark.parametrize(
    ("callback", "named"),
    [
        (EarlyStopping(), r"EarlyStopping\(monitor='valid_loss'\)"),
        (EarlyStopping, r"EarlyStopping\(monitor='valid_loss'\)"),
        (("stops", EarlyStopping(patience=2)), r"EarlyStopping\(monitor='valid_loss'\)"),
        (Checkpoint(monitor="valid_loss_best", **NO_FILES), r"Checkpoint\(monitor='valid_loss_best'\)"),
    ],
)
def test_what_watches_a_validation_that_there_is_not_is_refused(panel, callback, named):
    regressor = with_callbacks(callback)
    message = (
        rf"DLinearRegressor\(net_params={{'callbacks': \[{named}\]}}\): nothing validates. Give early_stopping=True"
    )
    with pytest.raises(ValueError, match=message):
        regressor.fit(*panel)
    assert not hasattr(regressor, "net_")
    regressor.set_params(early_stopping=True).fit(*panel)
    assert len(regressor.history_["valid_loss"]) == 3


@pytest.mark.parametrize("kind", [EpochScoring, BatchScoring])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_what_scores_data_sets_of_other_kinds_is_refused(panel, kind, early_stopping):
    message = rf"'callbacks': \[{kind.__name__}\(...\)\]}}\): windows are addresses.*ScoringMonitor.*or read history_"
    regressor = with_callbacks(kind("r2"), early_stopping=early_stopping)
    with pytest.raises(ValueError, match=message):
        regressor.fit(*panel)


def test_what_a_warm_start_cannot_watch_any_longer_is_refused(panel):
    regressor = with_callbacks(EarlyStopping(patience=2), early_stopping=True, warm_start=True).fit(*panel)
    with pytest.raises(ValueError, match=r"EarlyStopping\(monitor='valid_loss'\).*nothing validates"):
        regressor.set_params(early_stopping=False).fit(*panel)


def test_stopping_early_by_the_training_loss_works(panel):
    windows, y = panel
    stops = EarlyStopping(monitor="train_loss", patience=2, threshold=1e9, threshold_mode="abs")
    assert with_callbacks(stops, max_epochs=30).fit(windows, y).n_iter_ <= 4


def test_a_checkpoint_of_the_best_epoch_is_written(panel, tmp_path):
    checkpoint = Checkpoint(monitor="valid_loss_best", dirname=tmp_path, f_history=None, load_best=False)
    regressor = with_callbacks(checkpoint, early_stopping=True, max_epochs=4).fit(*panel)
    assert (tmp_path / "params.pt").exists()
    stored = torch.load(tmp_path / "params.pt", weights_only=True)
    assert stored.keys() == regressor.net_.module_.state_dict().keys()


def test_losses_of_batches_may_be_passed_through(panel):
    seen = with_callbacks(PassthroughScoring("train_loss", on_train=True)).fit(*panel).history_["train_loss"]
    np.testing.assert_allclose(seen, make().fit(*panel).history_["train_loss"], rtol=1e-5)


def test_a_schedule_of_skorch_moves_the_learning_rate(panel):
    schedule = LRScheduler("StepLR", step_size=1, gamma=0.1)
    regressor = with_callbacks(schedule, lr=0.1).fit(*panel)
    assert regressor.net_.optimizer_.param_groups[0]["lr"] == pytest.approx(0.1 * 0.1**3)


@pytest.mark.parametrize("make_one", [make, lambda **options: make(NetRegressor, network=LeakyMemory, **options)])
def test_batches_may_hold_one_series_each(panel, make_one, monkeypatch):
    windows, y = panel
    plain = make_one(net_params={}).fit(windows, y)
    regressor = make_one(net_params={"iterator_train__by_series": True}, batch_size=16).fit(windows, y)
    assert not np.array_equal(plain.predict(windows), regressor.predict(windows))
    net = regressor.net_
    table = regressor._make_tables(*read(regressor, windows, y))[0]
    batches = list(net.get_iterator(table, training=True).sampler)
    assert all(len({*table.series[batch].tolist()}) == 1 for batch in batches)
    assert sorted(torch.cat(batches).tolist()) == list(range(len(table)))


def read(regressor, windows, y):
    inputs = read_inputs(regressor, windows, reset=False)
    targets = read_targets("a regressor", inputs, y, None)
    return inputs, targets, targets.teaching(), np.empty(0, dtype=np.int64)


def test_another_criterion_and_optimizer(panel):
    windows, y = panel
    spikes = y.mask(np.arange(len(y)) % 29 == 0, 50.0)
    options = {"max_epochs": 20, "lr": 0.02}
    squares, robust = (
        make(**options, net_params=params).fit(windows, spikes) for params in ({}, {"criterion": torch.nn.L1Loss})
    )
    errors = [np.abs(one.predict(windows) - windows.targets(y)).mean() for one in (squares, robust)]
    assert errors[1] < 0.5 * errors[0]
    descent = make(net_params={"optimizer": torch.optim.SGD, "optimizer__momentum": 0.9}).fit(windows, y)
    assert isinstance(descent.net_.optimizer_, torch.optim.SGD)
    assert descent.net_.optimizer_.param_groups[0]["momentum"] == 0.9


def test_callbacks_reach_every_member_of_an_ensemble(panel):
    stops = EarlyStopping(monitor="train_loss", patience=1, threshold=1e9, threshold_mode="abs")
    ensemble = EnsembleRegressor(with_callbacks(stops, max_epochs=9), 2, random_state=0).fit(*panel)
    assert all(member.n_iter_ < 9 for member in ensemble.estimators_)


def test_the_regressor_keeps_what_it_was_given(panel):
    given = {"callbacks": [EarlyStopping(monitor="train_loss")], "gradient_clip": None}
    kept = dict(given)
    regressor = make(LSTMRegressor, hidden_size=3, net_params=given).fit(*panel)
    assert regressor.net_params is given
    assert given == kept
    assert regressor.net_.gradient_clip is None


def test_predictions_take_batches_as_large_whatever_the_number_of_series():
    def batch_size(size, n_series):
        X, y = make_panel(n_series=n_series, n_rows=14, random_state=0)
        windows = SlidingWindower(12, 2).fit_transform(X)
        options = {"hidden_size": 16, "max_epochs": 1, "batch_size": 4096}
        regressor = make(LSTMRegressor, **options, series_embedding=size).fit(windows, y)
        table = regressor._make_tables(*read(regressor, windows, y))[0]
        return regressor.net_._prediction_batch_size(table)

    assert batch_size(2, 20_000) == batch_size(2, 2) == batch_size(0, 2)
