from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skts.inspection._movable_blocks import MovableBlocks, match_rows, permute_units, steps_of_cycle
from skts.panel import PanelIndex

from .._panels import make_table, ragged_panels, where

seeds = st.integers(0, 2**32 - 1).map(np.random.RandomState)


@given(st.integers(1, 9), st.integers(2, 12), st.integers(0, 8), seeds)
def test_units_change_places_in_blocks_and_none_stays(shortest, n_blocks, more, rng):
    n_units = shortest * n_blocks + more % shortest
    source = permute_units(n_units, shortest, n_blocks, rng)
    assert sorted(source) == list(range(n_units))
    assert (source != np.arange(n_units)).all()
    seams = (np.diff(source, append=source[0]) % n_units != 1).sum()
    assert seams <= n_blocks


@given(ragged_panels(), st.integers(1, 5), st.integers(1, 4), seeds)
def test_each_series_keeps_its_values_each_once(X, unit, shortest, rng):
    panel = PanelIndex.read(X)
    blocks = MovableBlocks.cut(panel, shortest, unit)
    if blocks.n_blocks < 2:
        return
    rows = blocks.draw(rng)
    assert sorted(rows) == list(range(len(X)))
    assert [series for series, _ in where(X)] == [series for series, _ in where(X.iloc[rows])]
    assert (rows[~blocks.moves] == np.flatnonzero(~blocks.moves)).all()


@given(st.permutations("abc"), seeds)
def test_the_series_of_a_panel_change_places_together_and_keep_the_hour(names, rng):
    X = make_table([(name, hour) for hour in range(200) for name in names])
    blocks = MovableBlocks.cut(PanelIndex.read(X), 40, 24)
    assert (blocks.unit * blocks.shortest, blocks.n_units, blocks.n_blocks) == (48, 8, 4)
    hours = np.array([hour for _, hour in where(X.iloc[blocks.draw(rng)])]).reshape(200, 3)
    assert (hours == hours[:, [0]]).all()
    assert (hours[:, 0] % 24 == np.arange(200) % 24).all()
    assert (hours[:192, 0] != np.arange(192)).all()
    assert (hours[192:, 0] == np.arange(192, 200)).all()  # no whole day


def test_a_series_that_lacks_what_should_come_takes_what_is_left_of_the_same_hour():
    whole = [("a", hour) for hour in range(24 * 40)]
    late = [("b", hour) for hour in range(24 * 25, 24 * 40) if hour != 700]
    X = make_table(whole + late)
    rows = MovableBlocks.cut(PanelIndex.read(X), 48, 24).draw(np.random.RandomState(0))
    hours = np.array([hour for _, hour in where(X.iloc[rows])])
    was = np.array([hour for _, hour in where(X)])
    differs = hours % 24 != was % 24
    assert differs[: len(whole)].sum() == 0
    assert differs.sum() <= 1  # where the hole comes
    assert (hours[len(whole) :] == was[len(whole) :]).mean() < 0.2


def test_rows_left_over_go_to_places_that_ask_in_vain():
    places = np.array([0, 1, 2, 3, 6, 7])
    source = np.array([2, 3, 4, 5, 0, 1])  # places 4 and 5 are not there, rows 4 and 5 are left
    assert match_rows(places, source, 2).tolist() == [2, 3, 4, 5, 0, 1]
    assert match_rows(places, source[::-1], 1).tolist() in ([1, 0, 4, 5, 3, 2], [1, 0, 5, 4, 3, 2])


@pytest.mark.parametrize("slack", [0, 24])
def test_blocks_of_unequal_lengths_come_to_all_hours(slack):
    blocks = replace(MovableBlocks.cut(PanelIndex.read(np.zeros((24 * 200, 1))), 48, 1), slack=slack)
    rows = blocks.draw(np.random.RandomState(0))
    shifts = (rows - np.arange(len(rows))) % 24
    share = np.bincount(shifts, minlength=24) / len(rows)
    assert share.max() < 0.2 if slack else share.max() == 1


@pytest.mark.parametrize(
    ("times", "steps"),
    [
        (pd.date_range("2024-01-01", periods=9, freq="h"), 24),
        (pd.date_range("2024-01-01", periods=9, freq="15min", tz="Europe/Paris"), 96),
        (pd.period_range("2024-01-01", periods=9, freq="h"), 24),
        (pd.date_range("2024-01-01", periods=9, freq="D"), 7),
        (pd.period_range("2024-01-01", periods=9, freq="M"), None),
        (pd.period_range("2300-01-01", periods=9, freq="D"), 7),  # beyond what nanoseconds can count
        (pd.date_range("2024-01-01", periods=9, freq="7h"), None),
        (pd.RangeIndex(9), None),
    ],
)
def test_a_day_has_the_steps_that_fit_into_it(times, steps):
    assert steps_of_cycle(PanelIndex.read(pd.DataFrame({"x": 1.0}, index=times))) == steps
