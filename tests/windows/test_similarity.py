import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skts import SlidingWindower
from skts.windows._similarity import keep_unlike
from tests._panels import make_table

quick = settings(deadline=None, max_examples=80)
numbers = st.sampled_from([0, 0, 1, 2, -3, 5, None])


@st.composite
def tables(draw):
    """Draw whole numbers, some missing, in one or two runs, with long repetitions now and then."""
    n_features = draw(st.integers(1, 3))
    row = st.lists(numbers, min_size=n_features, max_size=n_features)
    runs = [
        draw(st.lists(row, min_size=1, max_size=12)) * draw(st.sampled_from([1, 1, 20]))
        for _ in range(draw(st.integers(1, 2)))
    ]
    return np.array([row for run in runs for row in run], dtype=np.float32), [len(run) for run in runs]


def centred(window):
    """Give the deviations of every column from its mean, in fractions: 0 for a missing value."""
    out = []
    for column in window.T:
        there = [Fraction(float(value)) for value in column if not np.isnan(value)]
        mean = sum(there) / max(len(there), 1)
        out += [Fraction(0) if np.isnan(value) else Fraction(float(value)) - mean for value in column]
    return out


def reaches(one, other, bound):
    """Tell whether the cosine of two windows is at least the bound, in whole arithmetic."""
    one, other = centred(one), centred(other)
    lengths = sum(a * a for a in one) * sum(b * b for b in other)
    if lengths == 0:
        return bound == 0 or not (any(one) or any(other))
    product = sum(a * b for a, b in zip(one, other, strict=True))
    return product >= 0 and product**2 >= bound**2 * lengths


def keep_by_loop(panel, origins, runs, window, bound):
    kept, last = [], {}
    for origin, run in zip(origins, runs, strict=True):
        this = panel[origin - window : origin]
        kept.append(run not in last or not reaches(last[run], this, bound))
        if kept[-1]:
            last[run] = this
    return kept


@quick
@given(tables(), st.integers(1, 4), st.integers(1, 3), st.sampled_from(["0", "0.3", "0.5", "0.8", "0.95", "1"]))
def test_windows_are_kept_as_the_loop_in_fractions_keeps_them(table, window, stride, bound):
    panel, lengths = table
    ends = np.cumsum(lengths)
    origins = [np.arange(end - n + window, end + 1, stride) for n, end in zip(lengths, ends, strict=True)]
    runs = np.repeat(np.arange(len(lengths)), [len(some) for some in origins])
    origins = np.concatenate(origins)
    kept = keep_unlike(panel, origins, runs, window, float(bound))
    assert kept.tolist() == keep_by_loop(panel, origins, runs, window, Fraction(bound))


@pytest.mark.parametrize("level", [0, 1e4])
@pytest.mark.parametrize("size", [0.001, 1000])
def test_level_and_size_of_a_window_do_not_count(level, size):
    X = np.random.default_rng(0).normal(size=(200, 3)).cumsum(axis=0).round(2)
    origins = SlidingWindower(12, max_similarity=0.5).fit_transform(X).origins
    again = SlidingWindower(12, max_similarity=0.5).fit_transform(X * size + level * size).origins
    assert 5 < len(origins) < 100
    np.testing.assert_array_equal(again, origins)


def test_repeated_windows_are_dropped_at_one_and_none_without_a_bound():
    X = np.tile(np.random.default_rng(0).normal(size=(24, 2)), (10, 1))
    assert len(SlidingWindower(48, stride=24).fit_transform(X)) == 8
    assert len(SlidingWindower(48, stride=24, max_similarity=1).fit_transform(X)) == 1
    assert len(SlidingWindower(48, stride=5, max_similarity=1).fit_transform(X)) == 39  # never the same hour in turn


def test_a_lower_bound_keeps_fewer_windows_and_each_unlike_the_one_before():
    X = np.random.default_rng(0).normal(size=(400, 1)).cumsum(axis=0)
    counts = []
    for bound in (0.0, 0.5, 0.9, 0.95):
        windows = SlidingWindower(24, 6, max_similarity=bound).fit_transform(X)
        counts.append(len(windows))
        similarity = np.diagonal(np.corrcoef(np.asarray(windows)[..., 0]), 1)
        assert similarity.max() < bound
    assert counts == sorted(set(counts))


def test_windows_that_are_left_know_their_series():
    X = make_table([*(("b", h) for h in range(60)), *(("a", h) for h in range(60) if not 20 <= h < 30)])
    X["seen"] = np.r_[np.zeros(60), np.random.default_rng(0).normal(size=50)]
    windows = SlidingWindower(2, max_similarity=0.9).fit_transform(X[["seen"]])
    rows = windows.targets(np.arange(110))[:, 0]
    assert windows.series_names[windows.series].tolist() == X.index.get_level_values(0)[rows].tolist()
    assert np.bincount(windows.series).min() == 1 < np.bincount(windows.series).max()


def test_memory_does_not_grow_with_the_windows():
    panel, window = np.random.default_rng(0).normal(size=(8000, 4)).astype(np.float32), 100
    origins = np.arange(window, 8000)
    keep_unlike(panel, origins[:65], origins[:65] * 0, window, 0.9)
    tracemalloc.start()
    keep_unlike(panel, origins, origins * 0, window, 0.9)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3e6  # all windows: 12.6 MB


def test_whole_series_are_not_compared():
    with pytest.raises(ValueError, match=r"window=None, max_similarity=0.5\).*give max_similarity=None"):
        SlidingWindower(None, history=3, max_similarity=0.5).fit(np.zeros((9, 1)))


@pytest.mark.parametrize("bound", [-0.1, 1.1, "0.5", np.nan])
def test_a_bound_outside_0_to_1_is_refused(bound):
    with pytest.raises(ValueError, match="'max_similarity' parameter of SlidingWindower"):
        SlidingWindower(2, max_similarity=bound).fit(np.zeros((9, 1)))


def test_forecasting_windows_are_all_there():
    X = np.zeros((20, 1))
    assert len(SlidingWindower(2, 3, max_similarity=0.1).fit(X).transform(X)) == 6
