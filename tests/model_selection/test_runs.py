"""Splits and backtests of tables with runs."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skts import HistoryPrepender, SlidingWindower
from skts.metrics import ignore_missing
from skts.model_selection import LeaveSeriesOut, PanelTimeSeriesSplit, PurgedPanelKFold, backtest, score_table
from skts.strategies import WindowedRegressor
from tests._runs import HOUR, START, forecast_runs, of_runs

X, y = forecast_runs(10)
RUN, TIME = (X.index.get_level_values(level) for level in ("run", "time"))


def forecaster(window=12):
    windower = SlidingWindower(window, 24, known=["wind"])
    return make_pipeline(HistoryPrepender(window), windower, WindowedRegressor(Ridge()))


@pytest.mark.parametrize("cv", [PanelTimeSeriesSplit(3, test_size=4), PurgedPanelKFold(4, window=12, horizon=24)])
def test_no_run_is_cut_and_none_that_trains_reaches_into_what_is_tested(cv):
    for train, test in cv.split(X, y):
        for part in (train, test):
            runs = X.index[part].droplevel("time")
            assert runs.value_counts().eq(24).all()
        assert not RUN[train].isin(RUN[test]).any()
        assert not TIME[train].isin(TIME[test]).any()


def test_sizes_of_a_split_count_runs_and_the_last_runs_before_it_are_purged():
    (train, test), *_ = PanelTimeSeriesSplit(3, test_size=4).split(X, y)
    assert RUN[test].unique().tolist() == [START + 12 * hours * HOUR for hours in range(8, 12)]
    # the run of hour 84 ends after the first test run starts; that of hour 72 ends right before
    assert RUN[train].max() == START + 72 * HOUR
    assert (np.diff(RUN[train].asi8) >= 0).all()


def test_a_day_ahead_run_whose_truth_ends_after_the_first_test_run_is_made_does_not_train():
    ahead, _ = forecast_runs(10, every=24, first=5)  # made at midnight, of 05:00 to 04:00 of the next day
    run, time = (ahead.index.get_level_values(level) for level in ("run", "time"))
    for train, test in PanelTimeSeriesSplit(3, test_size=2).split(ahead):
        assert time[train].max() == run[test].min() - 20 * HOUR
        assert time[train].max() <= run[test].min() < time[test].min()


def test_a_purged_fold_keeps_a_window_away_from_the_runs_before_it():
    folds = list(PurgedPanelKFold(4, window=12, horizon=24, embargo=5).split(X, y))
    assert_array_equal(np.sort(np.concatenate([test for _, test in folds])), np.arange(len(X)))
    for train, test in folds:
        is_before = RUN[train] < RUN[test].min()
        assert (TIME[train][is_before] < TIME[test].min() - 12 * HOUR).all()
        assert (TIME[train][~is_before] > TIME[test].max() + 5 * HOUR).all()


def test_a_split_that_leaves_nothing_to_train_on_is_refused():
    with pytest.raises(ValueError, match="all runs before a test set reach into its times"):
        list(PanelTimeSeriesSplit(19, test_size=1).split(X, y))


def test_leaving_series_out_leaves_all_their_runs_out():
    for train, test in LeaveSeriesOut().split(X, y):
        assert set(X.index[train].unique("farm")).isdisjoint(X.index[test].unique("farm"))


def test_a_backtest_says_which_run_and_lead_each_forecast_is_of():
    cv = PanelTimeSeriesSplit(2, test_size=4)
    result = backtest(forecaster(), X, y, cv=cv)
    tests = np.concatenate([test for _, test in cv.split(X, y)])
    assert list(result.columns) == ["farm", "time", "origin", "lead", "fold", "y_true", "y_pred"]
    assert_array_equal(result["origin"], RUN[tests])
    assert_array_equal(result["lead"], (TIME - RUN)[tests] // HOUR)
    assert score_table(result, by="lead").index.tolist() == list(range(1, 25))
    train, test = list(cv.split(X, y))[1]
    assert_allclose(
        result.loc[result["fold"] == 1, "y_pred"],
        forecaster().fit(X.iloc[np.sort(train)], y.iloc[np.sort(train)]).predict(X.iloc[test]),
        rtol=0.2,  # the history comes from the purged runs, whose lead is shorter
    )


def test_a_backtest_without_refitting_reads_the_latest_run_before_each_test():
    """What was said of the hours before a test run by the runs between training and it is read, and nothing later."""
    cv = PanelTimeSeriesSplit(2, test_size=4)
    (train, _), (_, test) = cv.split(X, y)
    rolled = backtest(forecaster(), X, y, cv=cv, refit=False).query("fold == 1")["y_pred"]
    fitted = forecaster().fit(X.iloc[np.sort(train)], y.iloc[np.sort(train)])
    fitted[0].fit(X[RUN[test].min() > RUN])
    assert_allclose(rolled, fitted.predict(X.iloc[test]), rtol=1e-5)


def test_a_grid_is_searched_over_runs():
    search = GridSearchCV(
        forecaster(),
        {"windowedregressor__estimator__alpha": [1.0, 1e6]},
        cv=PanelTimeSeriesSplit(2, test_size=4),
        scoring=ignore_missing("neg_mean_absolute_error"),
    )
    assert search.fit(X, y).best_params_ == {"windowedregressor__estimator__alpha": 1.0}


def test_a_backtest_of_rows_without_windows_knows_the_runs_too():
    train, test = np.flatnonzero(of_runs(X, 0, 7)), np.flatnonzero(of_runs(X, 8))
    result = backtest(Ridge(), X[["wind"]], y, cv=[(train, test)])
    assert_array_equal(result["lead"], (TIME - RUN)[test] // HOUR)
    assert pd.Index(result["origin"]).equals(RUN[test].rename("origin"))
