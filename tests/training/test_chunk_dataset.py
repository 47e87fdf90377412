import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skts.nn import EncoderDecoder
from skts.training import ChunkDataset, WindowDataset, WindowNet
from skts.training._passes import cut_chunks

SPANS = np.array([[0, 23], [23, 30], [30, 31], [31, 60]])
HORIZON = 3


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


def make_dataset(last_rows, length=5, holes=False, **kwargs):
    generator = torch.Generator().manual_seed(0)
    panel = torch.randn(60, 3, generator=generator)
    if holes:
        panel[torch.rand(60, 3, generator=generator) < 0.3] = torch.nan
    last_rows = torch.as_tensor(last_rows)
    spans = torch.from_numpy(SPANS)[torch.searchsorted(torch.from_numpy(SPANS[:, 0].copy()), last_rows, right=True) - 1]
    options = {
        "tells_series": True,
        "known": torch.tensor([1]),
        "targets": torch.randn(60, 1, generator=generator),
        "weights": torch.ones(60, 1),
        "series": torch.searchsorted(torch.from_numpy(SPANS[:, 0].copy()), last_rows, right=True) - 1,
    }
    dataset = WindowDataset(
        panel, last_rows, window=1, horizon=HORIZON, target_starts=last_rows + 1, stops=spans[:, 1], **options | kwargs
    )
    return dataset, ChunkDataset.cut(dataset, SPANS, length)


LAST_ROWS = [0, 1, 7, 12, 19, 23, 26, 31, 36, 37, 50, 56]


def fill(rows):
    filled, last = rows.clone(), torch.zeros(rows.shape[1])
    for row in filled:
        row[torch.isnan(row)] = last[torch.isnan(row)]
        last = row
    return filled


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("holes", [False, True])
def test_the_carried_state_equals_one_long_pass(cell, holes):
    """For every window: a single pass from the start of its span to its last row, and its own known rows."""
    dataset, chunks = make_dataset(LAST_ROWS, holes=holes)
    net = WindowNet(
        EncoderDecoder,
        module__n_features=3,
        module__n_known=1,
        module__n_targets=1,
        module__horizon=HORIZON,
        module__cell=cell,
        module__n_series=4,
        module__series_embedding=2,
        module__num_layers=2,
    ).initialize()
    forecasts = net.forecast(chunks)
    for forecast, row in zip(forecasts, LAST_ROWS, strict=True):
        number = int(np.searchsorted(SPANS[:, 0], row, side="right")) - 1
        begin, end = SPANS[number]
        span = fill(dataset.panel[begin:end])
        future = span[row + 1 - begin : row + 1 - begin + HORIZON, 1:2]
        if len(future) < HORIZON:
            continue  # what is behind the span counts in no forecast of real windows
        with torch.no_grad():
            alone = net.module_(span[None, : row + 1 - begin], future[None], torch.tensor([number]))
        np.testing.assert_allclose(forecast, alone[0], atol=1e-6)


def test_training_forecasts_the_same_as_it_carries_its_state_along():
    _, chunks = make_dataset(LAST_ROWS)
    net = WindowNet(
        EncoderDecoder,
        module__n_features=3,
        module__n_known=1,
        module__n_targets=1,
        module__horizon=HORIZON,
        module__n_series=4,
        module__series_embedding=2,
    ).initialize()
    expected, found = net.forecast(chunks), np.full((len(LAST_ROWS), HORIZON, 1), np.nan, np.float32)
    with torch.no_grad():
        for items in chunks.batches(3, shuffle=True):
            inputs, _ = chunks.gather(items)
            taught = inputs["origins"]
            found[chunks.numbers[items][taught]] = net.module_(**inputs).unflatten(0, taught.shape)[taught]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_every_target_of_every_window_counts_once_in_an_epoch():
    dataset, chunks = make_dataset(LAST_ROWS)
    values, counted = [], 0
    for items in chunks.batches(2, shuffle=True):
        _, (targets, weights) = chunks.gather(items)
        values += targets[weights > 0].tolist()
        counted += int((weights > 0).sum())
    expected = [dataset.targets[row + 1 + j].item() for row in LAST_ROWS for j in range(HORIZON)]
    assert sorted(values) == sorted(expected)
    assert counted == len(LAST_ROWS) * HORIZON


def test_series_of_one_batch_advance_together_and_leave_when_they_end():
    _, chunks = make_dataset(LAST_ROWS)
    for items in chunks.batches(4):
        assert len({int(chunks.starts[i] - SPANS[chunks.series[i], 0]) for i in items}) == 1
    order = torch.cat(list(chunks.batches(2, shuffle=True)))
    assert sorted(order.tolist()) == list(range(len(chunks)))
    assert len(list(chunks.batches(2, shuffle=True))) <= chunks.n_batches(2)


@settings(max_examples=30)
@given(st.integers(0, 56), st.integers(0, 99))
def test_a_forecast_reads_nothing_observed_from_its_origin_on(row, seed):
    _, chunks = make_dataset([row])
    torch.manual_seed(seed)
    net = WindowNet(
        EncoderDecoder, module__n_features=3, module__n_known=1, module__n_targets=1, module__horizon=HORIZON
    ).initialize()
    chunks.tells_series = False
    before = net.forecast(chunks)
    chunks.panel[row + 1 : 60, [0, 2]] += 10
    np.testing.assert_array_equal(net.forecast(chunks), before)
    chunks.panel[row] += 10
    assert (net.forecast(chunks) != before).any()
