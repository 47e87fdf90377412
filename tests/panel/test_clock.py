import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skts.exceptions import PanelIndexError
from skts.panel import Clock
from tests._panels import CALENDARS, CLOCK_CHANGE, HOURS, INTEGERS, PERIODS

INDEXES = {
    "seconds": HOURS.as_unit("s"),
    "milliseconds": HOURS.as_unit("ms"),
    "microseconds": HOURS.as_unit("us"),
    "nanoseconds": HOURS.as_unit("ns"),
    "zone": CLOCK_CHANGE,
    "zone in nanoseconds": CLOCK_CHANGE.as_unit("ns"),
    "before 1970": pd.date_range("1969-12-31", periods=50, freq="h", name="time"),
    "differences": (HOURS - HOURS[0]).rename("time"),
    "hours": PERIODS,
    "every second hour": pd.period_range("2024", periods=50, freq="2h", name="time"),
    "months": pd.period_range("2024-01", periods=50, freq="M", name="time"),
    "weeks": pd.period_range("2024-01-01", periods=50, freq="W-SUN", name="time"),
    "integers": pd.Index(np.arange(-20, 30), name="time"),
    "small integers": pd.Index(np.arange(-20, 30, dtype=np.int8), name="time"),
    "nullable integers": pd.Index(np.arange(-20, 30), dtype="Int64", name="time"),
}
KINDS = {
    "date-times without a time zone": [HOURS, HOURS.as_unit("ns")],
    "date-times with a time zone": [CLOCK_CHANGE, CLOCK_CHANGE.as_unit("ns"), CLOCK_CHANGE.tz_convert("UTC")],
    "time differences": [INDEXES["differences"]],
    "period[h]": [PERIODS],
    "period[M]": [INDEXES["months"]],
    "integers": [INTEGERS, INDEXES["small integers"], INDEXES["nullable integers"]],
}


@pytest.mark.parametrize("labels", INDEXES.values(), ids=INDEXES)
@settings(deadline=None, max_examples=10)
@given(places=st.lists(st.integers(0, 49), min_size=1, max_size=20))
def test_labels_become_ticks_and_the_same_labels_again(labels, places):
    labels = labels[places]
    clock, ticks = Clock.read(labels)
    assert ticks.dtype == np.int64
    pd.testing.assert_index_equal(clock.labels(ticks), labels, exact="equiv")


@pytest.mark.parametrize("labels", CALENDARS, ids=lambda labels: str(labels.dtype))
def test_a_regular_index_ticks_regularly_through_a_clock_change_too(labels):
    _, ticks = Clock.read(labels)
    assert len(np.unique(np.diff(ticks))) == 1


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "uint8", "Int8", "UInt16"])
def test_integers_beyond_a_small_dtype_are_labels_that_do_not_wrap(dtype):
    clock, _ = Clock.read(pd.Index([0, 1], dtype=dtype))
    bounds = np.iinfo(dtype.lower())
    for ticks in ([bounds.min - 2, bounds.min], [bounds.max, bounds.max + 2]):
        assert clock.labels(np.array(ticks)).tolist() == ticks


def test_the_unit_of_an_index_does_not_change_its_ticks():
    for unit in ("s", "ms", "us"):
        np.testing.assert_array_equal(Clock.read(HOURS.as_unit(unit))[1], Clock.read(HOURS.as_unit("ns"))[1])


@pytest.mark.parametrize(
    ("labels", "kind"), [(labels, kind) for kind, some in KINDS.items() for labels in some], ids=lambda x: str(x)[:20]
)
def test_a_kind_names_what_two_tables_must_share(labels, kind):
    assert Clock.read(labels)[0].kind == kind


def test_messages_name_times_and_spans_in_words():
    clock, ticks = Clock.read(CLOCK_CHANGE)
    assert clock.label(ticks[0]) == "2024-10-26 18:00:00+02:00"
    assert clock.span(ticks[1] - ticks[0]) == "0 days 01:00:00"
    assert Clock.read(INTEGERS)[0].span(3) == "3"


@pytest.mark.parametrize("labels", [pd.Index(["a", "b"]), pd.Index([0.5, 1.5]), pd.Index([True, False])])
def test_what_is_no_time_is_refused_with_the_level_and_the_way_out(labels):
    with pytest.raises(
        PanelIndexError, match=rf"'when', must hold times .* dtype {labels.dtype}: .*pandas.to_datetime"
    ):
        Clock.read(labels.rename("when"))
