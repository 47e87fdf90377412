"""A recorded step, tested on a CPU with a stand-in that runs the step again instead of replaying a graph."""

import contextlib
import copy
import pickle
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

from skts.exceptions import GraphCaptureWarning
from skts.training import Batches, WindowNet, _loop
from skts.training._layout import chunk
from skts.training.cuda import CapturedStep, _captured_step, can_be_recorded
from skts.training.cuda._captured_step import capturable, describe
from tests.training._nets import CPU_WAYS, fit, make_net, make_table, weights_of
from tests.training._nets import train as train_net

CPU = torch.device("cpu")


class StandIn:
    """Holds a recorder to its contract, and counts."""

    def __init__(self, reason=None, error=None):
        self.reason, self.error = reason, error
        self.calls = []

    def warm_up(self, function):
        self.calls.append("warm up")
        function()

    def rehearse(self, function):
        self.calls.append("rehearse")
        if self.reason is None:
            function()
        return self.reason

    def record(self, function):
        self.calls.append("record")
        if self.error is not None:
            raise self.error

        def replay():
            self.calls.append("replay")
            function()

        return replay

    def release(self):
        self.calls.append("release")


class Recorders:
    def __init__(self):
        self.made, self.options = [], {}

    def choose(self, net):
        if not (net.cuda_graph and can_be_recorded(net.optimizer_)):
            return None
        self.made.append(StandIn(**self.options))
        return self.made[-1]


@pytest.fixture
def recorders(monkeypatch):
    """Let every net on the CPU record by stand-ins, and give those that were made."""
    recorders = Recorders()
    monkeypatch.setattr(_loop, "choose_recorder", recorders.choose)
    monkeypatch.setattr(_captured_step, "_FEWEST_STEPS", 1)
    return recorders


def train(table, n_epochs=3, **options):
    return train_net(table, n_epochs, **{"cuda_graph": True} | options)


# --- one step -----------------------------------------------------------------------------------------------


def run_step(sizes, recorder):
    parameter = torch.nn.Parameter(torch.zeros(1))
    seen = []
    step = CapturedStep(
        lambda items: seen.append(items.tolist()), torch.optim.AdamW([parameter], fused=True), 2, CPU, recorder
    )
    for i, size in enumerate(sizes):
        step(torch.arange(i, i + size))
    return step, seen


def test_every_batch_is_trained_on_once_and_in_its_turn():
    recorder = StandIn()
    _, seen = run_step([2, 2, 2, 2, 2, 1, 2, 2], recorder)
    assert seen == [[0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [5], [6, 7], [7, 8]]
    assert recorder.calls == ["warm up", "warm up", "rehearse", "record", *["replay"] * 4]


def test_batches_of_another_size_are_warmed_up_too_as_long_as_nothing_is_recorded():
    recorder = StandIn()
    _, seen = run_step([1, 2, 2, 3, 2, 1, 2, 3], recorder)
    assert [len(items) for items in seen] == [1, 2, 2, 3, 2, 1, 2, 3]
    assert recorder.calls == [*["warm up"] * 4, "rehearse", "warm up", "record", "replay"]


def test_what_is_replayed_reads_the_same_memory():
    step, _ = run_step([2, 2, 2, 2], StandIn())
    address = step.items.data_ptr()
    step(torch.tensor([7, 8]))
    assert step.items.tolist() == [7, 8]
    assert step.items.data_ptr() == address


def test_a_step_that_waits_for_the_device_is_taken_all_the_same_and_never_recorded():
    recorder = StandIn(reason="called a synchronizing CUDA operation")
    _, seen = run_step([2, 2, 2, 2, 2], recorder)
    assert seen == [[0, 1], [1, 2], [2, 3], [3, 4], [4, 5]]
    assert recorder.calls == ["warm up", "warm up", "rehearse"]


def test_a_recording_that_fails_warns_once_and_loses_no_batch():
    recorder = StandIn(error=RuntimeError("operation not permitted when stream is capturing"))
    with pytest.warns(GraphCaptureWarning, match="not permitted") as told:
        _, seen = run_step([2, 2, 2, 2, 2, 2], recorder)
    assert len(told) == 1
    assert seen == [[0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [5, 6]]


def test_a_lack_of_memory_for_a_recording_is_said_so_and_loses_no_batch():
    recorder = StandIn(error=torch.OutOfMemoryError("CUDA out of memory."))
    with pytest.warns(
        GraphCaptureWarning, match=r"not enough memory .*CUDA out of memory.*'cuda_graph': False"
    ) as told:
        _, seen = run_step([2, 2, 2, 2, 2], recorder)
    assert len(told) == 1
    assert seen == [[0, 1], [1, 2], [2, 3], [3, 4], [4, 5]]
    again = StandIn()
    run_step([2, 2, 2, 2], again)  # of another fit
    assert again.calls[-1] == "replay"


def test_a_released_step_warms_up_and_records_again():
    recorder = StandIn()
    step, _ = run_step([2, 2, 2, 2], recorder)
    step.optimizer.param_groups[0]["params"][0].grad = torch.ones(1)
    step.release()
    assert recorder.calls[-1] == "release"
    assert step.optimizer.param_groups[0]["params"][0].grad is None
    recorder.calls.clear()
    for _ in range(4):
        step(torch.tensor([1, 2]))
    assert recorder.calls == ["warm up", "warm up", "rehearse", "record", "replay"]


def test_a_recording_is_forgotten_where_the_optimizer_changed():
    step, _ = run_step([2, 2, 2, 2], StandIn())
    group = step.optimizer.param_groups[0]
    for change, forgotten in (
        (lambda: None, False),
        (lambda: group.update(lr=0.5), False),
        (lambda: group.update(weight_decay=0.5), True),
        (lambda: group["params"][0].requires_grad_(False), True),
    ):
        for _ in range(4):
            step(torch.tensor([1, 2]))
        change()
        step.check()
        assert (step.replay is None) == forgotten


def test_a_recording_is_forgotten_where_a_state_of_the_optimizer_was_loaded():
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.AdamW([parameter], fused=True)
    parameter.grad = torch.ones(1)
    optimizer.step()
    before = describe(optimizer)
    optimizer.step()
    assert describe(optimizer) == before
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert describe(optimizer) != before


@pytest.mark.parametrize(
    ("make", "can"),
    [
        (lambda p: torch.optim.AdamW(p, fused=True), True),
        (lambda p: torch.optim.SGD(p, fused=True), True),
        (lambda p: torch.optim.RMSprop(p, capturable=True), True),
        (lambda p: torch.optim.AdamW(p), False),
        (lambda p: torch.optim.SGD(p), False),
        (lambda p: torch.optim.LBFGS(p), False),
        (lambda p: type("Own", (torch.optim.AdamW,), {"__module__": "own"})(p, fused=True), False),
    ],
)
def test_optimizers_that_keep_all_on_the_device_can_be_recorded(make, can):
    assert can_be_recorded(make([torch.nn.Parameter(torch.zeros(1))])) == can


def test_an_optimizer_is_capturable_only_while_it_is_recorded():
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], fused=True)
    before = describe(optimizer)
    with contextlib.suppress(KeyError), capturable(optimizer):
        assert optimizer.param_groups[0]["capturable"] is True
        raise KeyError
    assert describe(optimizer) == before


# --- in a net -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("options_of_table", "options"), [*CPU_WAYS, ({}, {"sizes": {"dropout": 0.5}})], ids=str)
def test_a_net_that_replays_trains_as_one_that_does_not(recorders, options_of_table, options):
    reads_series = options_of_table.get("reads_series", False)
    table, valid = make_table(**options_of_table), make_table(20, reads_series=reads_series)
    replayed = train(table, valid=valid, **options)
    assert recorders.made[0].calls.count("replay") >= 5
    assert recorders.made[0].calls[-1] == "release"
    ordinary = train(table, valid=valid, cuda_graph=False, **options)
    assert len(recorders.made) == 1
    torch.testing.assert_close(weights_of(replayed), weights_of(ordinary), rtol=1e-6, atol=1e-7)
    for loss in ("train_loss", "valid_loss"):
        np.testing.assert_allclose(replayed.history[:, loss], ordinary.history[:, loss], rtol=1e-6)
    assert describe(replayed.optimizer_)[0][0] == describe(ordinary.optimizer_)[0][0]
    assert replayed.optimizer_.param_groups[0]["lr"] == ordinary.optimizer_.param_groups[0]["lr"] == 0.01


def test_nothing_is_recorded_unless_somebody_asks(recorders):
    train_net(make_table())
    assert recorders.made == []


def test_the_short_last_batch_of_an_epoch_is_not_replayed(recorders):
    train(make_table(44), n_epochs=2)
    assert recorders.made[0].calls.count("replay") == 2 * 4 - CapturedStep.n_warm_up


def test_rates_lie_in_tensors_while_an_epoch_runs_and_nowhere_else(recorders):
    seen = []

    class Looks(Callback):
        def on_epoch_end(self, net, **kwargs):
            seen.append(net.optimizer_.param_groups[0]["lr"])

    original = WindowNet.take_step
    during = []

    def take_step(self, batch):
        rate = self.optimizer_.param_groups[0]["lr"]
        during.append((rate.data_ptr(), float(rate)))
        return original(self, batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WindowNet, "take_step", take_step)
        train(make_table(), lr_schedule="cosine", callbacks=[Looks()])
    assert all(isinstance(rate, float) for rate in seen)
    addresses, rates = zip(*during, strict=True)
    assert len(set(addresses)) == 1
    expected = 0.005 * (1 + np.cos(np.pi * np.arange(15) / 15))
    np.testing.assert_allclose(rates, expected, rtol=1e-6)


def test_a_rate_set_between_epochs_is_taken_up(recorders):
    class Lowers(Callback):
        def on_epoch_end(self, net, **kwargs):
            net.optimizer_.param_groups[0]["lr"] *= 0.5

    replayed, ordinary = (train(make_table(), callbacks=[Lowers()], cuda_graph=graph) for graph in (True, False))
    torch.testing.assert_close(weights_of(replayed), weights_of(ordinary), rtol=1e-6, atol=1e-7)
    assert replayed.optimizer_.param_groups[0]["lr"] == 0.00125


def test_a_schedule_goes_on_after_a_state_of_the_optimizer_was_loaded(recorders):
    class Loads(Callback):
        def on_epoch_end(self, net, **kwargs):
            net.optimizer_.load_state_dict(copy.deepcopy(net.optimizer_.state_dict()))

    options = {"lr_schedule": "cosine", "n_epochs": 3}
    nets = [train(make_table(), callbacks=[Loads()], cuda_graph=graph, **options) for graph in (True, False)]
    for net in (*nets, train(make_table(), **options)):
        torch.testing.assert_close(weights_of(net), weights_of(nets[0]), rtol=1e-6, atol=1e-7)
    assert recorders.made[0].calls.count("record") == 3


def test_a_frozen_parameter_stays_where_it_is(recorders):
    class Freezes(Callback):
        def on_epoch_begin(self, net, **kwargs):
            if len(net.history) == 3:
                net.module_.output.bias.requires_grad_(False)
                self.kept = net.module_.output.bias.detach().clone()

    callback = Freezes()
    net = train(make_table(), n_epochs=4, callbacks=[callback])
    torch.testing.assert_close(net.module_.output.bias.detach(), callback.kept, rtol=0, atol=0)
    assert recorders.made[0].calls.count("record") == 2


class Pickles(Callback):
    def on_epoch_end(self, net, **kwargs):
        self.pickled = pickle.dumps(net)


def test_a_pickle_never_meets_a_recording(recorders):
    callback = Pickles()
    table = make_table()
    recording = train(table, callbacks=[callback])
    for stored in (callback.pickled, pickle.dumps(recording)):
        assert b"CapturedStep" not in stored
        assert b"TrainingRun" not in stored
        fit(pickle.loads(stored), table, 1)


def test_a_second_fit_records_anew_with_another_size_and_rate(recorders):
    table = make_table()
    nets = [train(table, cuda_graph=graph) for graph in (True, False)]
    for net in nets:
        fit(net.set_params(batch_size=6, lr=0.002), table, 2, seed=1)
    assert [recorder.calls.count("record") for recorder in recorders.made] == [1, 1]
    torch.testing.assert_close(*map(weights_of, nets), rtol=1e-6, atol=1e-7)


def test_an_interrupted_fit_lets_go(recorders):
    class Interrupts(Callback):
        def on_epoch_end(self, net, **kwargs):
            raise KeyboardInterrupt

    net = train(make_table(), callbacks=[Interrupts()])
    assert recorders.made[0].calls[-1] == "release"
    assert net._training is None
    assert net.optimizer_.param_groups[0]["lr"] == 0.01


class SeesBatches(Callback):
    def on_batch_end(self, net, **kwargs):
        pass


class OtherBatches(Batches):
    pass


@pytest.mark.parametrize(
    "options",
    [{"callbacks": [SeesBatches()]}, {"iterator_train": OtherBatches}, {"optimizer__fused": False}],
    ids=["callback", "iterator", "optimizer"],
)
def test_where_nothing_can_be_recorded_the_ordinary_loop_runs(recorders, options):
    net = train(make_table(), **options)
    assert recorders.made == [] or recorders.made[0].calls == ["release"]
    assert np.isfinite(net.history[:, "train_loss"]).all()


def test_whole_series_carry_a_state_and_are_not_recorded(recorders):
    table = replace(make_table(), window=1, weights=None)
    train(chunk(table, np.array([[0, 52]]), 8), batch_size=1)
    assert recorders.made == []


def test_a_short_fit_is_not_recorded(recorders, monkeypatch):
    monkeypatch.setattr(_captured_step, "_FEWEST_STEPS", 32)
    train(make_table(), n_epochs=6)
    train(make_table(), n_epochs=7)
    short, long = recorders.made
    assert short.calls == []
    assert "replay" in long.calls


def test_only_the_main_thread_records_and_only_where_it_is_wanted(monkeypatch):
    made = []
    graph = type("Graph", (), {"failed": [], "__init__": lambda self, device: made.append(device)})
    monkeypatch.setattr(_loop, "CudaGraph", graph)
    net = make_net(cuda_graph=True)
    net.device = "cuda"
    _loop.choose_recorder(net)
    assert len(made) == 1
    thread = threading.Thread(target=_loop.choose_recorder, args=[net])
    thread.start()
    thread.join()
    _loop.choose_recorder(net.set_params(cuda_graph=False))
    net.cuda_graph, net.device = True, "cpu"
    _loop.choose_recorder(net)
    net.device = "cuda"
    monkeypatch.setattr(graph, "failed", [object()])
    _loop.choose_recorder(net)
    assert len(made) == 1


@pytest.mark.parametrize("verbose", [0, 1])
def test_why_nothing_is_recorded_is_told_on_request_only(recorders, capsys, verbose):
    recorders.options["reason"] = "a synchronizing operation"
    train(make_table(), verbose=verbose)
    assert ("a synchronizing operation" in capsys.readouterr().out) == bool(verbose)
