import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import InvalidParameterError

from skts import HistoryPrepender
from skts.exceptions import LostSeriesError, PanelIndexError, UnseenSeriesWarning
from tests._panels import CALENDARS, HOURS, PERIODS, by_series, lookup, make_frame, make_table, split_panels, where

ARRAY = np.arange(20.0).reshape(10, 2)
FRAME = pd.DataFrame(ARRAY, columns=["power", "wind"])


# --- tables with times -------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(split_panels(max_overlap=6), st.integers(1, 8))
def test_history_is_looked_up_in_the_remembered_tail(split, length):
    train, new = split
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnseenSeriesWarning)
        out = HistoryPrepender(length).fit(train).transform(new)

    tail = [row for rows in by_series(train).values() for _, row in rows[-length:]]
    remembered = lookup(train.iloc[tail])
    first = {series: rows[0][0] for series, rows in by_series(new).items()}
    history = out.iloc[: -len(new)]
    assert sorted(where(history)) == sorted((s, hour - k) for s, hour in first.items() for k in range(1, length + 1))
    expected = [remembered.get(place, [np.nan, np.nan]) for place in where(history)]
    np.testing.assert_array_equal(history, expected)
    assert all(hours == sorted(hours) for hours in ([h for h, _ in rows] for rows in by_series(out).values()))
    pd.testing.assert_frame_equal(out.iloc[-len(new) :], new, check_freq=False)


@pytest.mark.parametrize("calendar", CALENDARS[:3], ids=lambda calendar: str(calendar.dtype))
def test_one_series_without_a_name_gets_its_history_too(calendar):
    train, new = make_frame(range(10, 20), calendar), make_frame([21, 22], calendar)
    out = HistoryPrepender(3).fit(train).transform(new)
    assert out.index.equals(calendar[18:23])
    assert out.index.names == calendar.names
    np.testing.assert_array_equal(out["seen"], [18, 19, np.nan, 21, 22])


def test_the_training_table_itself_gets_blank_history():
    X = make_table([(s, h) for h in range(10, 16) for s in "ba"])
    out = HistoryPrepender(2).fit(X).transform(X)
    assert out.iloc[:4].isna().all(axis=None)
    pd.testing.assert_frame_equal(out.iloc[4:], X)


def test_all_levels_before_the_last_name_a_series():
    X = pd.concat({("fr", "x"): make_frame(range(9)), ("de", "x"): make_frame(range(9), start=100)})
    X.index.names = ["country", "station", "time"]
    is_new = X.index.get_level_values("time") >= HOURS[7]
    out = HistoryPrepender(2).fit(X[~is_new]).transform(X[is_new])
    assert out.index.names == X.index.names
    seen = out["seen"].groupby(level=["country", "station"]).agg(list)
    assert seen.to_dict() == {("fr", "x"): [5, 6, 7, 8], ("de", "x"): [105, 106, 107, 108]}


def test_categories_without_rows_get_no_history():
    X = make_table([(s, h) for s in "ac" for h in range(10, 16)])
    stations = pd.Categorical(X.index.get_level_values(0), categories=["c", "b", "a"])
    X = X.set_axis(pd.MultiIndex.from_arrays([stations, X.index.get_level_values(1)], names=X.index.names))
    is_new = X["seen"] % 6 >= 4
    out = HistoryPrepender(2).fit(X[~is_new]).transform(X[is_new])
    seen = out["seen"].groupby(level=0, observed=True).agg(list)
    assert seen.to_dict() == {"a": [2, 3, 4, 5], "c": [8, 9, 10, 11]}


@pytest.mark.parametrize(("trained", "given"), [("s", "ns"), ("ns", "us"), ("us", "s")])
def test_the_unit_of_the_times_does_not_matter(trained, given):
    train, new = make_frame(range(5), HOURS.as_unit(trained)), make_frame([5, 6], HOURS.as_unit(given))
    assert HistoryPrepender(2).fit(train).transform(new)["seen"].tolist() == [3, 4, 5, 6]


def test_the_zone_of_the_times_does_not_matter():
    train, new = make_frame(range(5), HOURS.tz_localize("UTC")), make_frame([5, 6], HOURS.tz_localize("UTC"))
    out = HistoryPrepender(2).fit(train).transform(new.tz_convert("Europe/Paris"))
    assert out["seen"].tolist() == [3, 4, 5, 6]


def test_a_single_new_row_gets_its_history():
    assert HistoryPrepender(2).fit(make_frame(range(5))).transform(make_frame([5]))["seen"].tolist() == [3, 4, 5]


def test_an_unseen_series_gets_blank_history_and_a_warning_that_names_it():
    train = make_table([("a", 10), ("a", 11)])
    new = make_table([("a", 12), ("z", 12)])
    with pytest.warns(UnseenSeriesWarning, match=r"1 of 2 series were not in the training table.*\['z'\]"):
        out = HistoryPrepender(2).fit(train).transform(new)
    assert out.loc["z", "seen"].isna().tolist() == [True, True, False]
    assert out.loc["a", "seen"].tolist() == [0, 1, 0]


def test_single_rows_without_a_known_step_are_refused_with_the_way_out():
    with pytest.raises(PanelIndexError, match=r"time between rows is unknown.*Fit HistoryPrepender on a longer table"):
        HistoryPrepender(2).fit(make_frame([0])).transform(make_frame([1]))


# --- tables without times ----------------------------------------------------------------------------


def test_an_array_follows_the_training_rows():
    out = HistoryPrepender(3).fit(ARRAY[:7]).transform(ARRAY[7:])
    np.testing.assert_array_equal(out, ARRAY[4:])


def test_a_short_training_array_leaves_blank_rows_in_front():
    out = HistoryPrepender(9).fit(ARRAY[:7]).transform(ARRAY[7:])
    assert np.isnan(out[:2]).all()
    np.testing.assert_array_equal(out[2:], ARRAY)


def test_the_training_array_itself_gets_blank_history_even_with_holes():
    holes = np.where(ARRAY % 3 == 0, np.nan, ARRAY)
    out = HistoryPrepender(2).fit(holes).transform(holes.copy())
    assert np.isnan(out[:2]).all()
    np.testing.assert_array_equal(out[2:], holes)


@pytest.mark.parametrize(("was", "is_now"), [(7.0, 7.0 + 1e-9), (np.nan, 0.0), (0.0, np.nan)])
def test_an_array_that_differs_in_one_value_is_not_the_training_array(was, is_now):
    train, new = ARRAY.copy(), ARRAY.copy()
    train[3, 1], new[3, 1] = was, is_now
    np.testing.assert_array_equal(HistoryPrepender(2).fit(train).transform(new)[:2], ARRAY[-2:])


def test_a_frame_with_numbered_rows_follows_the_training_rows():
    prepender = HistoryPrepender(9).fit(FRAME[:7])
    out = prepender.transform(FRAME[7:])
    assert list(out.index) == list(range(-2, 10))
    assert out[:2].isna().all(axis=None)
    pd.testing.assert_frame_equal(out[2:], FRAME, check_index_type=False)
    assert prepender.transform(FRAME[:7])[:9].isna().all(axis=None)


def test_a_frame_with_words_for_rows_follows_the_training_rows():
    X = FRAME.set_axis(list("abcdefghij"))
    pd.testing.assert_frame_equal(HistoryPrepender(3).fit(X[:7]).transform(X[7:]), X[4:])
    out = HistoryPrepender(9).fit(X[:7]).transform(X[7:])
    assert out[:2].isna().all(axis=None)
    pd.testing.assert_frame_equal(out[2:], X)


@pytest.mark.filterwarnings("ignore:X does not have valid feature names", "ignore:X has feature names")
def test_arrays_and_frames_without_times_may_follow_each_other():
    np.testing.assert_array_equal(HistoryPrepender(2).fit(FRAME[:7]).transform(ARRAY[7:]), ARRAY[5:])
    np.testing.assert_array_equal(HistoryPrepender(2).fit(ARRAY[:7]).transform(FRAME[7:]), ARRAY[5:])


# --- what is refused ---------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_an_array_after_training_on_a_panel_is_refused_with_the_way_out():
    X = make_table([("a", 10), ("a", 11), ("b", 10)])
    for lost in (X.to_numpy(), X.reset_index(drop=True)):
        with pytest.raises(LostSeriesError, match=r"table of fit had 1 series level and date-times.*set_output"):
            HistoryPrepender(2).fit(X).transform(lost)


def test_times_of_another_kind_are_refused_with_both_kinds():
    X, other = make_frame(range(5)), make_frame(range(5), PERIODS)
    with pytest.raises(PanelIndexError, match=r"date-times without a time zone in its index, and .*period\[h\]"):
        HistoryPrepender(2).fit(X).transform(other)
    with pytest.raises(PanelIndexError, match=r"without a time zone in its index, and .* with a time zone"):
        HistoryPrepender(2).fit(X).transform(X.tz_localize("UTC"))


def test_a_table_that_lost_its_series_is_refused_at_fit():
    X = make_table([("a", 10), ("a", 11), ("b", 10)])
    for method in (HistoryPrepender(2).fit, HistoryPrepender(2).fit_transform):
        with pytest.raises(LostSeriesError, match="set_output"):
            method(X.to_numpy(), X["seen"])


@pytest.mark.parametrize("length", [0, -1, 2.0, "3", None])
def test_the_length_is_a_positive_whole_number(length):
    with pytest.raises(InvalidParameterError, match="'length' parameter of HistoryPrepender"):
        HistoryPrepender(length).fit_transform(ARRAY)


def test_words_and_infinities_are_refused():
    prepender = HistoryPrepender(2).fit(FRAME)
    for call in (clone(prepender).fit, clone(prepender).fit_transform, prepender.transform):
        with pytest.raises(ValueError, match="could not convert string to float"):
            call(FRAME.assign(wind="strong"))
        with pytest.raises(ValueError, match="infinity"):
            call(FRAME.assign(wind=np.inf))


def test_other_columns_than_in_training_are_refused():
    with pytest.raises(ValueError, match="feature names"):
        HistoryPrepender(2).fit(FRAME).transform(FRAME[["wind", "power"]])
    with pytest.raises(ValueError, match="X has 1 features, but HistoryPrepender is expecting 2"):
        HistoryPrepender(2).fit(ARRAY).transform(ARRAY[:, :1])


def test_transform_needs_a_fit():
    with pytest.raises(NotFittedError):
        HistoryPrepender(2).transform(ARRAY)


# --- what comes out ----------------------------------------------------------------------------------


def test_training_rows_come_out_as_they_went_in():
    X = make_table([("b", 10), ("a", 10), ("a", 11), ("b", 12)])
    pd.testing.assert_frame_equal(HistoryPrepender(2).fit_transform(X), X)
    np.testing.assert_array_equal(HistoryPrepender(2).fit_transform(ARRAY), ARRAY)


def test_a_tail_is_the_last_rows_of_each_series_in_the_order_of_the_table():
    X = make_table([("b", 10), ("a", 10), ("b", 11), ("a", 11), ("c", 11), ("b", 14)])
    assert HistoryPrepender(2).fit(X).tail_["seen"].tolist() == [1, 2, 3, 4, 5]


def test_what_goes_in_stays_as_it_is_and_is_not_held():
    train, new = make_table([("a", 10), ("a", 11)]), make_table([("a", 12)])
    train_before, new_before = train.copy(), new.copy()
    prepender = HistoryPrepender(2).fit(train)
    out = prepender.transform(new)
    out.iloc[:] = 0
    pd.testing.assert_frame_equal(train, train_before)
    pd.testing.assert_frame_equal(new, new_before)
    train.iloc[:] = -5
    assert prepender.transform(new)["seen"].tolist() == [0, 1, 0]


@pytest.mark.parametrize("levels", [0, 1, 2])
def test_what_is_remembered_takes_the_room_of_its_rows_whatever_the_table_was(levels):
    def pickled(n_series, n_rows):
        names = [[f"farm {i:03}" for i in range(n_series)], range(1, 3)][:levels]
        times = pd.date_range("2024-01-01", periods=n_rows, freq="h")
        index = pd.MultiIndex.from_product([*names, times]) if levels else times
        X = pd.DataFrame({"wind": np.zeros(len(index))}, index=index)
        return len(pickle.dumps(HistoryPrepender(6).fit(X[-2 * n_rows :])))

    assert pickled(200, 500) < pickled(2, 10) + 500


def test_arrays_are_not_held_either():
    train = ARRAY[:7].copy()
    prepender = HistoryPrepender(9).fit(train)
    prepender.transform(train)[:] = 0
    np.testing.assert_array_equal(train, ARRAY[:7])
    train[:] = -5
    np.testing.assert_array_equal(prepender.transform(ARRAY[7:])[2:], ARRAY)


@pytest.mark.parametrize("order", ["C", "F"])
def test_any_layout_will_do(order):
    X = np.array(ARRAY, order=order)
    X.setflags(write=False)
    np.testing.assert_array_equal(HistoryPrepender(3).fit(X[:7]).transform(X[7:]), X[4:])


def test_set_output_keeps_the_index():
    train, new = make_table([("a", 10), ("a", 11)]), make_table([("a", 12)])
    plain, pandas = HistoryPrepender(2), HistoryPrepender(2).set_output(transform="pandas")
    pd.testing.assert_frame_equal(pandas.fit_transform(train), train)
    pd.testing.assert_frame_equal(pandas.transform(new), plain.fit(train).transform(new))
    assert pandas.get_feature_names_out().tolist() == ["seen", "known"]


def test_unsigned_times_may_count_below_zero():
    times = pd.MultiIndex.from_product([["a"], np.arange(4, dtype=np.uint8)])
    X = pd.DataFrame({"seen": np.arange(4.0)}, index=times)
    out = HistoryPrepender(3).fit(X[:2]).transform(X[2:])
    assert out.index.get_level_values(1).tolist() == [-1, 0, 1, 2, 3]
    np.testing.assert_array_equal(out["seen"], [np.nan, 0, 1, 2, 3])


def test_unsigned_times_of_the_largest_kind_become_signed_ones():
    times = pd.MultiIndex.from_product([["a"], np.arange(4, dtype=np.uint64)])
    X = pd.DataFrame({"seen": np.arange(4.0)}, index=times)
    out = HistoryPrepender(2).fit(X).transform(X)
    assert out.index.get_level_values(-1).dtype == np.int64
    assert out.index.get_level_values(-1).tolist() == [-2, -1, 0, 1, 2, 3]
    assert X.index.get_level_values(-1).dtype == np.uint64


def test_set_output_does_not_rename_the_columns_of_the_table_it_was_given():
    train = make_table([("a", 10), ("a", 11)]).set_axis([0, 1], axis=1)
    HistoryPrepender(2).set_output(transform="pandas").fit_transform(train)
    assert train.columns.tolist() == [0, 1]


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "uint8", "Int8"])
@pytest.mark.parametrize("n_train", [256, 5])
def test_times_at_the_lower_end_of_their_dtype_have_no_late_rows_for_history(dtype, n_train):
    first = np.iinfo(dtype.lower()).min
    times = pd.MultiIndex.from_product([["a"], pd.Index(first + np.arange(256), dtype=dtype)], names=["series", "time"])
    X = pd.DataFrame({"seen": np.arange(256.0)}, index=times)
    prepender = HistoryPrepender(6).fit(X[:n_train])
    for start in (0, 2, 5):
        out = prepender.transform(X[start : start + 4])
        history = [row if 0 <= row < n_train and row >= n_train - 6 else np.nan for row in range(start - 6, start)]
        np.testing.assert_array_equal(out["seen"], [*history, *range(start, start + 4)])
        assert out.index.get_level_values(1).tolist() == list(range(first + start - 6, first + start + 4))


@pytest.mark.parametrize("index", [pd.date_range("2024-01-01", periods=6, freq="h"), pd.RangeIndex(6)])
def test_blank_rows_leave_the_dtypes_numbers(index):
    X = pd.DataFrame({"on": [True, False] * 3, "wind": np.arange(6, dtype=np.float32)}, index=index)
    out = HistoryPrepender(2).fit(X).transform(X)
    assert out.dtypes.tolist() == [np.float64, np.float32]
    np.testing.assert_array_equal(out["on"], [np.nan, np.nan, 1, 0, 1, 0, 1, 0])
    followed = HistoryPrepender(2).fit(X[:3]).transform(X[3:])
    assert followed.dtypes.tolist() == [np.bool_, np.float32]
