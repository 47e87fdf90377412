import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.utils import Bunch

from skts import HistoryPrepender, SlidingWindower
from skts.datasets import make_panel
from skts.inspection import HistoryCurveDisplay, history_curve
from skts.model_selection import PanelTimeSeriesSplit
from skts.strategies import WindowedRegressor

plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def agg():
    plt.switch_backend("Agg")
    yield
    plt.close("all")


def make_result(n_lengths=6, best=96, shortest=24):
    lengths = 6 * 2 ** np.arange(n_lengths)
    table = pd.DataFrame(
        {
            "error": 80 + 40 / lengths,
            "standard_error": 2.0 / lengths,
            "fit_seconds": lengths / 3,
        },
        index=pd.Index(lengths, name="length"),
    )
    return Bunch(table=table, best=best, shortest=shortest)


def test_the_picture_shows_the_table():
    result = make_result()
    display = HistoryCurveDisplay.from_result(result, unit="kW", name="mean absolute error")
    line, _, (bars,) = display.error_
    np.testing.assert_array_equal(line.get_xydata(), result.table["error"].reset_index().to_numpy())
    reach = np.array([np.ptp(segment[:, 1]) for segment in bars.get_segments()])
    np.testing.assert_allclose(reach, 2 * result.table["standard_error"])
    np.testing.assert_array_equal(display.seconds_.get_ydata(), result.table["fit_seconds"])
    assert [mark.get_xdata()[0] for mark in display.marks_] == [24, 96]
    above, below = display.axes_
    assert above.get_ylabel() == "mean absolute error (kW)"
    assert (below.get_xlabel(), below.get_ylabel()) == ("window (rows)", "training (s)")
    assert [tick.get_text() for tick in below.get_xticklabels()] == ["6", "12", "24", "48", "96", "192"]


def test_the_best_is_marked_once_where_nothing_shorter_will_do():
    display = HistoryCurveDisplay.from_result(make_result(best=24))
    assert [mark.get_xdata()[0] for mark in display.marks_] == [24]


@pytest.mark.parametrize("n_lengths", [1, 20])
def test_one_length_and_many_are_drawn(n_lengths):
    display = HistoryCurveDisplay.from_result(make_result(n_lengths, best=6, shortest=6))
    assert len(display.axes_[1].get_xticklabels()) <= 8
    display.figure_.draw_without_rendering()


def test_it_draws_into_the_axes_given():
    figure, axes = plt.subplots(2)
    display = HistoryCurveDisplay.from_result(make_result(), ax=axes)
    assert display.figure_ is figure
    assert list(display.axes_) == list(axes)
    _, ax = plt.subplots()
    assert len(HistoryCurveDisplay.from_result(make_result(), ax=ax).axes_) == 2


@pytest.mark.parametrize("n_series", [1, 4])
def test_what_is_measured_is_drawn(n_series):
    X, y = make_panel(n_series=n_series, n_rows=120, random_state=0)
    pipe = make_pipeline(HistoryPrepender(1), SlidingWindower(1, 2, known="wind"), WindowedRegressor(Ridge()))
    options = {"lengths": [1, 2, 6], "cv": PanelTimeSeriesSplit(2, test_size=20)}
    display = HistoryCurveDisplay.from_estimator(pipe, X, y, **options)
    expected = history_curve(pipe, X, y, **options)
    np.testing.assert_array_equal(display.error_[0].get_ydata(), expected.table["error"])
