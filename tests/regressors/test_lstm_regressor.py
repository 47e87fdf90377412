import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import skorch.callbacks
import torch
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.exceptions import DeviceWarning

from skts import HistoryPrepender, LSTMRegressor, SlidingWindower
from skts.datasets import load_la_haute_borne, make_panel
from skts.exceptions import MissingHistoryWarning, NonFiniteLossError, UnseenSeriesWarning
from skts.metrics import ignore_missing
from skts.model_selection import PanelTimeSeriesSplit


def make_regressor(**kwargs):
    return LSTMRegressor(**{"hidden_size": 6, "max_epochs": 2, "random_state": 0, "device": "cpu"} | kwargs)


def make_pipe(window=12, horizon=4, known=("wind",), **kwargs):
    steps = [
        ("scale", StandardScaler()),
        ("history", HistoryPrepender(window)),
        ("windows", SlidingWindower(window, horizon, known=list(known))),
        ("lstm", make_regressor(**kwargs)),
    ]
    return Pipeline(steps).set_output(transform="pandas")


def split(X, y, n_test):
    time = X.index.get_level_values("time")
    new = time >= np.sort(time.unique())[-n_test]
    return X[~new], X[new], y[~new], y[new]


@pytest.fixture(scope="module")
def panel():
    return make_panel(n_series=2, n_rows=120, random_state=0)


@pytest.fixture(scope="module")
def windows(panel):
    return SlidingWindower(12, 4, known=["wind"]).fit_transform(panel[0])


@pytest.fixture(scope="module")
def sequences():
    rng = np.random.default_rng(0)
    return rng.standard_normal((30, 7, 2)).astype(np.float32)


def flat_weights(regressor):
    return torch.cat([parameter.detach().ravel() for parameter in regressor.net_.module_.parameters()])


# --- shapes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(30,), (30, 1), (30, 3), (30, 5, 2)])
def test_arrays_are_answered_in_the_shape_of_y(sequences, shape):
    y = np.random.default_rng(1).standard_normal(shape)
    y_pred = make_regressor().fit(sequences, y).predict(sequences)
    assert y_pred.shape == shape
    assert y_pred.dtype == np.float64


@pytest.mark.parametrize("two", [False, True])
def test_windows_are_answered_by_window_in_training_and_by_row_afterwards(panel, two):
    X_train, X_test, y_train, _ = split(*panel, 10)
    if two:
        y_train = pd.DataFrame({"a": y_train, "b": -y_train})
    pipe = make_pipe().fit(X_train, y_train)
    training = pipe[:-1].fit_transform(X_train)
    assert pipe[-1].predict(training).shape == (len(training), 4, 2)[: 2 + two]
    assert pipe.predict(X_test).shape == (20, 2)[: 1 + two]


def test_two_targets_are_learned_apart(panel):
    X_train, X_test, y_train, y_test = split(*panel, 12)
    both = pd.DataFrame({"a": y_train, "b": 100 - 50 * y_train})
    y_pred = make_pipe(max_epochs=40, hidden_size=16, lr=0.01).fit(X_train, both).predict(X_test)
    assert r2_score(y_test, y_pred[:, 0]) > 0.6
    assert r2_score(100 - 50 * y_test, y_pred[:, 1]) > 0.6


def test_a_table_is_a_sequence_of_one_step(sequences):
    y = sequences[:, 0, 0]
    flat, deep = make_regressor().fit(sequences[:, 0], y), make_regressor().fit(sequences[:, :1], y)
    assert torch.equal(flat_weights(flat), flat_weights(deep))


# --- what teaches -----------------------------------------------------------------------------------


def test_a_missing_target_teaches_nothing(panel, windows):
    _, y = panel
    holes = np.random.default_rng(0).random(len(y)) < 0.3
    missing = make_regressor().fit(windows, y.mask(holes))
    weightless = make_regressor().fit(windows, y.mask(holes, 1e3), sample_weight=~holes)
    torch.testing.assert_close(flat_weights(missing), flat_weights(weightless))
    assert not torch.allclose(flat_weights(missing), flat_weights(make_regressor().fit(windows, y)))


def test_a_window_without_any_target_is_dropped(panel, windows):
    X, y = panel
    only_first = y.mask(X.index.get_level_values("station") != "station_0")
    first = SlidingWindower(12, 4, known=["wind"]).fit_transform(X.loc[["station_0"]])
    one_each = make_regressor(origins_per_pass=1)  # the last pass of a table begins earlier, and reads more
    both, alone = clone(one_each).fit(windows, only_first), clone(one_each).fit(first, y.loc[["station_0"]])
    torch.testing.assert_close(flat_weights(both), flat_weights(alone))


def test_one_of_two_targets_may_be_missing_in_a_row(windows, panel):
    _, y = panel
    both = pd.DataFrame({"a": y, "b": -y})
    holes = both.mask(np.random.default_rng(0).random(both.shape) < 0.3)
    assert np.isfinite(make_regressor().fit(windows, holes).predict(windows)).all()
    half = make_regressor().fit(windows, both.assign(b=np.nan))
    assert np.isfinite(half.predict(windows)).all()


def test_sample_weight_counts_relative_to_the_others(windows, panel):
    _, y = panel
    weight = np.where(np.arange(len(y)) % 3 == 0, 1.0, 4.0)
    weighted = make_regressor().fit(windows, y, sample_weight=weight)
    torch.testing.assert_close(
        flat_weights(weighted), flat_weights(make_regressor().fit(windows, y, sample_weight=10 * weight))
    )
    assert not torch.allclose(flat_weights(weighted), flat_weights(make_regressor().fit(windows, y)))


def test_the_unit_of_the_target_does_not_count(windows, panel):
    _, y = panel
    kilowatts = make_regressor().fit(windows, y).predict(windows)
    watts = make_regressor().fit(windows, 1000 * y + 7).predict(windows)
    np.testing.assert_allclose(watts, 1000 * kilowatts + 7, rtol=1e-3)


def test_a_constant_target_is_forecast_as_it_is(windows, panel):
    y_pred = make_regressor().fit(windows, np.full(len(panel[1]), 5.0)).predict(windows)
    np.testing.assert_allclose(y_pred, 5.0, atol=0.5)


# --- going on ---------------------------------------------------------------------------------------


def test_partial_fit_is_one_more_epoch(windows, panel):
    regressor = make_regressor()
    for epochs in (1, 2, 3):
        regressor.partial_fit(windows, panel[1])
        assert regressor.n_iter_ == len(regressor.history_["train_loss"]) == epochs
    assert regressor.history_["train_loss"][-1] < regressor.history_["train_loss"][0]


def test_warm_start_goes_on_and_a_cold_one_does_not(windows, panel):
    warm = make_regressor(warm_start=True).fit(windows, panel[1])
    after_one = flat_weights(warm)
    warm.fit(windows, panel[1])
    assert warm.n_iter_ == 4
    assert not torch.equal(flat_weights(warm), after_one)
    cold = make_regressor().fit(windows, panel[1]).fit(windows, panel[1])
    assert cold.n_iter_ == 2
    assert torch.equal(flat_weights(cold), after_one)


def test_the_history_is_readable_whatever_changed_since(windows, panel):
    regressor = make_regressor(warm_start=True).fit(windows, panel[1]).set_params(early_stopping=True)
    assert list(regressor.history_) == ["epoch", "train_loss"]
    regressor.set_params(max_epochs=50, lr=0.1, n_iter_no_change=1)
    valid = regressor.fit(windows, panel[1]).history_["valid_loss"]
    assert np.isnan(valid[:2]).all()
    assert np.isfinite(valid[2:]).all()
    assert len(valid) < 50  # asked for later, and stopping all the same


def test_the_learning_rate_may_change_between_two_fits(windows, panel):
    regressor = make_regressor(warm_start=True).fit(windows, panel[1])
    before = flat_weights(regressor)
    regressor.set_params(lr=1e-12).fit(windows, panel[1])
    torch.testing.assert_close(flat_weights(regressor), before, rtol=0, atol=1e-8)


def test_going_on_with_other_windows_is_refused(panel, windows):
    X, y = panel
    regressor = make_regressor().fit(windows, y)
    with pytest.raises(ValueError, match="fitted with 4 rows of horizon and is now given 5"):
        regressor.partial_fit(SlidingWindower(12, 5, known=["wind"]).fit_transform(X), y)
    with pytest.raises(ValueError, match="fitted with 1 known columns and is now given 0"):
        regressor.predict(SlidingWindower(12, 4).fit_transform(X))
    with pytest.raises(ValueError, match="fitted with 1 targets and is now given 2"):
        regressor.partial_fit(windows, np.column_stack([y, y]))


def test_early_stopping_validates_on_the_latest_times_only(panel):
    X, y = panel
    time = X.index.get_level_values("time")
    late = time >= np.sort(time.unique())[-24]  # a fifth of 120 times
    windows = SlidingWindower(12, 4, known=["wind"]).fit_transform(X)
    regressor = make_regressor(early_stopping=True, validation_fraction=24 / 108)  # 108 times have a window before
    honest = clone(regressor).fit(windows, y)
    late_lies = clone(regressor).fit(windows, y.mask(late, 100.0))
    early_lies = clone(regressor).fit(windows, y.where(late, 100.0))
    assert late_lies.history_["train_loss"] == honest.history_["train_loss"]
    assert late_lies.history_["valid_loss"] != honest.history_["valid_loss"]
    assert early_lies.history_["train_loss"] != honest.history_["train_loss"]


def test_early_stopping_stops_and_keeps_the_best_weights(panel, windows):
    _, y = panel
    noise = pd.Series(np.random.default_rng(0).standard_normal(len(y)), y.index)
    regressor = make_regressor(
        early_stopping=True, max_epochs=100, n_iter_no_change=3, lr=0.05, validation_fraction=0.3
    )
    regressor.fit(windows, noise)
    valid = regressor.history_["valid_loss"]
    assert len(valid) == int(np.argmin(valid)) + 1 + 3 < 100
    assert regressor.n_iter_ == len(valid)
    again = make_regressor(early_stopping=True, max_epochs=int(np.argmin(valid)) + 1, lr=0.05, validation_fraction=0.3)
    torch.testing.assert_close(flat_weights(again.fit(windows, noise)), flat_weights(regressor))


def test_early_stopping_without_enough_times_says_so(panel):
    X, y = panel
    windows = SlidingWindower(12, 100).fit_transform(X)
    with pytest.raises(
        ValueError, match=r"early_stopping=True, validation_fraction=0.1\) leaves 14 windows to train on and 0 to"
    ):
        make_regressor(early_stopping=True).fit(windows, y)


# --- missing inputs -----------------------------------------------------------------------------------


def test_one_warning_says_how_many_forecasts_rest_on_blank_rows(panel):
    X_train, X_test, y_train, _ = split(*panel, 20)
    pipe = make_pipe().fit(X_train, y_train)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pipe.predict(X_test)  # all the history is there
    X_test = X_test.copy()
    X_test.iloc[5, 0] = np.nan  # row 5 of the first station, in the windows of the blocks from rows 8, 12 and 16 on
    with pytest.warns(MissingHistoryWarning, match="12 of 40 forecasts rest on") as caught:
        pipe.predict(X_test)
    assert len(caught) == 1


def test_an_unseen_station_is_forecast_with_a_warning(panel):
    X_train, X_test, y_train, _ = split(*panel, 8)
    pipe = make_pipe().fit(X_train.loc[["station_0"]], y_train.loc[["station_0"]])
    with pytest.warns(UnseenSeriesWarning, match="station_1"), pytest.warns(MissingHistoryWarning, match="8 of 16"):
        y_pred = pipe.predict(X_test)
    assert np.isfinite(y_pred).all()
    assert len(y_pred) == 16


# --- stock scikit-learn and skorch ----------------------------------------------------------------------


def test_score_leaves_out_rows_without_a_target(panel):
    X_train, X_test, y_train, y_test = split(*panel, 20)
    pipe = make_pipe().fit(X_train, y_train)
    y_pred, holes = pipe.predict(X_test), np.arange(40) % 7 == 0
    expected = r2_score(y_test[~holes], y_pred[~holes])
    assert pipe.score(X_test, y_test.mask(holes)) == pytest.approx(expected)
    with pytest.raises(ValueError, match=r"score: y is missing \(NaN\) in every row"):
        pipe.score(X_test, y_test * np.nan)


def test_training_windows_score_against_rows_or_targets(windows, panel):
    _, y = panel
    regressor = make_regressor().fit(windows, y)
    expected = r2_score(windows.targets(y).ravel(), regressor.predict(windows).ravel())
    assert regressor.score(windows, y) == pytest.approx(expected)
    assert regressor.score(windows, windows.targets(y)) == pytest.approx(expected)


def test_scoring_monitor_logs_every_epoch(windows, panel):
    y = panel[1].mask(np.arange(240) % 60 == 0)
    monitor = ScoringMonitor(scoring=ignore_missing("neg_mean_absolute_error"))
    regressor = make_regressor(max_epochs=3).set_callbacks(monitor).fit(windows, y)
    log = monitor.get_logs().data_as_pandas
    epochs = log[log["task_name"] == "epoch"]
    assert list(epochs["task_id"]) == [0, 1, 2]
    targets = windows.targets(y)
    complete = ~np.isnan(targets).any(axis=1)
    last = -np.abs(targets - regressor.predict(windows))[complete].mean()
    assert 0 < complete.sum() < len(windows)
    assert epochs["score"].iloc[-1] == pytest.approx(last)


def test_scoring_monitor_takes_the_weights(windows, panel):
    monitor = ScoringMonitor(scoring="neg_mean_absolute_error")
    weight = np.where(np.arange(240) < 120, 1.0, 0.0)  # the first station alone
    regressor = make_regressor(max_epochs=1).set_callbacks(monitor).fit(windows, panel[1], sample_weight=weight)
    first = windows.series == 0
    error = np.abs(windows.targets(panel[1]) - regressor.predict(windows))[first].mean()
    assert monitor.get_logs().data[-1]["neg_mean_absolute_error"] == pytest.approx(-error)


@pytest.mark.parametrize("wrap", ["regressor", "pipeline", pytest.param("search", marks=pytest.mark.slow)])
def test_a_progress_bar_works_at_every_level(panel, windows, capsys, wrap):
    X, y = panel
    bar = ProgressBar(max_propagation_depth=None)
    if wrap == "regressor":
        make_regressor().set_callbacks(bar).fit(windows, y)
    elif wrap == "pipeline":
        make_pipe().set_callbacks(bar).fit(X, y)
    else:
        search = GridSearchCV(make_pipe(max_epochs=1), {"lstm__hidden_size": [2]}, cv=PanelTimeSeriesSplit(2), n_jobs=2)
        search.set_callbacks(bar).fit(X, y)
    assert "LSTMRegressor - fit" in capsys.readouterr().out


class StopsAfterTwo:
    """A callback of scikit-learn's protocol that ends a fit at its second epoch."""

    def setup(self, estimator, context):
        self.epochs = 0

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        self.epochs += context.task_name == "epoch"
        return self.epochs == 2


def test_a_callback_may_stop_the_training(windows, panel):
    assert make_regressor(max_epochs=9).set_callbacks(StopsAfterTwo()).fit(windows, panel[1]).n_iter_ == 2


def test_verbose_prints_a_line_for_every_epoch(windows, panel, capsys):
    regressor = make_regressor(verbose=1, max_epochs=3).fit(windows, panel[1])
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("epoch")]
    shown = [f"epoch {i + 1}/3  loss {loss:.4f}" for i, loss in enumerate(regressor.history_["train_loss"])]
    assert [line[: len(start)] for line, start in zip(lines, shown, strict=True)] == shown


def test_callbacks_and_parameters_of_skorch_pass_through(windows, panel):
    schedule = skorch.callbacks.LRScheduler("StepLR", step_size=1, gamma=0.1)
    net_params = {"optimizer": torch.optim.SGD, "criterion": torch.nn.L1Loss, "gradient_clip": None}
    net_params |= {"callbacks": [schedule]}
    regressor = make_regressor(net_params=net_params, max_epochs=3).fit(windows, panel[1])
    net = regressor.net_
    assert isinstance(net.optimizer_, torch.optim.SGD)
    assert isinstance(net.criterion_, torch.nn.L1Loss)
    assert net.gradient_clip is None
    assert net.optimizer_.param_groups[0]["lr"] == pytest.approx(3e-3 * 0.1**3)


def test_prediction_leaves_the_global_random_state_alone(windows, panel):
    regressor = make_regressor(dropout=0.5).fit(windows, panel[1])
    before = torch.get_rng_state()
    first = regressor.predict(windows)
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(regressor.predict(windows), first)


def test_fitting_changes_neither_table_nor_target(panel):
    X, y = panel[0].copy(), panel[1].copy()
    X.iloc[3, 0] = np.nan
    kept = X.copy(), y.copy()
    make_pipe().fit(X, y)
    pd.testing.assert_frame_equal(X, kept[0])
    pd.testing.assert_series_equal(y, kept[1])


def test_a_regressor_trained_on_cuda_loads_where_there_is_none(windows, panel, monkeypatch):
    regressor = make_regressor().fit(windows, panel[1])
    expected = regressor.predict(windows)
    regressor.net_.device = "cuda"  # what the net says of itself after training there
    stored = pickle.dumps(regressor)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.warns(DeviceWarning):
        loaded = pickle.loads(stored)
    np.testing.assert_array_equal(loaded.predict(windows), expected)
    loaded.set_params(warm_start=True, device="auto").fit(windows, panel[1])
    assert loaded.n_iter_ == 4


def test_a_pickle_holds_no_training_data():
    X = np.random.default_rng(0).standard_normal((20_000, 10)).astype(np.float32)
    windows = SlidingWindower(24, 4, stride=500).fit_transform(X)
    regressor = make_regressor(max_epochs=1).fit(windows, X[:, 0])
    assert len(pickle.dumps(regressor)) < X.nbytes / 4


class InterruptsAtOnce(skorch.callbacks.Callback):
    def on_batch_end(self, net, **kwargs):
        raise KeyboardInterrupt


def test_an_interrupted_fit_keeps_the_weights_it_has(windows, panel):
    regressor = make_regressor(net_params={"callbacks": [InterruptsAtOnce()]}).fit(windows, panel[1])
    assert regressor.history_ == {"epoch": [], "train_loss": []}
    assert np.isfinite(regressor.predict(windows)).all()


def test_weights_and_caching_pass_through_a_pipeline(panel, tmp_path):
    X, y = panel
    weight = np.random.default_rng(0).random(len(y))
    plain = make_pipe().fit(X, y, lstm__sample_weight=weight)
    cached = make_pipe().set_params(memory=str(tmp_path)).fit(X, y, lstm__sample_weight=weight)
    assert torch.equal(flat_weights(plain[-1]), flat_weights(cached[-1]))
    assert not torch.equal(flat_weights(plain[-1]), flat_weights(make_pipe().fit(X, y)[-1]))


# --- bad input ------------------------------------------------------------------------------------------


def test_a_target_of_another_length_is_refused(windows, panel):
    with pytest.raises(ValueError, match="y has 239 values and the table that entered SlidingWindower had 240 rows"):
        make_regressor().fit(windows, panel[1][:-1])


def test_a_target_that_is_all_missing_is_refused(windows, panel):
    with pytest.raises(ValueError, match=r"y is missing \(NaN\) in every row"):
        make_regressor().fit(windows, panel[1] * np.nan)
    only_history = panel[1].mask(np.arange(240) % 120 >= 12)
    with pytest.raises(ValueError, match=r"y is missing \(NaN\) over the horizon of every window"):
        make_regressor().fit(windows, only_history)


def test_predicting_before_fitting_is_refused(windows):
    with pytest.raises(Exception, match="not fitted yet") as caught:
        make_regressor().predict(windows)
    assert type(caught.value).__name__ == "NotFittedError"


@pytest.mark.parametrize("bad", [np.inf, "calm"])
def test_infinities_and_words_are_refused(sequences, bad):
    X = sequences.astype(object)
    X[0, 0, 0] = bad
    with pytest.raises(ValueError, match=r"infinity|could not convert"):
        make_regressor().fit(X, np.zeros(30))


def test_another_number_of_features_is_refused(sequences, windows, panel):
    regressor = make_regressor().fit(sequences, np.arange(30.0))
    with pytest.raises(ValueError, match=r"X has 1 features, but LSTMRegressor is expecting 2 features"):
        regressor.predict(sequences[:, :, :1])


def test_cuda_without_cuda_is_refused(sequences, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="device='cuda' was asked for"):
        make_regressor(device="cuda").fit(sequences, np.arange(30.0))


def test_a_loss_that_diverges_stops_the_fit_and_leaves_no_net(sequences):
    regressor = make_regressor(lr=1e30)
    with pytest.raises(NonFiniteLossError, match="in epoch 2"):
        regressor.fit(sequences, np.arange(30.0))
    assert not hasattr(regressor, "net_")


@pytest.mark.parametrize(
    "bad", [{"hidden_size": 0}, {"max_epochs": 0}, {"lr": 0}, {"dropout": 1}, {"validation_fraction": 1.0}]
)
def test_bad_parameters_are_named(sequences, bad):
    with pytest.raises(ValueError, match=f"The '{next(iter(bad))}' parameter of LSTMRegressor"):
        make_regressor(**bad).fit(sequences, np.zeros(30))


# --- the whole way ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_real_turbines_are_tuned_and_every_hour_is_forecast():
    X, y = load_la_haute_borne(return_X_y=True)
    time = X.index.get_level_values("time")
    X, y = X[time >= "2015-07-01"], y[time >= "2015-07-01"]
    X_train, X_test, y_train, y_test = split(X, y, 1416)
    known = [name for name in X if name.startswith("era5")]
    pipe = make_pipe(48, 24, known=known, max_epochs=6, hidden_size=16).set_params(windows__stride=4)
    search = GridSearchCV(
        pipe,
        {"windows__window": [24, 48]},
        cv=PanelTimeSeriesSplit(2, test_size=24 * 14),
        scoring=ignore_missing("neg_root_mean_squared_error"),
        error_score="raise",
    )
    search.set_params(estimator__windows__history=48)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingHistoryWarning)
        y_pred = search.fit(X_train, y_train).predict(X_test)
        assert search.score(X_test, y_test) > -400  # the last value has 539 kW, the hour of the day 526
    assert y_pred.shape == (5664,)
    assert np.isfinite(y_pred).all()


def test_one_series_in_an_array_needs_no_index():
    X, y = (table.to_numpy() for table in make_panel(n_series=1, n_rows=1000, noise=0.05, random_state=0))
    pipe = make_pipeline(
        HistoryPrepender(24), SlidingWindower(24, 6, known=[1]), make_regressor(max_epochs=15, hidden_size=16)
    )
    search = GridSearchCV(pipe, {"lstmregressor__lr": [0.003, 0.01]}, cv=TimeSeriesSplit(2))
    assert search.fit(X[:904], y[:904]).score(X[904:], y[904:]) > 0.7
