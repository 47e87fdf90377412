import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from joblib import parallel_config
from sklearn.base import clone
from sklearn.callback import ProgressBar
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import VotingRegressor
from sklearn.exceptions import FitFailedWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, KFold, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skts import DLinearRegressor, LSTMRegressor, SlidingWindower, update
from skts.datasets import make_panel
from skts.exceptions import FutureTrainingWarning, LostSeriesError, MissingHistoryWarning, ShortSeriesError
from skts.model_selection import LeaveSeriesOut, PanelTimeSeriesSplit, PurgedPanelKFold, backtest
from skts.strategies import CombinationRegressor, PerSeriesRegressor
from tests._callbacks import Recorder
from tests._panels import CALENDARS, hourly, lookup, where
from tests.model_selection._forecasters import LastSeen, NumberTrainedOn, WindowRidge, windowed
from tests.model_selection._long_panels import long_panels

quick = settings(deadline=None, max_examples=60)
SPLIT = PanelTimeSeriesSplit(3, test_size=10)
ignore_short = pytest.mark.filterwarnings(
    "ignore::skts.exceptions.ShortSeriesWarning", "ignore::skts.exceptions.UnseenSeriesWarning"
)
trained_after = pytest.mark.filterwarnings("ignore::skts.exceptions.FutureTrainingWarning")
splitters = st.one_of(
    st.builds(
        PanelTimeSeriesSplit,
        st.integers(2, 3),
        test_size=st.integers(1, 6),
        gap=st.integers(0, 3),
        step=st.none() | st.integers(1, 5),
    ),
    st.builds(PurgedPanelKFold, st.integers(2, 3), window=st.just(1), horizon=st.just(1), embargo=st.integers(0, 2)),
    st.builds(LeaveSeriesOut),
)


def panel(**kwargs):
    return make_panel(**{"n_series": 2, "n_rows": 60, "random_state": 0, **kwargs})


def hours_in(X, times):
    dtype = X.index.get_level_values(-1).dtype
    calendar = next(calendar for calendar in CALENDARS if calendar.dtype == dtype)
    assert times.dtype == dtype
    step = calendar[1] - calendar[0]
    return [round((time - calendar[0]) / step) for time in times]  # an origin may lie in a gap, so look none up


def splits_of(cv, X):
    try:
        return list(cv.split(X))
    except ValueError:  # too few rows or series
        assume(False)


@ignore_short
@trained_after
@quick
@given(long_panels(), splitters, st.integers(1, 3), st.sampled_from([True, False, 2]))
def test_every_forecast_reads_the_row_before_its_origin_and_blocks_follow_each_other(X, cv, horizon, refit):
    splits = splits_of(cv, X)
    assume(all(hourly(X.iloc[train]) for train, _ in splits))
    refit = refit if isinstance(cv, PanelTimeSeriesSplit) else True
    try:
        result = backtest(windowed(LastSeen(), 1, horizon), X, X["seen"], cv=splits, refit=refit, on_error="raise")
    except ShortSeriesError:
        assume(False)
    values, rows = lookup(X), where(X)
    tested = [(fold, row) for fold, (_, test) in enumerate(splits) for row in test]
    assert result["fold"].tolist() == [fold for fold, _ in tested]
    first = {}
    hours, origins = hours_in(X, result["time"]), hours_in(X, result["origin"])
    for (fold, row), forecast, hour, origin in zip(tested, result.itertuples(), hours, origins, strict=True):
        assert (forecast.series, hour) == rows[row]
        assert forecast.y_true == row
        assert forecast.lead == hour - origin + 1
        assert 1 <= forecast.lead <= horizon
        assert (origin - first.setdefault((fold, forecast.series), hour)) % horizon == 0
        seen = values.get((forecast.series, origin - 1), [np.nan])[0]
        np.testing.assert_equal(forecast.y_pred, seen)


@pytest.mark.parametrize("interleave", [False, True])
def test_it_is_fit_and_predict_for_every_fold(interleave):
    X, y = panel(missing=0.1, interleave=interleave)
    pipe = windowed(WindowRidge(), scale=True)
    result = backtest(pipe, X, y, cv=SPLIT)
    for fold, (train, test) in enumerate(SPLIT.split(X)):
        train, some = np.sort(train), result[result["fold"] == fold]
        np.testing.assert_array_equal(
            some["y_pred"], clone(pipe).fit(X.iloc[train], y.iloc[train]).predict(X.iloc[test])
        )
        np.testing.assert_array_equal(some["y_true"], y.iloc[test])
        assert list(zip(some["station"], some["time"], strict=True)) == X.index[test].tolist()
    assert not hasattr(pipe[-1], "ridge_")


def test_between_two_trainings_everything_but_the_history_stays_as_trained():
    X, y = panel()
    pipe = windowed(WindowRidge(), scale=True)
    result = backtest(pipe, X, y, cv=SPLIT, refit=False)
    hours = X.index.get_level_values("time")
    (train, _), *_ = SPLIT.split(X)
    train = np.sort(train)
    scaler, prepender, windower, ridge = clone(pipe).fit(X.iloc[train], y.iloc[train])
    for fold, (_, test) in enumerate(SPLIT.split(X)):
        rolled = make_pipeline(FrozenEstimator(scaler), clone(prepender), clone(windower), FrozenEstimator(ridge))
        rolled.set_output(transform="pandas")
        past = hours < hours[test].min()
        expected = rolled.fit(X[past], y[past]).predict(X.iloc[test])
        np.testing.assert_array_equal(result.loc[result["fold"] == fold, "y_pred"], expected)


@pytest.mark.parametrize("refit", [False, 2])
@pytest.mark.parametrize("gap", [0, 4])
def test_the_first_fold_does_not_depend_on_refit(refit, gap):
    X, y = panel()
    cv = PanelTimeSeriesSplit(3, test_size=10, gap=gap)
    every, rarely = (backtest(windowed(WindowRidge()), X, y, cv=cv, refit=each) for each in (True, refit))
    first = every["fold"] == 0
    pd.testing.assert_frame_equal(rarely[first], every[first])
    pd.testing.assert_frame_equal(rarely.drop(columns="y_pred"), every.drop(columns="y_pred"))
    assert not np.allclose(rarely["y_pred"], every["y_pred"])


@pytest.mark.parametrize(("refit", "trainings"), [(True, [0, 1, 2, 3, 4]), (False, [0] * 5), (2, [0, 0, 2, 2, 4])])
def test_training_happens_every_kth_fold(refit, trainings):
    X, y = panel(n_series=1)
    cv = PanelTimeSeriesSplit(5, test_size=6)
    n_rows = [len(train) for train, _ in cv.split(X)]
    result = backtest(windowed(NumberTrainedOn()), X, y, cv=cv, refit=refit)
    assert result.groupby("fold")["y_pred"].unique().tolist() == [[n_rows[k]] for k in trainings]


def frozen(pipe):
    X, y = panel()
    return FrozenEstimator(pipe.fit(X.iloc[:40], y.iloc[:40]))


@pytest.mark.filterwarnings("ignore::skts.exceptions.UnseenSeriesWarning")  # the frozen one knows one series
@pytest.mark.parametrize(
    "around",
    [
        lambda pipe: make_pipeline("passthrough", pipe),
        lambda pipe: GridSearchCV(pipe, {"slidingwindower__horizon": [4]}, cv=PanelTimeSeriesSplit(2, test_size=4)),
        lambda pipe: TransformedTargetRegressor(pipe, check_inverse=False),
        lambda pipe: VotingRegressor([("one", pipe), ("two", pipe)]),
        PerSeriesRegressor,
        frozen,
    ],
    ids=["Pipeline", "GridSearchCV", "TransformedTargetRegressor", "VotingRegressor", "PerSeriesRegressor", "Frozen"],
)
def test_history_rolls_on_inside_of_meta_estimators(around):
    X, y = panel()
    result = backtest(around(windowed(LastSeen(), 2, 4)), X, y, cv=SPLIT, refit=False, on_error="raise")
    assert result["lead"].max() == 4
    origins = pd.MultiIndex.from_arrays([result["station"], result["origin"] - pd.Timedelta(hours=1)])
    np.testing.assert_allclose(result["y_pred"], y.loc[origins], rtol=1e-6)


def test_the_past_of_a_test_block_is_all_that_is_known_before_it():
    X, y = panel()
    hour = np.tile(np.arange(60), 2)
    one = X.index.get_level_values("station") == "station_0"
    cv = [(np.flatnonzero(hour < 30), np.flatnonzero(one & (hour >= 40) & (hour < 46)))]
    count = FunctionTransformer(lambda X: X.assign(power=float(len(X))))
    result = backtest(make_pipeline(count, *windowed(LastSeen(), 2, 6)), X, y, cv=cv)
    assert result["y_pred"].unique().tolist() == [80.0]


def test_splits_may_be_masks_and_rows_in_any_order():
    X, y = panel()
    hour = np.tile(np.arange(60), 2)
    early, late = hour < 40, hour >= 40
    turned = np.flatnonzero(early)[::-1], np.flatnonzero(late)
    results = [backtest(windowed(WindowRidge()), X, y, cv=[split]) for split in ((early, late), turned)]
    pd.testing.assert_frame_equal(*results)


@trained_after
def test_one_row_before_a_block_of_one_row_is_its_past():
    X, y = panel()
    hour = np.tile(np.arange(60), 2)
    result = backtest(windowed(LastSeen(), 1, 1), X, y, cv=[(np.flatnonzero(hour > 9), np.flatnonzero(hour == 1))])
    np.testing.assert_allclose(result["y_pred"], y[hour == 0], rtol=1e-6)


def test_a_frozen_estimator_keeps_its_own_history():
    X, y = panel()
    pipe = windowed(LastSeen()).fit(X, y)
    backtest(FrozenEstimator(pipe), X, y, cv=SPLIT, refit=False)
    pd.testing.assert_frame_equal(pipe[0].tail_, X[np.tile(np.arange(60) >= 58, 2)])


@pytest.mark.parametrize("refit", [True, False])
def test_an_array_has_row_numbers_for_times(refit):
    x = np.arange(40.0)
    result = backtest(windowed(LastSeen(), 2, 4), x[:, None], x, cv=PanelTimeSeriesSplit(3, test_size=10), refit=refit)
    assert result.columns[0] == "time"
    np.testing.assert_array_equal(result["time"], result["y_true"])
    np.testing.assert_array_equal(result["origin"], result["time"] - (result["time"] % 10) % 4)
    np.testing.assert_array_equal(result["y_pred"], result["origin"] - 1)


def test_rows_that_come_later_are_no_history_of_an_array():
    x = np.arange(30.0)
    result = backtest(windowed(LastSeen(), 2, 4), x[:, None], x, cv=KFold(3).split(x))
    np.testing.assert_array_equal(result["y_pred"], np.where(result["origin"] == 0, np.nan, result["origin"] - 1))


def test_a_plain_regressor_learns_from_the_rows_with_a_target_and_forecasts_one_block():
    X, y = panel(missing=0.3)
    X = X[["wind"]]
    result = backtest(Ridge(), X, y, cv=SPLIT, on_error="raise")
    train, test = map(np.sort, list(SPLIT.split(X))[-1])
    last = result[result["fold"] == 2]
    there = train[y.iloc[train].notna()]
    np.testing.assert_array_equal(last["y_pred"], Ridge().fit(X.iloc[there], y.iloc[there]).predict(X.iloc[test]))
    assert last["lead"].tolist() == [*range(1, 11)] * 2
    assert last["origin"].unique().tolist() == [X.index.get_level_values("time")[test].min()]
    assert last["y_true"].isna().any()


def test_the_levels_of_the_index_are_columns():
    X, y = panel()
    X = pd.concat({"north": X}, names=["farm"])
    result = backtest(DummyRegressor(), X, y.to_numpy(), cv=SPLIT)
    assert result.columns.tolist()[:4] == ["farm", "station", "time", "origin"]
    X.index = X.index.set_names([None, None, None])
    assert backtest(DummyRegressor(), X, y, cv=SPLIT).columns.tolist()[:3] == ["series_0", "series_1", "time"]
    with pytest.raises(ValueError, match=r"level 'lead' .* names a series.*rename"):
        backtest(DummyRegressor(), X.rename_axis(["lead", "station", "time"]), y, cv=SPLIT)


def test_folds_may_run_in_parallel():
    X, y = panel()
    one = backtest(windowed(WindowRidge()), X, y, cv=SPLIT)
    with parallel_config(backend="threading"):  # as processes would, without the wait for them
        two = backtest(windowed(WindowRidge()), X, y, cv=SPLIT, n_jobs=2)
    pd.testing.assert_frame_equal(one, two)


def test_a_network_rolls_on_and_forecasts_quantiles():
    X, y = panel(n_rows=80)
    lstm = LSTMRegressor(hidden_size=2, max_epochs=2, quantiles=[0.1, 0.5, 0.9], random_state=0)
    cv = PanelTimeSeriesSplit(2, test_size=12)
    pipe = windowed(lstm, 6, 4)
    rolled, refitted = (backtest(pipe, X, y, cv=cv, refit=each, quantiles=[0.9, 0.2]) for each in (False, True))
    assert rolled.columns.tolist()[-3:] == ["y_pred", "q0.2", "q0.9"]
    pd.testing.assert_frame_equal(rolled[rolled["fold"] == 0], refitted[refitted["fold"] == 0])
    train, test = map(np.sort, list(cv.split(X))[-1])
    expected = clone(pipe).fit(X.iloc[train], y.iloc[train]).predict(X.iloc[test], quantiles=[0.2, 0.9])
    np.testing.assert_array_equal(refitted.loc[refitted["fold"] == 1, ["q0.2", "q0.9"]], expected)
    search = GridSearchCV(pipe, {"lstmregressor__lr": [lstm.lr]}, cv=2, scoring=lambda *_: 0.0)
    searched = backtest(search, X, y, cv=cv, quantiles=[0.2, 0.9])
    pd.testing.assert_frame_equal(searched, refitted)


def test_in_a_backtest_purged_rows_are_history():
    X, y = panel()
    lstm = windowed(LSTMRegressor(hidden_size=2, max_epochs=1, random_state=0), 4, 2)
    cv = PurgedPanelKFold(3, window=4, horizon=2)
    with pytest.warns() as caught:
        backtest(lstm, X, y, cv=cv)
    kinds = [each.category for each in caught]
    assert kinds.count(MissingHistoryWarning) == 1  # before the first block there is nothing
    assert kinds.count(FutureTrainingWarning) == 2  # after the last one, too
    assert len(kinds) == 3


def test_a_fold_that_fails_is_named_and_the_others_are_kept():
    X, y = panel(n_series=1)
    n_rows = [len(train) for train, _ in SPLIT.split(X)]
    pipe = windowed(NumberTrainedOn(failing=n_rows[1]))
    with pytest.warns(FitFailedWarning, match="left out fold 1: RuntimeError: no luck"):
        result = backtest(pipe, X, y, cv=SPLIT)
    assert result["fold"].unique().tolist() == [0, 2]
    with pytest.raises(RuntimeError, match="no luck"):
        backtest(pipe, X, y, cv=SPLIT, on_error="raise")
    pipe = windowed(NumberTrainedOn(failing=n_rows[0]))
    with pytest.raises(ValueError, match=r"no fold gave a forecast.\nfold 0: RuntimeError: no luck\nfold 1"):
        backtest(pipe, X, y, cv=SPLIT, refit=False)


def test_without_history_in_front_the_fold_says_what_to_do():
    X, y = panel()
    pipe = make_pipeline(SlidingWindower(2, 3), LastSeen())
    with pytest.raises(ValueError, match=r"shape \(16,\), and \(20,\) is expected.*put HistoryPrepender before"):
        backtest(pipe, X, y, cv=SPLIT, on_error="raise")
    with pytest.raises(ValueError, match=r"no fold gave a forecast.\nfold 0: ValueError: predict\(X\) gave"):
        backtest(pipe, X, y, cv=SPLIT)


@pytest.mark.parametrize(("cv", "folds"), [(KFold(3), "[0, 1, 2]"), (TimeSeriesSplit(3), "[1, 2]")])
def test_a_splitter_that_trains_on_the_future_is_warned_of(cv, folds):
    X, y = panel()
    message = re.escape(f"cv={type(cv).__name__}(...)): folds {folds} train on rows that are no earlier")
    with pytest.warns(FutureTrainingWarning, match=message):
        backtest(DummyRegressor(), X, y, cv=cv)


def test_a_splitter_that_is_made_for_it_and_a_past_of_one_series_are_not_warned_of():
    X, y = panel()
    for cv in (LeaveSeriesOut(), PurgedPanelKFold(3, window=2, horizon=1), list(KFold(3).split(X))):
        backtest(DummyRegressor(), X, y, cv=cv)
    backtest(DummyRegressor(), X.loc["station_0"], y.loc["station_0"], cv=TimeSeriesSplit(3))


@pytest.mark.parametrize("cv", [KFold(3), LeaveSeriesOut()])
def test_a_fold_is_not_forecast_by_who_was_trained_on_it(cv):
    X, y = panel()
    with pytest.raises(ValueError, match=r"refit=False\): the estimator of fold 0 forecasts fold 1 .* Give refit=True"):
        backtest(DummyRegressor(), X, y, cv=cv, refit=False)


def test_a_progress_bar_counts_the_trainings(capsys):
    X, y = panel(n_series=1)
    backtest(DummyRegressor(), X, y, cv=SPLIT, verbose=1)
    assert "backtest - folds" in capsys.readouterr().out
    backtest(DummyRegressor(), X, y, cv=SPLIT)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("refit", "n_trainings"), [(True, 3), (2, 2), (False, 1)])
def test_callbacks_of_the_estimator_are_told_of_every_training(refit, n_trainings):
    X, y = panel(n_series=1)
    recorder = Recorder()
    estimator = windowed(LSTMRegressor(2, max_epochs=2, device="cpu", random_state=0)).set_callbacks(recorder)
    backtest(estimator, X, y, cv=SPLIT, refit=refit)
    assert recorder.n_subtasks["backtest", "folds"] == n_trainings
    fits = [event[3] for event in recorder.events if event[:3] == ("end", "Pipeline", "fit")]
    assert fits == list(range(n_trainings))
    assert len(recorder.ended("epoch")) == 2 * n_trainings
    assert recorder.events.count("teardown") == 1


def test_trainings_that_fail_do_not_leave_callbacks_open():
    X, y = panel(n_series=1)
    recorder = Recorder()
    estimator = LSTMRegressor(-1, max_epochs=1, device="cpu").set_callbacks(recorder)
    with pytest.raises(ValueError, match="no fold gave a forecast"):
        backtest(estimator, X, y, cv=SPLIT)
    assert recorder.events[-2:] == [("end", "backtest", "folds", 0), "teardown"]


@pytest.mark.slow
def test_a_progress_bar_shows_trainings_in_other_processes(capsys):
    X, y = panel(n_series=1)
    estimator = windowed(LSTMRegressor(2, max_epochs=2, device="cpu")).set_callbacks(ProgressBar())
    backtest(estimator, X, y, cv=SPLIT, n_jobs=2)
    out = capsys.readouterr().out
    assert "backtest - fold | Pipeline - fit #2" in out
    assert "LSTMRegressor - fit" in out


def test_what_cannot_be_backtested_is_refused_with_the_way_out():
    X, y = panel()
    with pytest.raises(ValueError, match=r"y has shape \(120, 2\), and one target"):
        backtest(DummyRegressor(), X, X, cv=SPLIT)
    with pytest.raises(LostSeriesError, match="set_output"):
        backtest(DummyRegressor(), X.to_numpy(), y, cv=SPLIT)
    with pytest.raises(ValueError, match=r"cv=3\): a splitter is expected.*PanelTimeSeriesSplit\(3\)"):
        backtest(DummyRegressor(), X, y, cv=3)
    with pytest.raises(TypeError, match=r"Ridge\.predict takes no quantiles"):
        backtest(make_pipeline("passthrough", Ridge()), X, y, cv=SPLIT, quantiles=[0.5])
    with pytest.raises(ValueError, match="levels strictly between 0 and 1"):
        backtest(windowed(LSTMRegressor()), X, y, cv=SPLIT, quantiles=[10, 90])
    with pytest.raises(ValueError, match="'refit' parameter of backtest must be"):
        backtest(DummyRegressor(), X, y, cv=SPLIT, refit=0.5)
    two = VotingRegressor([("one", windowed(LastSeen(), 2, 3)), ("two", windowed(LastSeen(), 2, 4))])
    with pytest.raises(ValueError, match=r"SlidingWindowers of the horizons \[3, 4\]"):
        backtest(two, X, y, cv=SPLIT, on_error="raise")


# --- updates between two trainings -------------------------------------------------------------------


def around(**params):
    network = DLinearRegressor(max_epochs=1, random_state=0, **params)
    return CombinationRegressor([("net", windowed(network, scale=True)), ("mean", DummyRegressor())], method="boa")


@pytest.mark.parametrize("epochs", [0, 1])
def test_between_two_trainings_the_estimator_is_updated_with_the_rows_between(epochs):
    X, y = panel()
    result = backtest(around(), X, y, cv=SPLIT, refit=False, update_epochs=epochs, on_error="raise")
    fitted, learned = None, np.empty(0, dtype=np.int64)
    for fold, (train, test) in enumerate(SPLIT.split(X)):
        train, new = np.sort(train), np.setdiff1d(train, learned)
        if fitted is None:
            fitted = around().fit(X.iloc[train], y.iloc[train])
        else:
            update(fitted, X.iloc[new], y.iloc[new], epochs=epochs)
        learned = train
        np.testing.assert_allclose(result.loc[result["fold"] == fold, "y_pred"], fitted.predict(X.iloc[test]))
    still = backtest(around(), X, y, cv=SPLIT, refit=False)
    first = result["fold"] == 0
    np.testing.assert_array_equal(still.loc[first, "y_pred"], result.loc[first, "y_pred"])
    assert not np.allclose(still["y_pred"], result["y_pred"])


@pytest.mark.parametrize("gap", [0, 4])
def test_an_update_of_history_alone_is_what_a_backtest_does_anyhow(gap):
    X, y = panel()
    cv = PanelTimeSeriesSplit(3, test_size=10, gap=gap)
    one, other = (backtest(windowed(WindowRidge()), X, y, cv=cv, refit=2, update_epochs=each) for each in (None, 0))
    pd.testing.assert_frame_equal(one, other)


def test_an_estimator_that_a_user_has_frozen_is_not_updated():
    X, y = panel()
    pipe = windowed(LastSeen()).fit(X[:30], y[:30])
    tail = pipe[0].tail_
    backtest(FrozenEstimator(pipe), X, y, cv=SPLIT, refit=False, update_epochs=0, on_error="raise")
    assert pipe[0].tail_ is tail


def test_updates_that_cannot_be_are_refused_or_leave_out_a_fold():
    X, y = panel()
    with pytest.raises(ValueError, match=r"update_epochs=0, refit=True\) .* give refit=False"):
        backtest(windowed(WindowRidge()), X, y, cv=SPLIT, update_epochs=0)
    cv = PanelTimeSeriesSplit(2, test_size=10)
    with pytest.warns(FitFailedWarning, match="fold 1: ValueError: update.*no network"):
        result = backtest(windowed(WindowRidge()), X, y, cv=cv, refit=False, update_epochs=1)
    assert result["fold"].unique().tolist() == [0]
