"""The engine on a CUDA device."""

import pickle

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

from skts.exceptions import GraphCaptureWarning
from skts.training import Batches, find_batch_size
from skts.training._cuda_graph import CudaGraph, waiting_is_an_error
from tests.training._nets import WAYS, make_dataset, make_net, train, weights_of

pytestmark = [pytest.mark.cuda, pytest.mark.usefixtures("exact", "recorded")]
N_EPOCHS = 12  # of 5 batches, the last one short


def compare(first, second, dataset, tolerance):
    for loss in ("train_loss", "valid_loss"):
        np.testing.assert_allclose(first.history[:, loss], second.history[:, loss], rtol=tolerance)
    np.testing.assert_allclose(
        first.forecast(dataset.to(torch.device(first.device))),
        second.forecast(dataset.to(torch.device(second.device))),
        atol=tolerance,
    )


@pytest.mark.parametrize(("dataset", "options"), WAYS, ids=str)
def test_a_net_that_replays_trains_as_one_that_does_not(recorded, dataset, options):
    dataset, valid = make_dataset(**dataset), make_dataset(20, tells_series=dataset.get("tells_series", False))
    replayed = train(dataset, N_EPOCHS, valid, "cuda", **options)
    assert len(recorded) == 1
    ordinary = train(dataset, N_EPOCHS, valid, "cuda", cuda_graph=False, **options)
    assert len(recorded) == 1
    compare(replayed, ordinary, valid, 2e-2 if options.get("precision") == "bf16" else 1e-3)
    assert replayed.optimizer_.param_groups[0]["lr"] == 0.01


@pytest.mark.parametrize(("dataset", "options"), WAYS, ids=str)
def test_it_trains_as_on_a_cpu(dataset, options):
    tells = dataset.get("tells_series", False)
    dataset = dataset | {"subsample": 1.0}
    options = options | {"iterator_train__shuffle": False}
    nets = [
        train(make_dataset(**dataset), N_EPOCHS, make_dataset(20, tells_series=tells), device, **options)
        for device in ("cuda", "cpu")
    ]
    tolerance = 5e-2 if options.get("precision") == "bf16" else 5e-3
    compare(*nets, make_dataset(20, tells_series=tells), tolerance)


@pytest.mark.parametrize("num_layers", [1, 2])
def test_dropout_is_drawn_anew_at_each_replay(recorded, num_layers):
    options = {"lr": 0.0, "iterator_train__shuffle": False, "sizes": {"dropout": 0.5, "num_layers": num_layers}}
    net = train(make_dataset(40), N_EPOCHS, device="cuda", batch_size=40 // 4, **options)
    losses = net.history[:, "train_loss"]
    assert len(recorded) == 1
    assert np.isfinite(losses).all()
    assert len(set(losses)) == N_EPOCHS


@pytest.fixture
def strict(monkeypatch):
    """Let anything fail that waits for the device while the batches of an epoch are gone through."""
    original = Batches.numbers

    def numbers(self):
        with waiting_is_an_error():
            yield from original(self)

    monkeypatch.setattr(Batches, "numbers", numbers)
    yield
    torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("cuda_graph", [True, False])
@pytest.mark.parametrize(("dataset", "options"), WAYS, ids=str)
def test_nothing_waits_for_the_device_inside_an_epoch(strict, dataset, options, cuda_graph):
    dataset = make_dataset(**dataset)
    net = train(dataset, N_EPOCHS, dataset, "cuda", cuda_graph=cuda_graph, **options)
    assert len(net.history) == N_EPOCHS


def test_a_criterion_that_waits_is_trained_with_but_not_recorded(recorded):
    class Waits(torch.nn.MSELoss):
        def forward(self, forecasts, targets):
            return super().forward(forecasts, targets) + 0.0 * float(forecasts.detach().sum())

    dataset = make_dataset()
    nets = [train(dataset, N_EPOCHS, dataset, "cuda", criterion=kind) for kind in (Waits, torch.nn.MSELoss)]
    assert len(recorded) == 1  # that of the other
    compare(*nets, dataset, 1e-3)


class RecordsMemory(Callback):
    def on_epoch_end(self, net, **kwargs):
        self.used = [*getattr(self, "used", []), torch.cuda.memory_allocated()]


def test_memory_does_not_grow_over_epochs(recorded):
    callback = RecordsMemory()
    train(make_dataset(), N_EPOCHS, make_dataset(20), "cuda", callbacks=[callback])
    assert len(recorded) == 1
    assert len(set(callback.used[2:])) == 1


def test_a_fit_gives_the_memory_of_its_graph_back(recorded):
    dataset = make_dataset().to(torch.device("cuda"))
    net = make_net(device="cuda")
    used = []
    for _ in range(4):
        net.partial_fit((dataset, None), epochs=N_EPOCHS)
        used.append((torch.cuda.memory_allocated(), torch.cuda.memory_reserved()))
    assert len(recorded) == 4
    assert len(set(used[1:])) == 1


def test_a_second_fit_takes_up_another_size_and_rate():
    dataset = make_dataset().to(torch.device("cuda"))
    nets = [train(dataset, N_EPOCHS, dataset, "cuda", cuda_graph=graph) for graph in (True, False)]
    for net in nets:
        torch.cuda.manual_seed(1)
        net.set_params(batch_size=6, lr=0.002).partial_fit((dataset, dataset), epochs=N_EPOCHS)
    compare(*nets, dataset, 2e-3)


class Pickles(Callback):
    def on_epoch_end(self, net, **kwargs):
        self.pickled = pickle.dumps(net)


def test_a_pickle_made_while_a_graph_is_replayed_trains_on():
    callback = Pickles()
    dataset = make_dataset()
    net = train(dataset, N_EPOCHS, device="cuda", callbacks=[callback])
    loaded = pickle.loads(callback.pickled)
    torch.testing.assert_close(weights_of(loaded), weights_of(net), rtol=0, atol=0)
    loaded.partial_fit((dataset, None), epochs=N_EPOCHS)
    assert isinstance(loaded.optimizer_.param_groups[0]["lr"], float)


def test_the_generator_of_the_process_is_left_alone():
    before = torch.cuda.get_rng_state()
    train(make_dataset(), N_EPOCHS, device="cuda", sizes={"dropout": 0.5})
    assert torch.equal(torch.cuda.get_rng_state(), before)


@pytest.mark.parametrize("cuda_graph", [True, False])
def test_a_batch_size_is_found_and_memory_ends_the_search(monkeypatch, cuda_graph):
    dataset = make_dataset(20_000).to(torch.device("cuda"))
    net = make_net(device="cuda", cuda_graph=cuda_graph)
    assert find_batch_size(net, dataset) >= 64
    before = torch.cuda.memory_allocated()
    find_batch_size(net, dataset)
    assert torch.cuda.memory_allocated() == before
    original = type(dataset).gather

    def gather(self, items):
        if len(items) > 200:
            torch.empty(2**50, dtype=torch.uint8, device="cuda")
        return original(self, items)

    monkeypatch.setattr(type(dataset), "gather", gather)
    assert find_batch_size(net, dataset) <= 128


def test_a_recording_that_fails_falls_back(monkeypatch):
    """The failure is made before anything is recorded: a real one leaves the process in doubt."""

    def fail(self, function):
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(CudaGraph, "record", fail)
    dataset = make_dataset()
    with pytest.warns(GraphCaptureWarning, match="not permitted"):
        fallen = train(dataset, N_EPOCHS, dataset, "cuda")
    compare(fallen, train(dataset, N_EPOCHS, dataset, "cuda", cuda_graph=False), dataset, 1e-3)
