import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skts import DLinearRegressor, HistoryPrepender, LSTMRegressor, NLinearRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.exceptions import MissingHistoryWarning, NonFiniteLossError
from skts.metrics import ignore_missing
from skts.model_selection import PanelTimeSeriesSplit
from skts.regressors._inputs import read_inputs
from skts.regressors._targets import read_targets


def make_ensemble(regressor=LSTMRegressor, **kwargs):
    size = {"hidden_size": 4} if regressor is LSTMRegressor else {}
    return regressor(**size | {"max_epochs": 2, "n_members": 3, "random_state": 0, "device": "cpu"} | kwargs)


def make_pipe(**kwargs):
    steps = [
        ("scale", StandardScaler()),
        ("history", HistoryPrepender(8)),
        ("windows", SlidingWindower(8, 3, known=["wind"])),
        ("lstm", make_ensemble(**kwargs)),
    ]
    return Pipeline(steps).set_output(transform="pandas")


@pytest.fixture(scope="module")
def panel():
    return make_panel(n_series=2, n_rows=80, random_state=0)


@pytest.fixture(scope="module")
def windows(panel):
    return SlidingWindower(8, 3, known=["wind"]).fit_transform(panel[0])


@pytest.fixture(scope="module")
def ensemble(windows, panel):
    return make_ensemble().fit(windows, panel[1])


def split(X, y, n_test=10):
    time = X.index.get_level_values("time")
    new = time >= np.sort(time.unique())[-n_test]
    return X[~new], X[new], y[~new], y[new]


def same_weights(one, other):
    pairs = zip(one.net_.module_.parameters(), other.net_.module_.parameters(), strict=True)
    return all(torch.equal(*pair) for pair in pairs)


@pytest.mark.parametrize("regressor", [LSTMRegressor, DLinearRegressor, NLinearRegressor])
@pytest.mark.parametrize("options", [{}, {"bootstrap_rows": 9}, {"quantiles": (0.1, 0.9), "early_stopping": True}])
def test_a_member_is_what_a_fit_with_its_seed_gives_and_their_mean_is_forecast(panel, windows, regressor, options):
    ensemble = make_ensemble(regressor, **options).fit(windows, panel[1])
    alone = [
        make_ensemble(regressor, **options | {"n_members": 1, "random_state": member.random_state})
        for member in ensemble.members_
    ]
    assert all(same_weights(one.fit(windows, panel[1]), two) for one, two in zip(alone, ensemble.members_, strict=True))
    assert len({one.random_state for one in alone}) == 3
    apart = np.stack([one.predict(windows) for one in alone], axis=-1)
    np.testing.assert_array_equal(ensemble.predict(windows, members=True), apart)
    np.testing.assert_allclose(ensemble.predict(windows), apart.mean(axis=-1), rtol=1e-12)
    assert ensemble.n_iter_ == max(one.n_iter_ for one in alone)


def test_members_differ_and_each_draws_rows_of_its_own(panel, windows):
    same_start = {"random_state": 0, "net_params": {"iterator_train__shuffle": False}}
    plain = make_ensemble(n_members=1, **same_start).fit(windows, panel[1])
    drawn = make_ensemble(n_members=1, bootstrap_rows=9, **same_start).fit(windows, panel[1])
    assert not same_weights(plain, drawn)
    forecasts = make_ensemble(bootstrap_rows=9).fit(windows, panel[1]).predict(windows, members=True)
    assert all(abs(forecasts[..., i] - forecasts[..., j]).max() > 1e-3 for i, j in [(0, 1), (0, 2), (1, 2)])


def test_members_trained_at_once_are_the_same(panel, windows, ensemble):
    at_once = make_ensemble(n_jobs=2).fit(windows, panel[1])
    assert all(same_weights(*pair) for pair in zip(at_once.members_, ensemble.members_, strict=True))


def test_the_random_state_decides(panel, windows, ensemble):
    seeds = [member.random_state for member in ensemble.members_]
    again = make_ensemble().fit(windows, panel[1])
    assert [member.random_state for member in again.members_] == seeds
    np.testing.assert_array_equal(again.predict(windows), ensemble.predict(windows))
    other = make_ensemble(random_state=np.random.RandomState(1)).fit(windows, panel[1])
    assert not {member.random_state for member in other.members_} & set(seeds)


def test_through_a_pipeline_members_come_last(panel):
    X_train, X_test, y_train, y_test = split(*panel)
    pipe = make_pipe(quantiles=(0.1, 0.9)).fit(X_train, y_train)
    assert pipe.predict(X_test, members=True).shape == (20, 3)
    both = pipe.predict(X_test, quantiles=[0.1, 0.5, 0.9], members=True)
    assert both.shape == (20, 3, 3)
    assert (np.diff(both, axis=1) >= 0).all()
    np.testing.assert_allclose(pipe.predict(X_test, quantiles=[0.1, 0.5, 0.9]), both.mean(axis=-1))
    np.testing.assert_allclose(pipe.predict(X_test), both[:, 1].mean(axis=-1))
    assert np.isfinite(pipe.score(X_test, y_test))


def test_two_targets_of_every_member(panel, windows):
    both = pd.DataFrame({"a": panel[1], "b": 1000 - panel[1], "c": panel[1]})
    ensemble = make_ensemble(quantiles=(0.1, 0.9)).fit(windows, both)
    assert ensemble.predict(windows, members=True).shape == (len(windows), 3, 3, 3)
    quantiles = ensemble.predict(windows, quantiles=[0.1, 0.9], members=True)
    assert quantiles.shape == (len(windows), 3, 3, 2, 3)
    np.testing.assert_allclose(quantiles.mean(axis=(0, 1, 3, 4)), [0.5, 999.5, 0.5], atol=0.5)


def test_drawn_blocks_are_weights_of_samples(panel, windows):
    drawn = make_ensemble(n_members=1, bootstrap_rows=9, normalize_y=False).fit(windows, panel[1])
    inputs = read_inputs(drawn, windows, reset=False)
    targets = read_targets(drawn, inputs, panel[1], None)
    all_windows, weight = np.arange(len(windows)), np.empty(160)
    seed = drawn._bootstrap_seed
    weight[windows.rows] = targets.resampled(inputs.times(), 9, all_windows, seed).weights[:, 0]
    given = make_ensemble(n_members=1, normalize_y=False).fit(windows, panel[1], sample_weight=weight)
    pairs = zip(drawn.net_.module_.parameters(), given.net_.module_.parameters(), strict=True)
    for pair in pairs:
        torch.testing.assert_close(*pair)


def test_one_network_is_an_ensemble_of_one(panel, windows):
    single = make_ensemble(n_members=1).fit(windows, panel[1])
    np.testing.assert_array_equal(single.predict(windows, members=True)[..., 0], single.predict(windows))
    assert not hasattr(single, "members_")


def test_going_on_goes_on_with_each_member(panel, windows):
    _, y = panel
    warm, parts = make_ensemble(warm_start=True).fit(windows, y), make_ensemble(n_members=3)
    first = warm.members_[0].random_state
    warm.fit(windows, y)
    assert [member.n_iter_ for member in warm.members_] == [4, 4, 4]
    assert (warm.n_iter_, warm.members_[0].random_state) == (4, first)
    alone = make_ensemble(n_members=1, warm_start=True, random_state=first).fit(windows, y).fit(windows, y)
    assert same_weights(alone, warm.members_[0])
    for epochs in (1, 2):
        parts.partial_fit(windows, y)
        assert [member.n_iter_ for member in parts.members_] == [epochs] * 3
    cold = make_ensemble().fit(windows, y).fit(windows, y)
    assert [member.n_iter_ for member in cold.members_] == [2, 2, 2]


def test_refitting_with_one_member_forgets_the_others(panel, windows):
    _, y = panel
    regressor = make_ensemble().fit(windows, y).set_params(n_members=1).fit(windows, y)
    assert not hasattr(regressor, "members_")
    assert same_weights(regressor, make_ensemble(n_members=1).fit(windows, y))
    regressor.set_params(n_members=2).fit(windows, y)
    assert len(regressor.members_) == 2
    assert not hasattr(regressor, "net_")


def test_clones_forget_and_pickles_remember(windows, ensemble):
    fresh = clone(ensemble)
    assert not hasattr(fresh, "members_")
    assert fresh.get_params() == ensemble.get_params()
    loaded = pickle.loads(pickle.dumps(ensemble))
    np.testing.assert_array_equal(loaded.predict(windows, members=True), ensemble.predict(windows, members=True))


def test_one_warning_for_all_members(panel):
    X_train, X_test, y_train, _ = split(*panel)
    pipe, X_test = make_pipe().fit(X_train, y_train), X_test.copy()
    X_test.iloc[1, 0] = np.nan
    with pytest.warns(MissingHistoryWarning) as caught:
        pipe.predict(X_test)
    assert len(caught) == 1


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("wrap", ["regressor", "pipeline"])
def test_a_progress_bar_shows_members_and_epochs(panel, windows, capsys, wrap, n_jobs):
    bar = ProgressBar(max_propagation_depth=None)
    if wrap == "regressor":
        make_ensemble(n_members=2, n_jobs=n_jobs).set_callbacks(bar).fit(windows, panel[1])
    else:
        make_pipe(n_members=2, n_jobs=n_jobs).set_callbacks(bar).fit(*panel)
    shown = capsys.readouterr().out
    assert "LSTMRegressor - fit" in shown
    assert "member" in shown


def test_a_progress_bar_reaches_members_through_a_search(panel, capsys):
    search = GridSearchCV(make_pipe(n_members=2, max_epochs=1), {"lstm__lr": [0.01]}, cv=PanelTimeSeriesSplit(2))
    search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(*panel)
    assert "LSTMRegressor - fit" in capsys.readouterr().out


def test_a_scoring_monitor_logs_the_epochs_of_every_member(panel, windows):
    y = panel[1].mask(np.arange(160) % 40 == 0)
    monitor = ScoringMonitor(scoring=ignore_missing("neg_mean_absolute_error"))
    ensemble = make_ensemble(n_members=2).set_callbacks(monitor).fit(windows, y)
    log = pd.concat([log.data_as_pandas for log in np.atleast_1d(monitor.get_logs())])
    targets = windows.targets(y)
    complete = ~np.isnan(targets).any(axis=1)
    last = [-np.abs(targets - one.predict(windows))[complete].mean() for one in ensemble.members_]
    epochs = log[log["task_name"] == "epoch"]
    assert len(epochs) == 4
    np.testing.assert_allclose(epochs.loc[epochs["task_id"] == 1, "score"], last)


class StopsAtOnce:
    """A callback of scikit-learn's protocol that ends every fit at its first epoch."""

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        return context.task_name == "epoch"


def test_a_callback_may_stop_every_member(panel, windows):
    ensemble = make_ensemble(max_epochs=5).set_callbacks(StopsAtOnce()).fit(windows, panel[1])
    assert [member.n_iter_ for member in ensemble.members_] == [1, 1, 1]


def test_arrays_are_fitted_and_checked_by_the_ensemble():
    rng = np.random.default_rng(0)
    X, y = pd.DataFrame(rng.standard_normal((30, 2)), columns=["a", "b"]), rng.standard_normal(30)
    ensemble = make_ensemble().fit(X, y)
    assert ensemble.predict(X).shape == (30,)
    assert ensemble.n_features_in_ == 2
    assert ensemble.feature_names_in_.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="feature names should match"):
        ensemble.predict(X.rename(columns={"a": "c"}))


def test_weights_reach_every_member(panel, windows, ensemble):
    weight = np.where(np.arange(160) < 80, 1.0, 0.1)
    weighted = make_ensemble().fit(windows, panel[1], sample_weight=weight)
    one = make_ensemble(n_members=1, random_state=weighted.members_[2].random_state)
    assert same_weights(one.fit(windows, panel[1], sample_weight=weight), weighted.members_[2])
    assert not same_weights(ensemble.members_[2], weighted.members_[2])


def test_the_histories_are_those_of_the_members(ensemble):
    assert not hasattr(ensemble, "history_")
    assert all(len(member.history_["train_loss"]) == 2 for member in ensemble.members_)


def test_quantiles_are_refused_where_none_were_trained(windows, ensemble):
    with pytest.raises(ValueError, match=r"predict\(quantiles=...\): fit with LSTMRegressor\(quantiles="):
        ensemble.predict(windows, quantiles=[0.5])


@pytest.mark.parametrize("bad", [{"n_members": 0}, {"bootstrap_rows": 0}, {"n_jobs": 1.5}])
def test_bad_parameters_are_named(windows, panel, bad):
    with pytest.raises(ValueError, match=f"The '{next(iter(bad))}' parameter of LSTMRegressor"):
        make_ensemble(**bad).fit(windows, panel[1])


def test_a_fit_that_fails_leaves_no_member():
    X, y = np.ones((20, 3, 1)), np.full(20, 1e30)
    ensemble = make_ensemble().fit(X, np.arange(20.0)).set_params(normalize_y=False)
    with pytest.raises(NonFiniteLossError):
        ensemble.fit(X, y)
    assert not hasattr(ensemble, "members_")


def test_what_may_change_between_two_fits_may_change_for_members(panel, windows):
    ensemble = make_ensemble(warm_start=True).fit(windows, panel[1])
    before = ensemble.predict(windows, members=True)
    ensemble.set_params(lr=1e-12).fit(windows, panel[1])
    np.testing.assert_allclose(ensemble.predict(windows, members=True), before, atol=1e-6)


@pytest.mark.parametrize(("before", "now"), [(1, 3), (3, 1), (3, 2)])
def test_going_on_with_another_number_of_members_is_refused(panel, windows, before, now):
    regressor = make_ensemble(n_members=before, warm_start=True).fit(windows, panel[1]).set_params(n_members=now)
    with pytest.raises(ValueError, match=rf"n_members={now}\) cannot go on from {before}.*warm_start=False"):
        regressor.fit(windows, panel[1])


def test_blocks_may_be_drawn_from_the_second_fit_on(panel, windows):
    regressor = make_ensemble(n_members=1, warm_start=True).fit(windows, panel[1])
    before = regressor.predict(windows)
    after = regressor.set_params(bootstrap_rows=9).fit(windows, panel[1]).predict(windows)
    assert np.isfinite(after).all()
    assert (after != before).any()


def test_an_ensemble_forgets_the_names_of_columns(panel):
    rng = np.random.default_rng(0)
    X, y = pd.DataFrame(rng.standard_normal((30, 2)), columns=["a", "b"]), rng.standard_normal(30)
    ensemble = make_ensemble().fit(X, y).fit(X.to_numpy(), y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ensemble.predict(X.to_numpy()).shape == (30,)
    assert not hasattr(ensemble, "feature_names_in_")


def test_every_draw_of_blocks_teaches_something(panel, windows):
    options = {"early_stopping": True, "validation_fraction": 0.6}  # all that trains is in the first of two blocks
    for seed in range(8):
        regressor = make_ensemble(n_members=1, bootstrap_rows=40, random_state=seed, **options)
        assert np.isfinite(regressor.fit(windows, panel[1]).history_["train_loss"]).all()
