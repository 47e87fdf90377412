import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from skts.regressors._latest import split_latest


@settings(deadline=None)
@given(st.lists(st.integers(0, 50), min_size=2, max_size=30), st.integers(0, 5), st.floats(0.01, 0.99))
def test_all_targets_lie_before_the_cut_or_behind_it(first, horizon, fraction):
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
