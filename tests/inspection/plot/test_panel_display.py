import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from skts.datasets import load_la_haute_borne, make_panel
from skts.exceptions import PanelIndexError
from skts.inspection import PanelDisplay
from skts.inspection._plot._cells import shade
from skts.inspection._plot._panel_display import PARTS

mpl.use("Agg")
TIMES = pd.date_range("2024-01-01", periods=6, freq="h", name="time")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def make_holes():
    """Give a table in which: `a` is whole but for a target; `b` lacks its third and fourth hour, and values later."""
    index = pd.MultiIndex.from_product([["a", "b"], TIMES], names=["farm", "time"])
    X = pd.DataFrame({"wind": 1.0, "gust": 2.0, "sky": "blue", "temp": 3.0}, index=index)
    y = pd.Series(1.0, index=index)
    y.iloc[1] = np.nan
    X.iloc[10, :2] = np.nan  # half of the values
    X.iloc[11, 2] = None
    y.iloc[11] = np.nan
    there = np.delete(np.arange(12), [8, 9])
    return X.iloc[there], y.iloc[there]


def test_known_holes_are_counted():
    X, y = make_holes()
    display = PanelDisplay.from_table(X, y)
    expected = np.zeros((2, 6, 3))
    expected[..., 0] = [[1, 0, 1, 1, 1, 1], [1, 1, 0, 0, 0.5, 0]]
    expected[1, 4, 1] = 0.5
    expected[0, 1, 2] = expected[1, 5, 2] = 1  # what lacks its target counts as that alone
    np.testing.assert_array_equal(display.counts, expected)
    np.testing.assert_array_equal(display.expected, np.ones((2, 6)))


def test_the_order_of_the_rows_does_not_count():
    X, y = make_holes()
    by_time = X.index.argsort()[np.argsort(X.index.get_level_values("time"), kind="stable")]
    counts = [PanelDisplay.from_table(*both).counts for both in ((X, y), (X.iloc[by_time], y.iloc[by_time]))]
    np.testing.assert_array_equal(*counts)


def test_what_is_drawn_is_what_was_counted():
    X, y = make_holes()
    display = PanelDisplay.from_table(X, y)
    colors = display.mesh_.get_array().reshape(2, 6, 3)
    np.testing.assert_array_equal(colors, shade(display.counts, PARTS.values()))
    np.testing.assert_allclose(colors[0, 1], to_rgb(PARTS["y missing"]))
    np.testing.assert_allclose(colors[1, 2], 1)  # no row: blank
    edges = mpl.dates.num2date(display.mesh_.get_coordinates()[0, :, 0])
    assert [edge.hour for edge in edges] == [0, 1, 2, 3, 4, 5, 6]
    ax = display.ax_
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time", "farm")
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["a", "b"]
    side = ax.child_axes[0]
    assert [tick.get_text() for tick in side.get_yticklabels()] == ["83.3 %", "41.7 %"]
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["complete 62.5 %", "X missing 4.2 %", "y missing 16.7 %", "no row 16.7 %"]


def test_real_holes_are_those_that_pandas_counts():
    X, y = load_la_haute_borne(return_X_y=True)
    display = PanelDisplay.from_table(X, y)
    n_missing = y.isna().groupby("turbine").sum()
    np.testing.assert_array_equal(display.counts[..., 2].sum(axis=1), n_missing[display.series])
    times = X.index.get_level_values("time")
    per_bin = y.isna().groupby(pd.cut(times, display.edges, right=False)).sum()
    np.testing.assert_array_equal(display.counts[..., 2].sum(axis=0), per_bin)
    assert display.counts.sum() == len(X)


@pytest.mark.parametrize(("n_series", "n_lanes"), [(1, 1), (4, 4), (50, 50), (5000, 239)])
def test_any_number_of_series_fits(n_series, n_lanes):
    index = pd.MultiIndex.from_product([range(n_series), range(4)], names=["station", "time"])
    X = pd.DataFrame({"wind": 1.0}, index=index).drop((n_series - 1, 1))
    display = PanelDisplay.from_table(X)
    assert display.counts.shape == (n_lanes, 4, 3)
    assert display.counts.sum() == len(X)
    lacking = display.expected - display.counts.sum(axis=-1)
    assert lacking[-1, 1] == lacking.sum() == 1
    display.figure_.draw_without_rendering()
    assert len(display.ax_.get_yticks()) <= 25


def test_arrays_have_rows_for_times():
    X = np.ones((5, 2))
    X[3] = np.nan
    display = PanelDisplay.from_table(X, np.array([[1.0, 1], [1, np.nan], [1, 1], [1, 1], [1, 1]]))
    np.testing.assert_array_equal(display.counts[0, :, 0], [1, 0, 1, 0, 1])
    np.testing.assert_array_equal(display.counts[0, :, 1:], [[0, 0], [0, 1], [0, 0], [1, 0], [0, 0]])
    assert display.ax_.get_xlabel() == "row"
    assert display.series is None


def test_given_axes_are_drawn_on():
    figure, ax = plt.subplots()
    X, y = make_panel(2, 50, random_state=0)
    display = PanelDisplay.from_table(X, y, ax=ax)
    assert (display.ax_, display.figure_) == (ax, figure)
    again = PanelDisplay(counts=display.counts, expected=display.expected, edges=display.edges, series=display.series)
    np.testing.assert_array_equal(again.plot().mesh_.get_array(), display.mesh_.get_array())


def test_a_target_of_other_rows_is_refused():
    X, y = make_holes()
    with pytest.raises(PanelIndexError, match="different rows"):
        PanelDisplay.from_table(X, y.iloc[::-1])
    with pytest.raises(ValueError, match="inconsistent numbers"):
        PanelDisplay.from_table(X, y.iloc[1:])
