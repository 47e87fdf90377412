import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import Pipeline

from skts import HistoryPrepender, SlidingWindower
from skts.exceptions import FutureTrainingWarning
from skts.model_selection import PanelTimeSeriesSplit, backtest
from skts.panel import PanelIndex
from skts.strategies import WindowedRegressor
from skts.windows._trained_times import TrainedTimes, longest_of_each
from tests._panels import by_series, make_frame, make_table, ragged_panels, where

X = make_table([(s, h) for h in range(120) for s in "ab"])
Y = X["seen"].rename("y")
PIPE = Pipeline(
    [
        ("history", HistoryPrepender(6)),
        ("windows", SlidingWindower(6, 3)),
        ("net", WindowedRegressor(LinearRegression())),
    ]
)


@settings(deadline=None, max_examples=60)
@given(ragged_panels(max_rows=9), st.data())
def test_rows_that_training_has_passed_are_those_before_its_last_row_that_it_did_not_have(table, data):
    taught = np.array(data.draw(st.lists(st.booleans(), min_size=len(table), max_size=len(table)).filter(any)))
    panel = PanelIndex.read(table)
    training = PanelIndex.read(table[taught], panel.layout)
    hours = {series: [hour for hour, _ in rows] for series, rows in by_series(table[taught]).items()}
    found = np.empty(len(table), dtype=bool)
    found[panel.rows] = TrainedTimes.read(training).passed(panel)
    expected = [s in hours and h < hours[s][-1] and h not in hours[s] for s, h in where(table)]
    assert found.tolist() == expected


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(2, 9)), max_size=60))
def test_the_longest_gaps_of_each_series_are_kept(some):
    series, lengths = np.array(sorted(some), dtype=np.int64).reshape(-1, 2).T
    kept = longest_of_each(lengths, np.arange(len(some)), series)
    assert (np.diff(kept) > 0).all()
    for number in np.unique(series):
        own = sorted(lengths[series == number])
        assert sorted(lengths[kept][series[kept] == number]) == own[-8:]


@pytest.mark.filterwarnings("ignore::skts.exceptions.MissingHistoryWarning")
def test_folds_that_train_on_the_future_are_noticed_with_row_and_way_out():
    place = "80 of 80 rows to forecast lie before .* 2024-01-01 00:00:00 of series 'a'.*PanelTimeSeriesSplit"
    with pytest.warns(FutureTrainingWarning, match=place):
        HistoryPrepender(6).fit(X[80:]).transform(X[:80])
    with pytest.warns(FutureTrainingWarning):
        cross_val_score(PIPE, X, Y, cv=KFold(3))
    middle = np.r_[0:80, 160:240]
    with pytest.warns(FutureTrainingWarning, match="80 of 80"):
        HistoryPrepender(6).fit(X.iloc[middle]).transform(X[80:160])
    with pytest.warns(FutureTrainingWarning, match="10 of 15 rows.*of the table"):
        HistoryPrepender(6).fit(make_frame(range(10, 60))).transform(make_frame(range(15)))


@pytest.mark.filterwarnings("ignore::skts.exceptions.MissingHistoryWarning")
def test_what_is_tested_after_training_or_on_its_own_rows_is_no_news():
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureTrainingWarning)
        cross_val_score(PIPE, X, Y, cv=PanelTimeSeriesSplit(3, test_size=12))
        backtest(PIPE, X, Y, cv=PanelTimeSeriesSplit(3, test_size=12), refit=False)
        fitted = PIPE.fit(X[:160], Y[:160])
        for some in (X[:160], X[40:90], X[150:], X[160:], make_table([("c", 1), ("c", 2)])):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", category=UserWarning)
                warnings.simplefilter("error", FutureTrainingWarning)
                fitted.predict(some)


def test_few_numbers_are_remembered_of_a_table_full_of_gaps():
    hours = np.arange(500) + np.arange(500) // 3
    prepender = HistoryPrepender(2).fit(
        pd.DataFrame({"wind": 1.0}, index=pd.PeriodIndex.from_ordinals(hours, freq="h"))
    )
    assert len(prepender._trained.gaps) == 8
