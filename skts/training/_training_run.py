"""What is there while a net trains, and no longer."""

from collections.abc import Callable, Iterable
from threading import current_thread, main_thread
from typing import Any

import torch
from torch import Tensor

from skts.training._batches import Batches
from skts.training._captured_step import CapturedStep, Recorder, can_be_recorded, is_worth_recording
from skts.training._chunk_dataset import ChunkDataset
from skts.training._cuda_graph import CudaGraph
from skts.training._learning_rate import LearningRate
from skts.training._running_loss import RunningLoss
from skts.training._window_dataset import WindowDataset


class TrainingRun:
    """The learning rates of one call of `fit`, the loss of its epoch, and the step that it recorded, if it did.

    Parameters
    ----------
    net : WindowNet
    batches : iterable
        What it trains on, again in every epoch.
    n_epochs : int
    """

    def __init__(self, net: Any, batches: Any, n_epochs: int):
        self.net = net
        self.device = torch.device(net.device)
        self.loss = RunningLoss(self.device)
        n_steps = n_epochs * len(batches)
        self.rates = LearningRate(net.optimizer_, net.lr_schedule, n_steps)
        self.captured: CapturedStep | None = None
        if type(batches) is Batches and not isinstance(batches.dataset, ChunkDataset) and is_worth_recording(n_steps):
            captured = make_step(net, batches.dataset, batches.batch_size, self.loss)
            self.captured = captured if captured.recorder is not None else None

    def train(self, batches: Any) -> None:
        """Train on every batch once, without waiting for the device."""
        if self.captured is None:
            self._add_up(batches, self.net.take_step, self.rates.step)
            return
        self.captured.check()
        with self.rates.on_device(self.device):
            for items in batches.numbers():
                self.captured(items)
                self.rates.step()

    def validate(self, batches: Iterable) -> None:
        """Compute the loss of every batch."""
        self._add_up(batches, self.net.validation_step)

    def counted(self, step: Callable) -> Callable:
        """Add up the losses of a step that skorch's loop runs."""

        def counted(batch: Any, **fit_params: Any) -> dict[str, Tensor]:
            done = step(batch, **fit_params)
            self.loss.add(done["loss"], done["n_targets"])
            return done

        return counted

    def close(self) -> None:
        """Leave the learning rates as they were, and no recording."""
        if self.captured is not None:
            self.captured.release()
        self.rates.restore()

    def _add_up(self, batches: Iterable, step: Callable, then: Callable[[], Any] | None = None) -> None:
        for batch in batches:
            done = step(batch)
            self.loss.add(done["loss"], done["n_targets"])
            if then is not None:
                then()


def make_step(net: Any, dataset: WindowDataset, batch_size: int, loss: RunningLoss) -> CapturedStep:
    """Give what trains a net on windows of a dataset by their numbers, recorded where the device can do that."""

    def step(items: Tensor) -> None:
        done = net.take_step(dataset.gather(items))
        loss.add(done["loss"], done["n_targets"])

    tell = print if net.verbose else None
    n_items = dataset.items_of(batch_size)
    return CapturedStep(step, net.optimizer_, n_items, dataset.starts.device, choose_recorder(net), tell)


def choose_recorder(net: Any) -> Recorder | None:
    """Give what records the steps of a net on its device, if anything does.

    A process can record one graph at a time, and no other of its threads may wait for the device during a rehearsal: so
    only the main thread records.
    """
    device = torch.device(net.device)
    if not net.cuda_graph or device.type != "cuda" or CudaGraph.failed or current_thread() is not main_thread():
        return None
    return CudaGraph(device) if can_be_recorded(net.optimizer_) else None
