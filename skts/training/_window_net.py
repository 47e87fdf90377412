"""The skorch net that trains on windows."""

import math
from collections.abc import Callable
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from skorch.callbacks import Callback, Checkpoint, EpochTimer, PassthroughScoring, PrintLog, TrainEndCheckpoint
from torch import Tensor

from skts.exceptions import NonFiniteLossError
from skts.training._batches import Batches
from skts.training._chunk_dataset import ChunkDataset
from skts.training._clip_gradient import clip_gradient
from skts.training._training_run import TrainingRun
from skts.training._whole_files import WholeFilesMixin
from skts.training._window_dataset import Inputs, Targets, WindowDataset

_BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_grad_computed")
_BATCH_READERS = (Checkpoint, TrainEndCheckpoint, PassthroughScoring)  # look for batches in the history
_CLOSURE_OPTIMIZERS = (torch.optim.LBFGS,)
_SERIES_AT_ONCE = 64
_CPU_BYTES, _GPU_BYTES = 2**24, 2**30


class WindowNet(WholeFilesMixin, NeuralNet):
    """A skorch net whose batches are gathered on the device and whose losses stay there until the epoch ends.

    All of skorch's parameters and callbacks work. Where a callback needs single batches or gradients, or the optimizer
    a closure, skorch's own loop runs; else a lean one with the same arithmetic, on a CUDA device as a replayed graph.

    Parameters
    ----------
    module : class
        The network.
    criterion : class, default=torch.nn.MSELoss
        A torch loss that takes `reduction="none"`.
    gradient_clip : float or None, default=1.0
        The largest norm of the gradient; None clips nothing.
    lr_schedule : {"constant", "cosine", "one_cycle"}, default="constant"
        How the learning rate moves over the steps of one call of `fit` or `partial_fit`.
    precision : {"float32", "bf16"}, default="float32"
        What the network computes in, by torch's autocast; weights, loss and forecasts are float32 in any case.
    cuda_graph : bool, default=True
        Whether to record a whole training step as a CUDA graph, where there is such a device, the batches are ours and
        of fixed size, the optimizer is one of torch's with `fused=True` or `capturable=True`, no step waits for the
        device, and it is the main thread that trains. Python code in a criterion or network then runs for the first
        steps only.
    **kwargs
        The rest of skorch's parameters.
    """

    _training: TrainingRun | None = None  # during a fit only

    def __init__(
        self,
        module: type[torch.nn.Module],
        criterion: type[torch.nn.Module] = torch.nn.MSELoss,
        *,
        gradient_clip: float | None = 1.0,
        lr_schedule: str = "constant",
        precision: str = "float32",
        cuda_graph: bool = True,
        iterator_train: type = Batches,
        iterator_valid: type = Batches,
        iterator_train__shuffle: bool = True,
        criterion__reduction: str = "none",
        **kwargs: Any,
    ):
        super().__init__(
            module,
            criterion,
            iterator_train=iterator_train,
            iterator_valid=iterator_valid,
            iterator_train__shuffle=iterator_train__shuffle,
            criterion__reduction=criterion__reduction,
            **kwargs,
        )
        self.gradient_clip = gradient_clip
        self.lr_schedule = lr_schedule
        self.precision = precision
        self.cuda_graph = cuda_graph

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"_training": None}

    @property
    def _default_callbacks(self) -> list[tuple[str, Callback]]:
        return [("epoch_timer", EpochTimer()), ("print_log", PrintLog())]

    def get_split_datasets(self, X: Any, y: Any = None, **fit_params: Any) -> tuple[Any, Any]:
        """Take the datasets to train and to validate on as they are given: `X` is the two of them."""
        return X

    def fit_loop(self, X: Any, y: Any = None, epochs: int | None = None, **fit_params: Any) -> Self:
        """Train for some epochs, and leave the learning rate as it was."""
        n_epochs = self.max_epochs if epochs is None else epochs
        self._training = TrainingRun(self, self.get_iterator(X[0], training=True), n_epochs)
        try:
            return super().fit_loop(X, y, epochs, **fit_params)
        finally:
            self._training.close()
            self._training = None

    def get_loss(self, y_pred: Tensor, y_true: Targets, X: Any = None, training: bool = False) -> Tensor:
        """Average the loss over the targets that are there, each by its weight."""
        return self._weigh(y_pred, y_true)["loss"]

    def _weigh(self, y_pred: Tensor, y_true: Targets) -> dict[str, Any]:
        """Give the loss, and over how many targets it is the mean."""
        targets, weights = y_true
        losses = self.criterion_(y_pred, targets)
        if weights is None:
            return {"loss": losses.mean(), "n_targets": losses.numel()}
        losses, n_targets = losses * weights, (weights > 0).sum()
        return {"loss": losses.sum() / n_targets.clamp(min=1), "n_targets": n_targets}

    def train_step_single(self, batch: Any, **fit_params: Any) -> dict[str, Tensor]:
        """Run one batch forward and backward, and clip the gradient."""
        inputs, targets = batch
        y_pred = self._run(self.module_, inputs)
        step = self._weigh(y_pred, targets)
        step["loss"].backward()
        if self.gradient_clip is not None:
            clip_gradient(self.module_.parameters(), self.gradient_clip)
        return {**step, "y_pred": y_pred}

    def train_step(self, batch: Any, **fit_params: Any) -> dict[str, Tensor]:
        """Take one step of the optimizer, and one of the learning rate."""
        step = super().train_step(batch, **fit_params)
        if self._training is not None:
            self._training.rates.step()
        return step

    def take_step(self, batch: Any) -> dict[str, Tensor]:
        """Take one step of the optimizer, and nothing else."""
        self.optimizer_.zero_grad()
        step = self.train_step_single(batch)
        self.optimizer_.step()
        return step

    def validation_step(self, batch: Any, **fit_params: Any) -> dict[str, Tensor]:
        """Compute the loss of one batch without gradients."""
        inputs, targets = batch
        with torch.inference_mode():
            y_pred = self._run(self.module_, inputs)
            return {**self._weigh(y_pred, targets), "y_pred": y_pred}

    def run_single_epoch(
        self, iterator: Batches | None, training: bool, prefix: str, step_fn: Callable, **fit_params: Any
    ) -> None:
        """Train or validate for one epoch, and record its loss."""
        if iterator is None:
            return
        self._set_training(training)
        run = self._training
        assert run is not None
        run.loss.clear()
        if self._needs_batches():
            super().run_single_epoch(iterator, training, prefix, run.counted(step_fn), **fit_params)
        elif training:
            run.train(iterator)
        else:
            run.validate(iterator)
        loss = run.loss.mean()  # the epoch's only synchronisation
        if not math.isfinite(loss):
            raise NonFiniteLossError(
                f"The {prefix} loss became {loss} in epoch {len(self.history)}. Try a lower lr (now {self.lr}), scale "
                "the columns of X (StandardScaler), look for extreme values in X and y, or keep normalize_y=True."
            )
        earlier = [epoch[f"{prefix}_loss"] for epoch in self.history[:-1] if f"{prefix}_loss" in epoch]
        self.history.record(f"{prefix}_loss", loss)
        self.history.record(f"{prefix}_loss_best", loss < min(earlier, default=math.inf))

    def forecast(self, dataset: WindowDataset) -> NDArray[np.float32]:
        """Forecast every window of a dataset.

        Returns
        -------
        forecasts : ndarray of float32 of shape (n_windows, horizon, n_targets)
        """
        self._set_training(False)
        dataset.to(torch.device(self.device))
        if isinstance(dataset, ChunkDataset):
            return self._forecast_carried(dataset)
        batches = Batches(dataset, self._prediction_batch_size(dataset))
        forecasts, done = torch.empty(0), 0
        with torch.inference_mode():
            for inputs, _ in batches:
                batch = self._run(self.module_, inputs)
                if not done:  # one tensor for all, since many small ones would keep the freed memory in pieces
                    forecasts = batch.new_empty((len(dataset), *batch.shape[1:]))
                forecasts[done : done + len(batch)] = batch
                done += len(batch)
        return forecasts.cpu().numpy()

    def _forecast_carried(self, dataset: ChunkDataset) -> NDArray[np.float32]:
        """Forecast from every row where a window ends, in one pass over each series."""
        forecasts = torch.empty(0)
        with torch.inference_mode():
            for items in dataset.batches(_SERIES_AT_ONCE):
                inputs, _ = dataset.gather(items)
                batch = self._run(self.module_.at_origins, inputs)
                if not len(forecasts):
                    forecasts = batch.new_empty((dataset.n_windows, *batch.shape[1:]))
                forecasts[dataset.numbers[items][inputs["origins"]]] = batch
        return forecasts.cpu().numpy()

    def _run(self, network: Callable[..., Tensor], inputs: Inputs) -> Tensor:
        """Run the network in the asked precision, and answer in float32."""
        if self.precision == "float32":
            return network(**inputs)
        # each weight is cast once a pass; a cache of casts must not outlive a recording, nor inference
        with torch.autocast(torch.device(self.device).type, torch.bfloat16, cache_enabled=False):
            return network(**inputs).float()

    def _prediction_batch_size(self, dataset: WindowDataset) -> int:
        """Choose large batches whose inputs and gates stay in the caches of a CPU, or fill a GPU."""
        width = max(parameter.shape[0] for parameter in self.module_.parameters())
        per_window = 4 * dataset.window * (width + dataset.panel.shape[1])
        on_cpu = torch.device(self.device).type == "cpu"
        return int(np.clip((_CPU_BYTES if on_cpu else _GPU_BYTES) // per_window, 16, 8192))

    def _needs_batches(self) -> bool:
        """Tell whether anybody wants to see single batches, or a step of its own."""
        hooks = any(
            isinstance(callback, _BATCH_READERS)
            or any(getattr(type(callback), name, None) is not getattr(Callback, name) for name in _BATCH_HOOKS)
            for _, callback in self.callbacks_
        )
        return hooks or isinstance(self.optimizer_, _CLOSURE_OPTIMIZERS)
