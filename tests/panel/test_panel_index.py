import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skts.exceptions import PanelIndexError
from skts.panel import PanelIndex
from tests._markup import read_box
from tests._panels import HOURS, N_HOURS, PERIODS, by_series, make_frame, make_table, ragged_panels

HOUR = 3_600_000_000_000  # ticks are nanoseconds


@settings(deadline=None, max_examples=50)
@given(ragged_panels())
def test_a_panel_groups_the_rows_of_each_series_in_their_order(X):
    panel = PanelIndex.read(X)
    groups = {panel.index.names[i]: panel.rows[panel.indptr[i] : panel.indptr[i + 1]] for i in range(panel.n_series)}
    expected = {series: [row for _, row in rows] for series, rows in by_series(X).items()}
    assert {series: rows.tolist() for series, rows in groups.items()} == expected
    pd.testing.assert_index_equal(
        panel.index.clock.labels(panel.ticks), X.index.get_level_values(1)[panel.rows], exact="equiv"
    )


@settings(deadline=None, max_examples=20)
@given(ragged_panels())
def test_every_position_knows_its_series(X):
    panel = PanelIndex.read(X)
    of_position = panel.index.names[panel.series_of(np.arange(len(X)))]
    assert of_position.tolist() == X.index.get_level_values(0)[panel.rows].tolist()


def test_a_table_without_times_counts_its_rows():
    panel = PanelIndex.read(np.zeros((4, 2)))
    assert (panel.rows.tolist(), panel.ticks.tolist(), panel.indptr.tolist()) == ([0, 1, 2, 3], [0, 1, 2, 3], [0, 4])
    assert (panel.step, panel.name(0)) == (1, "the table")


def test_the_step_is_the_commonest_of_all_series():
    X = make_table([("a", 0), ("a", 2), ("a", 4), ("b", 1), ("b", 5)])
    assert PanelIndex.read(X).step == 2 * HOUR
    assert PanelIndex.read(make_table([("a", 0), ("b", 2)])).step is None


def test_a_step_that_is_known_already_is_taken():
    hourly = PanelIndex.read(make_frame([0, 1, 2])).layout
    assert PanelIndex.read(make_frame([0, 2, 4]), hourly).step == HOUR


def test_a_step_that_training_could_not_tell_is_read_from_the_new_rows():
    unknown = PanelIndex.read(make_frame([0])).layout
    assert PanelIndex.read(make_frame([1, 3, 5]), unknown).step == 2 * HOUR


@pytest.mark.parametrize("calendar", [HOURS, PERIODS], ids=["times", "periods"])
def test_a_repeated_time_is_refused_with_row_series_time_and_the_way_out(calendar):
    X = make_table([("a", 0), ("b", 0), ("b", 1), ("a", 1), ("b", 1)], calendar)
    place = "Row 4: series 'b' has the time 2024-01-01 01:00(:00)? twice"
    with pytest.raises(PanelIndexError, match=f"{place}.*drop or average the repeated rows"):
        PanelIndex.read(X)


def test_stations_stacked_under_a_time_index_are_shown_the_way_out():
    with pytest.raises(
        PanelIndexError, match=r"Row 1: the table has the time .* twice.*X.set_index\(\[series, time\]\)"
    ):
        PanelIndex.read(make_frame([0, 0, 1, 1]))


def test_decreasing_times_are_refused_with_row_series_times_and_the_way_out():
    X = make_table([("a", 0), ("b", 7), ("a", 1), ("b", 5)])
    place = "Row 3: the time of series 'b' decreases from 2024-01-01 07:00:00 to 2024-01-01 05:00:00"
    with pytest.raises(PanelIndexError, match=rf"{place}.*X.sort_index\(\) and reorder y"):
        PanelIndex.read(X)


def test_a_time_off_the_grid_is_refused_with_row_series_times_and_the_way_out():
    X = make_table([("a", 0), ("a", 1), ("a", 2), ("b", 5), ("b", 6)])
    late = X.index.set_levels(HOURS[[0, 1, 2, 5]].append(pd.DatetimeIndex(["2024-01-01 06:10"])), level=1)
    place = "Row 4: series 'b' goes from 2024-01-01 05:00:00 to 2024-01-01 06:10:00.*0 days 01:00:00"
    with pytest.raises(PanelIndexError, match=f"{place}.*Resample the table"):
        PanelIndex.read(X.set_axis(late))


def test_calendar_months_are_pointed_to_a_period_index_which_works():
    months = pd.date_range("2024-01-01", periods=12, freq="MS")
    X = pd.DataFrame({"seen": np.arange(12.0)}, index=months)
    with pytest.raises(PanelIndexError, match="PeriodIndex"):
        PanelIndex.read(X)
    assert PanelIndex.read(X.to_period("M")).step == 1


@settings(deadline=None, max_examples=40)
@given(ragged_panels(), st.none() | st.integers(1, 5))
def test_leads_count_the_steps_in_blocks_from_the_first_row_of_each_series(X, horizon):
    panel = PanelIndex.read(X)
    leads, origins = panel.leads(horizon)
    for rows in by_series(X).values():
        for hour, row in rows:
            assert leads[row] - 1 == (hour - rows[0][0]) % (horizon or N_HOURS)
            assert panel.row_ticks[row] - origins[row] == (leads[row] - 1) * panel.step


def test_a_notebook_shows_series_period_step_and_holes():
    index = pd.MultiIndex.from_product([["a", "<script>b"], pd.date_range("2024", periods=10, freq="h")])
    panel = PanelIndex.read(pd.DataFrame({"x": 0.0}, index=index[[0, 1, 4, 5, 12, 13, 14, 18]]))
    assert read_box(panel._repr_html_()) == {
        "series": "2 series: <script>b, a",
        "rows": "8 in all, 4 in each series",
        "period": "2024-01-01 00:00 to 2024-01-01 08:00",
        "step": "1 h",
        "holes": "5 rows missing (38.5 %)",
    }


def test_a_notebook_shows_a_table_without_times_too():
    facts = read_box(PanelIndex.read(np.zeros((7, 2)))._repr_html_())
    assert facts == {
        "series": "1 series",
        "rows": "7",
        "step": "1 row",
        "holes": "none: every series has a row for each step",
    }


@settings(deadline=None, max_examples=50)
@given(ragged_panels())
def test_missing_rows_are_those_between_the_first_and_the_last_of_a_series(X):
    panel, expected = PanelIndex.read(X), 0
    for i in range(panel.n_series):
        ticks = panel.ticks[panel.indptr[i] : panel.indptr[i + 1]]
        expected += len(set(range(ticks[0], ticks[-1] + 1, panel.step or 1)) - set(ticks))
    assert panel.count_missing() == expected
