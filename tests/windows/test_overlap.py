import re
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skts import SlidingWindower
from skts.exceptions import ShortSeriesError
from skts.windows import Windows
from skts.windows._overlap import (
    autocorrelation,
    count_independent,
    count_pairs,
    initial_monotone,
    means_ahead,
    sample_windows,
)
from tests._panels import by_series, ragged_panels

quick = settings(deadline=None, max_examples=100)
values = st.lists(st.sampled_from([0.0, 1.0, -2.0, 4.0, 7.5, np.nan]), min_size=1, max_size=30).map(np.array)
some_there = values.filter(lambda some: np.isfinite(some).any())


def correlate(some):
    """Correlate a series with itself by the definition."""
    deviations = some - np.nanmean(some)
    products = [deviations[: len(some) - k] * deviations[k:] for k in range(len(some))]
    covariance = np.array([np.nanmean(p) if np.isfinite(p).any() else 0 for p in products])
    return np.clip(covariance / covariance[0], -1, 1) if np.nanstd(some) else np.ones(len(some))


@quick
@given(some_there)
def test_the_autocorrelation_is_that_of_the_pairs_that_are_there(some):
    np.testing.assert_allclose(autocorrelation(some), correlate(some), atol=1e-12)


@quick
@given(st.sets(st.integers(0, 40), min_size=1), st.integers(1, 50))
def test_pairs_are_counted_as_the_loop_counts_them(origins, n_lags):
    some = np.array(sorted(origins))
    expected = [sum(origin + lag in origins for origin in origins) for lag in range(n_lags)]
    assert count_pairs(some, n_lags).tolist() == expected


@quick
@given(st.lists(st.sampled_from([-0.5, -0.25, 0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=12))
def test_pairs_of_lags_never_rise_and_end_before_the_first_that_is_not_positive(rho):
    expected, least = [], np.inf
    for pair in zip(rho[::2], rho[1::2], strict=False):
        if sum(pair) <= 0:
            break
        least = min(least, sum(pair))
        expected += [lag * least / sum(pair) for lag in pair]
    assert initial_monotone(np.array(rho)).tolist() == pytest.approx(expected)


@quick
@given(values, st.integers(1, 5), st.integers(0, 29))
def test_a_window_carries_the_mean_of_what_is_there_over_its_horizon(some, horizon, cut):
    stops = np.where(np.arange(len(some)) < cut, min(cut, len(some)), len(some))
    expected = []
    for row, stop in enumerate(stops):
        ahead = some[row : row + horizon]
        whole = row + horizon <= stop and np.isfinite(ahead).any()
        expected.append(np.nanmean(ahead) if whole else np.nan)
    level = means_ahead(some, stops, horizon)
    np.testing.assert_array_equal(np.isnan(level), np.isnan(expected))
    there = ~np.isnan(level)
    if there.any():  # up to a shift of the whole series
        np.testing.assert_allclose(np.ptp(level[there]), np.ptp(np.array(expected)[there]), atol=1e-12)
        np.testing.assert_allclose(np.diff(level[there]), np.diff(np.array(expected)[there]), atol=1e-12)


@quick
@given(some_there, st.data())
def test_independent_windows_follow_from_the_correlation_of_every_two_windows(level, data):
    origins = np.array(sorted(data.draw(st.sets(st.integers(0, len(level) - 1), min_size=1))))
    there = origins[np.isfinite(level[origins])]
    rho = initial_monotone(correlate(level))
    rho = np.append(rho, np.zeros(len(level) - len(rho)))
    n = len(there)
    total = rho[np.abs(there[:, None] - there)].sum()
    expected = n**2 / max(total, n) if n else 0
    assert count_independent(level, origins) == pytest.approx(expected)


def level_of(rows, window, horizon, y):
    """Lay the runs that hold windows out in time, with gaps of no more than a window and a horizon."""
    runs = [[]]
    for hour, row in rows:
        if runs[-1] and hour != runs[-1][-1][0] + 1:
            runs.append([])
        runs[-1].append((hour, row))
    level, origins, last = [], [], None
    for run in runs:
        if len(run) < window + horizon:
            continue
        if last is not None:
            level += [np.nan] * min(run[0][0] - last - 1, window + horizon)
        last = run[-1][0]
        origins += range(len(level) + window, len(level) + len(run) - horizon + 1)
        targets = [y[row] for _, row in run]
        means = [np.mean(targets[i : i + horizon]) for i in range(len(run) - horizon + 1)]
        level += means + [np.nan] * (horizon - 1)
    return np.array(level), np.array(origins, dtype=int)


@pytest.mark.filterwarnings("ignore::skts.exceptions.ShortSeriesWarning")
@quick
@given(ragged_panels(max_rows=40), st.integers(1, 3), st.integers(1, 3), st.integers(0, 99))
def test_gaps_keep_their_place_in_time(X, window, horizon, seed):
    y = np.random.default_rng(seed).normal(size=len(X)).round(2).cumsum()
    try:
        windows = SlidingWindower(window, horizon).fit_transform(X)
    except ShortSeriesError:
        return
    expected = {name: count_independent(*level_of(rows, window, horizon, y)) for name, rows in by_series(X).items()}
    found = dict(zip(windows.series_names, windows.count_independent(y), strict=True))
    assert found == pytest.approx(expected)


def test_a_gap_of_years_costs_no_memory():
    hours = [*range(300), *range(10**6, 10**6 + 300)]
    X = pd.DataFrame({"power": np.arange(600.0)}, index=pd.PeriodIndex.from_ordinals(hours, freq="h"))
    windows = SlidingWindower(4, 2).fit_transform(X)
    assert windows.dropped == {"incomplete": 5, "gap": 5, "stride": 0, "similarity": 0}
    tracemalloc.start()
    windows.count_independent()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e6  # a row for each of the hours between: 8 MB


@quick
@given(st.lists(st.integers(0, 9), min_size=1, max_size=60), st.integers(1, 50))
def test_a_sample_holds_the_first_windows_of_some_series(series, at_most):
    series = np.sort(series)
    chosen = sample_windows(np.searchsorted(series, np.arange(series[-1] + 2)), at_most)
    assert 0 < len(chosen) <= at_most
    assert (np.diff(chosen) > 0).all()
    for number in np.unique(series[chosen]):
        own = chosen[series[chosen] == number]
        assert own.tolist() == list(range(own[0], own[-1] + 1))
        assert own[0] == np.flatnonzero(series == number)[0]
    if len(series) <= at_most:
        assert len(chosen) == len(series)


@pytest.mark.parametrize(("n_series", "n_rows"), [(3000, 40), (3, 40_000)])
def test_many_windows_are_judged_by_some_in_their_repr(n_series, n_rows, monkeypatch):
    index = pd.MultiIndex.from_product([range(n_series), range(n_rows)])
    noise = np.random.default_rng(0).normal(size=(len(index), 1))
    windows = SlidingWindower(4, 6).fit_transform(pd.DataFrame(noise, index=index))
    expected = windows.count_independent().sum()
    judged, whole = [], Windows._independent
    monkeypatch.setattr(Windows, "_independent", lambda *args: judged.append(len(args[2])) or whole(*args))
    told = float(re.search(r"worth about (\d+) independent", repr(windows))[1])
    assert told == pytest.approx(expected, rel=0.1)
    assert sum(judged) <= 2**14
