from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from skts.panel import commonest_step, stretch_starts

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
    np.testing.assert_array_equal(stretch_starts(ticks, indptr, step), [*starts, row])


def test_without_a_step_every_row_is_a_run():
    assert commonest_step(np.array([4, 4, 1]), np.array([0, 1, 2, 3])) is None
    np.testing.assert_array_equal(stretch_starts(np.array([4, 4, 1]), np.array([0, 1, 2, 3]), None), [0, 1, 2, 3])
