"""Tables with runs: one window for each, against a look at every row."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skts import HistoryPrepender, SlidingWindower
from skts.exceptions import PanelIndexError, ShortSeriesError, ShortSeriesWarning, UnseenSeriesWarning

WINDOW, HORIZON = 4, 3
START = pd.Timestamp("2024-01-01")
HOUR = pd.Timedelta(1, "h")


def make_table(runs, *, offset=1, names=("farm", "run", "time")):
    """A table of runs, given as (series, hour of the run, hours of its rows after the first).

    `wind` differs from run to run, `power` is what was measured.
    """
    rows = [
        (series, START + hour * HOUR, START + (hour + offset + place) * HOUR)
        for series, hour, places in runs
        for place in places
    ]
    index = pd.MultiIndex.from_tuples(rows, names=names)
    hours = ((index.get_level_values(-1) - START) // HOUR).to_numpy()
    made = ((index.get_level_values("run") - START) // HOUR).to_numpy()
    wind = hours + made / 1000.0
    return pd.DataFrame({"wind": wind, "power": 100.0 + hours}, index=index, dtype=np.float64)


def look_at_each_row(X, window, horizon):
    """The windows of all runs by a look at every row: {(series, run): (past, known ahead, origin)}, in hours."""
    cells = {}
    for (series, run, time), (wind, power) in zip(X.index, X.to_numpy(), strict=True):
        cells[series, (run - START) // HOUR, (time - START) // HOUR] = wind, power
    found = {}
    for series, run in sorted({key[:2] for key in cells}):
        origin = min(time for s, r, time in cells if (s, r) == (series, run))
        past = np.full((window, 2), np.nan)
        for i, time in enumerate(range(origin - window, origin)):
            there = sorted((r, *values) for (s, r, t), values in cells.items() if (s, t) == (series, time))
            past[i, 0] = next((wind for r, wind, _ in reversed(there) if r < run), np.nan)
            if time <= run:
                past[i, 1] = next((power for _, _, power in there if power == power), np.nan)
        ahead = [cells.get((series, run, origin + i), (np.nan,))[0] for i in range(horizon)]
        found[series, run] = past, np.array(ahead), origin
    return found


def hour_of(windows, i):
    return (windows.clock.labels(windows.origin_ticks[[i]])[0] - START) // HOUR


@st.composite
def tables(draw, *, holes="rows"):
    """Tables of one or two series with runs at any hours, of any length up to the horizon, with holes."""
    runs = []
    for series in draw(st.sampled_from([["a"], ["b", "a"]])):
        hours = draw(st.lists(st.integers(1, 24), min_size=1, max_size=10, unique=True))
        runs += [(series, hour, range(HORIZON)) for hour in (0, 24 + HORIZON)]
        for hour in sorted(hours):
            places = draw(st.sets(st.integers(0, HORIZON - 1)).map(lambda some: sorted({0, *some})))
            runs.append((series, hour, places))
    X = make_table(runs, offset=draw(st.integers(0, 5)))
    times = [np.unique(own.index.get_level_values("time")) for _, own in X.groupby(level="farm")]
    steps = np.concatenate([np.diff(each) // HOUR for each in times])
    assume(np.bincount(steps.astype(int)).argmax() == 1)  # else the step between rows is another
    unmeasured = draw(st.sets(st.integers(0, len(X) - 1), max_size=len(X) // 2))
    if holes == "times":
        times = X.index.get_level_values("time")
        unmeasured = np.flatnonzero(times.isin(times[sorted(unmeasured)]))
    X.iloc[sorted(unmeasured), 1] = np.nan
    order = draw(st.randoms(use_true_random=False)).sample(range(len(X)), len(X))
    return X.iloc[order] if draw(st.booleans()) else X


def is_full(past, ahead):
    return not np.isnan(past[:, 0]).any() and not np.isnan(ahead).any()


@settings(max_examples=60)
@given(tables())
def test_a_run_gives_the_window_that_a_look_at_every_row_gives(X):
    expected = look_at_each_row(X, WINDOW, HORIZON)
    full = [key for key, (past, ahead, _) in expected.items() if is_full(past, ahead)]
    windower = SlidingWindower(WINDOW, HORIZON, known=["wind"])
    if not full:
        with pytest.raises(ShortSeriesError, match="makes a training window of a run"):
            windower.fit_transform(X)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ShortSeriesWarning)
        windows = windower.fit_transform(X)
    assert len(windows) == len(full)
    assert sum(windows.dropped.values()) + len(windows) == len(expected)
    y = np.arange(len(X))
    for i, key in enumerate(full):
        past, ahead, origin = expected[key]
        assert_array_equal(windows[i], past.astype(np.float32))
        assert_array_equal(windows.ahead[i, :, 0], ahead.astype(np.float32))
        places = [(key[0], START + key[1] * HOUR, START + (origin + place) * HOUR) for place in range(HORIZON)]
        assert_array_equal(windows.targets(y)[i], X.index.get_indexer(places))
        assert hour_of(windows, i) == origin


@settings(max_examples=60)
@given(tables(holes="times"), st.integers(0, 24))
def test_after_history_every_row_of_every_new_run_is_forecast_once(X, hour):
    X = X.sort_index()
    made = X.index.get_level_values("run")
    before, new = X[made < START + hour * HOUR], X[made >= START + hour * HOUR]
    if before.empty or new.empty or len(before) == 1:
        return
    expected = look_at_each_row(X, WINDOW, HORIZON)
    prepender = HistoryPrepender(WINDOW).fit(before)
    windower = SlidingWindower(WINDOW, HORIZON, known=["wind"])
    windower.fit(before)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnseenSeriesWarning)
        windows = windower.transform(prepender.transform(new))
    assert_array_equal(windows.to_rows(windows.ahead[:, :, 0]), new["wind"].astype(np.float32))
    for i, (series, run) in enumerate(key for key in expected if key[1] >= hour):
        past, ahead, origin = expected[series, run]
        assert hour_of(windows, i) == origin
        assert_array_equal(windows.ahead[i, :, 0], ahead.astype(np.float32))
        if series in before.index.get_level_values("farm"):
            assert_array_equal(windows[i], past.astype(np.float32))
