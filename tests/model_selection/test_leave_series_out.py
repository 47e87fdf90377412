import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import cross_val_score

from skts.datasets import make_panel
from skts.exceptions import LostSeriesError
from skts.model_selection import LeaveSeriesOut
from tests._panels import make_table, ragged_panels, where

quick = settings(deadline=None, max_examples=50)


@quick
@given(ragged_panels(), st.none() | st.integers(2, 4))
def test_every_series_is_tested_once_and_never_trained_on_meanwhile(X, n_splits):
    series = np.array([name for name, _ in where(X)])
    n_series = len(set(series))
    assume(n_series >= (n_splits or 2))
    cv = LeaveSeriesOut(n_splits)
    splits = list(cv.split(X))
    assert len(splits) == cv.get_n_splits(X) == (n_splits or n_series)
    assert sorted(name for _, test in splits for name in set(series[test])) == sorted(set(series))
    for train, test in splits:
        np.testing.assert_array_equal(np.sort(train), np.flatnonzero(~np.isin(series, series[test])))
        np.testing.assert_array_equal(test, np.flatnonzero(np.isin(series, series[test])))


def test_groups_hold_about_as_many_rows_each():
    lengths = {"a": 30, "b": 10, "c": 10, "d": 10}
    X = make_table([(name, hour) for name, n in lengths.items() for hour in range(n)])
    assert sorted(len(test) for _, test in LeaveSeriesOut(2).split(X)) == [30, 30]


def test_series_that_share_a_key_are_left_out_together():
    X, _ = make_panel(n_series=3, n_rows=5, interleave=True, random_state=0)
    names = {"station_0": ("f", 1), "station_1": ("f", 2), "station_2": ("g", 1)}
    index = pd.MultiIndex.from_tuples([(*names[name], time) for name, time in X.index], names=["farm", "phase", "time"])
    X, farms = X.set_axis(index), index.get_level_values("farm")
    cv = LeaveSeriesOut(by="farm")
    assert cv.get_n_splits(X) == 2
    assert [sorted(set(farms[test])) for _, test in cv.split(X)] == [["f"], ["g"]]
    assert all(not set(farms[train]) & set(farms[test]) for train, test in cv.split(X))
    assert len(list(LeaveSeriesOut(by=["phase", "farm"]).split(X))) == len(list(LeaveSeriesOut().split(X))) == 3
    with pytest.raises(ValueError, match=r"n_splits=3\): X has 2 series"):
        next(LeaveSeriesOut(3, by="farm").split(X))
    with pytest.raises(ValueError, match=r"LeaveSeriesOut\(by='site'\): no index level 'site'"):
        next(LeaveSeriesOut(by="site").split(X))


def test_it_drives_cross_validation():
    X, y = make_panel(n_series=3, n_rows=30, interleave=True, random_state=0)
    scores = cross_val_score(LinearRegression(), X[["wind"]], y, cv=LeaveSeriesOut(), error_score="raise")
    last = X.index.get_level_values("station") == "station_2"
    expected = LinearRegression().fit(X.loc[~last, ["wind"]], y[~last]).score(X.loc[last, ["wind"]], y[last])
    np.testing.assert_allclose(scores[2], expected)


def test_fewer_series_than_it_takes_are_refused_with_the_way_out():
    X, y = make_panel(n_series=3, n_rows=5, random_state=0)
    with pytest.raises(ValueError, match=r"n_splits=4\): X has 3 series.*n_splits=3 or fewer"):
        next(LeaveSeriesOut(4).split(X))
    with pytest.raises(LostSeriesError, match="X has one series, and at least two"):
        next(LeaveSeriesOut().split(X.loc[["station_0"]]))
    with pytest.raises(LostSeriesError, match="y carries 3 of them"):
        next(LeaveSeriesOut().split(X.to_numpy(), y))
    with pytest.raises(ValueError, match="give X"):
        LeaveSeriesOut().get_n_splits()
    with pytest.raises(ValueError, match="k-fold"):
        LeaveSeriesOut(1)
