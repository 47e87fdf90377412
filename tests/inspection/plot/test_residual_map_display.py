import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from skts.datasets import make_panel
from skts.inspection import ResidualMapDisplay
from skts.model_selection import PanelTimeSeriesSplit, backtest, score_table
from tests.inspection.plot._forecasts import Spread, make_forecaster

plt.switch_backend("agg")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def half_hours(**kwargs):
    index = pd.date_range("2024-03-25", "2024-04-05", freq="30min", **kwargs)
    return pd.Series(np.random.default_rng(0).normal(size=len(index)), index)


def test_a_cell_is_the_mean_of_its_rows():
    pipe, X, y = make_forecaster()
    residual = pd.Series(pipe.predict(X), X.index) - y
    display = ResidualMapDisplay.from_estimator(pipe, X, y, unit="MW")
    times = X.index.get_level_values("time")
    for (month, hour), some in residual.dropna().groupby([times[y.notna()].month, times[y.notna()].hour]):
        assert display.bias.loc[month, hour] == pytest.approx(some.mean())
        assert display.mae.loc[month, hour] == pytest.approx(some.abs().mean())
    drawn = np.ma.filled(display.image_.get_array(), np.nan)
    np.testing.assert_allclose(drawn, display.bias)
    low, high = display.image_.get_clim()
    assert low == -high == -np.nanmax(np.abs(drawn))
    assert display.colorbar_.ax.get_ylabel() == "forecast − measured (MW)"  # noqa: RUF001


def test_forecasts_that_are_too_high_are_above_nought():
    y = half_hours()
    display = ResidualMapDisplay.from_predictions(y, y + 2)
    np.testing.assert_allclose(display.bias, 2)
    np.testing.assert_allclose(ResidualMapDisplay.from_predictions(y, y - 2, kind="mae").image_.get_array(), 2)


def test_hours_are_those_of_the_clock_on_the_wall():
    y = half_hours(tz="Europe/Paris")  # with the change to summer time, in which an hour is not there
    y_pred = y + y.index.hour
    display = ResidualMapDisplay.from_predictions(y, y_pred)
    np.testing.assert_allclose(display.bias, np.tile(np.arange(24.0), (2, 1)))
    assert display.ax_.get_xlabel() == "hour of day (Europe/Paris)"


def test_cells_without_a_target_are_blank():
    y = half_hours()
    y[(y.index.month == 3) & (y.index.hour == 5)] = np.nan
    display = ResidualMapDisplay.from_predictions(y, np.zeros(len(y)))
    drawn = np.ma.masked_invalid(display.image_.get_array())
    assert drawn.mask.sum() == 1
    assert drawn.mask[0, 5]
    assert display.ax_.patch.get_hatch()


def test_steps_of_hours_show_their_hours_and_months_are_named():
    times = pd.date_range("2023-12-01", "2024-02-01", freq="6h")
    y = pd.Series(0.0, times)
    display = ResidualMapDisplay.from_predictions(y, y, ax=plt.figure().gca())
    assert [text.get_text() for text in display.ax_.get_xticklabels()] == ["0", "6", "12", "18"]
    assert [text.get_text() for text in display.ax_.get_yticklabels()] == ["Jan", "Feb", "Dec"]


def test_a_backtest_is_scored_as_by_score_table():
    X, y = make_panel(n_series=4, n_rows=96, random_state=0)
    result = backtest(Spread(), X, y, cv=PanelTimeSeriesSplit(2, test_size=24))
    display = ResidualMapDisplay.from_backtest(result)
    expected = score_table(result, by=["month", "hour"])
    np.testing.assert_allclose(display.bias.to_numpy().ravel(), expected["bias"])
    np.testing.assert_allclose(display.mae.to_numpy().ravel(), expected["mae"])


@pytest.mark.parametrize("n_series", [1, 50])
def test_any_number_of_series(n_series):
    _, y = make_panel(n_series=n_series, n_rows=30, random_state=0)
    display = ResidualMapDisplay.from_predictions(y, y + 1)
    np.testing.assert_allclose(display.bias, 1)


def test_rows_without_times_are_refused():
    with pytest.raises(ValueError, match="needs date-times or periods"):
        ResidualMapDisplay.from_predictions([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="one of 'bias' and 'mae'"):
        ResidualMapDisplay.from_predictions(half_hours(), half_hours(), kind="rmse")
