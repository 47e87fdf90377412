import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.neighbors import KNeighborsRegressor

from skts.datasets import make_panel
from skts.exceptions import LostSeriesError, PanelIndexError
from skts.model_selection import PanelTimeSeriesSplit
from tests._panels import HOURS, make_table, ragged_panels, where

quick = settings(deadline=None, max_examples=50)
options = st.fixed_dictionaries(
    {
        "n_splits": st.integers(2, 4),
        "test_size": st.none() | st.integers(1, 4),
        "gap": st.integers(0, 3),
        "max_train_size": st.none() | st.integers(1, 6),
    }
)


steps = st.none() | st.integers(1, 6)


def size_of_test(n_times, n_splits, test_size, gap, step=None, **_):
    """Give the size of the test sets, of options that leave something to train on."""
    size = test_size or n_times // (n_splits + 1)
    assume(n_splits < n_times and n_times - gap - size - (n_splits - 1) * (step or size) > 0)
    return size


@quick
@given(st.integers(3, 40), options, st.sampled_from([np.zeros, lambda n: pd.DataFrame({"x": 0.0}, index=HOURS[:n])]))
def test_for_one_series_it_is_the_split_of_scikit_learn(n_rows, kwargs, table):
    size_of_test(n_rows, **kwargs)
    splits = PanelTimeSeriesSplit(**kwargs).split(table(n_rows))
    for (train, test), expected in zip(splits, TimeSeriesSplit(**kwargs).split(np.zeros(n_rows)), strict=True):
        np.testing.assert_array_equal(train, expected[0])
        np.testing.assert_array_equal(test, expected[1])


@quick
@given(ragged_panels(), options, steps)
def test_all_series_are_cut_at_the_same_times_and_origins_roll_by_steps(X, kwargs, step):
    kwargs = {**kwargs, "step": step}
    hours = np.array([hour for _, hour in where(X)])
    times = np.unique(hours)
    size = size_of_test(len(times), **kwargs)
    last_test = len(times) - size
    splits = list(PanelTimeSeriesSplit(**kwargs).split(X))
    assert len(splits) == kwargs["n_splits"]
    for k, (train, test) in enumerate(splits):
        begin = last_test - (kwargs["n_splits"] - 1 - k) * (step or size)
        past = times[: begin - kwargs["gap"]]
        past = past[-kwargs["max_train_size"] :] if kwargs["max_train_size"] else past
        np.testing.assert_array_equal(test, np.flatnonzero(np.isin(hours, times[begin : begin + size])))
        np.testing.assert_array_equal(np.sort(train), np.flatnonzero(np.isin(hours, past)))


@quick
@given(ragged_panels(), options)
def test_nothing_is_trained_on_that_is_not_past_and_every_late_row_is_tested_once(X, kwargs):
    hours = np.array([hour for _, hour in where(X)])
    times = np.unique(hours)
    size = size_of_test(len(times), **kwargs)
    splits = list(PanelTimeSeriesSplit(**kwargs).split(X))
    for train, test in splits:
        between = np.searchsorted(times, hours[test].min()) - np.searchsorted(times, hours[train].max()) - 1
        assert between == kwargs["gap"]
    tested = np.concatenate([test for _, test in splits])
    assert sorted(tested) == np.flatnonzero(hours >= times[-kwargs["n_splits"] * size]).tolist()


def test_it_drives_cross_validation_and_a_search_over_interleaved_series():
    X, y = make_panel(n_series=3, n_rows=60, interleave=True, random_state=0)
    cv = PanelTimeSeriesSplit(3, test_size=10)
    scores = cross_val_score(LinearRegression(), X, y, cv=cv, error_score="raise")
    is_late = X.index.get_level_values("time") >= X.index.get_level_values("time").unique()[-10]
    assert scores[-1] == LinearRegression().fit(X[~is_late], y[~is_late]).score(X[is_late], y[is_late])
    search = GridSearchCV(KNeighborsRegressor(), {"n_neighbors": [1, 5]}, cv=cv, error_score="raise").fit(X, y)
    assert search.n_splits_ == 3


def test_the_order_of_the_rows_does_not_matter():
    X, _ = make_panel(n_series=3, n_rows=30, random_state=0)
    mixed, _ = make_panel(n_series=3, n_rows=30, interleave=True, random_state=0)
    cv = PanelTimeSeriesSplit(3, gap=2)
    for (train, test), (mixed_train, mixed_test) in zip(cv.split(X), cv.split(mixed), strict=True):
        assert set(X.index[train]) == set(mixed.index[mixed_train])
        assert set(X.index[test]) == set(mixed.index[mixed_test])


def test_a_table_that_lost_its_series_is_refused_with_the_way_out():
    X, y = make_panel(n_series=3, n_rows=30, random_state=0)
    with pytest.raises(LostSeriesError, match=r"y carries 3 of them.*set_output"):
        next(PanelTimeSeriesSplit(3).split(X.to_numpy(), y))


def test_a_repeated_time_is_refused_with_its_place():
    X = make_table([("a", 0), ("a", 1), ("a", 1), ("a", 2)])
    with pytest.raises(PanelIndexError, match=r"Row 2: series 'a' has the time .* twice"):
        next(PanelTimeSeriesSplit(2).split(X))


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"n_splits": 6}, "Cannot have number of folds=7 greater than the number of samples=6"),
        ({"n_splits": 3, "test_size": 2}, "Too many splits=3 for number of samples=6 with test_size=2 and gap=0"),
        ({"n_splits": 2, "test_size": 2, "gap": 2}, "Too many splits=2 .* gap=2"),
        ({"n_splits": 3, "test_size": 4, "step": 1}, r"test_size=4, step=1, gap=0\) needs 7 times, and X has 6"),
    ],
)
def test_more_splits_than_times_are_refused(kwargs, message):
    X = make_table([(s, h) for s in "abcd" for h in range(6)])  # 24 rows, but 6 times
    with pytest.raises(ValueError, match=message):
        next(PanelTimeSeriesSplit(**kwargs).split(X))


@pytest.mark.parametrize("n_splits", [1, 0, -2, 2.5])
def test_one_split_is_none(n_splits):
    with pytest.raises(ValueError, match=r"k-fold|number of folds"):
        PanelTimeSeriesSplit(n_splits)


@pytest.mark.parametrize(("name", "value"), [("step", 0), ("test_size", 0), ("step", -1)])
def test_an_empty_step_or_test_set_is_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} == {value}, must be >= 1"):
        PanelTimeSeriesSplit(**{name: value})


def test_it_says_what_it_is_and_how_many_splits_it_has():
    cv = PanelTimeSeriesSplit(4, test_size=24, gap=1)
    expected = "PanelTimeSeriesSplit(gap=1, max_train_size=None, n_splits=4, step=None, test_size=24)"
    assert " ".join(repr(cv).split()) == expected
    assert cv.get_n_splits() == cv.get_n_splits(np.zeros((9, 1))) == 4
