import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter
from scipy.stats import norm

from skts.datasets import make_panel
from skts.inspection import ReliabilityDisplay
from skts.inspection._block_intervals import balanced_length, number_blocks
from skts.inspection._plot._reliability_display import consistency_bars
from tests.inspection.plot._forecasts import Spread, hourly

plt.switch_backend("agg")
LEVELS = np.array([0.1, 0.25, 0.5, 0.75, 0.9])


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def dependent(n_rows, phi, seed):
    """Draw standard normal values, each of which is `phi` times the one before it, and noise."""
    noise = np.random.default_rng(seed).normal(size=n_rows + 200) * np.sqrt(1 - phi**2)
    return lfilter([1], [1, -phi], noise)[200:]


def forecast(n_rows, width=1.0):
    return np.tile(width * norm.ppf(LEVELS), (n_rows, 1))


def share_within(length, phi=0.9, n_rows=600, n_times=30):
    """How often the share below a calibrated quantile lies within its bar."""
    steps, within = np.arange(n_rows), []
    blocks = number_blocks(steps, length or balanced_length(steps))
    for seed in range(n_times):
        excess = dependent(n_rows, phi, seed)[:, None] - forecast(n_rows)
        low, high = consistency_bars(excess, LEVELS, blocks)
        observed = (excess <= 0).mean(axis=0)
        within.append((low <= observed) & (observed <= high))
    return np.mean(within)


@pytest.mark.slow
def test_nine_of_ten_calibrated_forecasts_lie_within_the_bars_though_rows_depend_on_each_other():
    assert share_within(None) == pytest.approx(0.87, abs=0.08)  # blocks are few: slightly less than 0.9
    assert share_within(1, n_times=10) < 0.5  # the bars of independent rows
    assert share_within(1, phi=0.0, n_times=20) == pytest.approx(0.9, abs=0.08)


def test_a_calibrated_forecast_lies_within_and_an_overconfident_one_outside():
    y = hourly(dependent(3000, 0.5, 1))
    good = ReliabilityDisplay.from_predictions(y, forecast(3000), quantiles=LEVELS)
    assert ((good.low <= good.observed) & (good.observed <= good.high)).all()
    narrow = ReliabilityDisplay.from_predictions(y, forecast(3000, width=0.5), quantiles=LEVELS)
    outside = (narrow.observed < narrow.low) | (narrow.observed > narrow.high)
    assert outside[[0, 1, 3, 4]].all()
    assert (narrow.observed[:2] > LEVELS[:2]).all()
    assert (narrow.observed[-2:] < LEVELS[-2:]).all()


def test_the_bars_lie_about_the_diagonal_wherever_the_points_are():
    y = hourly(dependent(3000, 0.5, 1))
    display = ReliabilityDisplay.from_predictions(y, forecast(3000) - 5, quantiles=LEVELS)
    assert (display.observed < 0.01).all()
    assert ((display.low < LEVELS) & (display.high > LEVELS)).all()


def test_what_is_drawn_is_what_was_counted():
    X, y = make_panel(n_series=3, n_rows=200, missing=0.1, random_state=0)
    display = ReliabilityDisplay.from_estimator(Spread().fit(X, y), X, y, quantiles=[0.8, 0.2], name="spread")
    there = y.notna()
    below = pd.DataFrame({0.2: y <= X["wind"] - 0.3, 0.8: y <= X["wind"] + 0.3})[there]
    np.testing.assert_array_equal(display.line_.get_xdata(), [0.2, 0.8])
    np.testing.assert_allclose(display.line_.get_ydata(), below.mean())
    for name, marks in zip(["station_0", "station_1", "station_2"], display.series_marks_, strict=True):
        np.testing.assert_allclose(marks.get_ydata(), below.loc[name].mean())
    ends = np.array(display.bars_.get_segments())  # (Q, 2 ends, 2)
    np.testing.assert_allclose(ends[:, :, 1], np.column_stack([display.low, display.high]))
    heights = [bar.get_height() for bar in display.histogram_]
    low, high = below.mean()
    np.testing.assert_allclose(heights, [low / 0.2, (high - low) / 0.6, (1 - high) / 0.2])
    assert display.ax_.get_xlabel() == "level of the quantile"


def test_another_forecaster_adds_its_line_alone():
    y = hourly(dependent(300, 0.5, 1))
    first = ReliabilityDisplay.from_predictions(y, forecast(300), quantiles=LEVELS, name="one", ax=plt.figure().gca())
    second = ReliabilityDisplay.from_predictions(y, forecast(300, 2), quantiles=LEVELS, name="two", ax=first.ax_)
    assert second.ax_ is first.ax_
    assert second.bars_ is second.histogram_ is None
    assert first.line_.get_color() != second.line_.get_color()


@pytest.mark.parametrize(("n_series", "shown"), [(1, 0), (4, 4), (50, 0)])
def test_few_series_are_shown_one_by_one(n_series, shown):
    _, y = make_panel(n_series=n_series, n_rows=50, random_state=0)
    table = pd.DataFrame({0.1: y - 1, 0.9: y + 1})
    display = ReliabilityDisplay.from_predictions(y, table)
    np.testing.assert_array_equal(display.observed, [0, 1])
    assert len(display.series_marks_) == shown


def test_a_backtest_needs_quantiles_and_few_blocks_give_no_bars():
    result = pd.DataFrame({"time": range(4), "origin": 0, "lead": 1, "fold": 0, "y_true": 1.0, "y_pred": 1.0})
    with pytest.raises(ValueError, match="no quantiles were forecast"):
        ReliabilityDisplay.from_backtest(result)
    display = ReliabilityDisplay.from_backtest(result.assign(**{"q0.5": [0.0, 0.0, 1.0, 2.0]}))
    np.testing.assert_array_equal(display.observed, [0.5])
    assert display.bars_ is None
