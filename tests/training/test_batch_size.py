from dataclasses import replace

import numpy as np
import pytest
import torch

from skts.nn import EncoderDecoder
from skts.training import AddressTable, WindowNet, _batch_size, find_batch_size, scale_lr, seeded
from skts.training._batch_size import largest_that_gains
from skts.training._layout import join


def find(rates, most=10**6):
    asked = []

    def rate_of(size):
        asked.append(size)
        return rates[size]

    return largest_that_gains(rate_of, most), asked


def test_it_doubles_as_long_as_a_tenth_is_gained():
    assert find({64: 100, 128: 150, 256: 166, 512: 182, 1024: 999}) == (256, [64, 128, 256, 512])
    assert find({64: 100, 128: 109}) == (64, [64, 128])


def test_memory_ends_it():
    assert find({64: 100, 128: 200, 256: None}) == (128, [64, 128, 256])
    assert find({64: None}) == (64, [64])


def test_few_windows_end_it():
    assert find({64: 1, 128: 2, 256: 4}, most=300) == (256, [64, 128, 256])
    assert find({}, most=127) == (64, [])


def test_rates_scale_by_the_root_for_adam_and_in_proportion_for_sgd():
    assert scale_lr(0.01, 256, torch.optim.AdamW) == pytest.approx(0.02)
    assert scale_lr(0.01, 256, torch.optim.SGD) == pytest.approx(0.04)
    assert scale_lr(0.01, 64, torch.optim.SGD) == 0.01


# --- on a net, by a clock that stands still but for what a step costs ---------------------------------------


class Clock:
    def __init__(self, cost):
        self.cost = cost
        self.now = 0.0
        self.sizes = []

    def __call__(self):
        return self.now

    def gather(self, table, items):
        self.sizes.append(len(items))
        self.now += self.cost(len(items))
        return self.original(table, items)


@pytest.fixture
def tick(monkeypatch):
    def start(cost):
        clock = Clock(cost)
        clock.original = AddressTable.gather
        monkeypatch.setattr(_batch_size, "_clock", clock)
        monkeypatch.setattr(AddressTable, "gather", lambda table, items: clock.gather(table, items))
        return clock

    return start


def make_table(n):
    panel = torch.randn(n + 4, 2, generator=torch.Generator().manual_seed(0))
    return AddressTable(panel, torch.arange(n), window=3, targets=panel[:, :1].contiguous())


def make_net():
    sizes = {"n_features": 2, "n_known": 0, "n_targets": 1, "horizon": 1, "hidden_size": 2, "dropout": 0.5}
    options = {"verbose": 0} | {f"module__{key}": value for key, value in sizes.items()}
    return WindowNet(EncoderDecoder, **options).initialize()


def test_the_cost_of_a_step_decides(tick):
    table = make_table(10_000)
    clock = tick(lambda n: 1000 + n)
    assert find_batch_size(make_net(), table) == 512  # of 625 at most
    assert max(clock.sizes) == 512
    tick(lambda n: n)
    assert find_batch_size(make_net(), table) == 64
    tick(lambda n: 30 + n)  # 0.68, 0.81, 0.90, 0.94 windows per unit of time
    assert find_batch_size(make_net(), table) == 256


def test_an_epoch_of_some_windows_is_short(tick):
    tick(lambda n: 1.0)
    assert find_batch_size(make_net(), make_table(10_000), subsample=0.25) == 128


def test_a_pass_counts_as_the_windows_it_teaches(tick):
    clock = tick(lambda n: 1.0)
    joined = join(make_table(10_000), 8, np.full((10_000, 2), [0, 10_004]))
    assert find_batch_size(make_net(), joined) == 512  # windows, of 625 at most
    assert max(clock.sizes) == 64  # passes


def test_neither_the_net_nor_any_generator_is_touched(tick):
    tick(lambda n: 1.0)
    with seeded(0, torch.device("cpu")):
        net = make_net()
        net.callbacks = "not to be copied"
        before = {name: values.clone() for name, values in net.module_.state_dict().items()}
        state = torch.get_rng_state()
        assert find_batch_size(net, make_table(4100)) == 256
        assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(values, before[name]) for name, values in net.module_.state_dict().items())
    assert not net.optimizer_.state
    assert len(net.history) == 0
    assert all(values.grad is None for values in net.module_.parameters())


def test_what_does_not_fit_into_memory_ends_it(tick, monkeypatch):
    tick(lambda n: 1.0)
    original = AddressTable.gather

    def gather(table, items):
        if len(items) > 200:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return original(table, items)

    monkeypatch.setattr(AddressTable, "gather", gather)
    assert find_batch_size(make_net(), make_table(10_000)) == 128


def test_other_errors_are_not_swallowed(tick):
    tick(lambda n: 1.0)
    table = make_table(10_000)
    with pytest.raises((RuntimeError, ValueError)):
        find_batch_size(make_net(), replace(table, panel=table.panel[:, :1].contiguous()))


def test_the_windows_of_a_trial_are_drawn_from_all(tick, monkeypatch):
    clock = tick(lambda n: float(n))
    seen = []
    original = clock.gather
    monkeypatch.setattr(clock, "gather", lambda table, items: seen.append(items) or original(table, items))
    find_batch_size(make_net(), make_table(10_000))
    timed = torch.cat([items for items in seen if len(items) == 128][1:])
    assert len(np.unique(timed.numpy())) == 5 * 128
    assert timed.max() > 9000
