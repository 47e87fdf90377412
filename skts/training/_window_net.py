"""The skorch net that trains on windows."""

import math
from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochTimer, PrintLog
from torch import Tensor
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR

from skts.exceptions import NonFiniteLossError
from skts.training._batches import Batches
from skts.training._chunk_dataset import ChunkDataset
from skts.training._saving import whole_files
from skts.training._window_dataset import Inputs, Targets, WindowDataset

_BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_grad_computed")
_CLOSURE_OPTIMIZERS = (torch.optim.LBFGS,)
_SERIES_AT_ONCE = 64
_CPU_BYTES, _GPU_BYTES = 2**24, 2**30


class WindowNet(NeuralNet):
    """A skorch net whose batches are gathered on the device and whose losses stay there until the epoch ends.

    All of skorch's parameters and callbacks work. Where a callback needs single batches or gradients, or the optimizer
    a closure, skorch's own loop runs; else a lean one with the same arithmetic.

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
    **kwargs
        The rest of skorch's parameters.
    """

    def __init__(
        self,
        module: type[torch.nn.Module],
        criterion: type[torch.nn.Module] = torch.nn.MSELoss,
        *,
        gradient_clip: float | None = 1.0,
        lr_schedule: str = "constant",
        precision: str = "float32",
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
        self._is_notifying = False
        self._failed_saves: list[Exception] = []  # of callbacks that save

    @property
    def _default_callbacks(self) -> list[tuple[str, Callback]]:
        return [("epoch_timer", EpochTimer()), ("print_log", PrintLog())]

    def get_split_datasets(self, X: Any, y: Any = None, **fit_params: Any) -> tuple[Any, Any]:
        """Take the datasets to train and to validate on as they are given: `X` is the two of them."""
        return X

    def fit_loop(self, X: Any, y: Any = None, epochs: int | None = None, **fit_params: Any) -> Self:
        """Train for some epochs, and leave the learning rate as it was."""
        n_epochs = self.max_epochs if epochs is None else epochs
        rates = [group["lr"] for group in self.optimizer_.param_groups]
        self._scheduler = self._start_schedule(n_epochs * len(self.get_iterator(X[0], training=True)))
        try:
            return super().fit_loop(X, y, epochs, **fit_params)
        finally:
            self._scheduler = None
            if self.lr_schedule != "constant":
                for group, rate in zip(self.optimizer_.param_groups, rates, strict=True):
                    group["lr"] = rate

    def _start_schedule(self, n_steps: int) -> LRScheduler | None:
        if self.lr_schedule == "cosine":
            return CosineAnnealingLR(self.optimizer_, T_max=n_steps)
        if self.lr_schedule == "one_cycle":
            rates = [group["lr"] for group in self.optimizer_.param_groups]
            return OneCycleLR(self.optimizer_, rates, total_steps=n_steps, cycle_momentum=False)
        return None

    def save_params(self, f_params: Any = None, f_optimizer: Any = None, **files: Any) -> None:
        """Save as skorch does, but write each file in full or, where that fails, leave the one that was there."""
        for error in self._failed_saves:  # the files of one checkpoint belong together
            raise error
        try:
            with whole_files({"f_params": f_params, "f_optimizer": f_optimizer, **files}) as parts:
                super().save_params(**parts)
        except Exception as error:
            if self._is_notifying:
                self._failed_saves = [error]
            raise

    def notify(self, method_name: str, **cb_kwargs: Any) -> None:
        """Call the callbacks, and raise what kept one from saving: skorch's Checkpoint hides it."""
        self._is_notifying = True
        try:
            super().notify(method_name, **cb_kwargs)
            for error in self._failed_saves:
                raise error
        finally:
            self._is_notifying, self._failed_saves = False, []

    def get_loss(self, y_pred: Tensor, y_true: Targets, X: Any = None, training: bool = False) -> Tensor:
        """Average the loss over the targets that are there, each by its weight."""
        targets, weights = y_true
        losses = self.criterion_(y_pred, targets) * weights
        return losses.sum() / (weights > 0).sum().clamp(min=1)

    def train_step_single(self, batch: Any, **fit_params: Any) -> dict[str, Tensor]:
        """Run one batch forward and backward, and clip the gradient."""
        inputs, targets = batch
        y_pred = self._run(self.module_, inputs)
        loss = self.get_loss(y_pred, targets, X=inputs, training=True)
        loss.backward()
        if self.gradient_clip is not None:
            torch.nn.utils.clip_grad_norm_(self.module_.parameters(), self.gradient_clip)
        return {"loss": loss, "y_pred": y_pred}

    def train_step(self, batch: Any, **fit_params: Any) -> dict[str, Tensor]:
        """Take one step of the optimizer, and one of the learning rate."""
        step = super().train_step(batch, **fit_params)
        if self._scheduler is not None:
            self._scheduler.step()
        return step

    def validation_step(self, batch: Any, **fit_params: Any) -> dict[str, Tensor]:
        """Compute the loss of one batch without gradients."""
        inputs, targets = batch
        with torch.no_grad():
            y_pred = self._run(self.module_, inputs)
            return {"loss": self.get_loss(y_pred, targets, X=inputs), "y_pred": y_pred}

    def run_single_epoch(
        self, iterator: Batches | None, training: bool, prefix: str, step_fn: Callable, **fit_params: Any
    ) -> None:
        """Train or validate for one epoch, and record its loss."""
        if iterator is None:
            return
        self._set_training(training)
        if self._needs_batches():
            super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)
            columns = f"{prefix}_loss", f"{prefix}_batch_size"
            losses, sizes = zip(*self.history[-1, "batches", :, columns], strict=True)
            loss = float(np.average(losses, weights=sizes))
        else:
            loss = self._run_lean(iterator, self._lean_step if training else self.validation_step)
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
        with torch.autocast(torch.device(self.device).type, torch.bfloat16):
            return network(**inputs).float()

    def _prediction_batch_size(self, dataset: WindowDataset) -> int:
        """Choose large batches whose inputs and gates stay in the caches of a CPU, or fill a GPU."""
        width = max(parameter.shape[0] for parameter in self.module_.parameters())
        per_window = 4 * dataset.window * (width + dataset.panel.shape[1])
        on_cpu = torch.device(self.device).type == "cpu"
        return int(np.clip((_CPU_BYTES if on_cpu else _GPU_BYTES) // per_window, 16, 8192))

    def _run_lean(self, batches: Iterable, step: Callable) -> float:
        losses, sizes = [], []
        if not self.history[-1]["batches"]:
            self.history.new_batch()  # the epoch's only one, without values: Checkpoint looks for a last batch
        for batch in batches:
            losses.append(step(batch)["loss"].detach())
            sizes.append(len(batch[0]["past"]))
        weights = torch.tensor(sizes, dtype=torch.float32, device=losses[0].device)
        return float((torch.stack(losses) * weights).sum() / weights.sum())  # the epoch's only synchronisation

    def _lean_step(self, batch: Any) -> dict[str, Tensor]:
        self.optimizer_.zero_grad()
        step = self.train_step_single(batch)
        self.optimizer_.step()
        if self._scheduler is not None:
            self._scheduler.step()
        return step

    def _needs_batches(self) -> bool:
        """Tell whether anybody wants to see single batches, or a step of its own."""
        hooks = any(
            getattr(type(callback), name, None) is not getattr(Callback, name)
            for _, callback in self.callbacks_
            for name in _BATCH_HOOKS
        )
        return hooks or isinstance(self.optimizer_, _CLOSURE_OPTIMIZERS)
