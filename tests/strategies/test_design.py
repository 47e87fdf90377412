import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skts import SlidingWindower
from skts.strategies import _design
from skts.strategies._design import Design, read_lags
from skts.supervised import read_inputs
from skts.training import make_table
from tests._panels import make_table as make_panel_table

quick = settings(max_examples=40)


class Anyone:
    n_features_in_ = 2


class Anything(torch.nn.Module):
    """Reads what any network reads."""


@st.composite
def windows_with_holes(draw, max_window=4, max_horizon=3):
    window, horizon = draw(st.integers(1, max_window)), draw(st.integers(1, max_horizon))
    lengths = draw(st.lists(st.integers(window + 1, 12), min_size=1, max_size=2))
    X = make_panel_table([("ab"[i], hour) for i, length in enumerate(lengths) for hour in range(length)])
    X = X.mask(np.random.default_rng(draw(st.integers(0, 99))).random(X.shape) < 0.3)
    windower = SlidingWindower(window, horizon, known=draw(st.sampled_from([None, ["known"], ["known", "seen"]])))
    return windower.fit(X).transform(X)


@st.composite
def designs(draw):
    windows = draw(windows_with_holes())
    lags = draw(st.none() | st.lists(st.integers(1, windows.window), max_size=3))
    around = draw(st.none() | st.integers(0, windows.window))
    inputs = read_inputs(Anyone(), windows, reset=False)
    options = {"lookahead": draw(st.integers(0, 3)), "fill": draw(st.booleans())}
    options["series_names"] = windows.series_names if draw(st.booleans()) else None
    return Design(windows.horizon, read_lags(lags, windows.window), around, **options).of(inputs)


def expected_rows(matrix, item):
    """Look every value up; what is missing is the value of the row before, and 0 before the window."""
    windows, design, around = matrix.inputs.windows, matrix.design, matrix.design.around

    def value(offset, column):
        if offset < -windows.window:
            return 0.0
        place, end = windows.origins[item] + offset, windows.own_spans[item, 1]
        is_known = offset < windows.horizon + (design.lookahead if offset >= windows.horizon else 0)
        found = windows.panel[place, column] if is_known and place < end else np.nan
        return value(offset - 1, column) if np.isnan(found) and design.fill else found

    past = [value(-lag, column) for lag in design.lags for column in range(2)]
    own = [] if design.series_names is None else [windows.series[item]]
    if around is None:
        return [past + [value(step, column) for step in range(windows.horizon) for column in windows.known] + own]
    return [
        past + [value(h + c, column) for c in range(-around, around + 1) for column in windows.known] + [*own, h + 1]
        for h in range(windows.horizon)
    ]


@quick
@given(designs())
def test_rows_are_those_of_looking_every_value_up(matrix):
    items = np.arange(len(matrix.inputs))
    expected = np.array([row for item in items for row in expected_rows(matrix, item)], dtype=np.float32)
    rows = matrix.rows(items)
    np.testing.assert_array_equal(rows, expected)
    assert rows.dtype == matrix.matrix(np.ones((len(items), matrix.design.rows_per_window), bool)).dtype
    assert rows.dtype == (np.float64 if matrix.design.fill else np.float32)
    assert rows.shape == (len(items) * matrix.design.rows_per_window, matrix.n_columns)


@quick
@given(windows_with_holes())
def test_what_is_missing_is_filled_as_for_the_networks(windows):
    inputs = read_inputs(Anyone(), windows, reset=False)
    rows = Design(windows.horizon, read_lags(None, windows.window), None, True).of(inputs).rows(np.arange(len(windows)))
    tensors, _ = make_table(inputs, Anything(), None).gather(torch.arange(len(windows)))
    flat = [tensor.reshape(len(windows), -1).numpy() for tensor in tensors.values()]
    np.testing.assert_array_equal(rows, np.concatenate(flat, axis=1))


@quick
@given(designs(), st.integers(1, 200), st.randoms(use_true_random=False))
def test_the_matrix_does_not_depend_on_the_chunks(matrix, n_values, random):
    items = np.arange(len(matrix.inputs))
    wanted = np.array([[random.random() < 0.6 for _ in range(matrix.design.rows_per_window)] for _ in items])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_design, "_VALUES_OF_CHUNK", n_values)
        np.testing.assert_array_equal(matrix.matrix(wanted), matrix.rows(items)[wanted.ravel()])


@quick
@given(designs(), st.integers(1, 1000))
def test_chunks_are_bounded_and_hold_every_window_once(matrix, n_values):
    items = np.arange(len(matrix.inputs))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_design, "_VALUES_OF_CHUNK", n_values)
        chunks = list(matrix.chunks(items))
    np.testing.assert_array_equal(np.concatenate(chunks), items)
    assert all(len(chunk) == 1 or matrix.rows(chunk).size <= n_values for chunk in chunks)


@pytest.mark.parametrize("lags", [[0], [5], [1.0], [[1]], [-1]])
def test_lags_that_are_no_rows_of_the_window_are_refused(lags):
    with pytest.raises(ValueError, match=r"WindowedRegressor\(lags=.*from 1.* to 4"):
        read_lags(lags, 4)
