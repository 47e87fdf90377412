from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from skts.windows._origins import block_origins, ranges, training_origins

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


@quick
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 40)), min_size=1, max_size=6), st.integers(1, 5))
def test_blocks_cover_every_row_once_and_stay_within_the_room_of_their_series(some, horizon):
    history, lengths = np.array(some).T
    indptr = np.append(0, np.cumsum(history + lengths))
    origins, counts, shift = block_origins(indptr[:-1] + history, indptr, horizon)
    place, expected = 0, []
    for before, length in some:
        blocks = -(-length // horizon)
        expected.append([place + before + k * horizon for k in range(blocks)])
        place += before + blocks * horizon
    assert counts.tolist() == [len(blocks) for blocks in expected]
    np.testing.assert_array_equal(origins, np.concatenate(expected))
    assert indptr[-1] + shift[-1] == place
