import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, SGDRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skts import DLinearRegressor, HistoryPrepender, LSTMRegressor, NLinearRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.exceptions import MissingHistoryWarning, NonFiniteLossError
from skts.metrics import ignore_missing
from skts.model_selection import PanelTimeSeriesSplit
from skts.strategies import EnsembleRegressor, PerSeriesRegressor, WindowedRegressor
from skts.strategies._ensemble_regressor import draw_blocks, row_times


def make_one(regressor=LSTMRegressor, **kwargs):
    size = {"hidden_size": 4} if regressor is LSTMRegressor else {}
    return regressor(**size | {"max_epochs": 2, "device": "cpu"} | kwargs)


def make_ensemble(regressor=LSTMRegressor, n_members=3, bootstrap_rows=None, n_jobs=None, random_state=0, **kwargs):
    return EnsembleRegressor(
        make_one(regressor, **kwargs),
        n_members,
        bootstrap_rows=bootstrap_rows,
        n_jobs=n_jobs,
        random_state=random_state,
    )


def make_pipe(**kwargs):
    steps = [
        ("scale", StandardScaler()),
        ("history", HistoryPrepender(8)),
        ("windows", SlidingWindower(8, 3, known=["wind"])),
        ("ensemble", make_ensemble(**kwargs)),
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


# --- members ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("regressor", [LSTMRegressor, DLinearRegressor, NLinearRegressor])
@pytest.mark.parametrize("options", [{}, {"quantiles": (0.1, 0.9), "early_stopping": True}])
def test_a_member_is_what_a_fit_with_its_seed_gives_and_their_mean_is_forecast(panel, windows, regressor, options):
    ensemble = make_ensemble(regressor, **options).fit(windows, panel[1])
    seeds = [member.random_state for member in ensemble.estimators_]
    alone = [make_one(regressor, **options, random_state=seed).fit(windows, panel[1]) for seed in seeds]
    assert all(same_weights(*pair) for pair in zip(alone, ensemble.estimators_, strict=True))
    assert len({*seeds}) == 3
    apart = np.stack([one.predict(windows) for one in alone], axis=-1)
    np.testing.assert_array_equal(ensemble.predict(windows, members=True), apart)
    np.testing.assert_allclose(ensemble.predict(windows), apart.mean(axis=-1), rtol=1e-12)


def test_the_random_state_decides(panel, windows, ensemble):
    seeds = [member.random_state for member in ensemble.estimators_]
    again = make_ensemble().fit(windows, panel[1])
    assert [member.random_state for member in again.estimators_] == seeds
    np.testing.assert_array_equal(again.predict(windows), ensemble.predict(windows))
    other = make_ensemble(random_state=np.random.RandomState(1)).fit(windows, panel[1])
    assert not {member.random_state for member in other.estimators_} & {*seeds}


@pytest.mark.slow
def test_members_trained_in_processes_are_the_same(panel, windows, ensemble):
    at_once = make_ensemble(n_jobs=2).fit(windows, panel[1])
    assert all(same_weights(*pair) for pair in zip(at_once.estimators_, ensemble.estimators_, strict=True))


def test_the_estimator_itself_is_left_alone(panel, windows):
    one = make_one(random_state=7)
    EnsembleRegressor(one, 2, random_state=0).fit(windows, panel[1])
    assert one.random_state == 7
    assert not hasattr(one, "net_")


def test_an_ensemble_of_one_is_its_member(panel, windows):
    single = make_ensemble(n_members=1).fit(windows, panel[1])
    np.testing.assert_array_equal(single.predict(windows, members=True)[..., 0], single.predict(windows))
    np.testing.assert_array_equal(single.estimators_[0].predict(windows), single.predict(windows))


def test_any_estimator_that_draws_can_be_a_member(panel, windows):
    y = panel[1]
    forests = WindowedRegressor(RandomForestRegressor(5), leads="rows", lags=[1])
    ensemble = EnsembleRegressor(forests, 2, random_state=0).fit(windows, y)
    members = ensemble.predict(windows, members=True)
    assert (members[..., 0] != members[..., 1]).any()
    alone = clone(forests).set_params(estimator__random_state=ensemble.estimators_[1].estimator.random_state)
    np.testing.assert_array_equal(alone.fit(windows, y).predict(windows), members[..., 1])


def test_one_that_draws_nothing_is_refused(panel, windows):
    with pytest.raises(
        ValueError, match=r"EnsembleRegressor\(estimator=LinearRegression\(\)\): it has no random_state"
    ):
        EnsembleRegressor(LinearRegression()).fit(np.zeros((5, 2)), np.arange(5.0))


# --- going on ---------------------------------------------------------------------------------------------


def test_partial_fit_goes_on_with_each_member(panel, windows):
    parts = make_ensemble()
    for epochs in (1, 2):
        parts.partial_fit(windows, panel[1])
        assert [member.n_iter_ for member in parts.estimators_] == [epochs] * 3
    first = parts.estimators_[0]
    alone = make_one(random_state=first.random_state).partial_fit(windows, panel[1]).partial_fit(windows, panel[1])
    assert same_weights(alone, first)


def test_every_fit_is_a_fresh_one(panel, windows, ensemble):
    cold = make_ensemble(warm_start=True).fit(windows, panel[1]).fit(windows, panel[1])
    assert [member.n_iter_ for member in cold.estimators_] == [2, 2, 2]
    assert all(same_weights(*pair) for pair in zip(cold.estimators_, ensemble.estimators_, strict=True))
    assert len(cold.set_params(n_members=1).fit(windows, panel[1]).estimators_) == 1


def test_only_what_goes_on_has_partial_fit():
    assert hasattr(EnsembleRegressor(SGDRegressor()), "partial_fit")
    assert not hasattr(EnsembleRegressor(RandomForestRegressor()), "partial_fit")


def test_a_fit_that_fails_keeps_the_members_of_the_last_one(panel, windows):
    ensemble = make_ensemble().fit(windows, panel[1])
    y_pred = ensemble.predict(windows)
    with pytest.raises(NonFiniteLossError):
        ensemble.set_params(estimator__lr=1e30).fit(windows, panel[1])
    np.testing.assert_array_equal(ensemble.predict(windows), y_pred)


def test_clones_forget_and_pickles_remember(windows, ensemble):
    fresh = clone(ensemble)
    assert not hasattr(fresh, "estimators_")
    loaded = pickle.loads(pickle.dumps(ensemble))
    np.testing.assert_array_equal(loaded.predict(windows, members=True), ensemble.predict(windows, members=True))


# --- forecasts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("routing", [False, True])
def test_through_a_pipeline_members_come_last(panel, routing):
    X_train, X_test, y_train, y_test = split(*panel)
    with config_context(enable_metadata_routing=routing):
        pipe = make_pipe(quantiles=(0.1, 0.9)).fit(X_train, y_train)
        assert pipe.predict(X_test, members=True).shape == (20, 3)
        both = pipe.predict(X_test, quantiles=[0.1, 0.5, 0.9], members=True)
        means = pipe.predict(X_test, quantiles=[0.1, 0.5, 0.9])
    assert both.shape == (20, 3, 3)
    assert (np.diff(both, axis=1) >= 0).all()
    np.testing.assert_allclose(means, both.mean(axis=-1))
    np.testing.assert_allclose(pipe.predict(X_test), both[:, 1].mean(axis=-1))
    assert np.isfinite(pipe.score(X_test, y_test))


def test_two_targets_of_every_member(panel, windows):
    both = pd.DataFrame({"a": panel[1], "b": 1000 - panel[1], "c": panel[1]})
    ensemble = make_ensemble(quantiles=(0.1, 0.9)).fit(windows, both)
    assert ensemble.predict(windows, members=True).shape == (len(windows), 3, 3, 3)
    quantiles = ensemble.predict(windows, quantiles=[0.1, 0.9], members=True)
    assert quantiles.shape == (len(windows), 3, 3, 2, 3)
    np.testing.assert_allclose(quantiles.mean(axis=(0, 1, 3, 4)), [0.5, 999.5, 0.5], atol=0.5)


def test_quantiles_may_be_any_iterable(panel, windows):
    ensemble = make_ensemble(quantiles=(0.1, 0.9)).fit(windows, panel[1])
    listed = ensemble.predict(windows, quantiles=[0.1, 0.9])
    np.testing.assert_array_equal(ensemble.predict(windows, quantiles=iter([0.1, 0.9])), listed)


def test_quantiles_are_refused_where_none_were_trained(windows, ensemble):
    with pytest.raises(ValueError, match=r"predict\(quantiles=...\): fit with LSTMRegressor\(quantiles="):
        ensemble.predict(windows, quantiles=[0.5])


def test_missing_history_is_warned_of_once(panel):
    X_train, X_test, y_train, _ = split(*panel)
    pipe, X_test = make_pipe().fit(X_train, y_train), X_test.copy()
    X_test.iloc[1, 0] = np.nan
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        pipe.predict(X_test)
    assert [warning.category for warning in caught] == [MissingHistoryWarning]


def test_arrays_are_fitted_and_checked(panel):
    rng = np.random.default_rng(0)
    X, y = pd.DataFrame(rng.standard_normal((30, 2)), columns=["a", "b"]), rng.standard_normal(30)
    ensemble = make_ensemble().fit(X, y)
    assert ensemble.predict(X).shape == (30,)
    assert ensemble.n_features_in_ == 2
    assert ensemble.feature_names_in_.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="feature names should match"):
        ensemble.predict(X.rename(columns={"a": "c"}))
    ensemble.fit(X.to_numpy(), y)  # forgets the names
    assert ensemble.predict(X.to_numpy()).shape == (30,)
    assert not hasattr(ensemble, "feature_names_in_")


def test_each_series_may_have_an_ensemble_of_its_own(panel):
    X_train, X_test, y_train, _ = split(*panel)
    regressor = PerSeriesRegressor(make_pipe(n_members=2, quantiles=(0.1, 0.9))).fit(X_train, y_train)
    assert regressor.predict(X_test, quantiles=[0.1, 0.9]).shape == (20, 2)


# --- weights and blocks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("routing", [False, True])
def test_weights_reach_every_member(panel, ensemble, routing):
    weight = np.where(np.arange(160) < 80, 1.0, 0.1)
    with config_context(enable_metadata_routing=routing):
        pipe = make_pipe()
        if routing:
            pipe[0].set_fit_request(sample_weight=False)
            pipe[-1].set_fit_request(sample_weight=True).estimator.set_fit_request(sample_weight=True)
        name = "sample_weight" if routing else "ensemble__sample_weight"
        weighted = pipe.fit(*panel, **{name: weight})[-1]
    alone = make_one(random_state=weighted.estimators_[2].random_state)
    windows = pipe[:-1].fit_transform(panel[0])
    assert same_weights(alone.fit(windows, panel[1], sample_weight=weight), weighted.estimators_[2])
    assert not same_weights(clone(alone).fit(windows, panel[1]), weighted.estimators_[2])


def test_a_member_weighs_the_rows_by_how_often_it_drew_their_block(panel, windows):
    y, given = panel[1], np.random.default_rng(0).random(160) + 0.5
    ensemble = make_ensemble(n_members=2, bootstrap_rows=9).fit(windows, y, sample_weight=given)
    times = np.tile(np.arange(80), 2)  # of both series alike
    for member in ensemble.estimators_:
        counts = draw_blocks(times, np.ones(160, bool), 9, member.random_state)
        alone = make_one(random_state=member.random_state).fit(windows, y, sample_weight=given * counts)
        assert same_weights(alone, member)
    forecasts = ensemble.predict(windows, members=True)
    assert abs(forecasts[..., 0] - forecasts[..., 1]).max() > 1e-3
    assert not same_weights(make_ensemble(n_members=1).fit(windows, y).estimators_[0], ensemble.estimators_[0])


def test_rows_of_one_time_have_one_number_whatever_the_order_of_the_table():
    X, _ = make_panel(n_series=3, n_rows=30, interleave=True, random_state=0)
    keep = np.random.default_rng(0).random(90) < 0.9
    keep[:3] = keep[-3:] = True
    X = X[keep]
    times = row_times(SlidingWindower(4, 2).fit_transform(X), len(X))
    by_time = pd.Series(times).groupby(X.index.get_level_values("time"))
    assert (by_time.min() == by_time.max()).all()
    assert (np.diff(pd.Series(times, X.index.get_level_values("time")).sort_index()) >= 0).all()
    np.testing.assert_array_equal(row_times(np.zeros((7, 3)), 7), np.arange(7))


@st.composite
def some_rows(draw):
    """The times of some rows of several series, which have a target, and the length of a block."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    lengths = draw(st.lists(st.integers(3, 12), min_size=1, max_size=3))
    times = np.concatenate([np.sort(rng.choice(40, size=length, replace=False)) for length in lengths])
    teaches = rng.random(len(times)) < 0.6
    teaches[0] = True
    return times, teaches, draw(st.integers(1, 15))


@settings(deadline=None, max_examples=100)
@given(some_rows(), st.integers(0, 99))
def test_as_many_blocks_of_time_are_drawn_as_there_are_and_all_series_alike(rows, seed):
    times, teaches, length = rows
    drawn, distinct = draw_blocks(times, teaches, length, seed), sorted({*times.tolist()})
    blocks = [np.isin(times, distinct[begin : begin + length]) for begin in range(0, len(distinct), length)]
    assert all(len({*drawn[block]}) == 1 for block in blocks)
    counts = [drawn[block][0] for block in blocks]
    assert sum(counts) == sum(teaches[block].any() for block in blocks)
    assert not any(count for block, count in zip(blocks, counts, strict=True) if not teaches[block].any())


def test_blocks_are_drawn_with_replacement_and_the_seed_decides():
    def draw(seed, rows=5):
        return draw_blocks(np.arange(40), np.ones(40, bool), rows, seed)[::5]  # of 8 blocks

    draws = [draw(seed) for seed in range(100)]
    np.testing.assert_array_equal(draws[3], draw(3))
    assert len({tuple(drawn) for drawn in draws}) > 90
    assert abs(np.mean([drawn == 0 for drawn in draws]) - (7 / 8) ** 8) < 0.06  # how often a block is never drawn
    np.testing.assert_array_equal(draw(0, rows=40), 1.0)  # a single block is always drawn


# --- callbacks --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_jobs", [None, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("wrap", ["regressor", "pipeline"])
def test_a_progress_bar_shows_every_member(panel, windows, capsys, wrap, n_jobs):
    bar = ProgressBar(max_propagation_depth=None)
    if wrap == "regressor":
        make_ensemble(n_members=2, n_jobs=n_jobs).set_callbacks(bar).fit(windows, panel[1])
    else:
        make_pipe(n_members=2, n_jobs=n_jobs).set_callbacks(bar).fit(*panel)
    shown = capsys.readouterr().out
    assert "EnsembleRegressor - member | LSTMRegressor - fit" in shown


def test_a_progress_bar_reaches_members_through_a_search(panel, capsys):
    pipe = make_pipe(n_members=2, max_epochs=1)
    search = GridSearchCV(pipe, {"ensemble__estimator__lr": [0.01]}, cv=PanelTimeSeriesSplit(2))
    search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(*panel)
    assert "EnsembleRegressor - member | LSTMRegressor - fit" in capsys.readouterr().out


def test_a_scoring_monitor_of_the_members_logs_their_epochs(panel, windows):
    y = panel[1].mask(np.arange(160) % 40 == 0)
    monitor = ScoringMonitor(scoring=ignore_missing("neg_mean_absolute_error"))
    ensemble = make_ensemble(n_members=2)
    ensemble.estimator.set_callbacks(monitor)
    ensemble.fit(windows, y)
    log = pd.concat([log.data_as_pandas for log in np.atleast_1d(monitor.get_logs())])
    targets = windows.targets(y)
    complete = ~np.isnan(targets).any(axis=1)
    last = [-np.abs(targets - one.predict(windows))[complete].mean() for one in ensemble.estimators_]
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
    ensemble = make_ensemble(max_epochs=5)
    ensemble.estimator.set_callbacks(StopsAtOnce())
    ensemble.fit(windows, panel[1])
    assert [member.n_iter_ for member in ensemble.estimators_] == [1, 1, 1]


# --- refusals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [{"n_members": 0}, {"bootstrap_rows": 0}, {"n_jobs": 1.5}])
def test_bad_parameters_are_named(windows, panel, bad):
    with pytest.raises(ValueError, match=f"The '{next(iter(bad))}' parameter of EnsembleRegressor"):
        make_ensemble(**bad).fit(windows, panel[1])


def test_what_validates_is_there_whatever_blocks_are_drawn():
    X, y = make_panel(n_series=1, n_rows=24 * 20, random_state=0)
    windows = SlidingWindower(24, 6, stride=6, known=["wind"]).fit_transform(X)
    stops = DLinearRegressor(max_epochs=1, early_stopping=True, device="cpu")
    for seed in range(30):  # two blocks of ten days, of which the later one, with the holdout, is often not drawn
        ensemble = EnsembleRegressor(stops, 1, bootstrap_rows=240, random_state=seed).fit(windows, y)
        assert 0 < ensemble.estimators_[0].history_["valid_loss"][0] < np.inf
