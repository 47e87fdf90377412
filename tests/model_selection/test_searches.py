"""What scikit-learn's searches and curves make of the splits."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyRegressor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, cross_val_score, learning_curve

from skts import LSTMRegressor
from skts.datasets import make_panel
from skts.exceptions import LostSeriesError
from skts.model_selection import LeaveSeriesOut, PanelTimeSeriesSplit, PurgedPanelKFold
from tests._panels import make_table, ragged_panels, where
from tests.model_selection._forecasters import WindowRidge, windowed

SPLITTERS = [PanelTimeSeriesSplit(2), PurgedPanelKFold(3, window=2, horizon=1, embargo=1), LeaveSeriesOut()]


class Recorder(DummyRegressor):
    """Keeps the tables that it is fitted on."""

    tables: list = []

    def fit(self, X, y):
        self.tables.append(X)
        return super().fit(X, y)


@settings(deadline=None, max_examples=50)
@given(ragged_panels(max_rows=40), st.sampled_from(SPLITTERS))
def test_training_rows_come_in_the_order_of_their_times_and_those_of_one_time_in_that_of_the_table(X, cv):
    try:
        splits = list(cv.split(X))
    except ValueError:  # too few rows or series
        return
    hours = [hour for _, hour in where(X)]
    for train, test in splits:
        assert train.tolist() == sorted(train, key=lambda row: (hours[row], row))
        assert test.tolist() == sorted(test)


@pytest.mark.parametrize("cv", SPLITTERS, ids=lambda cv: type(cv).__name__)
@pytest.mark.parametrize("interleave", [False, True])
def test_a_learning_curve_trains_on_the_earliest_times_of_all_stations(cv, interleave):
    X, y = make_panel(n_series=3, n_rows=40, interleave=interleave, random_state=0)
    Recorder.tables.clear()
    sizes, _, _ = learning_curve(Recorder(), X, y, cv=cv, train_sizes=[0.2, 0.55, 1.0])
    trains = [X.iloc[np.sort(train)] for train, _ in cv.split(X) for _ in sizes]
    assert len(Recorder.tables) == len(trains)
    for table, whole in zip(Recorder.tables, trains, strict=True):
        boundary = table.index.get_level_values("time").max()
        before, upto = (whole[compare(whole.index.get_level_values("time"), boundary)] for compare in COMPARE)
        assert set(before.index) <= set(table.index) <= set(upto.index)


COMPARE = [lambda times, boundary: times < boundary, lambda times, boundary: times <= boundary]


def test_a_learning_curve_of_windows_has_a_score_for_every_size():
    X, y = make_panel(n_series=3, n_rows=90, random_state=0)
    _, train, test = learning_curve(
        windowed(WindowRidge()), X, y, cv=PanelTimeSeriesSplit(2, test_size=12), train_sizes=[0.3, 1.0]
    )
    assert np.isfinite(train).all()
    assert np.isfinite(test).all()


def lstm():
    X, y = make_panel(n_series=2, n_rows=80, random_state=0)
    return windowed(LSTMRegressor(hidden_size=2, max_epochs=1, device="cpu", random_state=0)), X, y


def test_rows_drawn_at_random_by_a_search_are_refused_with_the_resource_to_give():
    pipe, X, y = lstm()
    search = HalvingGridSearchCV(pipe, {"lstmregressor__lr": [0.01, 0.02]}, cv=PanelTimeSeriesSplit(2, test_size=12))
    with pytest.raises(ValueError, match=r'decreases from .*HalvingGridSearchCV.*resource="lstm__max_epochs"'):
        search.fit(X, y)


@pytest.mark.filterwarnings("ignore::skts.exceptions.MissingHistoryWarning")  # of the training table itself
def test_a_halving_search_over_epochs_works():
    pipe, X, y = lstm()
    search = HalvingGridSearchCV(
        pipe,
        {"lstmregressor__lr": [0.01, 0.02]},
        resource="lstmregressor__max_epochs",
        max_resources=4,
        factor=2,
        cv=PanelTimeSeriesSplit(2, test_size=12),
        error_score="raise",
    )
    search.fit(X, y)
    assert search.n_resources_ == [2, 4]
    assert len(search.predict(X.iloc[:10])) == 10


@pytest.mark.parametrize("cv", SPLITTERS, ids=lambda cv: type(cv).__name__)
@pytest.mark.parametrize("table", [np.asarray, lambda X: X.reset_index(drop=True)])
def test_groups_do_not_stand_for_series_in_the_index(cv, table):
    X, y = make_panel(n_series=3, n_rows=30, random_state=0)
    groups = X.index.get_level_values("station")
    with pytest.raises(LostSeriesError, match=rf"{type(cv).__name__}: groups name 3 .*X.set_index\(\[series, time\]\)"):
        next(cv.split(table(X), None, groups))
    with pytest.raises(LostSeriesError, match=r"X.set_index\(\[series, time\]\)"):
        GridSearchCV(DummyRegressor(), {"quantile": [0.5]}, cv=cv).fit(table(X), y.to_numpy(), groups=groups)


def test_groups_beside_a_table_that_has_its_series_are_no_matter():
    X, y = make_panel(n_series=3, n_rows=30, random_state=0)
    for cv in SPLITTERS:
        scores = [cross_val_score(DummyRegressor(), X, y, cv=cv, groups=groups) for groups in (None, np.arange(len(X)))]
        np.testing.assert_array_equal(*scores)
    one = pd.DataFrame({"x": np.zeros(9)})
    next(PanelTimeSeriesSplit(2).split(one, None, np.zeros(9)))
    next(PanelTimeSeriesSplit(2).split(make_table([("a", hour) for hour in range(9)]), None, np.arange(9)))
