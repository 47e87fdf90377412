import dataclasses
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skts import HistoryPrepender, SlidingWindower
from skts.panel import PanelIndex
from tests._panels import HOURS, make_frame, make_table

ROWS = np.arange(24.0).reshape(12, 2)
LOOP = np.array([ROWS[start : start + 3] for start in range(8)])  # of windows(): 3 rows, then 2 to forecast


def windows(**kwargs):
    return SlidingWindower(3, 2, known=[1], **kwargs).fit_transform(ROWS)


def blocks():
    """Blocks of 2 over two interleaved series with 4 and 3 rows to forecast, one of them behind a gap."""
    X = make_table([("b", 0), ("b", 1), ("a", 0), ("a", 1), ("a", 2), ("b", 2), ("a", 3), ("b", 3), ("b", 5)])
    return X, SlidingWindower(1, 2, known=["known"]).fit(X).transform(X)


# --- as an array -------------------------------------------------------------------------------------


def test_windows_have_the_shape_of_the_array_they_stand_for():
    w = windows()
    assert (len(w), w.shape, w.ndim, w.dtype) == (8, LOOP.shape, 3, np.float32)
    assert (w.is_training, blocks()[1].is_training) == (True, False)


@pytest.mark.parametrize(
    "key",
    [
        *(0, 3, -1, np.int64(2)),
        *(slice(2, 5), slice(None, None, -2), slice(0, 0), ...),
        *(np.arange(8) % 3 == 0, [True] * 8),
        *([5, 0, 0], np.array([-1, 2]), np.array([[0, 1], [2, 3]]), np.array([], dtype=int)),
    ],
    ids=str,
)
def test_any_index_gathers_what_the_array_would(key):
    np.testing.assert_array_equal(windows()[key], LOOP[key], strict=False)
    assert windows()[key].shape == LOOP[key].shape


@pytest.mark.parametrize("key", [8, -9, [0, 8], np.ones(7, dtype=bool), "wind"])
def test_an_index_beyond_the_windows_is_refused(key):
    with pytest.raises(IndexError):
        windows()[key]


def test_what_a_window_reads_before_its_span_is_blank_and_not_the_series_before():
    X = make_table([("a", 0), ("a", 1), ("b", 0), ("b", 1), ("b", 40), ("b", 41)])
    w = SlidingWindower(1, 2).fit(X).transform(X)
    w = dataclasses.replace(w, window=9)
    assert [w[i][~np.isnan(w[i])].tolist() for i in range(4)] == [[0, -1], [2, -3], [], [4, -5]]
    assert [np.isnan(w[[i]]).sum() for i in range(4)] == [16, 16, 18, 16]
    np.testing.assert_array_equal(np.asarray(w), [w[i] for i in range(4)])


def test_every_panel_row_has_a_time_and_every_window_its_series():
    X, w = blocks()
    is_row = w.rows >= 0
    ticks = PanelIndex.read(X).index.ticks
    np.testing.assert_array_equal(w.ticks[is_row], ticks[w.rows[is_row]])
    np.testing.assert_array_equal(w.ticks[w.origins[w.series_names[w.series] == "b"]] // 3.6e12 % 24, [1, 3, 5])


def test_numpy_makes_the_whole_array():
    np.testing.assert_array_equal(np.asarray(windows()), LOOP)
    assert np.asarray(windows()).dtype == np.float32
    assert np.asarray(windows(), dtype=np.float64).dtype == np.float64
    assert np.array(windows(), copy=True).flags.owndata
    assert np.stack([windows(), windows()]).shape == (2, *LOOP.shape)


def test_an_array_without_a_copy_is_refused():
    with pytest.raises(ValueError, match="made on request, which copies"):
        np.asarray(windows(), copy=False)


def test_what_is_gathered_is_a_copy():
    w = windows()
    w[0][:], w[:][:] = -1, -1
    np.testing.assert_array_equal(np.asarray(w), LOOP)


def test_a_window_says_what_it_is():
    assert str(windows()) == "<Windows: 8 training windows of 3 rows x 2 features, horizon 2, 1 known, 1 series>"
    assert repr(windows()) == f"{str(windows())[:-1]}; dropped: 4 incomplete; worth about 2 independent>"
    assert repr(blocks()[1]) == str(blocks()[1])
    assert "5 forecasting windows of 1 rows" in repr(blocks()[1])
    assert "2 series" in repr(blocks()[1])


def test_windows_survive_pickling():
    for w in (windows(), blocks()[1]):
        again = pickle.loads(pickle.dumps(w))
        assert repr(again) == repr(w)
        np.testing.assert_array_equal(np.asarray(again), np.asarray(w))
        np.testing.assert_array_equal(again.targets(np.arange(w.n_rows)), w.targets(np.arange(w.n_rows)))


def test_memory_grows_with_rows_not_with_windows_times_rows():
    def held(n_rows, window):
        w = SlidingWindower(window, 24).fit_transform(np.zeros((n_rows, 4), np.float32))
        return sum(value.nbytes for value in vars(w).values() if isinstance(value, np.ndarray))

    assert held(4000, 500) <= held(4000, 1)
    assert held(8000, 500) <= 2.2 * held(4000, 500)
    assert held(8000, 500) <= 8000 * (4 * 4 + 2 * 4) + 100  # the table, and two small integers a row


def test_what_a_window_is_worth_is_worked_out_once(monkeypatch):
    w = windows()
    first = repr(w)
    monkeypatch.setattr(type(w), "count_independent", None)
    assert repr(w) == first


# --- targets and forecasts ---------------------------------------------------------------------------


def test_targets_follow_their_windows():
    y = np.arange(12) * 10
    np.testing.assert_array_equal(windows().targets(y), [y[s + 3 : s + 5] for s in range(8)])
    both = np.column_stack([y, -y])
    np.testing.assert_array_equal(windows().targets(both), [both[s + 3 : s + 5] for s in range(8)])


@pytest.mark.parametrize("container", [list, pd.Series, lambda y: pd.Series(y, index=HOURS[: len(y)])])
def test_targets_come_from_any_container_by_position(container):
    np.testing.assert_array_equal(windows().targets(container(np.arange(12.0)))[0], [3, 4])


@pytest.mark.parametrize("n", [11, 13, 1])
def test_a_target_of_another_length_is_refused_with_both_lengths(n):
    with pytest.raises(ValueError, match=f"y has {n} values and the table .* had 12 rows"):
        windows().targets(np.zeros(n))


def test_where_a_block_has_no_row_the_target_is_missing():
    _, w = blocks()
    targets = w.targets(np.arange(9))
    expected = {"b": [[1, 5], [7, np.nan], [8, np.nan]], "a": [[3, 4], [6, np.nan]]}
    for series, some in expected.items():
        mine = targets[w.series_names[w.series] == series]
        np.testing.assert_array_equal([block for block in mine if not np.isnan(block).all()], some)


def test_forecasts_come_back_in_the_order_of_the_rows():
    X, w = blocks()
    forecasts = w.targets(X["seen"].to_numpy())
    np.testing.assert_array_equal(w.to_rows(forecasts), [1, 3, 4, 5, 6, 7, 8])
    two = np.stack([forecasts, -forecasts], axis=-1)
    np.testing.assert_array_equal(w.to_rows(two)[:, 1], [-1, -3, -4, -5, -6, -7, -8])


def test_overlapping_training_windows_have_no_forecast_per_row():
    with pytest.raises(ValueError, match=r"Training windows overlap.*Transform the table instead"):
        windows().to_rows(np.zeros((8, 2)))


def test_values_go_to_the_panel_and_blank_rows_get_the_fill():
    X, w = blocks()
    placed = w.to_panel(X["seen"].to_numpy(), fill=-7)
    np.testing.assert_array_equal(placed[w.rows >= 0], w.panel[w.rows >= 0, 0])
    np.testing.assert_array_equal(placed[w.rows < 0], [-7] * len(w.rows[w.rows < 0]))


# --- blank inputs ------------------------------------------------------------------------------------


def counted(windows):
    blanks = windows.find_blanks()
    return blanks.n_blank, blanks.n_forecasts


@settings(deadline=None, max_examples=60)
@given(
    arrays(bool, (14, 3)),
    st.integers(1, 3),
    st.integers(1, 4),
    st.sampled_from([None, [0], [1, 2], [0, 1, 2]]),
    st.sampled_from([0, 3, 11, 500]),
    st.integers(0, 6),
)
def test_forecasts_on_blank_inputs_are_counted_as_the_loop_does(holes, window, horizon, known, gap, place):
    hours = np.arange(14) + gap * (np.arange(14) > place)
    X = pd.DataFrame(np.where(holes, np.nan, 1.0), index=HOURS[hours])
    w = SlidingWindower(window, horizon, known=known).fit(X).transform(X)
    there, columns = w.targets(np.ones(len(X))) == 1, known or []
    blank = 0
    for past, ahead, rows in zip(np.asarray(w), w.panel[w.horizon_positions()], there, strict=True):
        if np.isnan(past).any() or np.isnan(ahead[rows][:, columns]).any():
            blank += rows.sum()
    assert counted(w) == (blank, len(X) - window)


def test_a_row_that_is_missing_from_the_horizon_makes_no_forecast_blank():
    X = make_frame([0, 1, 2, 3])
    assert counted(SlidingWindower(1, 2, known=["known"]).fit(X).transform(X)) == (0, 3)


def test_a_long_gap_within_the_history_leaves_the_first_forecast_blank_inputs():
    X = make_frame([0, 50, 51, 52, 53])
    assert counted(SlidingWindower(3).fit(X).transform(X)) == (1, 2)


def test_the_first_missing_input_is_named_by_its_cause():
    """A table of two series: one comes after a gap, the other has a hole, and its weather ends early."""
    train = make_table([(name, hour) for name in "ab" for hour in range(6)])
    new = make_table([("a", hour) for hour in range(8, 11)] + [("b", hour) for hour in range(6, 12)])
    new = new.astype(float)
    seen, known = (new.columns.get_loc(name) for name in ("seen", "known"))
    new.iloc[4, seen] = np.nan
    new.iloc[8, known] = np.nan
    history = HistoryPrepender(2).fit(train)
    windows = SlidingWindower(2, 2, known=["known"]).fit(train).transform(history.transform(new))
    blanks = windows.find_blanks()
    assert (blanks.n_blank, blanks.n_forecasts) == (6, 9)
    assert blanks.causes == [
        f"2 on blank history, the first of series 'a', where rows are missing from {HOURS[6]} on",
        f"2 on a hole, the first in column 'seen' of series 'b' at {HOURS[7]}",
        f"2 on known columns, the first where 'known' of series 'b' ends before {HOURS[11]}",
    ]
