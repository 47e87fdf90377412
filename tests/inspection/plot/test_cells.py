import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skts.exceptions import PanelIndexError
from skts.inspection._plot._cells import Cells, draw_cells, name_lanes, percent, shade
from skts.panel import PanelIndex
from tests._panels import HOURS, ragged_panels

mpl.use("Agg")


@settings(max_examples=40)
@given(X=ragged_panels(calendars=[HOURS]), n_lanes=st.integers(1, 5), n_bins=st.integers(1, 60))
def test_every_row_is_counted_in_the_cell_of_its_series_and_time(X, n_lanes, n_bins):
    cells = Cells.cut(PanelIndex.read(X), n_lanes, n_bins)
    series, times = X.index.get_level_values(0), X.index.get_level_values(1)
    per_lane = -(-len(cells.series) // n_lanes)
    counts = np.zeros(cells.expected.shape)
    for lane, b in np.ndindex(*counts.shape):
        mine = series.isin(cells.series[lane * per_lane : (lane + 1) * per_lane])
        counts[lane, b] = (mine & (times >= cells.edges[b]) & (times < cells.edges[b + 1])).sum()
    np.testing.assert_array_equal(cells.add_up(np.ones(len(X))), counts)
    np.testing.assert_array_equal(cells.count(np.arange(len(X)) % 2, 2).sum(axis=-1), counts)
    assert counts.shape[0] <= n_lanes
    assert counts.shape[1] <= n_bins
    assert (counts <= cells.expected).all()


@settings(max_examples=40)
@given(X=ragged_panels(), n_lanes=st.integers(1, 5), n_bins=st.integers(1, 60))
def test_a_cell_expects_the_rows_of_a_table_without_gaps(X, n_lanes, n_bins):
    times = X.index.levels[1][np.unique(X.index.codes[1])]
    whole = pd.MultiIndex.from_product([X.index.get_level_values(0).unique(), [times.min(), times.max()]])
    cells = Cells.cut(PanelIndex.read(X), n_lanes, n_bins)
    panel = PanelIndex.read(X)
    n_steps = (panel.ticks.max() - panel.ticks.min()) // panel.step + 1
    assert cells.expected.sum() == n_steps * len(whole) / 2


def test_series_between_the_steps_of_others_have_cells_too():
    times = [pd.date_range("2024", periods=3, freq="h"), pd.date_range("2024-01-01 00:30", periods=3, freq="h")]
    X = pd.DataFrame({"wind": 0.0}, index=pd.MultiIndex.from_arrays([list("aaabbb"), times[0].append(times[1])]))
    cells = Cells.cut(PanelIndex.read(X), 2, 10)
    np.testing.assert_array_equal(cells.add_up(np.ones(6)), np.ones((2, 3)))
    np.testing.assert_array_equal(cells.expected, np.ones((2, 3)))


def test_series_of_one_row_each_are_a_step_apart():
    X = pd.DataFrame({"wind": 0.0}, index=pd.MultiIndex.from_arrays([list("abc"), HOURS[[0, 1, 3]]]))
    np.testing.assert_array_equal(Cells.cut(PanelIndex.read(X), 3, 10).add_up(np.ones(3)), np.eye(4)[[0, 1, 3]])


def test_no_rows_are_refused():
    with pytest.raises(PanelIndexError, match="no rows"):
        Cells.cut(PanelIndex.read(np.empty((0, 2))), 1, 1)


def test_a_little_of_something_else_is_seen():
    colors = ["#000000", "#ff0000"]
    np.testing.assert_array_equal(shade(np.array([1.0, 0.0]), colors), [0, 0, 0])
    np.testing.assert_array_equal(shade(np.array([0.0, 1.0]), colors), [1, 0, 0])
    np.testing.assert_array_equal(shade(np.array([0.0, 0.0]), colors), [1, 1, 1])  # blank
    np.testing.assert_allclose(shade(np.array([0.999, 0.001]), colors), [0.1, 0, 0])  # the cube root
    np.testing.assert_allclose(shade(np.array([0.0, 0.5]), colors), [1, 0.5, 0.5])  # without the usual: a plain mean
    np.testing.assert_allclose(shade(np.array([0.992, 0.004]), colors), [0.2, 0.1, 0.1])  # half of the rest is blank


@pytest.mark.parametrize("n_hours", [2, 7, 30, 71, 100, 200, 1000, 2100, 5000, 26000, 40000, 200_000])
def test_spans_of_any_length_have_a_few_ticks(n_hours):
    ax = plt.figure().add_subplot()
    draw_cells(ax, HOURS[[0]].append(HOURS[[0]] + pd.Timedelta(n_hours, "h")), np.arange(2.0), np.zeros((1, 1, 3)))
    ax.figure.draw_without_rendering()
    assert 2 <= sum(ax.get_xlim()[0] <= tick <= ax.get_xlim()[1] for tick in ax.get_xticks()) <= 8
    plt.close(ax.figure)


def test_lanes_are_named_by_their_first_series():
    assert name_lanes(None, 1) == ([], "")
    assert name_lanes(pd.Index(list("abcde"), name="station"), 5) == (list("abcde"), "station")
    assert name_lanes(pd.Index(list("abcde")), 3) == (["a", "c", "e"], "series (2 in a line)")
    assert name_lanes(pd.MultiIndex.from_tuples([("a", 1)], names=["farm", "mill"]), 1) == (["a / 1"], "farm / mill")


def test_a_share_is_all_or_nothing_only_where_it_is():
    assert [percent(share) for share in (0, 1e-6, 0.9825, 0.99999, 1)] == [
        *("0 %", "< 0.1 %", "98.2 %", "> 99.9 %", "100 %")
    ]
