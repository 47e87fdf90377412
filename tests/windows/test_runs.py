"""Tables with runs: one window for each, against a look at every row."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skts import HistoryPrepender, SlidingWindower
from skts.exceptions import (
    FutureTrainingWarning,
    KnownTargetWarning,
    PanelIndexError,
    ShortSeriesError,
    ShortSeriesWarning,
    UnseenSeriesWarning,
)

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


def is_hourly(X):
    """Whether an hour is what the step between rows is taken for."""
    times = [np.unique(own.index.get_level_values("time")) for _, own in X.groupby(level="farm")]
    steps = np.concatenate([[], *(np.diff(each) // HOUR for each in times)]).astype(int)
    return len(steps) > 0 and np.bincount(steps).argmax() == 1


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
    assume(is_hourly(X))
    unmeasured = draw(st.sets(st.integers(0, len(X) - 1), max_size=len(X) // 2))
    if holes == "times":
        times = X.index.get_level_values("time")
        unmeasured = np.flatnonzero(times.isin(times[sorted(unmeasured)]))
    X.iloc[sorted(unmeasured), 1] = np.nan
    order = draw(st.randoms(use_true_random=False)).sample(range(len(X)), len(X))
    return X.iloc[order] if draw(st.booleans()) else X


def is_full(past, ahead):
    return not np.isnan(past[:, 0]).any() and not np.isnan(ahead).any()


@settings(max_examples=40)
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


@settings(max_examples=40)
@given(tables(holes="times"), st.integers(0, 24))
def test_after_history_every_row_of_every_new_run_is_forecast_once(X, hour):
    X = X.sort_index()
    made = X.index.get_level_values("run")
    before, new = X[made < START + hour * HOUR], X[made >= START + hour * HOUR]
    assume(len(new) and is_hourly(before))
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


# --- blocks between training rows ---------------------------------------------------------------------


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(8, 60), st.integers(1, 5)), min_size=1, max_size=4), st.booleans())
def test_each_block_between_training_rows_is_forecast_from_where_it_starts(blocks, has_series):
    """What is remembered and what is new make up the whole table again, of which each window is a part."""
    is_new = np.zeros(80, dtype=bool)
    for begin, length in blocks:
        is_new[begin : begin + length] = True
    times = pd.date_range(START, periods=80, freq="h", name="time")
    whole = pd.DataFrame({"wind": np.arange(80.0), "power": 100 + np.arange(80.0)}, index=times)
    if has_series:
        whole = pd.concat({"b": whole, "a": whole + 1000}, names=["farm"])
        is_new = np.tile(is_new, 2)
    train, new = whole[~is_new], whole[is_new]
    prepender = HistoryPrepender(WINDOW, remember="all").fit(train)
    windower = SlidingWindower(WINDOW, HORIZON, known=["wind"]).fit(train)
    windows = windower.transform(prepender.transform(new))
    assert_array_equal(windows.to_rows(windows.ahead[:, :, 0]), new["wind"])
    starts = is_new & ~np.append(False, is_new[:-1])
    if has_series:
        starts[80] = is_new[80]
    since = np.arange(len(is_new)) - np.maximum.accumulate(np.where(starts, np.arange(len(is_new)), 0))
    origins = np.flatnonzero(is_new & (since % HORIZON == 0))
    order = np.argsort([name != "a" for name in whole.index.get_level_values(0)[origins]], kind="stable")
    for i, origin in enumerate(origins[order] if has_series else origins):
        assert_array_equal(windows[i], whole.iloc[origin - WINDOW : origin])


def test_what_lies_between_two_blocks_is_blank_where_only_the_tail_is_remembered():
    X = pd.DataFrame({"wind": np.arange(40.0)}, index=pd.date_range(START, periods=40, freq="h"))
    train, new = X.drop(X.index[[20, 21, 22, 30, 31, 32]]), X.iloc[[20, 21, 22, 30, 31, 32]]
    cut = {}
    for remember in ("tail", "all"):
        prepender = HistoryPrepender(4, remember=remember).fit(train)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureTrainingWarning)
            cut[remember] = SlidingWindower(4, 3).fit(train).transform(prepender.transform(new))
    assert np.isnan(cut["tail"][-1]).any()
    assert cut["all"][:].squeeze(2).tolist() == [[16, 17, 18, 19], [26, 27, 28, 29]]


# --- what is refused ----------------------------------------------------------------------------------

HALF_DAYS = [("a", hour, range(3)) for hour in range(0, 24, 2)]


def fit(X, **params):
    return SlidingWindower(2, 3, known=["wind"], **params).fit_transform(X)


def test_a_run_longer_than_the_horizon_is_named():
    with pytest.raises(PanelIndexError, match=r"Run 2024-01-01 04:00:00 of series 'a' has 5 rows.*give horizon=5"):
        fit(make_table([*HALF_DAYS[:2], ("a", 4, range(5)), *HALF_DAYS[3:]]))


def test_a_row_before_its_own_run_is_named():
    with pytest.raises(PanelIndexError, match=r"run 2024-01-01 06:00:00 of series 'a' has the time .*05:00:00, before"):
        fit(make_table([*HALF_DAYS[:3], ("a", 6, [-2, -1, 0])]))


def test_a_run_that_starts_before_an_earlier_one_is_named():
    with pytest.raises(
        PanelIndexError, match=r"run 2024-01-01 04:00:00 of series 'a' starts at .*05:00:00, before the"
    ):
        fit(make_table([("a", 0, range(3)), ("a", 3, range(3, 6)), ("a", 4, range(3))]))


def test_a_repeated_row_is_named_as_such():
    X = make_table(HALF_DAYS)
    with pytest.raises(PanelIndexError, match=r"Rows 4 and 36: run 2024-01-01 02:00:00 of series 'a' has the time"):
        fit(pd.concat([X, X.iloc[[4]]]))


def test_an_observed_column_that_differs_from_run_to_run_is_named():
    with pytest.raises(PanelIndexError, match=r"column 'wind' at 2024-01-01 03:00:00 is 3 in run .* and 3.002 in run"):
        SlidingWindower(2, 3).fit_transform(make_table(HALF_DAYS))


def test_runs_of_another_kind_than_the_times_are_refused():
    X = make_table(HALF_DAYS)
    numbers = X.index.set_levels(range(12), level="run")
    with pytest.raises(PanelIndexError, match="'run' of the index holds integers, and the times 'time' are date-times"):
        fit(X.set_axis(numbers))


def test_a_table_that_lost_its_runs_is_refused_where_training_had_them():
    X = make_table(HALF_DAYS)
    windower = SlidingWindower(2, 3, known=["wind"]).fit(X)
    with pytest.raises(PanelIndexError, match="had runs"):
        windower.transform(X.droplevel("run").groupby(level=[0, 1]).last())


def test_a_level_of_times_under_another_name_is_suspected():
    X = make_table(HALF_DAYS, names=["farm", "run", "time"]).rename_axis(index={"run": "issue"})
    with pytest.raises(ShortSeriesError, match=r"The level 'issue' of the index holds times: .* name it 'run'"):
        fit(X)


def test_whole_series_are_not_read_from_runs():
    with pytest.raises(PanelIndexError, match="give window a number of rows"):
        SlidingWindower(None, 3, history=4).fit_transform(make_table(HALF_DAYS))


def test_stride_counts_the_complete_runs_of_each_series():
    windows = fit(make_table([*HALF_DAYS, *(("b", hour, range(3)) for hour in range(0, 24, 2))]), stride=3)
    assert [hour_of(windows, i) for i in range(len(windows))] == [3, 9, 15, 21] * 2
    assert windows.dropped == {"incomplete": 2, "gap": 0, "stride": 14, "similarity": 0}


# --- a target that is taken for known -----------------------------------------------------------------


@pytest.mark.parametrize("scale", [1.0, -3.0], ids=["itself", "in another unit"])
def test_a_known_column_that_is_the_target_is_named(scale):
    X = make_table(HALF_DAYS)
    y = scale * X["power"] + 2
    with pytest.warns(KnownTargetWarning, match="column 'power' is y itself"):
        SlidingWindower(2, 3, known=["wind", "power"]).fit(X, y)


def test_a_known_column_that_is_like_the_target_is_none():
    X = make_table(HALF_DAYS)
    y = X["power"] + 0.1 * (np.arange(len(X)) % 2)
    assert fit(X).known.tolist() == [0]
    SlidingWindower(2, 3, known=["wind", "power"]).fit(X, y)


# --- kinds of times -----------------------------------------------------------------------------------


def like(index, kind):
    """The same runs and times as another kind of label."""
    if kind == "integers":
        labels = [((index.get_level_values(level) - START) // HOUR).astype(int) for level in ("run", "time")]
    elif kind == "periods":
        labels = [index.get_level_values(level).to_period("h") for level in ("run", "time")]
    else:
        labels = [index.get_level_values(level).tz_localize("Europe/Paris") for level in ("run", "time")]
    return labels


@pytest.mark.parametrize("kind", ["integers", "periods", "a time zone"])
@pytest.mark.parametrize("named", [True, False], ids=["series", "one series"])
def test_runs_and_times_may_be_of_any_kind(kind, named):
    X = make_table([("a", hour, range(3)) for hour in range(0, 24, 2)], offset=2)
    run, time = like(X.index, kind)
    levels = [X.index.get_level_values("farm"), run, time] if named else [run, time]
    other = X.set_axis(pd.MultiIndex.from_arrays(levels, names=["farm", "run", "time"][-len(levels) :]))
    train, cuts = 24, []
    for table in (X, other):
        prepender = HistoryPrepender(4).fit(table[:train])
        windower = SlidingWindower(4, 3, known=["wind"])
        windows = windower.fit_transform(table[:train])
        cuts.append((windows[:], windows.ahead, windower.transform(prepender.transform(table[train:]))[:]))
    for ours, theirs in zip(*cuts, strict=True):
        assert_array_equal(ours, theirs)
