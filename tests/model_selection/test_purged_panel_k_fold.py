import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from skts.datasets import make_panel
from skts.exceptions import PanelIndexError
from skts.model_selection import PurgedPanelKFold
from skts.windows import HistoryPrepender, SlidingWindower
from tests._panels import HOURS, hourly, make_table, ragged_panels, runs, where
from tests.model_selection._long_panels import long_panels

quick = settings(deadline=None, max_examples=30)
ignore_short = pytest.mark.filterwarnings(
    "ignore::skts.exceptions.ShortSeriesWarning", "ignore::skts.exceptions.UnseenSeriesWarning"
)
sizes = st.fixed_dictionaries({"window": st.integers(1, 4), "horizon": st.integers(1, 3), "embargo": st.integers(0, 3)})
cuboids = st.builds(
    lambda names, n_rows: make_table([(name, hour) for name in names for hour in range(n_rows)]),
    st.sampled_from(["a", "ab", "abc"]),
    st.integers(20, 40),
)


def splits_of(X, n_splits, kwargs):
    try:
        return list(PurgedPanelKFold(n_splits, **kwargs).split(X))
    except ValueError:  # no room
        assume(False)


def rows_of_windows(windows):
    """List the rows of the table that any window reads or forecasts."""
    positions = windows.origins[:, None] + np.arange(-windows.window, windows.horizon)
    rows = windows.rows[positions[positions >= windows.own_spans[:, :1]]]
    return set(rows[rows >= 0].tolist())


def hours_of_training_windows(X, train, window, horizon):
    windows = SlidingWindower(window, horizon).fit_transform(X.iloc[train])
    hours = [hour for _, hour in where(X.iloc[train])]
    return {hours[row] for row in rows_of_windows(windows)}


def hours_of_test_windows(X, test, window, horizon):
    """The hours that forecasting the block takes, with all rows before it as its past."""
    hours = np.array([hour for _, hour in where(X)])
    prepender = HistoryPrepender(window).fit(X)
    prepender.tail_ = X[hours < hours[test].min()]
    with_history = prepender.transform(X.iloc[test])
    windower = SlidingWindower(window, horizon).fit(X)
    rows = rows_of_windows(windower.transform(with_history))
    there = ~with_history["seen"].isna().to_numpy()
    return {hour for row, (_, hour) in enumerate(where(with_history)) if row in rows and there[row]}


@ignore_short
@quick
@given(long_panels(), st.integers(2, 4), sizes)
def test_no_training_window_shares_an_hour_with_a_test_window(X, n_splits, kwargs):
    window, horizon = kwargs["window"], kwargs["horizon"]
    for train, test in splits_of(X, n_splits, kwargs):
        assume(hourly(X.iloc[train]))
        trained = hours_of_training_windows(X, train, window, horizon)
        assert not trained & hours_of_test_windows(X, test, window, horizon)


@quick
@given(cuboids, st.integers(2, 4), sizes)
def test_all_rows_are_trained_on_but_those_of_test_windows_and_the_embargo(X, n_splits, kwargs):
    hours = np.array([hour for _, hour in where(X)])
    for train, test in splits_of(X, n_splits, kwargs):
        end = hours[test].max()
        taken = hours_of_test_windows(X, test, kwargs["window"], kwargs["horizon"])
        taken |= set(range(end + 1, end + 1 + kwargs["embargo"]))
        assert sorted(train) == [row for row, hour in enumerate(hours) if hour not in taken]


@quick
@given(ragged_panels(max_rows=40), st.integers(2, 4), sizes)
def test_blocks_follow_each_other_and_one_that_leaves_no_room_is_refused(X, n_splits, kwargs):
    window, horizon, embargo = (kwargs[name] for name in ("window", "horizon", "embargo"))
    hours = np.array([hour for _, hour in where(X)])
    assume(len(set(hours)) >= n_splits)
    blocks = np.array_split(np.unique(hours), n_splits)
    trains = [np.flatnonzero((hours < some[0] - window) | (hours > some[-1] + embargo)) for some in blocks]
    room = [any(len(run) >= window + horizon for run in runs(X.iloc[train])) for train in trains]
    if not all(room):
        with pytest.raises(ValueError, match=f"rows to train on in split {room.index(False)},"):
            list(PurgedPanelKFold(n_splits, **kwargs).split(X))
        return
    splits = PurgedPanelKFold(n_splits, **kwargs).split(X)
    for (train, test), expected, block in zip(splits, trains, blocks, strict=True):
        np.testing.assert_array_equal(np.sort(train), expected)
        np.testing.assert_array_equal(test, np.flatnonzero(np.isin(hours, block)))


def test_purging_counts_time_where_rows_are_missing_everywhere():
    X = make_table([("a", hour) for hour in [*range(20), *range(30, 60)]])
    _, (train, test) = PurgedPanelKFold(2, window=12, horizon=1).split(X)
    assert where(X.iloc[test])[0] == ("a", 35)
    assert where(X.iloc[train])[-1] == ("a", 19)  # 12 hours back is 23, where no row is; 12 rows back would be 13


def test_a_series_that_begins_where_another_ends_leaves_no_longer_run():
    X = make_table([("a" if hour < 30 else "b", hour) for hour in range(40)])
    with pytest.raises(ValueError, match="leaves at most 10 consecutive rows to train on in split 0"):
        list(PurgedPanelKFold(2, window=5, horizon=10).split(X))


def test_series_between_each_others_times_are_purged_as_far():
    half_past = HOURS + pd.Timedelta(minutes=30)
    X = pd.concat(
        {"a": pd.DataFrame({"x": 0.0}, index=HOURS[:40]), "b": pd.DataFrame({"x": 0.0}, index=half_past[:40])}
    )
    _, (train, test) = PurgedPanelKFold(2, window=5, horizon=1).split(X)
    times = X.index.get_level_values(-1)
    assert times[test].min() - times[train].max() == pd.Timedelta(hours=5, minutes=30)


def test_a_table_without_times_is_refused():
    with pytest.raises(PanelIndexError, match="without times the windows would run across"):
        next(PurgedPanelKFold(2, window=1, horizon=1).split(np.zeros((20, 1))))


def test_a_split_without_room_says_what_it_has_and_what_to_do():
    X, _ = make_panel(n_series=2, n_rows=40, random_state=0)
    message = (
        r"window=15, horizon=6, embargo=0\) leaves at most 20 consecutive .* split 0, .* takes 21: give more splits"
    )
    with pytest.raises(ValueError, match=message):
        next(PurgedPanelKFold(2, window=15, horizon=6).split(X))


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"n_splits": 1}, "k-fold"),
        ({"window": 0}, "window == 0, must be >= 1"),
        ({"horizon": 0}, "horizon == 0, must be >= 1"),
        ({"embargo": -1}, "embargo == -1, must be >= 0"),
    ],
)
def test_sizes_that_are_none_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        PurgedPanelKFold(**{"window": 1, "horizon": 1, **kwargs})


def test_it_says_what_it_is_and_how_many_splits_it_has():
    cv = PurgedPanelKFold(4, window=168, horizon=24)
    assert repr(cv) == "PurgedPanelKFold(embargo=0, horizon=24, n_splits=4, window=168)"
    assert cv.get_n_splits() == 4
