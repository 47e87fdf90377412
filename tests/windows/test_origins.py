from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skts.windows._origins import lay_out_blocks, ranges, training_origins

quick = settings(deadline=None, max_examples=50)
sizes = st.lists(st.integers(0, 30), min_size=1, max_size=6).map(lambda some: np.cumsum([0, *some]))


@quick
@given(st.lists(st.tuples(st.integers(-9, 99), st.integers(0, 9)), min_size=1, max_size=6), st.integers(1, 5))
def test_ranges_equal_the_loop(some, step):
    first, counts = np.array(some).T
    np.testing.assert_array_equal(ranges(first, counts, step), [f + step * k for f, n in some for k in range(n)])


@quick
@given(sizes, st.integers(1, 6), st.integers(1, 6), st.integers(1, 4))
def test_training_origins_equal_the_loop(runs, window, horizon, stride):
    origins, counts = training_origins(runs, window, horizon, stride)
    expected = [
        [start + window for start in range(begin, end - window - horizon + 1, stride)] for begin, end in pairwise(runs)
    ]
    assert counts.tolist() == [len(some) for some in expected]
    np.testing.assert_array_equal(origins, np.concatenate(expected))


@st.composite
def hours_of_series(draw, history):
    """Draw the hours of the rows of each series: more than the history, with gaps of any length between them."""
    steps = st.lists(st.sampled_from([1, 1, 1, 2, 3, 5, 8, 13, 40, 10**9]), min_size=history, max_size=history + 15)
    return [
        draw(st.integers(-50, 50)) + np.cumsum([0, *some]) for some in draw(st.lists(steps, min_size=1, max_size=3))
    ]


@settings(deadline=None, max_examples=200)
@given(st.data(), st.integers(1, 4), st.integers(0, 2), st.integers(1, 6), st.integers(1, 3))
def test_blocks_lie_on_the_grid_of_their_series_and_read_what_it_has_before_them(data, window, more, horizon, step):
    history = window + more
    series = data.draw(hours_of_series(history))
    indptr = np.cumsum([0, *map(len, series)])
    sizes = {"history": history, "window": window, "horizon": horizon}
    blocks = lay_out_blocks(np.concatenate(series) * step, indptr, step, **sizes)

    begins, ends = blocks.spans.T
    assert begins.tolist() == [0, *ends[:-1]]
    owner = np.repeat(blocks.span_series, ends - begins)
    hour = np.repeat(blocks.span_ticks // step - begins, ends - begins) + np.arange(ends[-1])
    rows = [(number, at) for number, some in enumerate(series) for at in some]
    assert list(zip(owner[blocks.positions], hour[blocks.positions], strict=True)) == rows
    row_at = dict(zip(blocks.positions, rows, strict=True))

    # by the definition: every row after the history belongs to one block, counted from the first such row
    starts = [(at - some[history]) // horizon * horizon + some[history] for some in series for at in some[history:]]
    owners = np.repeat(np.arange(len(series)), [len(some) - history for some in series])
    expected = sorted(set(zip(owners, starts, strict=True)))
    assert list(zip(owner[blocks.origins], hour[blocks.origins], strict=True)) == expected
    for origin in blocks.origins:
        begin, end = blocks.spans[np.searchsorted(begins, origin, side="right") - 1]
        assert begin < origin <= end - horizon
        read = {row_at[place] for place in range(max(origin - window, begin), origin + horizon) if place in row_at}
        there = range(hour[origin] - window, hour[origin] + horizon)
        assert read == {(owner[origin], at) for at in there if at in series[owner[origin]]}


@pytest.mark.parametrize(("window", "horizon"), [(1, 1), (3, 2), (2, 24), (24, 5)])
def test_a_long_gap_costs_no_more_than_the_rest_of_two_blocks_and_a_row(window, horizon):
    hours = np.arange(3000) + np.arange(3000) // 3 * 1000
    sizes = {"history": window, "window": window, "horizon": horizon}
    blocks = lay_out_blocks(hours, np.array([0, 3000]), 1, **sizes)
    assert blocks.spans[-1, 1] <= 3000 + 1000 * (2 * (horizon - 1) + 1)
