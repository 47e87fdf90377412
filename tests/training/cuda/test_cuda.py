"""The engine on a CUDA device."""

import pickle

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

from skts.exceptions import GraphCaptureWarning
from skts.training import Batches, find_batch_size
from skts.training.cuda import CudaGraph
from skts.training.cuda._cuda_graph import waiting_is_an_error
from tests.training._nets import CPU_WAYS, WAYS, fit, make_net, make_table, weights_of
from tests.training._nets import train as train_net

pytestmark = [pytest.mark.cuda, pytest.mark.usefixtures("exact", "recorded")]
CUDA = torch.device("cuda")
N_EPOCHS = 12  # of 5 batches, the last one short


def train(table, n_epochs=N_EPOCHS, valid=None, device="cuda", cuda_graph=True, **options):
    return train_net(table, n_epochs, valid, device, cuda_graph=cuda_graph, **options)


def compare(first, second, table, tolerance):
    for loss in ("train_loss", "valid_loss"):
        np.testing.assert_allclose(first.history[:, loss], second.history[:, loss], rtol=tolerance)
    np.testing.assert_allclose(first.forecast(table), second.forecast(table), atol=tolerance)


def make_tables(options):
    return make_table(**options), make_table(20, reads_series=options.get("reads_series", False))


@pytest.mark.parametrize(("options_of_table", "options"), WAYS, ids=str)
def test_a_net_that_replays_trains_as_one_that_does_not(recorded, options_of_table, options):
    table, valid = make_tables(options_of_table)
    replayed = train(table, valid=valid, **options)
    assert len(recorded) == 1
    ordinary = train(table, valid=valid, cuda_graph=False, **options)
    assert len(recorded) == 1
    compare(replayed, ordinary, valid, 2e-2 if options.get("precision") == "bf16" else 1e-3)
    assert replayed.optimizer_.param_groups[0]["lr"] == 0.01


@pytest.mark.parametrize(("options_of_table", "options"), CPU_WAYS, ids=str)
def test_it_trains_as_on_a_cpu(options_of_table, options):
    """In the same order too, which is drawn on the CPU; dropout is not."""
    table, valid = make_tables(options_of_table)
    options = options | {"sizes": options.get("sizes", {}) | {"dropout": 0.0}}
    nets = [train(table, valid=valid, device=device, **options) for device in ("cuda", "cpu")]
    compare(*nets, valid, 5e-2 if options.get("precision") == "bf16" else 5e-3)


def test_nothing_is_recorded_unless_somebody_asks(recorded):
    train_net(make_table(), N_EPOCHS, device="cuda")
    assert recorded == []


def test_a_table_that_is_there_is_not_moved_again():
    table = make_table().to(CUDA)
    assert table.to(CUDA) is table


def test_gradients_of_a_mean_over_many_targets_do_not_vanish_in_float16():
    """One step of plain gradient descent over 50,000 windows at once, in either precision."""
    options = {"batch_size": -1, "lr": 1.0, "gradient_clip": None, "optimizer": torch.optim.SGD, "cuda_graph": False}
    table, steps = make_table(50_000, weights=None), []
    start = weights_of(train(table, 1, **options | {"lr": 0.0}))
    for precision in ("float32", "bf16"):
        steps.append(weights_of(train(table, 1, precision=precision, **options)) - start)
    assert (steps[1] - steps[0]).norm() < 0.1 * steps[0].norm()


@pytest.mark.parametrize("num_layers", [1, 2])
def test_dropout_is_drawn_anew_at_each_replay(recorded, num_layers):
    options = {"lr": 0.0, "iterator_train__shuffle": False, "sizes": {"dropout": 0.5, "num_layers": num_layers}}
    net = train(make_table(40), batch_size=40 // 4, **options)
    losses = net.history[:, "train_loss"]
    assert len(recorded) == 1
    assert np.isfinite(losses).all()
    assert len(set(losses)) == N_EPOCHS


@pytest.fixture
def strict(monkeypatch):
    """Let anything fail that waits for the device while the batches of an epoch are gone through."""
    original = Batches.numbers

    def numbers(self):
        _ = self.dataset.holes, self.dataset.fills_known  # asked of a table once
        with waiting_is_an_error():
            yield from original(self)

    monkeypatch.setattr(Batches, "numbers", numbers)
    yield
    torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("cuda_graph", [True, False])
@pytest.mark.parametrize(("options_of_table", "options"), WAYS, ids=str)
def test_nothing_waits_for_the_device_inside_an_epoch(strict, options_of_table, options, cuda_graph):
    table = make_table(**options_of_table)
    net = train(table, valid=table, cuda_graph=cuda_graph, **options)
    assert len(net.history) == N_EPOCHS


def test_a_criterion_that_waits_is_trained_with_but_not_recorded(recorded):
    class Waits(torch.nn.MSELoss):
        def forward(self, forecasts, targets):
            return super().forward(forecasts, targets) + 0.0 * float(forecasts.detach().sum())

    table = make_table()
    nets = [train(table, valid=table, criterion=kind) for kind in (Waits, torch.nn.MSELoss)]
    assert len(recorded) == 1  # that of the other
    compare(*nets, table, 1e-3)


class RecordsMemory(Callback):
    def on_epoch_end(self, net, **kwargs):
        self.used = [*getattr(self, "used", []), torch.cuda.memory_allocated()]


def test_memory_does_not_grow_over_epochs(recorded):
    callback = RecordsMemory()
    train(make_table(), valid=make_table(20), callbacks=[callback])
    assert len(recorded) == 1
    assert len(set(callback.used[2:])) == 1


def test_a_fit_gives_the_memory_of_its_graph_back(recorded):
    table = make_table().to(CUDA)
    net = make_net(device="cuda", cuda_graph=True)
    used = []
    for _ in range(4):
        fit(net, table, N_EPOCHS)
        used.append((torch.cuda.memory_allocated(), torch.cuda.memory_reserved()))
    assert len(recorded) == 4
    assert len(set(used[1:])) == 1


def test_a_second_fit_takes_up_another_size_and_rate():
    table = make_table().to(CUDA)
    nets = [train(table, valid=table, cuda_graph=graph) for graph in (True, False)]
    for net in nets:
        fit(net.set_params(batch_size=6, lr=0.002), table, N_EPOCHS, table, seed=1)
    compare(*nets, table, 2e-3)


class Pickles(Callback):
    def on_epoch_end(self, net, **kwargs):
        self.pickled = pickle.dumps(net)


def test_a_pickle_made_while_a_graph_is_replayed_trains_on():
    callback, table = Pickles(), make_table()
    net = train(table, callbacks=[callback])
    loaded = pickle.loads(callback.pickled)
    torch.testing.assert_close(weights_of(loaded), weights_of(net), rtol=0, atol=0)
    fit(loaded, table, N_EPOCHS)
    assert isinstance(loaded.optimizer_.param_groups[0]["lr"], float)


def test_the_generators_of_the_process_are_left_alone():
    before = torch.cuda.get_rng_state(), torch.get_rng_state()
    train(make_table(), sizes={"dropout": 0.5})
    assert all(map(torch.equal, (torch.cuda.get_rng_state(), torch.get_rng_state()), before))


@pytest.mark.parametrize("cuda_graph", [True, False])
def test_a_batch_size_is_found_and_memory_ends_the_search(monkeypatch, cuda_graph):
    table = make_table(20_000).to(CUDA)
    net = make_net(device="cuda", cuda_graph=cuda_graph)
    assert find_batch_size(net, table) >= 64
    before = torch.cuda.memory_allocated()
    find_batch_size(net, table)
    assert torch.cuda.memory_allocated() == before
    original = type(table).gather

    def gather(self, items):
        if len(items) > 200:
            torch.empty(2**50, dtype=torch.uint8, device="cuda")
        return original(self, items)

    monkeypatch.setattr(type(table), "gather", gather)
    assert find_batch_size(net, table) <= 128


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RuntimeError("operation not permitted when stream is capturing"), "could not be recorded .* not permitted"),
        (torch.OutOfMemoryError("CUDA out of memory."), "not enough memory"),
    ],
)
def test_a_recording_that_fails_falls_back(monkeypatch, error, said):
    """The failure is made before anything is recorded: a real one leaves the process in doubt."""

    def fail(self, function):
        raise error

    table = make_table()
    with monkeypatch.context() as patch:
        patch.setattr(CudaGraph, "record", fail)
        with pytest.warns(GraphCaptureWarning, match=said):
            fallen = train(table, valid=table)
    compare(fallen, train(table, valid=table, cuda_graph=False), table, 1e-3)


def test_a_lack_of_memory_for_one_recording_leaves_the_next_one_be(monkeypatch, recorded):
    def exhaust(self, function):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    with monkeypatch.context() as patch:
        patch.setattr(CudaGraph, "record", exhaust)
        with pytest.warns(GraphCaptureWarning, match="not enough memory"):
            train(make_table())
    train(make_table())
    assert len(recorded) == 1
