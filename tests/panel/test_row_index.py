import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from skts.exceptions import LostSeriesError, PanelIndexError
from skts.panel import check_same_series, read_index, series_names
from tests._panels import CLOCK_CHANGE, HOURS, PERIODS, make_table, ragged_panels

THREE = pd.MultiIndex.from_product([["fr", "de"], ["x", "y"], HOURS[:3]], names=["country", "station", "time"])


def frame(index):
    return pd.DataFrame({"seen": np.arange(len(index), dtype=float)}, index=index)


@pytest.mark.parametrize(
    "X",
    [
        np.zeros((3, 1)),
        [[0.0], [1.0], [2.0]],
        frame(pd.RangeIndex(3)),
        frame(pd.Index(list("cab"))),
        frame(pd.Index([30, 10, 20])),
    ],
    ids=["array", "list", "RangeIndex", "strings", "integers"],
)
def test_without_times_the_rows_are_one_series_in_their_order(X):
    rows = read_index(X)
    assert rows.series.tolist() == [0, 0, 0]
    assert (rows.names, rows.ticks, rows.clock) == (None, None, None)
    assert (rows.n_series, rows.describe(1), rows.kind()) == (1, "the table", "no series and no times")


@pytest.mark.parametrize("times", [HOURS, CLOCK_CHANGE, PERIODS], ids=lambda times: str(times.dtype))
def test_a_time_index_is_one_series_with_times(times):
    rows = read_index(frame(times[:3]))
    assert rows.series.tolist() == [0, 0, 0]
    assert (rows.names, rows.n_series) == (None, 1)
    assert rows.clock.labels(rows.ticks).equals(times[:3])
    assert rows.kind() == f"0 series levels and {rows.clock.kind}"


@settings(deadline=None, max_examples=50)
@given(ragged_panels())
def test_series_and_time_of_every_row_are_those_of_its_label(X):
    rows = read_index(X)
    assert rows.names.is_unique
    assert rows.names[rows.series].tolist() == X.index.get_level_values(0).tolist()
    pd.testing.assert_index_equal(rows.clock.labels(rows.ticks), X.index.get_level_values(1), exact="equiv")


def test_all_levels_before_the_last_name_a_series():
    order = np.random.default_rng(0).permutation(len(THREE))
    rows = read_index(frame(THREE[order]))
    assert rows.n_series == 4
    assert rows.names.names == ["country", "station"]
    assert list(rows.names[rows.series]) == [label[:2] for label in THREE[order]]
    assert rows.describe(0) == f"series {THREE[order][0][:2]!r}"
    assert rows.kind() == "2 series levels and date-times without a time zone"


def test_a_combination_of_levels_that_has_no_row_is_no_series():
    kept = THREE[[label[:2] != ("fr", "y") for label in THREE]]
    assert read_index(frame(kept)).n_series == 3


def test_unused_categories_and_levels_are_no_series():
    stations = pd.Categorical(["c", "a", "c"], categories=["a", "b", "c"])
    categories = pd.MultiIndex.from_arrays([stations, HOURS[[0, 0, 1]]], names=["station", "time"])
    rows = read_index(frame(categories))
    assert rows.names[rows.series].tolist() == ["c", "a", "c"]
    assert rows.n_series == 2
    X = make_table([("a", 0), ("b", 0), ("c", 0)])
    assert read_index(X.iloc[[0, 2]]).names.tolist() == ["a", "c"]


def test_numbers_can_name_series():
    index = pd.MultiIndex.from_product([[80711, 80721], HOURS[:2]], names=["turbine", "time"])
    assert read_index(frame(index)).describe(3) == "series 80721"


def test_a_last_level_without_times_is_refused_with_its_name_and_the_way_out():
    X = make_table([("a", 0), ("b", 0)]).swaplevel()
    with pytest.raises(PanelIndexError, match=r"'series', must hold times .* put the level with the times last"):
        read_index(X)


@pytest.mark.parametrize(
    ("index", "place"),
    [
        (pd.MultiIndex.from_arrays([["a", None, "a"], HOURS[:3]], names=["id", "t"]), "Row 1 has no series.*'id'"),
        (
            pd.MultiIndex.from_arrays([list("aaa"), HOURS[:2].append(pd.Index([pd.NaT]))], names=["id", "t"]),
            "Row 2.*'t'",
        ),
        (pd.DatetimeIndex(["2024-01-01", None, "2024-01-03"], name="t"), "Row 1 has no time: index level 't'"),
        (pd.PeriodIndex(["2024-01", "2024-02", None], freq="M", name="t"), "Row 2 has no time: index level 't'"),
    ],
    ids=["series", "time", "DatetimeIndex", "PeriodIndex"],
)
def test_a_missing_label_is_refused_with_its_row_and_the_way_out(index, place):
    with pytest.raises(PanelIndexError, match=f"{place}.* Drop the row or fill in its label"):
        read_index(frame(index))


def test_series_names_are_the_levels_before_the_last():
    assert series_names(HOURS) is None
    pd.testing.assert_index_equal(series_names(THREE), THREE.droplevel("time"))


@pytest.mark.parametrize("lose", [lambda X: X.to_numpy(), lambda X: X.reset_index(drop=True), lambda X: X.droplevel(0)])
def test_a_table_that_lost_its_series_is_refused_with_their_number_and_the_way_out(lose):
    X = make_table([("a", 0), ("a", 1), ("b", 5)])
    with pytest.raises(LostSeriesError, match=r"y carries 2 of them.*set_output\(transform=\"pandas\"\)"):
        check_same_series(lose(X), X["seen"])


def test_times_of_a_target_that_start_anew_tell_of_several_series():
    X = make_table([("a", 0), ("a", 1), ("b", 0), ("b", 1)])
    with pytest.raises(LostSeriesError, match=r"2024-01-01 01:00:00 to 2024-01-01 00:00:00 in row 2.*set_output"):
        check_same_series(X.to_numpy(), X["seen"].droplevel(0))


def test_nothing_is_lost_where_the_target_tells_no_series_apart():
    X = make_table([("a", 0), ("a", 1)])
    for y in (None, X["seen"].to_numpy(), X["seen"], X["seen"].droplevel(0)):
        check_same_series(X.to_numpy(), y)
        check_same_series(X, y)


def test_a_multi_index_of_times_alone_is_one_series():
    rows = read_index(frame(pd.MultiIndex.from_arrays([HOURS[:3]])))
    assert rows.names is None
    assert rows.kind() == read_index(frame(HOURS[:3])).kind()


def test_numbers_on_several_levels_read_as_numbers():
    index = pd.MultiIndex.from_product([[1], [2], HOURS[:2]])
    assert read_index(frame(index)).describe(0) == "series (1, 2)"
