import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skts.inspection.drift._blocks import block_means, longest_runs
from skts.inspection.drift._seasons import (
    beside_others,
    borrow_seasons,
    learn_bands,
    quantiles_there,
    seasons_of,
    smallest_deviations,
    standardise,
)
from skts.panel import Clock

holed = st.one_of(st.floats(-9, 9), st.just(np.nan))
LEVELS = np.array([0.01, 0.16, 0.5, 0.84, 0.99])


@given(arrays(float, st.tuples(st.integers(1, 12), st.integers(1, 5)), elements=holed))
def test_quantiles_are_those_of_numpy_and_of_the_values_that_are_there(values):
    found = quantiles_there(values, LEVELS)
    for column, each in zip(values.T, found, strict=True):
        there = column[~np.isnan(column)]
        expected = np.quantile(there, LEVELS) if len(there) else np.full(5, np.nan)
        np.testing.assert_allclose(each, expected, atol=1e-12)


@given(arrays(float, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=holed))
def test_a_series_is_compared_with_the_median_of_the_others(scores):
    found = beside_others(scores)
    for (time, series), value in np.ndenumerate(scores):
        others = np.delete(scores[time], series)
        others = others[~np.isnan(others)]
        expected = value - np.median(others) if len(others) else np.nan
        assert found[time, series] == pytest.approx(expected, nan_ok=True, abs=1e-12)


@given(arrays(float, st.tuples(st.integers(4, 20), st.integers(1, 3)), elements=holed), st.integers(1, 4))
def test_a_block_counts_that_has_half_of_its_values(values, length):
    begin = len(values) % length
    found = block_means(values, length, begin)
    assert len(found) == len(values) // length
    for (block, series), mean in np.ndenumerate(found):
        rows = values[begin + block * length : begin + (block + 1) * length, series]
        there = rows[~np.isnan(rows)]
        assert mean == pytest.approx(there.mean() if 2 * len(there) >= length else np.nan, nan_ok=True, abs=1e-12)


@given(arrays(float, st.tuples(st.integers(1, 12), st.integers(1, 3)), elements=st.sampled_from([0, 1, np.nan])))
def test_the_longest_stretch_without_a_change(values):
    lengths, begins = longest_runs(values)
    for series, column in enumerate(values.T):
        runs = [
            n
            for first in range(len(column))
            for n in range(1, len(column) - first + 1)
            if (column[first : first + n] == column[first]).all()
        ]
        assert lengths[series] == max(runs, default=0)
        run = column[begins[series] : begins[series] + lengths[series]]
        assert (run == run[:1]).all()


def test_a_season_is_a_month_with_its_neighbours_and_six_hours():
    labels = pd.date_range("2023-01-01", "2023-12-31 23:00", freq="h", tz="Europe/Paris")
    clock, ticks = Clock.read(labels)
    months, parts = seasons_of(clock, ticks)
    values = np.random.default_rng(0).normal(size=(len(ticks), 1))
    bands = learn_bands(values, months, parts, LEVELS, 168)
    rows = labels.month.isin([12, 1, 2]) & (labels.hour >= 18)
    np.testing.assert_allclose(bands[0, 3, 0], np.quantile(values[rows, 0], LEVELS))
    scores, outside = standardise(values, bands, months, parts, smallest_deviations(values))
    assert np.nanmean(outside) == pytest.approx(0.02, abs=0.003)
    assert np.nanmean(scores) == pytest.approx(0, abs=0.05)
    assert np.nanstd(scores) == pytest.approx(1, abs=0.05)


def test_a_month_that_was_not_there_has_no_band_and_may_borrow_the_nearest():
    labels = pd.date_range("2023-01-01", "2023-03-31 23:00", freq="h")
    months, parts = seasons_of(*Clock.read(labels))
    bands = learn_bands(months[:, None] * 1.0, months, parts, LEVELS, 168)
    assert np.isnan(bands[3:]).all()
    filled = borrow_seasons(bands)
    np.testing.assert_array_equal(filled[3], bands[2])
    np.testing.assert_array_equal(filled[10], bands[0])


def test_times_that_are_no_dates_have_one_season():
    months, parts = seasons_of(*Clock.read(pd.Index([3, 4, 9])))
    assert months.tolist() == parts.tolist() == [0, 0, 0]
    assert seasons_of(None, np.arange(2))[0].tolist() == [0, 0]
