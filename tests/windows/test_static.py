import dataclasses

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.compose import make_column_selector
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skts import HistoryPrepender, SlidingWindower
from skts.datasets import make_panel
from skts.exceptions import UnseenSeriesWarning
from skts.windows._static import one_per_series
from tests._panels import make_table, ragged_panels, runs

DESCRIPTION = {"a": (2.0, 50.0), "b": (3.0, 51.0), "c": (np.nan, 52.0), "d": (5.0, 53.0)}


def describe(X):
    """Put two columns that tell what each series is among those that the table has."""
    described = np.array([DESCRIPTION[name] for name in X.index.get_level_values(0)])
    out = X.assign(capacity=described[:, 0], latitude=described[:, 1])
    return out[["capacity", "seen", "latitude", "known"]]


# --- the arithmetic -------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([np.nan, 1.0, 2.0]), st.sampled_from([np.nan, 0.0]))))
def test_the_value_of_a_series_is_its_first_one_and_the_first_other_one_is_found(rows):
    series, values = np.array([row[0] for row in rows], dtype=int), np.array([row[1:] for row in rows]).reshape(-1, 2)
    static, varying = one_per_series(values, series, 3)
    told, first = {}, None
    for number, (one, row) in enumerate(zip(series, values, strict=True)):
        for column, value in enumerate(row):
            if not np.isnan(value) and told.setdefault((one, column), value) != value and first is None:
                first = number, column
    expected = [[told.get((one, column), np.nan) for column in range(2)] for one in range(3)]
    np.testing.assert_array_equal(static, expected)
    assert varying == first


# --- out of the windows -----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::skts.exceptions.ShortSeriesWarning")
@settings(max_examples=40)
@given(ragged_panels())
def test_windows_are_those_of_the_table_without_its_static_columns(X):
    plain = SlidingWindower(1, 1, known=["known"])
    windower = SlidingWindower(1, 1, known=["known"], static=["capacity", "latitude"])
    X = X[X.groupby(level=0)["seen"].transform("size") > 1]
    assume(any(len(run) > 1 for run in runs(X)))
    for cut in ("fit_transform", "transform"):
        found, expected = (getattr(one.fit(table), cut)(table) for one, table in ((windower, describe(X)), (plain, X)))
        for field in dataclasses.fields(found):
            if field.name not in ("static", "static_names", "series_names", "clock"):
                np.testing.assert_array_equal(getattr(found, field.name), getattr(expected, field.name))
        np.testing.assert_array_equal(found.static, [DESCRIPTION[name] for name in found.series_names])
        assert (found.n_static, expected.static, expected.n_static) == (2, None, 0)
        assert (found.static_names, expected.static_names) == (("capacity", "latitude"), None)
    assert (windower.static_.tolist(), windower.known_.tolist(), windower.n_features_in_) == ([0, 2], [3], 4)
    assert list(windower.get_feature_names_out()) == ["capacity", "seen", "latitude", "known"]


@pytest.mark.parametrize("static", ["latitude", [2], slice("latitude", "latitude"), make_column_selector("^lat")])
def test_static_columns_are_named_as_known_ones_are(static):
    X = describe(make_table([("a", hour) for hour in range(4)])).drop(columns="capacity")
    X = X[["seen", "known", "latitude"]]
    windows = SlidingWindower(1, 1, known=["known"], static=static).fit_transform(X)
    assert (windows.static.tolist(), windows.panel.shape, windows.known.tolist()) == ([[50.0]], (4, 2), [1])
    assert ", 1 known, 1 static, 1 series>" in str(windows)
    assert "and 1 static" in windows._repr_html_()


def test_an_array_may_have_them_by_position():
    X = np.column_stack([np.arange(6.0), np.full(6, 7.0), np.arange(6.0)])
    windows = SlidingWindower(2, 1, known=[2], static=[1]).fit_transform(X)
    assert (windows.static.tolist(), windows.known.tolist(), windows.panel.shape) == ([[7.0]], [1], (6, 2))


def test_the_blank_rows_of_history_and_a_scaler_change_no_description():
    X, _ = make_panel(n_series=3, n_rows=60, random_state=0)
    X["height"] = np.repeat([80.0, 100.0, 120.0], 60)
    is_new = X.index.get_level_values("time") >= "2024-01-03"
    pipe = make_pipeline(StandardScaler(), HistoryPrepender(30), SlidingWindower(30, 6, static="height"))
    pipe.set_output(transform="pandas").fit(X[~is_new])
    new = X[is_new].drop(index="station_0").rename(index={"station_2": "elsewhere"})
    with pytest.warns(UnseenSeriesWarning):  # of the station that has blank rows alone for history
        both = pipe.transform(new)
    scaled = {"station_1": 0.0, "elsewhere": 20 / np.std([80.0, 100.0, 120.0])}
    np.testing.assert_allclose(both.static[:, 0], [scaled[name] for name in both.series_names], rtol=1e-6)


def test_a_forecast_without_its_description_rests_on_a_missing_input():
    X = describe(make_table([(name, hour) for name in "abc" for hour in range(5)]))
    forecasting = SlidingWindower(1, 2, static=["capacity", "latitude"]).fit(X).transform(X)
    assert forecasting.find_blanks().n_blank == 4
    assert forecasting.find_blanks().causes == ["4 on static columns, the first where one of series 'c' is missing"]
    described = SlidingWindower(1, 2, static=["latitude"])
    assert described.fit(X[["seen", "latitude"]]).transform(X[["seen", "latitude"]]).find_blanks().n_blank == 0


# --- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["fit", "fit_transform", "transform"])
def test_a_static_column_that_varies_is_refused_with_its_place(method):
    X = describe(make_table([(name, hour) for hour in range(5) for name in "ab"]))
    windower = SlidingWindower(1, 1, static=["capacity", "latitude"]).fit(X)
    X.iloc[[4, 7, 9], 2] = [np.nan, 60.0, 61.0]
    message = (
        r"static=\['capacity', 'latitude'\]\): column 'latitude' of series 'b' is 51, and 60 in row 7 "
        r"\(2024-01-01 03:00:00\)\. One value per series.*known=\[...\]"
    )
    with pytest.raises(ValueError, match=message):
        getattr(windower, method)(X)


def test_what_is_no_description_is_refused():
    X = describe(make_table([("a", hour) for hour in range(4)]))
    with pytest.raises(ValueError, match=r"\['latitude'\] is named by known=... too"):
        SlidingWindower(1, known=["known", "latitude"], static=["capacity", "latitude"]).fit(X)
    with pytest.raises(ValueError, match="leaves windows without a column"):
        SlidingWindower(1, static=["capacity", "latitude"]).fit(X[["capacity", "latitude"]])
    with pytest.raises(ValueError, match=r"SlidingWindower\(static=\['hight'\]\): no column 'hight'"):
        SlidingWindower(1, static=["hight"]).fit(X)
    with pytest.raises(ValueError, match=r"column 0 of the table is 0, and 1 in row 1\. One"):
        SlidingWindower(1, static=[0]).fit(np.arange(8.0).reshape(4, 2) / 2)


def test_no_static_column_is_as_none():
    X = make_table([("a", hour) for hour in range(4)])
    for static in (None, []):
        windower = SlidingWindower(1, static=static)
        assert windower.fit_transform(X).static is None
        assert windower.static_.tolist() == []
