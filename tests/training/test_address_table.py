from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from skts.training import AddressTable, fill_forward
from skts.training._address_table import take
from skts.training._layout import chunk, join

INDEX = torch.int32


def make_panel(n_rows=20):
    return torch.arange(2.0 * n_rows).reshape(n_rows, 2)


def make(panel=None, starts=(0, 5, 2), **options):
    panel = make_panel() if panel is None else panel
    return AddressTable(
        panel, torch.tensor(starts, dtype=INDEX), **{"window": 4, "horizon": 3, "known": (1,)} | options
    )


@settings(max_examples=50)
@given(
    arrays(np.float32, array_shapes(min_dims=3, max_dims=3, max_side=6), elements=st.sampled_from([1, 2, 3, np.nan]))
)
def test_fill_forward_equals_pandas(values):
    filled = fill_forward(torch.from_numpy(values)).numpy()
    expected = [pd.DataFrame(window).ffill().fillna(0).to_numpy() for window in values]
    np.testing.assert_array_equal(filled, expected)


# --- what is taken ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "columns",
    [None, (0, 1, 2, 3, 4), (1, 2, 3), (3, 4), (0, 2, 4), (1, 4), (0,), (4,), (2, 0), (3, 2, 1), (0, 1, 3), (1, 1)],
)
@pytest.mark.parametrize("length", [1, 3, 8])
def test_take_equals_plain_indexing(columns, length):
    memory = torch.randn(11, 5, generator=torch.Generator().manual_seed(0))
    starts = torch.tensor([0, 8 - length, 3 % (9 - length), 0], dtype=INDEX)
    for table in (memory[:8], memory[3:]):  # one that begins amid its memory, too
        rows = [table[start : start + length] for start in starts.tolist()]
        expected = torch.stack([own if columns is None else own[:, list(columns)] for own in rows])
        assert torch.equal(take(table, starts, length, columns), expected)


def gather_by_hand(table, panel, item):
    """The inputs of one window, row by row."""
    start, stop = int(table.starts[item]), None if table.stops is None else int(table.stops[item])
    begin = start if table.begins is None else int(table.begins[item])
    blank = np.full(panel.shape[1], np.nan, np.float32)
    past = [panel[row] if row >= begin else blank for row in range(start, start + table.window)]
    past = pd.DataFrame(past).ffill().fillna(0).to_numpy()
    origin, known = start + table.window, list(table.known)
    rows = range(origin, origin + table.horizon + table.lookahead)
    ahead = [blank if table.lookahead and stop is not None and row >= stop else panel[row] for row in rows]
    ahead = pd.DataFrame([past[-1], *ahead]).ffill().to_numpy()[1:, known]
    return past, ahead


@st.composite
def tables(draw):
    """A table whose windows may begin before the panel, and whose lookahead may reach after it."""
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    window, horizon = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    lookahead, is_short = draw(st.integers(0, 4)), draw(st.booleans())
    n_rows, n_windows = 14, 6
    panel = rng.standard_normal((n_rows, 3)).astype(np.float32)
    panel[rng.random(panel.shape) < draw(st.sampled_from([0.0, 0.4]))] = np.nan
    if draw(st.booleans()):
        panel[:, 1] = 7.0  # a column without holes
    first_origin = 1 if is_short else window
    origins = rng.integers(first_origin, n_rows - horizon + 1, n_windows)
    starts = origins - window
    options = {}
    if is_short:
        options["begins"] = torch.tensor(np.maximum(starts, 0) + rng.integers(0, 2, n_windows), dtype=INDEX)
    if lookahead:
        options["stops"] = torch.tensor(rng.integers(origins + horizon, n_rows + 1), dtype=INDEX)
    if draw(st.booleans()):
        options["target_starts"] = torch.tensor(rng.integers(0, 9, n_windows), dtype=INDEX)
    targets, weights = torch.from_numpy(rng.standard_normal((2, n_rows, 2)).astype(np.float32)).unbind()
    return AddressTable(
        torch.from_numpy(panel),
        torch.tensor(starts, dtype=INDEX),
        window=window,
        horizon=horizon,
        known=draw(st.sampled_from([(), (1,), (0, 2), (2, 0), (0, 1, 2)])),
        lookahead=lookahead,
        targets=targets,
        weights=weights if draw(st.booleans()) else None,
        **options,
    )


@settings(max_examples=150)
@given(tables())
def test_gather_equals_the_obvious_loop(table):
    panel, items = table.panel.numpy().copy(), torch.tensor([3, 0, 5, 3])
    inputs, (targets, weights) = table.with_room().gather(items)
    assert set(inputs) == ({"past", "known"} if table.known else {"past"})
    for place, item in enumerate(items.tolist()):
        past, known = gather_by_hand(table, panel, item)
        np.testing.assert_array_equal(inputs["past"][place], past)
        if table.known:
            np.testing.assert_array_equal(inputs["known"][place], known)
        first = table.starts[item] + table.window if table.target_starts is None else table.target_starts[item]
        own = slice(int(first), int(first) + table.horizon)
        assert torch.equal(targets[place], table.targets[own])
        assert weights is None if table.weights is None else torch.equal(weights[place], table.weights[own])
    np.testing.assert_array_equal(table.panel, panel)  # filling is done on what was gathered


def test_nothing_known_and_no_targets_give_the_past_alone():
    inputs, targets = make(known=()).gather(torch.tensor([0]))
    assert set(inputs) == {"past"}
    assert targets is None


def test_holes_are_filled_from_within_the_window_only():
    panel = make_panel()
    panel[[1, 2, 7], 0] = torch.nan  # a column with holes
    inputs, _ = make(panel).gather(torch.arange(3))
    assert inputs["past"][0, :, 0].tolist() == [0, 0, 0, 6]
    assert inputs["past"][2, :, 0].tolist() == [0, 6, 8, 10]  # row 1 lies before this window: 0, not 2
    assert torch.isnan(panel).sum() == 3  # the panel stays as it is


def test_holes_in_known_rows_go_on_from_the_window():
    panel = make_panel()
    panel[[4, 5], 1] = torch.nan
    inputs, _ = make(panel).gather(torch.tensor([0]))
    assert inputs["known"][0, :, 0].tolist() == [panel[3, 1], panel[3, 1], panel[6, 1]]


def test_the_series_is_given_to_a_network_that_reads_it_alone():
    series = torch.tensor([2, 0, 1])
    assert "series" not in make(series=series).gather(torch.tensor([1, 0]))[0]
    assert make(series=series, reads_series=True).gather(torch.tensor([1, 0]))[0]["series"].tolist() == [0, 2]


def test_items_of_one_series_share_what_describes_it():
    static, series = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([1, 0, 1])
    table = make(static=static, described_by=series)
    assert table.gather(torch.tensor([2, 1]))[0]["static"].tolist() == [[3, 4], [1, 2]]
    assert table.subset(np.array([1])).gather(torch.tensor([0]))[0]["static"].tolist() == [[1, 2]]
    assert "static" not in make().gather(torch.tensor([0]))[0]


# --- what stays as it is ------------------------------------------------------------------------------------


def make_full():
    """Windows of one row each, which can be joined and cut into chunks, with all that a table may hold."""
    addresses = {"target_starts": [1, 2, 3, 9, 10], "series": [0, 0, 0, 1, 1], "stops": [8, 8, 8, 20, 20]}
    return make(
        starts=(0, 1, 2, 8, 9),
        window=1,
        lookahead=2,
        targets=torch.randn(20, 1),
        weights=torch.rand(20, 1),
        **{name: torch.tensor(values, dtype=INDEX) for name, values in addresses.items()},
    )


SPANS = np.array([[0, 8], [8, 20]])
CHANGES = {
    "to": lambda table: table.to(torch.device("meta")),
    "subset": lambda table: table.subset(np.array([3, 1])),
    "with_room": lambda table: replace(table, lookahead=40).with_room(),
    "join": lambda table: join(table, 3, SPANS[[0, 0, 0, 1, 1]]),
    "chunk": lambda table: chunk(table, SPANS, 4),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_table_never_changes(change):
    table = make_full()
    before = {field.name: getattr(table, field.name) for field in fields(table)}
    held = {name: part.clone() for name, part in before.items() if isinstance(part, torch.Tensor)}
    gathered = table.gather(torch.arange(2))
    changed = CHANGES[change](table)
    assert changed is not table
    assert all(getattr(table, name) is part for name, part in before.items())
    assert all(torch.equal(before[name], part) for name, part in held.items())
    torch.testing.assert_close(table.gather(torch.arange(2)), gathered, rtol=0, atol=0)


def test_nothing_of_a_table_can_be_set():
    with pytest.raises(FrozenInstanceError):
        make().starts = torch.tensor([1])


@pytest.mark.parametrize("change", CHANGES)
def test_addresses_keep_their_four_bytes(change):
    changed = CHANGES[change](make_full())
    for name in ("starts", "target_starts", "series", "stops"):
        assert getattr(changed, name).dtype == torch.int32


def test_a_table_moves_as_a_whole_and_stays_where_it_is_already():
    table, meta = make_full(), torch.device("meta")
    assert table.to(torch.device("cpu")) is table
    moved = chunk(table, SPANS, 4).to(meta)
    parts = [*vars(moved).values(), moved.chunks.numbers, moved.chunks.continues]
    assert {part.device for part in parts if isinstance(part, torch.Tensor)} == {meta}
    assert moved.device == meta


def test_a_subset_shares_the_panel():
    table = make_full()
    subset = table.subset(np.array([3, 1]))
    assert len(subset) == 2
    assert subset.panel is table.panel
    torch.testing.assert_close(subset.gather(torch.tensor([0, 1])), table.gather(torch.tensor([3, 1])), rtol=0, atol=0)


# --- room before the first row and after the last -----------------------------------------------------------


@pytest.mark.parametrize(
    ("starts", "options", "n_before", "n_after"),
    [
        ((0, 13), {}, 0, 0),  # the last window ends at row 17, and its horizon at 20
        ((0, 13), {"lookahead": 2}, 0, 2),
        ((0, 14), {}, 0, 1),
        ((-2, 13), {"begins": torch.tensor([0, 0])}, 2, 0),
        ((0, 16), {"known": ()}, 0, 0),  # nothing is read after the windows
        ((0, 16), {"known": (), "targets": torch.zeros(23, 1)}, 0, 0),
    ],
)
def test_a_panel_is_copied_only_where_reading_goes_beyond_it(starts, options, n_before, n_after):
    table = make(starts=starts, **options)
    roomy = table.with_room()
    assert len(roomy.panel) == n_before + 20 + n_after
    assert torch.equal(roomy.panel[n_before : n_before + 20], table.panel)
    assert (roomy is table) == (n_before == n_after == 0)
    assert (roomy.panel is table.panel) == (n_before == n_after == 0)


def test_targets_beside_the_panel_move_with_it_and_others_do_not():
    targets, begins = torch.arange(20.0)[:, None], torch.tensor([0, 0])
    beside = make(starts=(-2, 3), begins=begins, targets=targets)
    apart = make(starts=(-2, 3), begins=begins, targets=targets, target_starts=torch.tensor([0, 18]))
    taught = [table.with_room().gather(torch.arange(2))[1][0][:, :, 0].tolist() for table in (beside, apart)]
    assert taught == [[[2, 3, 4], [7, 8, 9]], [[0, 1, 2], [18, 19, 0]]]
