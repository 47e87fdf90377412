import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from matplotlib.colors import to_rgb
from sklearn.model_selection import KFold, TimeSeriesSplit

from skts.datasets import make_panel
from skts.inspection import SplitDisplay
from skts.inspection._plot._cells import Cells
from skts.inspection._plot._split_display import PARTS, count_parts
from skts.model_selection import LeaveSeriesOut, PanelTimeSeriesSplit, PurgedPanelKFold
from skts.panel import PanelIndex
from tests._panels import HOURS, make_table, ragged_panels, where

mpl.use("Agg")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def parts_by_hour(counts):
    """Write every fold and series as a string: one letter an hour, of cells that hold one row at most."""
    return [["".join(" tlT"[int(cell @ [1, 2, 3])] for cell in lane) for lane in fold] for fold in counts]


def test_a_gap_is_left_out_and_what_is_not_used_is_blank():
    X = make_table([(s, h) for s in "ab" for h in range(10)])
    display = SplitDisplay.from_splitter(PanelTimeSeriesSplit(2, test_size=2, gap=1, max_train_size=3), X)
    assert parts_by_hour(display.counts) == [["  tttlTT  "] * 2, ["    tttlTT"] * 2]


def test_purged_and_embargoed_rows_are_left_out():
    X = make_table([(s, h) for s in "ab" for h in range(12)])
    display = SplitDisplay.from_splitter(PurgedPanelKFold(3, window=2, horizon=1, embargo=1), X)
    assert [fold[0] for fold in parts_by_hour(display.counts)] == ["TTTTlttttttt", "ttllTTTTlttt", "ttttttllTTTT"]


def test_series_are_told_apart():
    X = make_table([(s, h) for s in "abc" for h in range(3)])
    assert parts_by_hour(SplitDisplay.from_splitter(LeaveSeriesOut(), X).counts) == [
        ["TTT", "ttt", "ttt"],
        ["ttt", "TTT", "ttt"],
        ["ttt", "ttt", "TTT"],
    ]


def test_splitters_that_cut_by_row_show_what_they_do_to_a_panel():
    X = make_table([(s, h) for s in "ab" for h in range(4)])
    assert parts_by_hour(SplitDisplay.from_splitter(KFold(2), X).counts) == [["TTTT", "tttt"], ["tttt", "TTTT"]]
    assert parts_by_hour(SplitDisplay.from_splitter(TimeSeriesSplit(3), X).counts) == [
        ["ttTT", "llll"],
        ["tttt", "TTll"],
        ["tttt", "ttTT"],
    ]


@given(X=ragged_panels(calendars=[HOURS]))
def test_every_row_is_where_its_series_and_time_are(X):
    rng = np.random.default_rng(len(X))
    train, test, rest = np.split(rng.permutation(len(X)), [len(X) // 2, len(X) // 2 + 1])
    panel = PanelIndex.read(X)
    cells = Cells.cut(panel, 4)
    drawn = parts_by_hour(count_parts([(train, test)], panel.row_ticks, cells))[0]
    hours = [hour for _, hour in where(X)]
    used = [hours[row] for row in [*train, *test]]
    found = {"t": train, "T": test, "l": [row for row in rest if min(used) <= hours[row] <= max(used)]}
    names = cells.series.tolist()
    expected = {(names.index(s), hour - min(hours)): " " for s in names for hour in range(min(hours), max(hours) + 1)}
    for letter, rows in found.items():
        expected |= {(names.index(s), hour - min(hours)): letter for s, hour in (where(X)[row] for row in rows)}
    assert {(lane, bin_): letter for lane, some in enumerate(drawn) for bin_, letter in enumerate(some)} == expected


def test_masks_and_numbers_of_folds_are_taken_as_scikit_learn_does():
    X = np.zeros((4, 1))
    mask = np.array([True, True, False, False])
    assert parts_by_hour(SplitDisplay.from_splitter([(mask, ~mask)], X).counts) == [["ttTT"]]
    assert parts_by_hour(SplitDisplay.from_splitter(2, X).counts) == [["TTtt"], ["ttTT"]]


def test_bands_have_the_colours_of_their_parts():
    X = make_table([(s, h) for s in "ab" for h in range(10)])
    display = SplitDisplay.from_splitter(PanelTimeSeriesSplit(2, test_size=2, gap=1), X)
    assert len(display.meshes_) == 2
    shades = display.meshes_[1].get_array().reshape(1, 10, 3)  # both series are cut alike: one band
    train, left_out, test = (to_rgb(color) for color in PARTS.values())
    np.testing.assert_allclose(shades[0], [train] * 7 + [left_out] + [test] * 2)
    np.testing.assert_allclose(display.meshes_[0].get_array().reshape(1, 10, 3)[0, -2:], 1)
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == list(PARTS)
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("time", "fold")


def test_a_hole_is_blank_in_its_series():
    X = make_table([(s, h) for s in "ab" for h in range(10) if (s, h) != ("b", 3)])
    display = SplitDisplay.from_splitter(PanelTimeSeriesSplit(2, test_size=2), X)
    shades = display.meshes_[0].get_array().reshape(2, 10, 3)
    np.testing.assert_allclose(shades[1, 3], 1)
    assert (shades[0, 3] < 1).any()
    side = display.ax_.child_axes[0]
    assert [tick.get_text() for tick in side.get_yticklabels()] == ["a", "b"] * 2
    assert side.get_ylabel() == "series"


@pytest.mark.parametrize("n_series", [1, 4, 50])
@pytest.mark.parametrize(
    "cv",
    [
        PanelTimeSeriesSplit(3, test_size=20, gap=5),
        PurgedPanelKFold(3, window=5, horizon=2),
        LeaveSeriesOut(),
        TimeSeriesSplit(3),
        KFold(3, shuffle=True, random_state=0),
    ],
    ids=lambda cv: type(cv).__name__,
)
def test_any_splitter_and_number_of_series_fits(cv, n_series):
    if n_series == 1 and isinstance(cv, LeaveSeriesOut):
        return
    X, y = make_panel(n_series, 100, random_state=0)
    display = SplitDisplay.from_splitter(cv, X, y)
    display.figure_.draw_without_rendering()
    for counts, (train, test) in zip(display.counts, cv.split(X), strict=True):
        assert counts[..., 0].sum() == len(train)
        assert counts[..., 2].sum() == len(test)
    assert len(display.meshes_) <= 12
    if len(display.counts) > 12:
        assert display.ax_.get_ylabel() == "fold (12 of 50)"
        assert [tick.get_text() for tick in display.ax_.get_yticklabels()][:: len(display.meshes_) - 1] == ["0", "49"]


def test_given_axes_are_drawn_on():
    figure, ax = plt.subplots()
    X = pd.DataFrame({"wind": 0.0}, index=HOURS[:20])
    display = SplitDisplay.from_splitter(TimeSeriesSplit(3), X, ax=ax)
    assert (display.ax_, display.figure_) == (ax, figure)
