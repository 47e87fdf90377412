from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from skts.panel import commonest_step, grid_positions, run_starts

quick = settings(deadline=None, max_examples=50)


@st.composite
def grouped_ticks(draw, steps=(1, 1, 1, 2, 3, 9)):
    """Draw ticks of one or more series that follow each other, as a list of lists and as the arrays."""
    series, start = [], 0
    for some in draw(st.lists(st.lists(st.sampled_from(steps), max_size=12), min_size=1, max_size=4)):
        series.append(start + np.cumsum([0, *some]))
        start = series[-1][-1] + draw(st.integers(-2, 2))  # often right where the series before ended
    return series, np.concatenate(series), np.cumsum([0, *map(len, series)])


@quick
@given(grouped_ticks())
def test_commonest_step_equals_counting(drawn):
    series, ticks, indptr = drawn
    counts = Counter(int(step) for some in series for step in np.diff(some))
    expected = min((step for step in counts if counts[step] == max(counts.values())), default=None)
    assert commonest_step(ticks, indptr) == expected


@quick
@given(grouped_ticks(), st.sampled_from([1, 2, 3]))
def test_a_run_starts_with_each_series_and_after_each_gap(drawn, step):
    series, ticks, indptr = drawn
    starts, row = [], 0
    for some in series:
        for i in range(len(some)):
            if i == 0 or some[i] - some[i - 1] != step:
                starts.append(row)
            row += 1
    np.testing.assert_array_equal(run_starts(ticks, indptr, step), [*starts, row])


def test_without_a_step_every_row_is_a_run():
    assert commonest_step(np.array([4, 4, 1]), np.array([0, 1, 2, 3])) is None
    np.testing.assert_array_equal(run_starts(np.array([4, 4, 1]), np.array([0, 1, 2, 3]), None), [0, 1, 2, 3])


@quick
@given(grouped_ticks(steps=(2, 2, 2, 4, 6, 18)))
def test_grid_positions_leave_a_row_for_each_missing_time(drawn):
    series, ticks, indptr = drawn
    positions, grid_indptr = grid_positions(ticks, indptr, 2, longest_gap=100, period=7)
    expected, lengths = [], []
    for some in series:
        expected.extend(sum(lengths) + (some - some[0]) // 2)
        lengths.append((some[-1] - some[0]) // 2 + 1)
    np.testing.assert_array_equal(positions, expected)
    np.testing.assert_array_equal(grid_indptr, np.cumsum([0, *lengths]))


@quick
@given(grouped_ticks(steps=(1, 1, 2, 5, 6, 7, 40, 10**6)), st.integers(0, 6), st.integers(1, 4))
def test_long_gaps_shrink_by_whole_periods_and_no_further_than_they_must(drawn, longest, period):
    _, ticks, indptr = drawn
    positions, grid_indptr = grid_positions(ticks, indptr, 1, longest, period)
    for begin, end, first in zip(indptr[:-1], indptr[1:], grid_indptr[:-1], strict=True):
        assert positions[begin] == first
        missing, left = np.diff(ticks[begin:end]) - 1, np.diff(positions[begin:end]) - 1
        np.testing.assert_array_equal(left[missing <= longest], missing[missing <= longest])
        long = missing > longest
        assert ((missing[long] - left[long]) % period == 0).all()
        assert ((left[long] >= longest) & (left[long] < longest + period)).all()


def test_rows_without_a_step_stand_next_to_each_other():
    positions, grid_indptr = grid_positions(np.array([5, 90]), np.array([0, 1, 2]), None, 3, 1)
    assert (positions.tolist(), grid_indptr.tolist()) == ([0, 1], [0, 1, 2])
