import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import make_column_selector
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.utils._param_validation import InvalidParameterError

from skts import HistoryPrepender, SlidingWindower
from skts.datasets import make_panel
from skts.exceptions import (
    LostSeriesError,
    LostSeriesWarning,
    PanelIndexError,
    ShortSeriesError,
    ShortSeriesWarning,
    UnseenSeriesWarning,
)
from tests._panels import PERIODS, lookup, make_frame, make_table, ragged_panels, runs, split_panels, where

quick = settings(deadline=None, max_examples=50)
BLANK = [np.nan, np.nan]


def first_hours(X):
    """Map each series to its first hour."""
    first = {}
    for series, hour in where(X):
        first.setdefault(series, hour)
    return first


# --- training windows --------------------------------------------------------------------------------


@quick
@given(ragged_panels(), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))
def test_training_windows_and_targets_are_all_stretches_without_a_gap(X, window, horizon, stride):
    expected = {}
    for run in runs(X):
        for start in range(0, len(run) - window - horizon + 1, stride):
            origin = start + window
            expected[tuple(run[origin : origin + horizon])] = run[start:origin]
    windower = SlidingWindower(window, horizon, stride=stride, known=["known"])
    if not expected:
        with pytest.raises(ShortSeriesError):
            windower.fit_transform(X)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ShortSeriesWarning)
        windows = windower.fit_transform(X)
    targets = windows.targets(np.arange(len(X)))
    assert sorted(map(tuple, targets)) == sorted(expected)
    past = [expected[tuple(rows)] for rows in targets]
    np.testing.assert_array_equal(np.asarray(windows), X.to_numpy()[past])
    np.testing.assert_array_equal(windows.ahead[..., 0], X["known"].to_numpy()[targets])


@quick
@given(st.integers(1, 40), st.integers(1, 8), st.integers(1, 8), st.integers(1, 5))
def test_n_rows_give_the_promised_number_of_windows(n_rows, window, horizon, stride):
    X = np.zeros((n_rows, 1))
    if n_rows < window + horizon:
        with pytest.raises(ShortSeriesError, match=f"needs {window + horizon} consecutive rows.*has {n_rows}"):
            SlidingWindower(window, horizon, stride=stride).fit_transform(X)
    else:
        windows = SlidingWindower(window, horizon, stride=stride).fit_transform(X)
        assert len(windows) == (n_rows - window - horizon) // stride + 1


def test_a_series_that_starts_where_another_ends_is_another_series():
    X = make_table([*(("a", h) for h in range(4)), *(("b", h) for h in range(4, 8))])
    rows = SlidingWindower(2, 1).fit_transform(X).targets(np.arange(8))
    assert rows.ravel().tolist() == [2, 3, 6, 7]


def test_every_training_window_knows_its_series():
    X = make_table([(s, h) for h in range(6) for s in "ba"])
    windows = SlidingWindower(2, 2).fit_transform(X)
    rows = windows.targets(np.arange(len(X)))[:, 0]
    assert windows.series_names[windows.series].tolist() == X.index.get_level_values(0)[rows].tolist()


# --- forecasting windows -----------------------------------------------------------------------------


@quick
@given(split_panels(), st.integers(1, 4), st.integers(1, 5), st.integers(0, 2))
def test_every_new_row_is_forecast_once_from_the_hours_before_its_block(split, window, horizon, more):
    train, new = split
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnseenSeriesWarning)
        table = HistoryPrepender(window + more).fit(train).transform(new)
    windows = SlidingWindower(window, horizon, known=["known"], history=window + more).fit(train).transform(table)

    rows = windows.targets(np.arange(len(table)))
    assert np.sort(rows[~np.isnan(rows)]).tolist() == list(range(len(table) - len(new), len(table)))

    shape = (len(windows), horizon)
    block = windows.to_rows(np.broadcast_to(np.arange(len(windows))[:, None], shape))
    step = windows.to_rows(np.broadcast_to(np.arange(horizon), shape))
    past, ahead = np.asarray(windows), windows.ahead
    values, first = lookup(train) | lookup(new), first_hours(new)
    for i, (series, hour) in enumerate(where(new)):
        origin = hour - (hour - first[series]) % horizon
        assert step[i] == hour - origin
        before = [values.get((series, origin - k), BLANK) for k in range(window, 0, -1)]
        known = [values.get((series, origin + k), BLANK)[1] for k in range(horizon)]
        np.testing.assert_array_equal(past[block[i]], before)
        np.testing.assert_array_equal(ahead[block[i], :, 0], known)


def test_rows_on_the_two_sides_of_a_long_gap_share_no_block():
    windows = SlidingWindower(1, 5).fit(make_frame(range(10))).transform(make_frame([0, 1, 9, 10]))
    rows = windows.targets(np.arange(4))
    assert [set(some[~np.isnan(some)]) for some in rows if not np.isnan(some).all()] == [{1}, {2, 3}]


@pytest.mark.parametrize(("window", "horizon"), [(1, 1), (3, 2), (2, 24), (24, 5)])
def test_a_gap_of_years_costs_a_few_rows_only(window, horizon):
    hours = np.append(np.arange(40), 40 + 24 * 365 * 10)
    X = pd.DataFrame({"seen": hours}, index=pd.PeriodIndex.from_ordinals(hours, freq="h"), dtype=float)
    panel = SlidingWindower(window, horizon).fit(X).transform(X).panel
    assert len(panel) <= len(X) + window + 2 * horizon + (horizon - 1)  # the last is the rest of the last block


def test_memory_grows_with_rows_and_blocks_not_with_gaps_times_windows():
    hours = np.arange(900) + np.arange(900) // 3 * 1000
    X = pd.DataFrame({"seen": hours}, index=pd.PeriodIndex.from_ordinals(hours, freq="h"), dtype=float)
    windows = SlidingWindower(168, 24).fit(X).transform(X)
    assert len(windows.panel) < len(X) + 2 * 24 * 300
    assert len(windows) <= 2 * 300  # and no block without a row
    assert windows.find_blanks().n_blank == 900 - 168


def test_the_first_history_rows_of_each_series_get_no_forecast():
    X = make_table([(s, h) for s in "ab" for h in range(10)])
    for history in (None, 3, 7):
        windows = SlidingWindower(3, 4, history=history).fit(X).transform(X)
        rows = windows.targets(np.arange(20))
        n = history or 3
        assert sorted(rows[~np.isnan(rows)]) == [*range(n, 10), *range(10 + n, 20)]


def test_a_table_with_one_row_to_forecast_uses_the_step_of_training():
    windows = SlidingWindower(1, 1).fit(make_frame(range(9))).transform(make_frame([0, 5]))
    np.testing.assert_array_equal(np.asarray(windows), [[BLANK]])  # the hour before it is not there


# --- known columns -----------------------------------------------------------------------------------

TABLE = pd.DataFrame({"power": np.arange(9.0), "u100": 1.0, "v100": 2.0})


@pytest.mark.parametrize(
    ("known", "positions"),
    [
        (None, []),
        ([], []),
        ("u100", [1]),
        (["v100", "u100"], [2, 1]),
        (("u100",), [1]),
        (pd.Index(["u100"]), [1]),
        (np.array(["v100"]), [2]),
        (2, [2]),
        (-1, [2]),
        ([0, 2], [0, 2]),
        (np.array([1, 2]), [1, 2]),
        ([False, True, True], [1, 2]),
        (slice(1, None), [1, 2]),
        (slice("power", "u100"), [0, 1]),
        (make_column_selector("100$"), [1, 2]),
        (lambda X: X.columns[1:], [1, 2]),
        (slice(None), [0, 1, 2]),
    ],
    ids=lambda value: type(value).__name__ if callable(value) else str(value),  # no addresses
)
def test_known_columns_are_named_as_in_a_column_transformer(known, positions):
    windower = SlidingWindower(3, 2, known=known).fit(TABLE)
    assert windower.known_.tolist() == positions
    assert windower.transform(TABLE).ahead.shape == (3, 2, len(positions))


@pytest.mark.parametrize(("known", "positions"), [(1, [1]), ([0, 2], [0, 2]), (slice(1, 3), [1, 2])])
def test_known_columns_of_an_array_go_by_position(known, positions):
    assert SlidingWindower(3, known=known).fit(TABLE.to_numpy()).known_.tolist() == positions


def test_all_columns_may_be_known():
    windows = SlidingWindower(3, 2, known=list(TABLE)).fit_transform(TABLE)
    np.testing.assert_array_equal(windows.ahead[1], TABLE[4:6])


@pytest.mark.parametrize(
    ("known", "message"),
    [
        (["u10", "power"], r"known=\['u10', 'power'\]\): no column 'u10' among .* Did you mean 'u100'"),
        ("powr", "no column 'powr' among .* Did you mean 'power'"),
        (["temperature"], "no column 'temperature' among .*'v100'"),
        ([1, 7], r"known=\[1, 7\]\): the table has n_features=3. Give positions from 0 to 2"),
    ],
)
def test_an_unknown_known_column_is_refused_with_its_name_and_a_guess(known, message):
    with pytest.raises(ValueError, match=message):
        SlidingWindower(3, known=known).fit(TABLE)


def test_names_asked_of_an_array_point_to_set_output():
    with pytest.raises(ValueError, match=r"known=\['u100'\].*3 columns without names.*set_output"):
        SlidingWindower(3, known=["u100"]).fit(TABLE.to_numpy())


def test_a_position_beyond_an_array_is_refused_with_the_range():
    with pytest.raises(ValueError, match="positions from 0 to 2"):
        SlidingWindower(3, known=[3]).fit(TABLE.to_numpy())


# --- what is refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["window", "horizon", "stride", "history"])
@pytest.mark.parametrize("value", [0, -1, 2.0, "3"])
def test_sizes_are_positive_whole_numbers(name, value):
    windower = SlidingWindower(**{"window": 2} | {name: value})
    for method in (windower.fit, windower.fit_transform):
        with pytest.raises(InvalidParameterError, match=f"'{name}' parameter of SlidingWindower"):
            method(TABLE)


def test_a_history_shorter_than_the_window_is_refused_with_the_way_out():
    with pytest.raises(ValueError, match=r"window=4, history=3\).*Give history=4 or more"):
        SlidingWindower(4, history=3).fit(TABLE)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity_is_refused(value):
    infinite = TABLE.replace({"power": {4.0: value}})
    for call in (SlidingWindower(3).fit, SlidingWindower(3).fit_transform, SlidingWindower(3).fit(TABLE).transform):
        with pytest.raises(ValueError, match="infinity"):
            call(infinite)


def test_words_are_refused():
    for call in (SlidingWindower(3).fit_transform, SlidingWindower(3).fit(TABLE).transform):
        with pytest.raises(ValueError, match="could not convert string to float"):
            call(TABLE.assign(power="much"))


def test_other_columns_than_in_training_are_refused():
    windower = SlidingWindower(3).fit(TABLE)
    with pytest.raises(ValueError, match="feature names"):
        windower.transform(TABLE[["u100", "v100", "power"]])
    with pytest.raises(ValueError, match="X has 2 features, but SlidingWindower is expecting 3"):
        SlidingWindower(3).fit(TABLE.to_numpy()).transform(TABLE.to_numpy()[:, :2])


def test_a_table_without_rows_is_refused():
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        SlidingWindower(3).fit(TABLE[:0])


def test_transform_needs_a_fit():
    with pytest.raises(NotFittedError):
        SlidingWindower(3).transform(TABLE)


def test_a_table_that_lost_its_series_is_refused_at_fit():
    X = make_table([(s, h) for s in "ab" for h in range(9)])
    for method in (SlidingWindower(2).fit, SlidingWindower(2).fit_transform):
        with pytest.raises(LostSeriesError, match="set_output"):
            method(X.to_numpy(), X["seen"])


@pytest.mark.parametrize("names", ["columns", "positions"])
def test_series_and_time_left_in_columns_are_noticed_with_the_way_out(names):
    X = pd.DataFrame({"wind": np.sin(np.arange(1000)), "id": np.repeat([4, 2], 500), "t": np.tile(np.arange(500), 2)})
    told = r"X, series='id', time='t'" if names == "columns" else r"pandas.DataFrame\(X\), series=1, time=2"
    X = X if names == "columns" else X.to_numpy()
    for method in (SlidingWindower(4).fit, SlidingWindower(4).fit_transform):
        with pytest.warns(LostSeriesWarning, match=rf"windows run across them.*skts.to_panel\({told}\)"):
            method(X)


def test_words_and_dates_in_columns_are_shown_the_way_into_the_index():
    X = make_table([(s, h) for s in "ab" for h in range(9)])
    for left in (["series", "time"], ["series"], ["time"]):
        with pytest.raises((ValueError, TypeError)) as refused:
            SlidingWindower(2).fit(X.reset_index()[[*left, "seen"]])
        assert "skts.to_panel(X, series=..., time=...)" in refused.value.__notes__[0]


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_a_table_that_lost_its_series_is_refused_at_transform():
    X = make_table([(s, h) for s in "ab" for h in range(9)])
    for lost in (X.to_numpy(), X.reset_index(drop=True)):
        with pytest.raises(LostSeriesError, match=r"1 series level and date-times.*set_output"):
            SlidingWindower(2).fit(X).transform(lost)


def test_a_repeated_time_is_refused_at_fit_and_at_transform():
    twice = make_table([("a", 0), ("a", 1), ("a", 2), ("a", 2)])
    for call in (SlidingWindower(2).fit, SlidingWindower(2).fit(twice[:3]).transform):
        with pytest.raises(PanelIndexError, match=r"Row 3: series 'a' .* twice"):
            call(twice)


def test_too_few_rows_for_a_training_window_are_named_by_series_with_the_way_out():
    X = make_table([("a", 0), ("b", 0), ("b", 1), ("b", 2), ("b", 9)])
    with pytest.raises(
        ShortSeriesError, match=r"needs 4 consecutive rows .*'a' has 1, series 'b' has 3: fit on longer"
    ):
        SlidingWindower(3).fit_transform(X)


def test_one_short_series_among_others_is_a_warning_that_names_it():
    X = make_table([*(("a", h) for h in range(9)), ("b", 0), ("b", 1)])
    with pytest.warns(ShortSeriesWarning, match="series 'b' has 2: 1 of 2 series give no window"):
        windows = SlidingWindower(3).fit_transform(X)
    assert windows.series_names[np.unique(windows.series)].tolist() == ["a"]


def test_too_few_rows_of_history_are_named_by_series_with_the_way_out():
    X = make_table([*(("a", h) for h in range(9)), ("b", 0), ("b", 1), ("b", 2)])
    windower = SlidingWindower(3).fit(X)
    with pytest.raises(
        ShortSeriesError, match=r"needs 3 rows of history.*series 'b' has 3 rows.*HistoryPrepender\(3\)"
    ):
        windower.transform(X)


# --- what goes in stays as it is ---------------------------------------------------------------------


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_any_layout_will_do_and_stays_as_it_is(order, dtype):
    X = np.asarray(np.arange(18).reshape(9, 2), dtype=dtype, order=order)
    before = X.copy()
    X.setflags(write=False)
    windower = SlidingWindower(3, 2)
    for windows in (windower.fit_transform(X), windower.transform(X)):
        assert windows.dtype == np.float32
        np.testing.assert_array_equal(windows[0], before[:3])
        windows.panel[:] = 0  # a copy, or the next line tells
    np.testing.assert_array_equal(X, before)


def test_a_frame_stays_as_it_is():
    X = make_table([("b", 1), ("a", 1), ("a", 2), ("b", 2), ("a", 3), ("a", 5)])
    before = X.copy()
    windower = SlidingWindower(1, 1)
    windower.fit_transform(X).panel[:] = 0
    windower.transform(X).panel[:] = 0
    pd.testing.assert_frame_equal(X, before)


def test_missing_values_pass():
    X = TABLE.assign(power=np.nan)
    assert np.isnan(np.asarray(SlidingWindower(3).fit_transform(X))[..., 0]).all()


def test_set_output_changes_nothing():
    windower = SlidingWindower(3).set_output(transform="pandas")
    assert isinstance(windower, SlidingWindower)
    np.testing.assert_array_equal(windower.fit_transform(TABLE), SlidingWindower(3).fit_transform(TABLE))


def test_names_are_those_of_the_columns_of_a_window_through_a_pipeline_too():
    pipe = Pipeline([("history", HistoryPrepender(3)), ("windows", SlidingWindower(3)), ("net", "passthrough")])
    pipe.set_output(transform="pandas").fit(TABLE)
    assert pipe[:-1].get_feature_names_out().tolist() == ["power", "u100", "v100"]
    assert SlidingWindower(3).fit(TABLE.to_numpy()).get_feature_names_out().tolist() == ["x0", "x1", "x2"]
    with pytest.raises(NotFittedError):
        SlidingWindower(3).get_feature_names_out()


def test_training_again_forgets_the_table_before():
    windower = SlidingWindower(3).fit(make_frame(range(9), PERIODS))
    assert len(windower.fit(TABLE.to_numpy()).transform(TABLE.to_numpy())) == 6


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_numbers_beyond_float32_are_refused():
    with pytest.raises(ValueError, match="too large for dtype"):
        SlidingWindower(2).fit_transform(np.full((9, 1), 1e300))


def test_parameters_that_change_after_fit_change_nothing_until_the_next_one():
    X, _ = make_panel(n_series=1, n_rows=60, random_state=0)
    prepender, windower = HistoryPrepender(12).fit(X[:40]), SlidingWindower(12, 4, known=["wind"]).fit(X)
    before = prepender.transform(X[40:]), np.asarray(windower.transform(X))
    prepender.set_params(length=20)
    windower.set_params(window=6, horizon=3, history=30, known=None, stride=2)
    pd.testing.assert_frame_equal(prepender.transform(X[40:]), before[0])
    np.testing.assert_array_equal(np.asarray(windower.transform(X)), before[1])
