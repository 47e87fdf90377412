import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from skts.panel import PanelIndex
from skts.strategies._recursion import waves
from tests._panels import by_series, ragged_panels

quick = settings(max_examples=40)


def expected_positions(X):
    """Count the hours since the first row of each series."""
    positions = np.empty(len(X), dtype=int)
    for rows in by_series(X).values():
        for hour, row in rows:
            positions[row] = hour - rows[0][0]
    return positions


@quick
@given(ragged_panels(), st.integers(1, 5), st.integers(0, 9), st.sampled_from([0.2, 1.0]), st.integers(0, 99))
def test_waves_fill_in_order_what_is_read_later_and_show_what_its_forecast_reads(X, horizon, history, share, seed):
    positions = expected_positions(X)
    missing = np.random.default_rng(seed).random(len(X)) < share
    last = {name: positions[rows[-1][1]] // horizon for name, rows in by_series(X).items()}
    names = X.index.get_level_values(0)
    to_fill = {row for row in np.flatnonzero(missing) if positions[row] // horizon < last[names[row]]}
    done = set()
    for rows, fill in waves(PanelIndex.read(X).index.series, positions, missing, horizon, history):
        assert list(rows) == sorted(set(rows))
        for name in set(names[rows]):
            own = rows[names[rows] == name]
            filled = own[fill[names[rows] == name]]
            (block,) = set(positions[filled] // horizon)
            reads = {
                row
                for row in np.flatnonzero(names == name)
                if block * horizon - history <= positions[row] < (block + 1) * horizon
            }
            assert reads <= set(own)
            assert positions[own[0]] % horizon == 0
            assert positions[own[-1]] < (block + 1) * horizon
            earlier = {row for row in to_fill if names[row] == name and positions[row] // horizon < block}
            assert earlier <= done
            done |= set(filled)
    assert done == to_fill


def test_a_wave_shows_no_more_than_the_history_in_whole_blocks():
    n_rows, horizon, history = 100, 5, 12
    positions = np.arange(n_rows)
    sizes = [len(rows) for rows, _ in waves(np.zeros(n_rows, int), positions, np.ones(n_rows, bool), horizon, history)]
    assert sizes == [5, 10, 15] + [20] * 16
