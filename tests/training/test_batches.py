from itertools import chain
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from skts import LSTMRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.training import AddressTable, Batches
from skts.training._batches import InChunks, items_of
from skts.training._layout import chunk, join


def make(series=(0,) * 17):
    """Windows of one row each; the panel counts its rows."""
    n = len(series)
    return AddressTable(torch.arange(float(n))[:, None], torch.arange(n), window=1, series=torch.tensor(series))


def numbers(batches):
    return [batch.tolist() for batch in batches.numbers()]


def all_of(batches):
    return list(chain(*numbers(batches)))


def seed(number):
    return torch.Generator().manual_seed(number)


def test_batches_hold_every_window_once_in_order():
    batches = Batches(make(), 5)
    assert len(batches) == 4
    firsts = [inputs["past"][:, 0, 0].tolist() for inputs, _ in batches]
    assert [len(batch) for batch in firsts] == [5, 5, 5, 2]
    np.testing.assert_array_equal(np.concatenate(firsts), np.arange(17))


# --- orders -------------------------------------------------------------------------------------------------

SAMPLERS = [{}, {"subsample": 0.7}, {"by_series": True}, {"by_series": True, "subsample": 0.7}]


@pytest.mark.parametrize("options", SAMPLERS, ids=str)
def test_each_pass_has_another_order_that_the_generator_alone_decides(options):
    table, before = make([0, 1] * 20), torch.get_rng_state()
    batches = Batches(table, 5, shuffle=True, generator=seed(3), **options)
    first, second = numbers(batches), numbers(batches)
    assert first != second
    assert [len(first), len(second)] == [len(batches)] * 2
    torch.rand(7)
    batches = Batches(table, 5, shuffle=True, generator=seed(3), **options)
    assert [numbers(batches), numbers(batches)] == [first, second]
    torch.set_rng_state(before)
    numbers(Batches(table, 5, shuffle=True, generator=seed(3), **options))
    assert torch.equal(torch.get_rng_state(), before)


def test_without_a_generator_torch_decides():
    with torch.random.fork_rng():
        torch.manual_seed(3)
        first = numbers(Batches(make(), 5, shuffle=True))
        torch.manual_seed(3)
        assert numbers(Batches(make(), 5, shuffle=True)) == first


@given(st.lists(st.integers(-1, 4), min_size=1, max_size=60), st.floats(0.01, 0.99), st.integers(0, 99))
def test_a_subsample_has_its_share_of_every_series_and_another_at_each_pass(series, share, number):
    table = make(series)
    batches = Batches(table, 7, shuffle=True, subsample=share, generator=seed(number))
    drawn = all_of(batches)
    assert len(set(drawn)) == len(drawn)
    counts = {number: sum(series[i] == number for i in drawn) for number in set(series)}
    assert all(count == int(np.ceil(np.float32(share) * series.count(number))) for number, count in counts.items())
    assert len(numbers(batches)) == len(batches)
    assert all_of(Batches(table, 7, subsample=share)) == list(range(len(series)))  # validation sees all


def test_a_subsample_is_random_and_fair():
    batches = Batches(make([0] * 40), 9, shuffle=True, subsample=0.25, generator=seed(0))
    seen = np.bincount(np.concatenate([all_of(batches) for _ in range(400)]))
    assert len(seen) == 40
    assert seen.sum() == 4000
    assert 60 < seen.min() <= seen.max() < 145


@given(
    st.lists(st.integers(-1, 4), min_size=1, max_size=60),
    st.sampled_from([0.3, 1.0]),
    st.booleans(),
    st.integers(1, 9),
)
def test_a_batch_by_series_is_of_one_and_each_window_is_in_one_batch(series, share, shuffle, size):
    batches = Batches(make(series), size, shuffle, by_series=True, subsample=share)
    drawn = numbers(batches)
    assert all(len({series[i] for i in batch}) == 1 for batch in drawn)
    windows = sorted(chain(*drawn))
    if not shuffle or share == 1:
        assert windows == list(range(len(series)))
    counts = {number: sum(series[i] == number for i in windows) for number in set(series)}
    assert len(drawn) == sum(-(-count // size) for count in counts.values()) == len(batches)


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_windows_of_series_are_counted_once_and_not_in_every_epoch(monkeypatch, share):
    batches = Batches(make([0, 0, 0, 1]), 1, shuffle=True, by_series=True, subsample=share)
    monkeypatch.setattr(torch, "bincount", None)
    for _ in range(2):
        assert len(numbers(batches)) == len(batches)


def test_batches_by_series_come_in_random_order():
    series = [0] * 40 + [1] * 40 + [2] * 40
    batches = Batches(make(series), 20, shuffle=True, by_series=True, generator=seed(0))
    passes = [numbers(batches) for _ in range(2000)]
    assert len({tuple(series[batch[0]] for batch in drawn) for drawn in passes}) == 90  # 6! / (2! 2! 2!)
    assert {batch[0] for drawn in passes for batch in drawn} == set(range(120))


# --- sizes --------------------------------------------------------------------------------------------------


def test_as_many_passes_as_teach_so_many_windows_make_a_batch():
    joined = join(make(), 4, np.full((17, 2), [0, 17]))
    assert len(joined) == 5
    assert joined.windows_per_item == 17 / 5
    assert [items_of(joined, size) for size in (1, 4, 7, 17, 100)] == [1, 1, 2, 5, 29]


@pytest.mark.parametrize("n_origins", [1, 4])
@pytest.mark.parametrize("options", [{}, {"shuffle": True}, {"shuffle": True, "subsample": 1.0}], ids=str)
def test_minus_one_takes_all_windows_at_once(n_origins, options):
    table = make() if n_origins == 1 else join(make(), n_origins, np.full((17, 2), [0, 17]))
    batches = Batches(table, -1, **options)
    assert [sorted(batch) for batch in numbers(batches)] == [list(range(len(table)))]
    assert len(batches) == 1


@pytest.mark.parametrize("origins_per_pass", [1, 4])
def test_a_regressor_takes_one_step_an_epoch_with_all_windows_in_one_batch(origins_per_pass):
    X, y = make_panel(n_series=2, n_rows=40, random_state=0)
    regressor = LSTMRegressor(
        2, max_epochs=3, origins_per_pass=origins_per_pass, net_params={"batch_size": -1}, device="cpu"
    ).fit(SlidingWindower(4).fit_transform(X), y)
    assert {int(state["step"]) for state in regressor.net_.optimizer_.state.values()} == {3}


# --- whole series -------------------------------------------------------------------------------------------

SPANS = np.array([[0, 9], [9, 12], [12, 17], [17, 30]])


def make_chunks():
    return chunk(make([0] * 30), SPANS, 3)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3, 4, -1])
def test_series_of_one_batch_advance_together_and_leave_when_they_end(shuffle, size):
    table = make_chunks()
    batches = Batches(table, size, shuffle)
    drawn = numbers(batches)
    begins, before = SPANS[np.searchsorted(SPANS[:, 0], table.starts.numpy(), side="right") - 1, 0], []
    for batch in drawn:
        places = {int(table.starts[i] - begins[i]) // 3 for i in batch}
        assert len(places) == 1
        if places != {0}:  # each goes on where the one at its place in the batch before ended
            assert batch == [i + 1 for i in before[: len(batch)]]
        assert table.chunks.continues[batch].tolist() == [places != {0}] * len(batch)
        before = batch
    assert sorted(chain(*drawn)) == list(range(len(table)))
    assert len(drawn) <= len(batches)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 5), st.integers(0, 99))
def test_no_order_of_series_takes_more_batches_than_counted(counts, size, number):
    counts = np.array(counts)
    chunks = SimpleNamespace(first=np.cumsum(counts) - counts, counts=counts)
    batches = InChunks(chunks, size, shuffle=True, generator=seed(number))
    assert len(list(batches)) <= len(batches)


@pytest.mark.parametrize(("option", "value"), [("by_series", True), ("subsample", 0.5)])
def test_whole_series_are_neither_sampled_nor_sorted(option, value):
    with pytest.raises(ValueError, match=rf"{option}={value} needs windows, and was given whole series"):
        Batches(make_chunks(), 2, shuffle=True, **{option: value})
