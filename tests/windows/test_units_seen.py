"""Another unit than in training is noticed, in whatever scale; two years of turbines give no alarm."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from skts import HistoryPrepender
from skts.datasets import load_la_haute_borne
from skts.exceptions import FutureTrainingWarning, SuspectUnitsWarning

DAY = pd.Timedelta(days=1)


@pytest.fixture(scope="module")
def farm():
    X, _ = load_la_haute_borne(return_X_y=True)
    time = X.index.get_level_values("time")
    scale = StandardScaler().set_output(transform="pandas").fit(X[time < "2014-07-01"])
    prepender = HistoryPrepender(24).fit(scale.transform(X[time < "2014-07-01"]))
    return X[time >= "2014-07-01"], scale, prepender


def week(X, number, days=7):
    time = X.index.get_level_values("time")
    start = time.min() + number * 7 * DAY
    return X[(time >= start) & (time < start + days * DAY)]


def suspected(prepender, X):
    """Give what is said of other units; all other warnings are errors, as everywhere in the tests."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SuspectUnitsWarning)
        prepender.transform(X)
    return [str(each.message) for each in caught]


def test_a_year_and_a_half_of_weeks_and_days_gives_no_alarm(farm):
    X, scale, prepender = farm
    tables = [week(X, number, days) for number in range(0, 78, 3) for days in (1, 3, 7)]
    assert [said for table in tables for said in suspected(prepender, scale.transform(table))] == []


@pytest.mark.parametrize(
    ("column", "change", "what"),
    [
        ("power_kw", lambda values: values / 1000, "varies .* times less than in training"),
        ("power_kw", lambda values: values * 1000, "lies more than 3 times the range of training outside of it"),
        ("era5_t2m", lambda values: values - 273.15, "lies more than 3 times"),
    ],
)
@pytest.mark.parametrize("method", ["transform", "partial_fit"])
def test_another_unit_is_named(farm, column, change, what, method):
    X, scale, prepender = farm
    new = week(X, 20)
    given = HistoryPrepender(24)
    given.__dict__.update(vars(prepender))
    with pytest.warns(SuspectUnitsWarning, match=f"column '{column}' {what}"):
        getattr(given, method)(scale.transform(new.assign(**{column: change(new[column])})))


def test_one_small_series_of_many_is_no_other_unit(farm):
    X, scale, prepender = farm
    new = scale.transform(week(X, 20))
    is_one = new.index.get_level_values("turbine") == "R80711"
    assert suspected(prepender, new.assign(power_kw=np.where(is_one, new["power_kw"] / 1000, new["power_kw"]))) == []


def test_a_file_of_before_knows_of_no_units(farm):
    X, scale, prepender = farm
    old = HistoryPrepender(24)
    old.__dict__.update({name: value for name, value in vars(prepender).items() if name != "_units"})
    new = scale.transform(week(X, 20)) * 1000
    assert len(suspected(prepender, new)) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureTrainingWarning)
        assert suspected(old, new) == []


def test_a_station_elsewhere_has_other_coordinates_and_no_other_unit(farm):
    X, scale, prepender = farm
    table = scale.transform(week(X, 20, days=14)).assign(latitude=48.4)
    table["latitude"] += 0.01 * (table.index.get_level_values("turbine") == "R80711")
    time = table.index.get_level_values("time")
    is_new = time >= time.min() + 10 * DAY
    prepender = HistoryPrepender(24).fit(table[~is_new])
    assert suspected(prepender, table[is_new].assign(latitude=36.0)) == []
