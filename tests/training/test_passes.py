import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from skts.training._passes import join_passes


@st.composite
def some_starts(draw):
    """Starts of windows in runs that follow each other, and the row where each one's run ends."""
    starts, stops, begin = [], [], 0
    for _ in range(draw(st.integers(1, 3))):
        inside = sorted(draw(st.sets(st.integers(0, 15), max_size=12)))
        end = begin + 16 + draw(st.integers(0, 3))
        starts += [begin + start for start in inside]
        stops += [end] * len(inside)
        begin = end
    return np.array(starts, dtype=np.int64), np.array(stops, dtype=np.int64)


def join_one_by_one(starts, reach):
    passes = []
    for window, start in enumerate(starts):
        if not passes or start >= reach[passes[-1][0]]:
            passes.append([])
        passes[-1].append(window)
    return passes


@settings(max_examples=100)
@given(some_starts(), st.integers(1, 20))
def test_each_window_is_in_one_pass_of_its_own_run(where, n_origins):
    starts, stops = where
    first, taught = join_passes(starts, np.minimum(starts + n_origins, stops), n_origins)
    expected = join_one_by_one(starts, np.minimum(starts + n_origins, stops))
    assert first.tolist() == [windows[0] for windows in expected]
    assert taught.shape == (len(expected), n_origins)
    for begin, flags, windows in zip(starts[first], taught, expected, strict=True):
        assert (begin + np.flatnonzero(flags)).tolist() == starts[windows].tolist()
        assert len(set(stops[windows])) == 1


@settings(max_examples=50)
@given(some_starts(), st.integers(1, 20))
def test_fewer_passes_would_not_do(where, n_origins):
    starts, stops = where
    reach = np.minimum(starts + n_origins, stops)
    fewest = [0]  # for the first windows: any pass may hold any of its neighbours
    for end in range(1, len(starts) + 1):
        fewest.append(min(fewest[begin] + 1 for begin in range(end) if starts[end - 1] < reach[begin]))
    assert len(join_passes(starts, reach, n_origins)[0]) == fewest[-1]
