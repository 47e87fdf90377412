import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor

from skts.commandline._job import Job
from skts.commandline._rivals import RowBoosting, SameHour, rivals
from skts.datasets import make_panel
from skts.exceptions import MissingHistoryWarning
from skts.inspection import check_leakage

pytestmark = pytest.mark.filterwarnings(f"ignore::{MissingHistoryWarning.__module__}.MissingHistoryWarning")
NAMES = ["boosting", "boosting (median)", "Ridge", "climatology", "last week", "yesterday", "persistence"]
JOB = Job("power", known=("wind",), window=24, horizon=6, bounds=(0.0, 1.0))


@pytest.fixture
def panel():
    X, y = make_panel(n_series=2, n_rows=480, missing=0.05, random_state=0)
    X["power"] = y
    new = X.index.get_level_values("time") >= X.index.get_level_values("time").unique()[400]
    return X[~new], X[new]


@pytest.mark.parametrize("name", NAMES)
def test_a_rival_answers_each_row_in_its_order(panel, name):
    X_train, X_test = panel
    rival = clone(rivals(JOB)[name]).fit(X_train, X_train["power"])
    forecast = pd.Series(rival.predict(X_test), X_test.index)
    assert forecast.notna().all()
    swapped = X_test.sort_index(level=1)
    np.testing.assert_allclose(rival.predict(swapped), forecast[swapped.index])


@pytest.mark.parametrize("name", ["boosting", "yesterday", "last week", "persistence"])
def test_a_rival_reads_nothing_from_the_origin_on_but_what_is_known(panel, name):
    X, _ = panel
    assert check_leakage(rivals(JOB)[name], X, X["power"], n_origins=3, random_state=0).ok


@pytest.mark.parametrize("n_days", [1, 7])
def test_the_same_hour_equals_the_obvious_loop(panel, n_days):
    X_train, X_test = panel
    rival = SameHour("power", 24, 30, n_days=n_days).fit(X_train, X_train["power"])  # longer than a day
    forecast = pd.Series(rival.predict(X_test), X_test.index)
    whole = pd.concat([X_train, X_test])["power"]
    first = X_test.index.get_level_values("time").min()
    mean = X_train.groupby(["station", X_train.index.get_level_values("time").hour])["power"].mean()
    for (station, time), value in forecast.items():
        origin = first + (time - first) // pd.Timedelta(hours=30) * pd.Timedelta(hours=30)
        then = time - pd.Timedelta(days=n_days)
        while then >= origin or np.isnan(whole.get((station, then), 0.0)):
            then -= pd.Timedelta(days=n_days)
        if (station, then) in whole:
            assert value == whole[station, then]
        else:
            assert value == mean[station, time.hour]


def test_boosting_is_that_of_scikit_learn_on_the_known_columns_hour_day_and_station(panel):
    X_train, X_test = panel

    def columns(X):
        station, time = X.index.get_level_values(0), X.index.get_level_values(1)
        return np.column_stack([X["wind"], time.hour, time.day_of_year, station == "station_1"])

    there = X_train["power"].notna()
    own = HistGradientBoostingRegressor(categorical_features=[3], random_state=0)
    own.fit(columns(X_train)[there], X_train["power"][there])
    rival = RowBoosting(("wind",)).fit(X_train, X_train["power"])
    np.testing.assert_allclose(rival.predict(X_test), own.predict(columns(X_test)))


def test_boosting_keeps_to_bounds_and_takes_stations_never_seen(panel):
    X_train, X_test = panel
    X_train, X_test = (X.assign(most=0.3) for X in (X_train, X_test))
    rival = RowBoosting(("wind",), bounds=(0.1, "most")).fit(X_train, X_train["power"])
    stranger = X_test.rename(index={"station_1": "station_9"}, level=0)
    for X in (X_test, stranger):
        assert rival.predict(X).min() >= 0.1
        assert rival.predict(X).max() <= 0.3
