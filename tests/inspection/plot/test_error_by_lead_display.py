import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from skts.datasets import make_panel
from skts.inspection import ErrorByLeadDisplay
from skts.model_selection import PanelTimeSeriesSplit, backtest, score_table
from tests.inspection.plot._forecasts import HORIZON, hourly, lead_by_hand, make_forecaster

plt.switch_backend("agg")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.mark.parametrize("metric", ["mae", "rmse", "bias"])
def test_the_error_of_a_lead_is_that_of_its_rows(metric):
    pipe, X, y = make_forecaster()
    display = ErrorByLeadDisplay.from_estimator(pipe, X, y, metric=metric, by_series=True, unit="MW")
    error = pd.DataFrame({"lead": lead_by_hand(X), "e": pipe.predict(X) - y}).dropna()
    means = {"mae": lambda e: e.abs().mean(), "rmse": lambda e: np.sqrt((e**2).mean()), "bias": lambda e: e.mean()}
    expected = error.groupby("lead")["e"].apply(means[metric])
    np.testing.assert_array_equal(display.line_.get_xdata(), np.arange(1, HORIZON + 1))
    np.testing.assert_allclose(display.line_.get_ydata(), expected)
    np.testing.assert_allclose(display.error, expected)
    for name, line in zip(["station_0", "station_1"], display.series_lines_, strict=True):
        own = error.loc[name].groupby("lead")["e"].apply(means[metric])
        np.testing.assert_allclose(line.get_ydata(), own)
        np.testing.assert_allclose(display.error_by_series[name], own)
    assert "(MW)" in display.ax_.get_ylabel()
    assert display.ax_.get_xlabel() == "lead (hours)"


def test_a_backtest_is_scored_as_by_score_table():
    pipe, X, y = make_forecaster()
    result = backtest(pipe, X, y, cv=PanelTimeSeriesSplit(3, test_size=12), refit=False)
    display = ErrorByLeadDisplay.from_backtest(result)
    np.testing.assert_allclose(display.error, score_table(result, by="lead")["mae"])


def test_the_interval_of_independent_errors_is_that_of_the_textbook():
    rng = np.random.default_rng(0)
    y = hourly(np.zeros(4000))
    display = ErrorByLeadDisplay.from_predictions(
        y, rng.normal(size=4000), lead=np.tile([1, 2], 2000), metric="bias", block_length=2
    )
    half = (display.high - display.low) / 2
    np.testing.assert_allclose(half, 1.96 / np.sqrt(2000), rtol=0.1)
    vertices = display.band_.get_paths()[0].vertices
    assert {*display.low, *display.high} <= {*vertices[:, 1]}


def test_errors_that_go_together_widen_the_interval():
    """Stations that are all wrong at once, for days, say no more than one of them on each such day."""
    rng = np.random.default_rng(0)
    of_day = np.repeat(rng.normal(size=60), 24)
    index = pd.MultiIndex.from_product([range(10), pd.date_range("2024-01-01", periods=len(of_day), freq="h")])
    y = pd.Series(np.tile(of_day, 10), index)
    display = ErrorByLeadDisplay.from_predictions(y, np.zeros(len(y)), lead=np.tile([1, 2], len(y) // 2), metric="bias")
    half = (display.high - display.low) / 2
    np.testing.assert_allclose(half, 1.96 * of_day.std() / np.sqrt(60), rtol=0.35)


def test_too_few_blocks_give_no_interval():
    y = hourly(np.zeros(8))
    display = ErrorByLeadDisplay.from_predictions(y, y + 1, lead=np.tile([1, 2], 4), block_length=2)
    assert np.isnan(display.low).all()
    assert display.band_ is None


def test_forecasters_are_compared_on_one_axes():
    y = hourly(np.zeros(40))
    lead = np.tile([1, 2, 3, 4], 10)
    first = ErrorByLeadDisplay.from_predictions(y, y + 1, lead=lead, name="one", ax=plt.figure().gca())
    second = ErrorByLeadDisplay.from_predictions(y, y + 9, lead=lead, name="two", ax=first.ax_)
    assert second.ax_ is first.ax_
    assert first.line_.get_color() != second.line_.get_color()
    assert first.ax_.get_ylim()[0] == 0
    assert first.ax_.get_ylim()[1] > 9
    assert [text.get_text() for text in first.ax_.get_legend().get_texts()] == ["one", "two", "95 % interval"]


@pytest.mark.parametrize(("freq", "step"), [("15min", "rows of 15 min"), ("3h", "rows of 3 h"), ("D", "days")])
def test_the_axis_says_what_a_lead_counts(freq, step):
    y = pd.Series(np.zeros(12), pd.date_range("2024-01-01", periods=12, freq=freq))
    display = ErrorByLeadDisplay.from_predictions(y, y, lead=np.tile([1, 2, 3], 4))
    assert display.ax_.get_xlabel() == f"lead ({step})"


@pytest.mark.parametrize("n_series", [1, 4, 50])
def test_any_number_of_series(n_series):
    _, y = make_panel(n_series=n_series, n_rows=24, random_state=0)
    display = ErrorByLeadDisplay.from_predictions(y, y, lead=lead_by_hand(y), by_series=True)
    assert len(display.series_lines_) == n_series


def test_what_cannot_be_drawn_is_refused():
    X, y = make_panel(n_series=1, n_rows=24, random_state=0)
    with pytest.raises(ValueError, match="Ridge holds no SlidingWindower"):
        ErrorByLeadDisplay.from_estimator(Ridge().fit(X[["wind"]], y), X[["wind"]], y)
    with pytest.raises(ValueError, match=r"metric='r2'\): one of 'mae', 'rmse', 'bias'"):
        ErrorByLeadDisplay.from_predictions(y, y, lead=lead_by_hand(y), metric="r2")
    with pytest.raises(ValueError, match="missing"):
        ErrorByLeadDisplay.from_predictions(y * np.nan, y, lead=lead_by_hand(y))
    with pytest.raises(ValueError, match="NaN or infinite"):
        ErrorByLeadDisplay.from_predictions(y, y * np.nan, lead=lead_by_hand(y))
