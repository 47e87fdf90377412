import ast
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.dates import date2num
from sklearn.linear_model import Ridge

import skts.inspection
from skts.datasets import make_panel
from skts.inspection import ForecastDisplay
from skts.model_selection import backtest
from tests.inspection.plot._forecasts import HORIZON, Spread, hourly, lead_by_hand, make_forecaster

plt.switch_backend("agg")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def points(line):
    """The points of a line that are there, and their times."""
    values = np.asarray(line.get_ydata(), dtype=float)
    there = ~np.isnan(values)
    return pd.Series(values[there], pd.DatetimeIndex(np.asarray(line.get_xdata())[there]))


def test_lines_hold_exactly_the_data():
    pipe, X, y = make_forecaster()
    display = ForecastDisplay.from_estimator(pipe, X, y, unit="MW")
    y_pred = pd.Series(pipe.predict(X), X.index)
    assert y.isna().any()
    for i, name in enumerate(["station_0", "station_1"]):
        truth, forecast = points(display.truth_lines_[i]), points(display.forecast_lines_[i])
        pd.testing.assert_series_equal(truth, y[name].dropna(), check_names=False, check_freq=False)
        pd.testing.assert_series_equal(forecast, y_pred[name], check_names=False, check_freq=False)
        origins = display.origin_marks_[i].get_xdata()
        assert (origins == y[name].index[::HORIZON].to_numpy()).all()
        assert display.axes_[i].get_title("left") == name
        assert display.axes_[i].get_ylabel() == "power (MW)"
    legend = [text.get_text() for text in display.axes_[0].get_legend().get_texts()]
    assert legend == ["measured", "forecast", "origin"]


def test_a_missing_target_and_a_missing_row_are_gaps():
    y = hourly([0, 1, np.nan, 3, 4, 5, 6, 7]).drop(pd.Timestamp("2024-01-01 05:00"))
    display = ForecastDisplay.from_predictions(y, y.fillna(0))
    truth, forecast = (line.get_ydata() for line in (display.truth_lines_[0], display.forecast_lines_[0]))
    np.testing.assert_array_equal(truth, [0, 1, np.nan, 3, 4, np.nan, 6, 7])
    np.testing.assert_array_equal(forecast, [0, 1, 0, 3, 4, np.nan, 6, 7])
    assert display.origin_marks_ == [None]


def test_months_are_no_gaps():
    y = pd.Series(np.arange(12.0), pd.period_range("2024-01", periods=12, freq="M"))
    display = ForecastDisplay.from_predictions(y, y)
    np.testing.assert_array_equal(display.truth_lines_[0].get_ydata(), y)


def test_bands_reach_from_quantile_to_quantile():
    X, y = make_panel(n_series=1, n_rows=60, random_state=0)
    display = ForecastDisplay.from_estimator(Spread().fit(X, y), X, y, quantiles=[0.75, 0.1, 0.9, 0.25])
    wide, narrow = display.bands_[0]
    times = date2num(X.index.get_level_values(1).to_numpy())
    for band, half, label in ((wide, 0.4, "10–90 %"), (narrow, 0.25, "25–75 %")):  # noqa: RUF001
        vertices = {tuple(each) for each in band.get_paths()[0].vertices.round(9)}
        for sign in (-1, 1):
            edge = np.column_stack([times, X["wind"] + sign * half]).round(9)
            assert {tuple(each) for each in edge} <= vertices
        assert band.get_label() == label


def test_quantiles_may_be_a_table_that_names_its_levels():
    y = hourly(np.arange(5.0))
    table = pd.DataFrame({"q0.9": y + 1, "q0.1": y - 1})
    display = ForecastDisplay.from_predictions(y, y, y_quantiles=table)
    shown = display.table
    assert list(shown.columns) == ["time", "y_true", "y_pred", "q0.1", "q0.9"]
    assert (shown["q0.9"] - shown["q0.1"] == 2).all()


def test_forecasts_that_overlap_are_drawn_one_by_one():
    X, y = make_panel(n_series=1, n_rows=60, random_state=0)
    cv = [(np.arange(30), np.arange(start, start + 8)) for start in (30, 34, 38)]
    result = backtest(Ridge(), X[["wind"]], y, cv=cv, refit=False)
    display = ForecastDisplay.from_backtest(result)
    drawn = display.forecast_lines_[0].get_ydata()
    assert np.isnan(drawn).sum() == 2
    pieces = np.split(drawn[~np.isnan(drawn)], 3)
    for piece, (_, fold) in zip(pieces, result.groupby("fold"), strict=True):
        np.testing.assert_array_equal(piece, fold["y_pred"])
    np.testing.assert_array_equal(display.truth_lines_[0].get_ydata(), y[30:46])
    assert len(display.origin_marks_[0].get_xdata()) == 3


@pytest.mark.parametrize(("n_series", "shown"), [(1, [0]), (4, [0, 1, 2, 3]), (50, [0, 16, 33, 49])])
def test_few_of_many_series_are_shown_evenly(n_series, shown):
    _, y = make_panel(n_series=n_series, n_rows=20, random_state=0)
    display = ForecastDisplay.from_predictions(y, y)
    assert [ax.get_title("left") for ax in display.axes_] == [f"station_{i}" for i in shown]


def test_series_and_times_are_chosen_by_name():
    _, y = make_panel(n_series=5, n_rows=48, random_state=0)
    display = ForecastDisplay.from_predictions(
        y, y, series=["station_3", "station_1"], start="2024-01-02 03:00", n_rows=4
    )
    times = pd.date_range("2024-01-02 03:00", periods=4, freq="h")
    for line, name in zip(display.truth_lines_, ["station_3", "station_1"], strict=True):
        pd.testing.assert_series_equal(points(line), y[name][times], check_names=False, check_freq=False)
    with pytest.raises(ValueError, match="'station_9' is none of the 5 series 'station_0'"):
        ForecastDisplay.from_predictions(y, y, series=["station_9"])
    with pytest.raises(ValueError, match="the times to show end at 2024-01-02 23:00"):
        ForecastDisplay.from_predictions(y, y, start="2025")


def test_the_index_of_the_table_says_who_and_when_whatever_that_of_the_target_is():
    pipe, X, y = make_forecaster()
    display = ForecastDisplay.from_estimator(pipe, X, y.reset_index(drop=True))
    pd.testing.assert_frame_equal(display.table, ForecastDisplay.from_estimator(pipe, X, y).table)
    twice = X.set_axis(X.index.set_names(["time", "time"]))
    with pytest.raises(ValueError, match=r"level 'time' .* names a series.*rename"):
        ForecastDisplay.from_estimator(pipe, twice, y)


def test_times_are_written_by_their_own_clock():
    y = hourly(np.arange(24.0), "2024-07-01", tz="Europe/Paris")
    display = ForecastDisplay.from_predictions(y, y)
    ax = display.axes_[0]
    np.testing.assert_array_equal(display.truth_lines_[0].get_xdata(), y.index.tz_convert("UTC").tz_localize(None))
    assert ax.get_xlabel() == "time (Europe/Paris)"
    at_three = date2num(y.index[3].tz_convert("UTC"))
    assert ax.xaxis.get_major_formatter().format_ticks([at_three]) == ["03:00"]


def test_another_forecaster_is_added_to_the_same_axes():
    _, y = make_panel(n_series=2, n_rows=20, random_state=0)
    lead = lead_by_hand(y)
    first = ForecastDisplay.from_predictions(y, y, lead=lead, name="one")
    second = ForecastDisplay.from_predictions(y, y + 1, lead=lead, name="two", ax=first.axes_)
    assert list(second.axes_) == list(first.axes_)
    assert second.truth_lines_ == [None, None]
    assert first.forecast_lines_[0].get_color() != second.forecast_lines_[0].get_color()
    legend = [text.get_text() for text in second.axes_[0].get_legend().get_texts()]
    assert legend == ["measured", "one", "two", "origin"]


def test_one_axes_is_split_and_an_array_has_rows():
    figure, ax = plt.subplots()
    _, y = make_panel(n_series=2, n_rows=20, random_state=0)
    display = ForecastDisplay.from_predictions(y, y, ax=ax)
    assert display.figure_ is figure
    assert len(display.axes_) == 2
    display = ForecastDisplay.from_predictions(np.arange(5.0), np.arange(5.0), ax=plt.figure().gca())
    assert display.axes_[0].get_xlabel() == "time (rows)"
    np.testing.assert_array_equal(display.truth_lines_[0].get_xdata(), np.arange(5))


def test_what_does_not_fit_together_is_refused():
    y = hourly(np.arange(5.0))
    with pytest.raises(ValueError, match=r"y_pred has shape \(4,\), and \(5,\) is expected"):
        ForecastDisplay.from_predictions(y, y[:4])
    with pytest.raises(ValueError, match="y_pred and y_true have different rows: row 0"):
        ForecastDisplay.from_predictions(y, y[::-1])
    with pytest.raises(ValueError, match=r"and \(5, 1\) is expected"):
        ForecastDisplay.from_predictions(y, y, y_quantiles=np.zeros((5, 2)), quantiles=[0.1])
    with pytest.raises(ValueError, match="give quantiles="):
        ForecastDisplay.from_predictions(y, y, y_quantiles=np.zeros((5, 2)))


def test_matplotlib_is_imported_on_use_alone():
    for path in (Path(skts.inspection.__file__).parent / "_plot").glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert "matplotlib" not in ast.unparse(node).replace("check_matplotlib_support", ""), path.name
