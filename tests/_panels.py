"""Panels to test on, and plain dictionaries for oracles to look rows up in."""

from collections import Counter

import numpy as np
import pandas as pd
from hypothesis import assume
from hypothesis import strategies as st

N_HOURS = 1000
HOURS = pd.date_range("2024-01-01", periods=N_HOURS, freq="h", name="time")
CLOCK_CHANGE = pd.date_range("2024-10-26 18:00", periods=N_HOURS, freq="h", tz="Europe/Paris", name="time")
PERIODS = pd.period_range("2024-01-01", periods=N_HOURS, freq="h", name="time")
INTEGERS = pd.RangeIndex(-20, N_HOURS - 20, name="time")
CALENDARS = [HOURS, CLOCK_CHANGE, PERIODS, INTEGERS]
STEPS = [1, 1, 1, 1, 1, 1, 1, 1, 2, 3, 7, 30]


def make_table(where, calendar=HOURS):
    """Make the table of the rows `(series, hour)`; each number in it is there once."""
    series, hours = zip(*where, strict=True)
    index = pd.MultiIndex.from_arrays([list(series), calendar[list(hours)]], names=["series", "time"])
    row = np.arange(len(index), dtype=float)
    return pd.DataFrame({"seen": row, "known": -1 - row}, index=index)


def make_frame(hours, calendar=HOURS, start=0.0):
    """Make the table of one series without a name, its time in the index."""
    hours = np.asarray(hours)
    return pd.DataFrame({"seen": hours + start, "known": -1 - hours - start}, index=calendar[hours], dtype=float)


def where(X):
    """Say `(series, hour)` of each row, the hour as a place in the calendar that the table was made with."""
    times = X.index.get_level_values(-1)
    calendar = next(calendar for calendar in CALENDARS if calendar.dtype == times.dtype)
    return list(zip(X.index.get_level_values(0), calendar.get_indexer(times).tolist(), strict=True))


def lookup(X):
    """Map `(series, hour)` to the values of the row."""
    return dict(zip(where(X), X.to_numpy(), strict=True))


def by_series(X):
    """Map each series to the hours and the row numbers that it has, in their order."""
    rows = {}
    for row, (series, hour) in enumerate(where(X)):
        rows.setdefault(series, []).append((hour, row))
    return rows


def runs(X):
    """List the row numbers of every stretch of consecutive hours of one series."""
    found = []
    for rows in by_series(X).values():
        for i, (hour, row) in enumerate(rows):
            if i and hour == rows[i - 1][0] + 1:
                found[-1].append(row)
            else:
                found.append([row])
    return found


def hourly(X):
    """Tell whether one hour is the commonest step."""
    hours = [[hour for hour, _ in rows] for rows in by_series(X).values()]
    steps = Counter(int(step) for some in hours for step in np.diff(some))
    return steps[1] > 0 and steps[1] == max(steps.values())


@st.composite
def ragged_panels(draw, calendars=CALENDARS, max_rows=20):
    """Draw a panel of 1 to 4 series of any length with gaps, its rows by series, by time or mixed."""
    names = draw(st.permutations("abcd"))[: draw(st.integers(1, 4))]
    starts = st.integers(10, 16)
    steps = st.lists(st.sampled_from(STEPS), max_size=max_rows - 1)
    rows = [(name, int(hour)) for name in names for hour in draw(starts) + np.cumsum([0, *draw(steps)])]
    order = draw(st.sampled_from(["by series", "by time", "mixed"]))
    if order == "by time":
        rows.sort(key=lambda row: row[1])
    elif order == "mixed":
        turns = np.random.default_rng(draw(st.integers(0, 99))).permutation([name for name, _ in rows])
        following = {name: iter([row for row in rows if row[0] == name]) for name in names}
        rows = [next(following[name]) for name in turns]
    X = make_table(rows, draw(st.sampled_from(calendars)))
    assume(hourly(X))
    return X


@st.composite
def split_panels(draw, max_overlap=0):
    """Draw a training table and the rows to forecast, which come later (or repeat its last hours)."""
    X = draw(ragged_panels())
    hours = np.array([hour for _, hour in where(X)])
    assume(hours.max() >= hours.min() + 2)
    cut = draw(st.integers(hours.min() + 2, hours.max()))
    train, new = X[hours < cut], X[hours >= cut - draw(st.integers(0, max_overlap))]
    assume(hourly(train))
    return train, new
