"""HistoryPrepender.partial_fit: two tables one after the other leave what both at once leave."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from skts import HistoryPrepender
from skts.exceptions import FutureTrainingWarning, PanelIndexError, UnseenSeriesWarning
from skts.panel import PanelIndex
from tests._panels import (
    CALENDARS,
    HOURS,
    PERIODS,
    by_series,
    hourly,
    make_frame,
    make_table,
    ragged_panels,
    split_panels,
)
from tests._runs import forecast_runs, of_runs

ARRAY = np.arange(24.0).reshape(12, 2)


def transform(prepender, X):
    """What it puts in front, and of what it warns."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        out = prepender.transform(X)
    return out, sorted((each.category.__name__, str(each.message)) for each in caught)


def assert_alike(one, other, *tables):
    for X in tables:
        (out, said), (expected, also_said) = transform(one, X), transform(other, X)
        pd.testing.assert_frame_equal(out, expected, check_freq=False)
        assert said == also_said


def split_in_two(table, data):
    """Any rows first, and the others then."""
    first = np.array(data.draw(st.lists(st.booleans(), min_size=len(table), max_size=len(table))))
    assume(first.any() and not first.all())
    assume_hours(table[first], table[~first])
    return table[first], table[~first]


def assume_hours(one, other):
    """The table that says first what a step is says an hour."""
    is_single = [max(map(len, by_series(part).values())) == 1 for part in (one, other)]
    assume(hourly(one) or (is_single[0] and (is_single[1] or hourly(other))))


@settings(deadline=None, max_examples=30)
@given(split_panels(), st.data(), st.integers(1, 6), st.sampled_from(["tail", "all"]))
def test_any_rows_in_any_order_of_calls_are_remembered_as_at_once(split, data, length, remember):
    table, later = split
    one, other = split_in_two(table, data)
    whole = HistoryPrepender(length, remember=remember).fit(table)
    parts = HistoryPrepender(length, remember=remember).fit(one).partial_fit(other)
    assert_alike(parts, whole, later, table)
    pd.testing.assert_frame_equal(parts.tail_.sort_index(), whole.tail_.sort_index(), check_freq=False)


@settings(deadline=None, max_examples=30)
@given(ragged_panels(max_rows=9), st.data())
def test_rows_that_come_late_fill_gaps_or_leave_them(table, data):
    one, other = split_in_two(table, data)
    there = np.array(data.draw(st.lists(st.booleans(), min_size=len(other), max_size=len(other)).filter(any)))
    both = table[table.index.isin(one.index) | table.index.isin(other[there].index)]
    assume_hours(one, other[there])
    assume(hourly(both))
    whole = HistoryPrepender(2).fit(both)
    parts = HistoryPrepender(2).fit(one).partial_fit(other[there])
    panel = PanelIndex.read(table)
    np.testing.assert_array_equal(parts._trained.passed(panel), whole._trained.passed(panel))


@pytest.mark.parametrize("calendar", CALENDARS, ids=lambda calendar: str(calendar.dtype))
def test_every_kind_of_time_and_one_series_without_a_name(calendar):
    whole = HistoryPrepender(4).fit(make_frame(range(10, 17), calendar))
    parts = HistoryPrepender(4).fit(make_frame(range(10, 15), calendar)).partial_fit(make_frame([15, 16], calendar))
    assert_alike(parts, whole, make_frame([18, 19], calendar))


def test_times_in_another_unit_or_zone_are_the_same_times():
    table = make_frame(range(9), HOURS.tz_localize("UTC"))
    new = table[5:].tz_convert("Europe/Paris")
    new.index = new.index.as_unit("s")
    parts = HistoryPrepender(3).fit(table[:5]).partial_fit(new[:2])
    assert parts.transform(table[7:])["seen"].tolist() == [4, 5, 6, 7, 8]


def test_a_row_that_was_there_is_replaced_and_none_is_there_twice():
    table = make_table([(s, h) for h in range(6) for s in "ab"])
    mended = table[8:] + 100
    for remember in ("tail", "all"):
        parts = HistoryPrepender(3, remember=remember).fit(table).partial_fit(mended)
        assert not parts.tail_.index.has_duplicates
        expected = pd.concat([table[:8], mended])
        np.testing.assert_array_equal(parts.tail_.sort_index(), expected.loc[parts.tail_.sort_index().index])


def test_series_that_are_new_are_known_from_then_on_and_others_keep_their_tail():
    table = make_table([(s, h) for h in range(6) for s in "ab"])
    new = make_table([("c", h) for h in (6, 7)])
    later = make_table([(s, 8) for s in "abc"])
    parts = HistoryPrepender(3).fit(table)
    with pytest.warns(UnseenSeriesWarning, match="'c'"):
        parts.transform(later)
    assert_alike(parts.partial_fit(new), HistoryPrepender(3).fit(pd.concat([table, new])), later)
    assert transform(parts, later)[1] == []
    assert parts.transform(later).loc["c", "seen"].tolist()[1:] == [0, 1, 2]


def test_rows_before_the_new_ones_are_passed_from_then_on():
    table = make_frame(range(20))
    parts = HistoryPrepender(3).fit(table[:5]).partial_fit(table[10:])
    with pytest.warns(FutureTrainingWarning, match="5 of 5"):
        parts.transform(table[5:10])
    filled = parts.partial_fit(table[5:10])
    assert transform(filled, table[5:10])[1] == []


@pytest.mark.parametrize("length", [3, 30])
@pytest.mark.parametrize("horizon", [18, 40])
def test_tables_with_runs(length, horizon):
    X, _ = forecast_runs(8, every=6, horizon=horizon)
    early, new, later = of_runs(X, 0, 4), of_runs(X, 4, 6), of_runs(X, 6)
    whole = HistoryPrepender(length).fit(X[early | new])
    for order in (X[new], X[new].sort_index(level=["run", "time"]), X[of_runs(X, 2, 6)]):
        parts = HistoryPrepender(length).fit(X[early]).partial_fit(order)
        assert_alike(parts, whole, X[later], X[new])
        pd.testing.assert_frame_equal(parts.tail_.sort_index(), whole.tail_.sort_index())
    halves = HistoryPrepender(length).fit(X[early])
    at_noon = X.index.get_level_values("time").hour < 12
    for half in (new & at_noon, new & ~at_noon):  # of one run, its rows in two calls
        halves.partial_fit(X[half])
    assert_alike(halves, whole, X[later])


@pytest.mark.parametrize("as_frame", [False, True])
@pytest.mark.parametrize("length", [3, 20])
def test_tables_without_times_follow_each_other(as_frame, length):
    table = pd.DataFrame(ARRAY, columns=["power", "wind"]) if as_frame else ARRAY
    parts = HistoryPrepender(length).fit(table[:4]).partial_fit(table[4:7]).partial_fit(table[7:9])
    whole = HistoryPrepender(length).fit(table[:9])
    for new in (table[9:], table[:9], table[:4], table[4:9]):  # the second is what it was fitted on
        np.testing.assert_array_equal(parts.transform(new), whole.transform(new))
    np.testing.assert_array_equal(parts.tail_, whole.tail_)


def test_the_first_call_is_fit_and_the_length_stays_that_of_fit():
    table = make_frame(range(9))
    parts = HistoryPrepender(3).partial_fit(table[:5])
    assert_alike(parts, HistoryPrepender(3).fit(table[:5]), table[5:])
    parts.set_params(length=1).partial_fit(table[5:7])
    assert_alike(parts, HistoryPrepender(3).fit(table[:7]), table[7:])


def test_single_rows_tell_the_step_together():
    table = make_frame([3, 4, 5])
    parts = HistoryPrepender(2).fit(table[:1]).partial_fit(table[1:2])
    assert_alike(parts, HistoryPrepender(2).fit(table[:2]), table[2:])


def test_what_is_refused():
    table = make_frame(range(9))
    fitted = HistoryPrepender(2).fit(table[:5])
    with pytest.raises(ValueError, match="feature names"):
        fitted.partial_fit(table[5:].rename(columns={"seen": "other"}))
    with pytest.raises(PanelIndexError, match="period"):
        fitted.partial_fit(make_frame(range(5, 9), PERIODS))
    shifted = table[5:].set_axis(table.index[5:] + pd.Timedelta("20min"))
    with pytest.raises(PanelIndexError, match=r"partial_fit: the table goes from .* no whole number of steps"):
        fitted.partial_fit(shifted)
    X, _ = forecast_runs(4)
    plain = HistoryPrepender(2).fit(X[of_runs(X, 0, 1)].groupby(["farm", "time"]).last())
    with pytest.raises(PanelIndexError, match="had none"):
        plain.partial_fit(X[of_runs(X, 2)])
    pd.testing.assert_frame_equal(fitted.transform(table[5:]), HistoryPrepender(2).fit(table[:5]).transform(table[5:]))
