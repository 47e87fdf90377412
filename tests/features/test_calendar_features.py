import sys
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skts.exceptions import PanelIndexError
from skts.features import CalendarFeatures
from skts.features._calendar_features import cycle_position
from tests._panels import INTEGERS


def features(index, *args, **kwargs):
    """Give the calendar features of an index alone."""
    X = pd.DataFrame({"power": np.zeros(len(index))}, index=index)
    return CalendarFeatures(*args, **kwargs).fit_transform(X).drop(columns="power")


def of_one(label, cycle):
    return features(pd.DatetimeIndex([label]), [cycle]).to_numpy()[0].tolist()


def begin_and_end(time, cycle):
    """Say when the day, week or year of a time begins and when the next one does."""
    day = datetime(time.year, time.month, time.day)
    if cycle == "year":
        return datetime(time.year, 1, 1), datetime(time.year + 1, 1, 1)
    monday = day - timedelta(days=time.weekday())
    return (day, day + timedelta(days=1)) if cycle == "hour" else (monday, monday + timedelta(days=7))


@settings(deadline=None)
@given(
    st.datetimes(datetime(1700, 1, 1), datetime(2250, 1, 1)),
    st.sampled_from(["hour", "weekday", "year"]),
    st.sampled_from(["us", "ns"]),
)
def test_position_is_the_share_of_the_cycle_that_has_passed(time, cycle, unit):
    begin, end = begin_and_end(time, cycle)
    position = cycle_position(np.array([time], dtype=f"M8[{unit}]"), cycle)[0]
    assert position == pytest.approx((time - begin) / (end - begin), abs=1e-12)
    assert 0 <= position < 1


def test_midnight_of_a_monday_that_begins_a_year_begins_all_cycles():
    out = features(pd.DatetimeIndex(["2024-01-01"]))
    assert out.columns.tolist() == ["hour_sin", "hour_cos", "weekday_sin", "weekday_cos", "year_sin", "year_cos"]
    assert out.to_numpy().tolist() == [[0, 1, 0, 1, 0, 1]]


@pytest.mark.parametrize(
    ("cycle", "half"),
    [
        ("hour", "2024-05-05 12:00"),
        ("weekday", "2024-05-09 12:00"),  # a Thursday
        ("year", "2024-07-02 00:00"),
        ("year", "2023-07-02 12:00"),
    ],
)
def test_halfway_through_a_cycle_the_cosine_is_minus_one(cycle, half):
    assert of_one(half, cycle) == pytest.approx([0, -1], abs=1e-12)


def test_minutes_count():
    assert of_one("2024-05-05 07:30", "hour") == pytest.approx([np.sin(7.5 / 12 * np.pi), np.cos(7.5 / 12 * np.pi)])


@settings(deadline=None, max_examples=30)
@given(st.lists(st.datetimes(datetime(1700, 1, 1), datetime(2250, 1, 1)), min_size=1, unique=True))
def test_sine_and_cosine_lie_on_the_circle(times):
    out = features(pd.DatetimeIndex(times)).to_numpy().reshape(len(times), 3, 2)
    np.testing.assert_allclose((out**2).sum(axis=2), 1)


def test_the_wall_clock_of_the_index_counts():
    utc = pd.date_range("2024-06-01 21:00", periods=6, freq="h", tz="UTC")
    paris = utc.tz_convert("Europe/Paris")
    assert features(paris)["hour_cos"].tolist()[1] == 1  # 22:00 UTC is midnight in Paris
    np.testing.assert_array_equal(features(paris), features(paris.tz_localize(None)))


def test_clock_changes_repeat_one_hour_and_leave_out_another():
    back = pd.date_range("2024-10-27", periods=6, freq="h", tz="Europe/Paris")
    angle = [0, 1, 2, 2, 3, 4]
    np.testing.assert_allclose(features(back, ["hour"])["hour_sin"], np.sin(np.array(angle) / 12 * np.pi))
    ahead = pd.date_range("2024-03-31", periods=4, freq="h", tz="Europe/Paris")
    angle = [0, 1, 3, 4]
    np.testing.assert_allclose(features(ahead, ["hour"])["hour_sin"], np.sin(np.array(angle) / 12 * np.pi))


@pytest.mark.parametrize("freq", ["h", "D", "W", "M"])
def test_a_period_counts_from_its_start(freq):
    periods = pd.period_range("2024-01-01", periods=10, freq=freq)
    np.testing.assert_array_equal(features(periods), features(periods.to_timestamp()))


def test_every_series_of_a_panel_has_the_calendar_of_its_times():
    times = pd.date_range("2024-01-01", periods=5, freq="7h", tz="Europe/Paris")
    index = pd.MultiIndex.from_arrays([list("babab"), times[[0, 0, 2, 4, 4]]])
    np.testing.assert_array_equal(features(index), features(times).to_numpy()[[0, 0, 2, 4, 4]])


def test_holidays_are_those_of_the_local_day():
    pytest.importorskip("holidays")
    times = pd.DatetimeIndex(["2023-12-25 12:00", "2024-07-13 21:30", "2024-07-13 22:30", "2024-07-15"], tz="UTC")
    assert features(times.tz_convert("Europe/Paris"), country="FR")["holiday"].tolist() == [1, 0, 1, 0]
    assert features(times, [], country="FR").columns.tolist() == ["holiday"]
    assert features(times, country="US")["holiday"].tolist() == [1, 0, 0, 0]


def test_an_unknown_country_is_named():
    pytest.importorskip("holidays")
    with pytest.raises(ValueError, match=r"country='Gallia'.*no such country"):
        features(pd.DatetimeIndex(["2024-01-01"]), country="Gallia")


def test_a_missing_package_is_told_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "holidays", None)
    with pytest.raises(ImportError, match="pip install holidays"):
        features(pd.DatetimeIndex(["2024-01-01"]), country="FR")


def test_an_unknown_cycle_is_named_with_what_may_be_meant():
    with pytest.raises(ValueError, match=r"no cycle 'weekdays'.*Did you mean 'weekday'\?"):
        features(pd.DatetimeIndex(["2024-01-01"]), ["weekdays"])


def test_times_that_are_no_dates_are_refused():
    index = pd.MultiIndex.from_product([["a"], INTEGERS[:3]])
    with pytest.raises(PanelIndexError, match=r"needs date-times or periods.*holds integers"):
        features(index)
