import os
import threading
import warnings
from contextlib import suppress

import pytest
import torch
from torch import nn

from skts.nn import MLP, EncoderDecoder, InstanceNorm, LinearForecaster, PointHead
from skts.training import _device, check_precision, draws_in_training, resolve_device, seeded

CPU = torch.device("cpu")


def test_auto_takes_cuda_where_it_is(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto").type == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto").type == "cpu"


def test_cuda_without_cuda_says_what_to_do(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match=r"device='cuda:0'.*sees no CUDA.*device='auto'"):
        resolve_device("cuda:0")


def test_an_unknown_device_is_refused():
    with pytest.raises(ValueError, match=r"device='gpu' is no device that torch knows"):
        resolve_device("gpu")


# --- randomness that stays inside a fit ---------------------------------------------------------------------


def test_seeded_repeats_itself_and_leaves_the_world_alone():
    before = torch.get_rng_state()
    with seeded(1, CPU):
        first = torch.rand(3)
    with seeded(1, CPU):
        assert torch.equal(torch.rand(3), first)
    with seeded(2, CPU):
        assert not torch.equal(torch.rand(3), first)
    assert torch.equal(torch.get_rng_state(), before)


def test_one_block_may_stand_in_another():
    with seeded(1, CPU):
        first = torch.rand(3)
    with seeded(1, CPU):
        with seeded(2, CPU):
            torch.rand(3)
        assert torch.equal(torch.rand(3), first)


class InAnotherThread:
    """Hold a seeded block open in another thread until it is let go."""

    def __init__(self):
        self.entered, self.leave = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._hold)

    def _hold(self):
        with seeded(1, CPU):
            self.entered.set()
            self.leave.wait()

    def __enter__(self):
        self.thread.start()
        self.entered.wait()
        return self

    def __exit__(self, *error):
        self.leave.set()
        self.thread.join()


def test_a_block_waits_for_that_of_another_thread():
    with InAnotherThread() as holder:
        drawn = []

        def draw():
            with seeded(2, CPU):
                drawn.append(torch.rand(1))

        thread = threading.Thread(target=draw)
        thread.start()
        thread.join(timeout=0.2)
        assert thread.is_alive()
        assert not drawn
        holder.leave.set()
        thread.join()
    assert len(drawn) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_process_that_is_forked_meanwhile_does_not_wait_for_a_thread_it_has_not():
    with InAnotherThread():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forks where there are threads
            child = os.fork()
        if not child:
            os._exit(not _device._fit_lock.lock.acquire(timeout=5))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


class Noisy(nn.Module):
    """A network of one's own, of which nobody knows what it draws."""


def recurrent(**options):
    return EncoderDecoder(3, 1, 1, 2, hidden_size=2, **options)


@pytest.mark.parametrize(
    ("make", "draws"),
    [
        (recurrent, False),
        (lambda: recurrent(dropout=0.1), True),
        (lambda: recurrent(num_layers=2, dropout=0.1), True),
        (lambda: recurrent(input_dropout=0.1), True),
        (lambda: recurrent(series_embedding=2, patch_len=2), False),
        (lambda: LinearForecaster(3, 1, 1, 2, 6, kernel_size=3), False),
        (lambda: MLP(3, 1, 1, 2, 6), False),
        (lambda: MLP(3, 1, 1, 2, 6, dropout=0.1), True),
        (lambda: InstanceNorm(recurrent, PointHead(), "mean", [0], [1.0], [0.0]), False),
        (lambda: InstanceNorm(lambda: recurrent(dropout=0.1), PointHead(), "mean", [0], [1.0], [0.0]), True),
        (lambda: nn.Sequential(nn.Linear(2, 2), nn.LSTM(2, 2, 2)), False),
        (lambda: nn.LSTM(2, 2, 2, dropout=0.1), True),
        (lambda: nn.RReLU(), False),
        (Noisy, True),
        (lambda: nn.Sequential(nn.Linear(2, 2), Noisy()), True),
    ],
)
def test_a_network_that_may_draw_in_training_is_known(make, draws):
    assert draws_in_training(make()) == draws


# --- precision ----------------------------------------------------------------------------------------------


def test_float32_is_never_tried():
    check_precision("float32", nn.LSTM(1, 1), torch.device("meta"))


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_a_device_that_cannot_run_a_layer_is_refused_by_its_name(monkeypatch, kind):
    layer = nn.Sequential(nn.Linear(1, 1), getattr(nn, kind)(1, 1))

    def fail(self, *args):
        raise RuntimeError("could not create a primitive descriptor")

    monkeypatch.setattr(type(layer[1]), "forward", fail)
    with pytest.raises(ValueError, match=rf"precision='bf16'.* {kind} layers in bfloat16 on this cpu.*'float32'"):
        check_precision("bf16", layer, CPU)


def test_what_has_no_recurrent_layer_is_not_tried_on_any(monkeypatch):
    monkeypatch.setattr(nn.LSTM, "forward", None)
    check_precision("bf16", LinearForecaster(3, 1, 1, 2, 6), CPU)


def test_the_trial_draws_no_random_number():
    network, before = recurrent(cell="gru"), torch.get_rng_state()
    with suppress(ValueError):  # not on this processor
        check_precision("bf16", network, CPU)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.bf16
def test_a_processor_that_can_is_not_refused():
    check_precision("bf16", recurrent(), CPU)
