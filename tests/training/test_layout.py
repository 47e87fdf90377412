import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator

from skts import SlidingWindower
from skts.exceptions import ShortSeriesError, ShortSeriesWarning
from skts.nn import EncoderDecoder, Forecaster
from skts.supervised import read_inputs
from skts.training import AddressTable, Batches, WindowNet
from skts.training import make_table as lay_out
from skts.training._layout import _addresses, chunk, cut_chunks, fill_spans, join, join_passes, shift_back
from tests._panels import make_table, ragged_panels, runs

WINDOW, HORIZON = 3, 2


def gather_all(table):
    return table.gather(torch.arange(len(table)))


# --- passes: the arithmetic ---------------------------------------------------------------------------------


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


def taught_by(begin, is_taught):
    """The rows where the windows of each pass start."""
    return [(start + np.flatnonzero(flags)).tolist() for start, flags in zip(begin, is_taught, strict=True)]


@settings(max_examples=100)
@given(some_starts(), st.integers(1, 20))
def test_each_window_is_in_one_pass_of_its_own_run(where, n_origins):
    starts, stops = where
    first, is_taught = join_passes(starts, np.minimum(starts + n_origins, stops), n_origins)
    expected = join_one_by_one(starts, np.minimum(starts + n_origins, stops))
    assert first.tolist() == [windows[0] for windows in expected]
    assert is_taught.shape == (len(expected), n_origins)
    assert taught_by(starts[first], is_taught) == [starts[windows].tolist() for windows in expected]
    assert all(len(set(stops[windows])) == 1 for windows in expected)


@settings(max_examples=50)
@given(some_starts(), st.integers(1, 20))
def test_fewer_passes_would_not_do(where, n_origins):
    starts, stops = where
    reach = np.minimum(starts + n_origins, stops)
    fewest = [0]  # for the first windows: any pass may hold any of its neighbours
    for end in range(1, len(starts) + 1):
        fewest.append(min(fewest[begin] + 1 for begin in range(end) if starts[end - 1] < reach[begin]))
    assert len(join_passes(starts, reach, n_origins)[0]) == fewest[-1]


@settings(max_examples=100)
@given(some_starts(), st.integers(1, 20), st.integers(0, 4))
def test_a_pass_that_begins_earlier_teaches_the_same_windows_and_ends_with_the_table(where, n_origins, spare):
    starts, stops = where
    assume(len(starts))
    first, is_taught = join_passes(starts, np.minimum(starts + n_origins, stops), n_origins)
    run_begins = np.unique(np.append(0, stops[:-1][np.diff(stops) > 0]))
    begins = run_begins[np.searchsorted(run_begins, starts[first], side="right") - 1]
    last = int(starts[-1]) + spare - n_origins + 1  # a table that holds each window, if not each pass
    before = is_taught.copy()
    begin, shifted = shift_back(starts[first], is_taught, begins, last)
    assert taught_by(begin, shifted) == taught_by(starts[first], is_taught)
    assert (is_taught == before).all()
    assert (begin >= begins).all()
    assert (begin <= np.where(last >= begins, last, starts[first])).all()
    assert (begin == starts[first])[starts[first] <= last].all()


# --- chunks: the arithmetic ---------------------------------------------------------------------------------


@st.composite
def spans_and_windows(draw):
    lengths = draw(st.lists(st.integers(1, 20), min_size=1, max_size=4))
    stops = np.cumsum(lengths)
    spans = np.stack([stops - lengths, stops], axis=1)
    rows = st.sets(st.integers(0, int(stops[-1]) - 1), min_size=1)
    return spans, np.array(sorted(draw(rows))), draw(st.integers(1, 8))


@given(spans_and_windows())
def test_chunks_cover_each_span_from_its_start_to_its_last_window(drawn):
    spans, last_rows, length = drawn
    starts, places, sharing, numbers = cut_chunks(spans, last_rows, length)
    expected = []
    for begin, end in spans:
        windows = [i for i, row in enumerate(last_rows) if begin <= row < end]
        if windows:
            n_chunks = (last_rows[windows[-1]] - begin) // length + 1
            expected += [(begin + length * place, place, windows) for place in range(n_chunks)]
    assert [(start, place) for start, place, _ in expected] == list(zip(starts, places, strict=True))
    assert all(window in windows for window, (_, _, windows) in zip(sharing, expected, strict=True))
    found = {
        int(number): int(start) + j
        for start, row in zip(starts, numbers, strict=True)
        for j, number in enumerate(row)
        if number >= 0
    }
    assert found == dict(enumerate(last_rows.tolist()))


@given(spans_and_windows(), st.integers(0, 99))
def test_what_is_missing_is_filled_from_its_own_span(drawn, seed):
    spans, _, _ = drawn
    rng = np.random.default_rng(seed)
    panel = rng.standard_normal((spans[-1, 1], 2)).astype(np.float32)
    panel[rng.random(panel.shape) < 0.4] = np.nan
    before = panel.copy()
    filled = fill_spans(torch.from_numpy(panel), spans)
    expected = [pd.DataFrame(panel[begin:end]).ffill().fillna(0) for begin, end in spans]
    np.testing.assert_array_equal(filled, pd.concat(expected))
    np.testing.assert_array_equal(panel, before)


# --- windows as a network reads them ------------------------------------------------------------------------


def declare(**declarations):
    network = Forecaster()
    for name, value in declarations.items():
        setattr(network, name, value)
    return network


def inputs_of(X):
    return read_inputs(BaseEstimator(), X, reset=True)


def make_windows(X, train=True, **options):
    windower = SlidingWindower(**{"window": WINDOW, "horizon": HORIZON, "known": ["known"]} | options).fit(X)
    return windower.fit_transform(X) if train else windower.transform(X)


TWO_SERIES = make_table([("a", hour) for hour in range(12)] + [("b", hour) for hour in range(9)])


@pytest.mark.parametrize("train", [True, False])
def test_a_table_reads_what_its_windows_hold(train):
    windows = make_windows(TWO_SERIES, train)
    inputs, targets = gather_all(lay_out(inputs_of(windows), declare(), None))
    assert targets is None
    np.testing.assert_array_equal(inputs["past"], windows[:])
    ahead = pd.DataFrame(windows.ahead[..., 0]).ffill(axis=1).to_numpy()  # the last block of a series may be short
    np.testing.assert_array_equal(inputs["known"][..., 0], ahead)


@pytest.mark.parametrize("lookahead", [0, 3])
def test_targets_and_chosen_windows_stand_beside_the_panel(lookahead):
    windows, items = make_windows(TWO_SERIES), np.array([6, 0, 8])
    y = np.arange(21, dtype=np.float32)
    targets = (y[:, None], 2 * y[:, None], windows.origins, HORIZON)
    table = lay_out(inputs_of(windows), declare(lookahead=lookahead), None, targets=targets, items=items)
    inputs, (values, weights) = gather_all(table)
    assert table.target_starts is None
    np.testing.assert_array_equal(inputs["past"], windows[items])
    assert inputs["known"].shape == (3, HORIZON + lookahead, 1)
    np.testing.assert_array_equal(values[..., 0], windows.targets(y)[items])
    np.testing.assert_array_equal(weights, 2 * values)


def test_a_network_is_given_the_numbers_of_the_series_of_the_fit():
    windows, names = make_windows(TWO_SERIES), pd.Index(["b", "c"])
    inputs, _ = gather_all(lay_out(inputs_of(windows), declare(reads_series=True), names))
    assert inputs["series"].tolist() == [-1] * 8 + [0] * 5
    by_series = lay_out(inputs_of(windows), declare(), names, by_series=True)
    assert by_series.series.tolist() == [-1] * 8 + [0] * 5
    assert "series" not in gather_all(by_series)[0]
    assert lay_out(inputs_of(windows), declare(), names).series is None


@pytest.mark.parametrize("n_origins", [1, 3])
def test_a_network_is_given_the_description_of_the_windows_own_series(n_origins):
    windows = replace(make_windows(TWO_SERIES), static=np.array([[1, np.nan], [3, 4]], dtype=np.float32))
    items = np.array([8, 0, 1])
    table = lay_out(
        inputs_of(windows), declare(reads_static=True), pd.Index(["b", "c"]), items=np.sort(items), n_origins=n_origins
    )
    expected = [[1, 0], [1, 0], [3, 4]] if n_origins == 1 else [[1, 0], [3, 4]]  # 0 is the mean of a scaled column
    assert gather_all(table)[0]["static"].tolist() == expected
    assert lay_out(inputs_of(windows), declare(), None).static is None


def test_windows_that_begin_before_their_series_read_missing_rows_there():
    short = make_windows(TWO_SERIES, train=False)  # of 3 rows, from the third of each series on
    windows = replace(short, window=5)
    table = lay_out(inputs_of(windows), declare(lookahead=1), None)
    assert (windows.origins - 5).min() == -2
    assert table.starts.min() == 0
    inputs, _ = gather_all(table)
    for origin, past, (begin, _) in zip(windows.origins, inputs["past"], windows.own_spans, strict=True):
        rows = windows.panel[max(origin - 5, begin) : origin]
        expected = np.concatenate([np.zeros((5 - len(rows), 2)), pd.DataFrame(rows).ffill().fillna(0)])
        np.testing.assert_array_equal(past, expected)
    plain, _ = gather_all(lay_out(inputs_of(short), declare(lookahead=1), None))
    assert torch.equal(inputs["known"], plain["known"])


@pytest.mark.parametrize("shape", [(4, 5, 2), (4, 2)])
def test_arrays_are_windows_side_by_side(shape):
    X = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    inputs, _ = gather_all(lay_out(inputs_of(X), declare(lookahead=2), None))  # of nothing known: not read
    np.testing.assert_array_equal(inputs["past"], X.reshape(4, -1, 2))
    y = np.arange(12, dtype=np.float32)[:, None]
    table = lay_out(inputs_of(X), declare(), None, targets=(y, None, 3 * np.arange(4), 3), items=np.array([3, 1]))
    _, (values, weights) = gather_all(table)
    assert values[..., 0].tolist() == [[9, 10, 11], [3, 4, 5]]
    assert weights is None


def test_addresses_take_four_bytes_where_they_fit():
    windows = make_windows(TWO_SERIES)
    table = lay_out(
        inputs_of(windows), declare(lookahead=1, reads_series=True), pd.Index(["a", "b"]), n_origins=2, by_series=True
    )
    assert {part.dtype for part in (table.starts, table.series, table.stops)} == {torch.int32}
    assert _addresses(np.array([-3, 2**30 - 2])).dtype == torch.int32
    assert _addresses(np.array([2**30])).dtype == torch.int64  # rows are added to it


@pytest.mark.parametrize(
    ("train", "n_origins", "known"), [(True, 1, ["known"]), (True, 4, ["known"]), (False, 1, ["known"]), (True, 4, [])]
)
def test_no_copy_of_the_panel_is_made(train, n_origins, known):
    windows = make_windows(TWO_SERIES, train, known=known)
    y = np.zeros((len(windows.panel), 1), np.float32)
    targets = (y, None, windows.origins, HORIZON) if train else None
    table = lay_out(inputs_of(windows), declare(), None, targets=targets, n_origins=n_origins)
    assert table.panel.data_ptr() == windows.panel.ctypes.data
    assert table.n_origins == n_origins
    assert not train or table.targets.data_ptr() == y.ctypes.data


def test_arrays_are_forecast_without_a_copy():
    X = np.zeros((4, 5, 2), np.float32)
    assert lay_out(inputs_of(X), declare(), None).panel.data_ptr() == X.ctypes.data


def test_what_cannot_be_written_to_is_copied_once():
    windows = make_windows(TWO_SERIES)
    windows.panel.flags.writeable = False  # as where joblib maps it
    table = lay_out(inputs_of(windows), declare(), None)
    assert table.panel.data_ptr() != windows.panel.ctypes.data
    np.testing.assert_array_equal(table.panel, windows.panel)


# --- lookahead and passes over ragged panels with gaps ------------------------------------------------------


def make_from(X, stride, lookahead, weight=None, n_origins=1):
    """Lay the training windows of a panel out: the target of each row is its first column."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ShortSeriesWarning)
        try:
            windows = make_windows(X, stride=stride)
        except ShortSeriesError:
            assume(False)  # no window, no example
    weight = np.ones(len(X), np.float32) if weight is None else weight
    targets = (windows.panel[:, :1].copy(), windows.to_panel(weight)[:, None], windows.origins, HORIZON)
    return lay_out(inputs_of(windows), declare(lookahead=lookahead), None, targets=targets, n_origins=n_origins)


def cut_by_hand(X, stride, lookahead):
    """List (rows of the window, rows ahead, rows of the horizon) of every window, as rows of the table."""
    for run in runs(X):
        for origin in range(WINDOW, len(run) - HORIZON + 1, stride):
            ahead = [run[min(row, len(run) - 1)] for row in range(origin, origin + HORIZON + lookahead)]
            yield run[origin - WINDOW : origin], ahead, run[origin : origin + HORIZON]


def as_rows(values):
    """The rows of the table, whose first column counts them and whose second counts down from -1."""
    return [[int(value) for value in window] for window in values]


@settings(max_examples=50)
@given(ragged_panels(), st.integers(1, 4), st.integers(0, 3))
def test_the_lookahead_is_read_in_the_run_and_repeats_its_last_row(X, stride, lookahead):
    inputs, (targets, _) = gather_all(make_from(X, stride, lookahead))
    past, ahead = as_rows(inputs["past"][:, :, 0]), as_rows(-1 - inputs["known"][:, :, 0])
    read = list(zip(past, ahead, as_rows(targets[:, :, 0]), strict=True))
    assert sorted(read) == sorted(cut_by_hand(X, stride, lookahead))


def read_joined(table):
    """List what each origin with a window reads and is taught."""
    inputs, (targets, weights) = gather_all(table)
    n_origins = table.n_origins
    targets, weights = (values.unflatten(0, (-1, n_origins)) for values in (targets, weights))
    assert targets.shape[:2] == inputs["origins"].shape
    reach = inputs["known"].shape[1] - n_origins + 1
    for b, k in inputs["origins"].nonzero().tolist():
        past, ahead = inputs["past"][b, : WINDOW + k, 0], -1 - inputs["known"][b, k : k + reach, 0]
        yield *as_rows([past, ahead, targets[b, k, :, 0]]), weights[b, k, :, 0].tolist()


@settings(max_examples=60)
@given(ragged_panels(), st.integers(1, 4), st.integers(0, 3), st.integers(2, 8), st.integers(0, 9))
def test_joined_windows_are_all_taught_once_from_their_own_rows(X, stride, lookahead, n_origins, seed):
    weight = np.random.default_rng(seed).integers(0, 3, len(X)).astype(np.float32)
    found = []
    for read, ahead, taught, taught_weights in read_joined(make_from(X, stride, lookahead, weight, n_origins)):
        found.append((read[-WINDOW:], ahead, taught))
        assert len(read) < WINDOW + n_origins
        assert any(read == run[run.index(read[0]) :][: len(read)] for run in runs(X) if read[0] in run)
        assert taught_weights == weight[taught].tolist()
    assert sorted(found) == sorted(cut_by_hand(X, stride, lookahead))


@settings(max_examples=30)
@given(ragged_panels(), st.integers(1, 4), st.integers(2, 8))
def test_whatever_no_window_asked_for_weighs_nothing(X, stride, n_origins):
    inputs, (_, weights) = gather_all(make_from(X, stride, 0, n_origins=n_origins))
    assert (weights[:, 0, 0] > 0).tolist() == inputs["origins"].flatten().tolist()
    assert (weights > 0).sum() == HORIZON * sum(1 for _ in cut_by_hand(X, stride, 0))


@pytest.mark.parametrize("n_origins", [2, 3, 5])
@pytest.mark.parametrize(("n_rows", "copies"), [(12, False), (6, True)])
def test_a_pass_that_would_read_past_the_end_begins_earlier_where_there_are_rows_before(n_origins, n_rows, copies):
    X = make_table([("a", hour) for hour in range(n_rows)])
    windows = make_windows(X)
    plain = make_from(X, 1, 0)
    joined = join(replace(plain, panel=torch.from_numpy(windows.panel)), n_origins, windows.own_spans)
    copies = copies and n_rows < WINDOW + HORIZON + n_origins - 1  # a pass does not fit into the run
    assert (joined.panel.data_ptr() == windows.panel.ctypes.data) != copies
    taught = [row for _, _, row, _ in read_joined(joined)]
    assert sorted(taught) == sorted(row for _, _, row in cut_by_hand(X, 1, 0))


def test_holes_in_the_known_rows_of_a_pass_are_filled_from_those_right_before():
    table = make_from(make_table([("a", hour) for hour in range(16)]), 1, 0)
    panel = table.panel.clone()
    panel[[3, 4, 8, 11, 12], 1] = torch.nan  # the first two are those after the first window
    joined = join(replace(table, panel=panel), 4, np.full((12, 2), [0, 16]))
    inputs, _ = gather_all(joined)
    for start, known in zip(joined.starts.tolist(), inputs["known"][..., 0], strict=True):
        rows = pd.Series(panel[start : start + WINDOW + HORIZON + 3, 1].numpy())
        np.testing.assert_array_equal(known, rows.ffill().fillna(0)[WINDOW:])


def test_one_origin_in_a_pass_is_the_windows_themselves():
    X = make_table([("a", hour) for hour in range(20)])
    table = make_from(X, 1, 1)
    (plain, taught), (joined, joined_taught) = gather_all(table), gather_all(join(table, 1, np.full((16, 2), [0, 20])))
    assert torch.equal(plain["past"], joined["past"])
    assert torch.equal(plain["known"], joined["known"])
    assert torch.equal(taught[0], joined_taught[0])
    assert torch.equal(taught[1], joined_taught[1])


# --- the loss of joined windows -----------------------------------------------------------------------------

TWO_RUNS = [("a", hour) for hour in [*range(12), *range(15, 27)]]
TWO_WHOLE = [("a", hour) for hour in range(12)] + [("b", hour) for hour in range(12)]
OWN_SPANS = np.repeat([[0, 12], [12, 24]], 8, axis=0)


def make_net(forgetful=False, **options):
    """A network, if forgetful one whose encoder reads a single row."""
    torch.manual_seed(0)
    sizes = {"n_features": 2, "n_known": 1, "n_targets": 1, "horizon": HORIZON, "hidden_size": 4, "cell": "gru"}
    module = {f"module__{key}": value for key, value in (sizes | options).items()}
    net = WindowNet(EncoderDecoder, **module, verbose=0, optimizer=torch.optim.AdamW).initialize()
    if forgetful:
        with torch.no_grad():
            net.module_.encoder.weight_hh_l0.zero_()
            net.module_.encoder.bias_ih_l0[4:8] = -100.0  # the update gate is shut: nothing of the state is kept
    return net


def loss_of(net, table):
    inputs, targets = gather_all(table)
    return net.get_loss(net._forecast_batch(inputs), targets)


def scaled(where):
    X = make_table(where)
    return X / len(X)


@pytest.mark.parametrize("where", [TWO_RUNS, TWO_WHOLE])
@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("options", [{}, {"bidirectional": True, "lookahead": 2}])
def test_joined_windows_lose_what_they_lose_apart_where_rows_before_do_not_count(where, stride, options):
    net, weight = make_net(forgetful=True, **options), np.arange(24, dtype=np.float32) % 5
    tables = [make_from(scaled(where), stride, options.get("lookahead", 0), weight, n) for n in (1, 2, 5, 100)]
    for table in tables[1:]:
        torch.testing.assert_close(loss_of(net, table), loss_of(net, tables[0]))


@pytest.mark.parametrize("lookahead", [0, 2])
@pytest.mark.parametrize("where", [TWO_RUNS, TWO_WHOLE])
@pytest.mark.parametrize("run", [slice(0, 12), slice(12, 24)])
def test_the_windows_of_one_run_learn_nothing_of_another(where, lookahead, run):
    net, honest = make_net(bidirectional=True, lookahead=lookahead), make_from(scaled(where), 1, lookahead)
    tables = {name: getattr(honest, name).clone() for name in ("panel", "targets", "weights")}
    for table in tables.values():
        table[run] = 1e4
    own = np.flatnonzero((honest.starts < run.start) | (honest.starts >= run.stop))
    assert len(own) == 8
    for n_origins in (1, 3, 30):
        joined = [join(table.subset(own), n_origins, OWN_SPANS[own]) for table in (honest, replace(honest, **tables))]
        assert loss_of(net, joined[0]) == loss_of(net, joined[1])


# --- chunks of whole series ---------------------------------------------------------------------------------

SPANS = np.array([[0, 23], [23, 30], [30, 31], [31, 60]])
AHEAD = 3
LAST_ROWS = [0, 1, 7, 12, 19, 23, 26, 31, 36, 37, 50, 56]


def make_chunks(last_rows=LAST_ROWS, length=5, holes=False, reads_series=True):
    """The windows that end with some rows, before they are cut and after."""
    generator = torch.Generator().manual_seed(0)
    panel = torch.randn(60, 3, generator=generator)
    if holes:
        panel[torch.rand(60, 3, generator=generator) < 0.3] = torch.nan
    numbers = np.searchsorted(SPANS[:, 0], last_rows, side="right") - 1
    table = AddressTable(
        panel,
        torch.tensor(last_rows, dtype=torch.int32),
        window=1,
        horizon=AHEAD,
        known=(1,),
        targets=torch.randn(60, 1, generator=generator),
        series=torch.from_numpy(numbers),
        reads_series=reads_series,
        stops=torch.from_numpy(SPANS[numbers, 1]),
    )
    return table, chunk(table, SPANS, length)


def make_series_net(**options):
    sizes = {"n_features": 3, "n_known": 1, "n_targets": 1, "horizon": AHEAD, "n_series": 4, "series_embedding": 2}
    return WindowNet(
        EncoderDecoder, **{f"module__{key}": value for key, value in (sizes | options).items()}
    ).initialize()


def fill(rows):
    return torch.tensor(pd.DataFrame(rows.numpy()).ffill().fillna(0).to_numpy())


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("holes", [False, True])
def test_the_carried_state_equals_one_long_pass(cell, holes):
    """For every window: a single pass from the start of its span to its last row, and its own known rows."""
    table, chunks = make_chunks(holes=holes)
    net = make_series_net(cell=cell, num_layers=2)
    forecasts = net.forecast(chunks)
    for forecast, row in zip(forecasts, LAST_ROWS, strict=True):
        number = int(np.searchsorted(SPANS[:, 0], row, side="right")) - 1
        begin, end = SPANS[number]
        span = fill(table.panel[begin:end])
        known = span[row + 1 - begin : row + 1 - begin + AHEAD, 1:2]
        if len(known) < AHEAD:
            continue  # what is after the span counts in no forecast of real windows
        with torch.no_grad():
            alone, _ = net.module_(span[None, : row + 1 - begin], known[None], torch.tensor([number]))
        np.testing.assert_allclose(forecast, alone[0], atol=1e-6)


def test_training_forecasts_the_same_as_it_carries_its_state_along():
    _, chunks = make_chunks()
    net = make_series_net()
    expected, found = net.forecast(chunks), np.full((len(LAST_ROWS), AHEAD, 1), np.nan, np.float32)
    net._training = SimpleNamespace(state=None)
    with torch.no_grad():
        for items in Batches(chunks, 3, shuffle=True).numbers():
            inputs, _ = chunks.gather(items)
            taught = inputs["origins"]
            found[chunks.chunks.numbers[items][taught]] = net._forecast_batch(inputs).unflatten(0, taught.shape)[taught]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_every_target_of_every_window_counts_once_in_an_epoch():
    table, chunks = make_chunks()
    values, counted = [], 0
    for _, (targets, weights) in Batches(chunks, 2, shuffle=True):
        values += targets[weights > 0].tolist()
        counted += int((weights > 0).sum())
    expected = [table.targets[row + 1 + j].item() for row in LAST_ROWS for j in range(AHEAD)]
    assert sorted(values) == sorted(expected)
    assert counted == len(LAST_ROWS) * AHEAD


@settings(max_examples=30)
@given(st.integers(0, 56), st.integers(0, 99))
def test_a_forecast_reads_nothing_observed_from_its_origin_on(row, seed):
    _, chunks = make_chunks([row], reads_series=False)
    torch.manual_seed(seed)
    net = make_series_net(series_embedding=0)
    before = net.forecast(chunks)
    later, now = chunks.panel.clone(), chunks.panel.clone()
    later[row + 1 : 60, [0, 2]] += 10
    now[row] += 10
    np.testing.assert_array_equal(net.forecast(replace(chunks, panel=later)), before)
    assert (net.forecast(replace(chunks, panel=now)) != before).any()


def test_whole_series_are_laid_out_as_chunks():
    windows = make_windows(TWO_SERIES, window=None, history=4)
    y = np.arange(21, dtype=np.float32)
    targets = (y[:, None], None, windows.origins, HORIZON)
    table = lay_out(inputs_of(windows), declare(causal=True), None, targets=targets)
    assert (table.window, table.n_origins) == (1, 4)
    assert table.chunks.n_windows == len(windows)
    inputs, (values, weights) = gather_all(table)
    taught = {}
    shape = table.chunks.numbers.shape
    for number, value, weight in zip(
        table.chunks.numbers.flatten().tolist(), values[..., 0], weights[..., 0], strict=True
    ):
        assert bool(weight.any()) == (number >= 0)
        if number >= 0:
            taught[number] = value.tolist()
    assert inputs["past"].shape == (*shape, 2)
    assert taught == dict(enumerate(windows.targets(y).tolist()))
