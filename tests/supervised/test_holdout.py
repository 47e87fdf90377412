import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator

from skts.datasets import make_panel
from skts.supervised import read_inputs, read_targets, split_holdout
from skts.supervised._holdout import split_latest
from skts.windows import SlidingWindower


@settings(deadline=None)
@given(st.lists(st.integers(0, 50), min_size=2, max_size=30), st.integers(0, 5), st.floats(0.01, 0.99))
def test_all_targets_lie_before_the_cut_or_after_it(first, horizon, fraction):
    first = np.array(first)
    last = first + horizon
    train, valid = split_latest(first, last, fraction)
    assert not (train & valid).any()
    if train.any() and valid.any():
        assert last[train].max() < first[valid].min()


def test_the_share_is_that_of_the_times_whatever_the_number_of_series():
    first = np.array([*range(10)] * 3 + [0, 1, 2])  # a fourth series ends early
    train, valid = split_latest(first, first, 0.2)
    assert set(first[train]) == set(range(8))
    assert set(first[valid]) == {8, 9}


def test_a_window_over_the_cut_is_in_neither():
    first = np.arange(10)
    train, valid = split_latest(first, first + 2, 0.25)  # times 0 to 11, the cut at 9
    assert first[train].tolist() == [*range(7)]
    assert first[valid].tolist() == [9]


class Anyone(BaseEstimator):
    validation_fraction = 0.25


def holdout(X, y, windower):
    inputs = read_inputs(Anyone(), windower.fit_transform(X), reset=True)
    targets = read_targets("Anyone", inputs, y, None)
    return inputs.windows, *split_holdout("Anyone", Anyone.validation_fraction, inputs, targets.teaching())


def test_no_time_trains_that_validates_whatever_the_series():
    X, y = make_panel(n_series=3, n_rows=60, missing=0.3, interleave=True, random_state=0)
    y = y.where(y.index.get_level_values(0) != "station_2")  # which teaches nothing
    windows, train, valid = holdout(X, y, SlidingWindower(6, 4))
    last, first = windows.ticks[windows.origins + 3], windows.ticks[windows.origins]
    assert last[train].max() < first[valid].min()
    assert {*windows.series[train]} == {*windows.series[valid]} == {0, 1}
    assert pd.Index(train).intersection(valid).empty


def test_of_arrays_the_last_windows_validate():
    inputs = read_inputs(Anyone(), np.zeros((40, 3, 1)), reset=True)
    targets = read_targets("Anyone", inputs, np.arange(40.0), None)
    train, valid = split_holdout("Anyone", Anyone.validation_fraction, inputs, targets.teaching())
    np.testing.assert_array_equal(train, np.arange(30))
    np.testing.assert_array_equal(valid, np.arange(30, 40))


def test_a_table_too_short_for_both_is_refused():
    X, y = make_panel(n_series=1, n_rows=30, random_state=0)
    with pytest.raises(
        ValueError, match=r"validation_fraction=0.25\) leaves 0 windows to train on and \d+ to validate"
    ):
        holdout(X, y.where(np.arange(30) > 25), SlidingWindower(6, 2))
