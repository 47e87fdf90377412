"""The skorch net that trains on windows."""

import math
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from skorch.callbacks import Callback, Checkpoint, EarlyStopping, EpochTimer, PassthroughScoring, TrainEndCheckpoint
from torch import Generator, Tensor

from skts.exceptions import NonFiniteLossError
from skts.nn import State, excuse_beyond
from skts.training._address_table import AddressTable, Inputs, Targets
from skts.training._atomic_save import AtomicSaveMixin
from skts.training._batches import Batches
from skts.training._epoch_lines import EpochLines
from skts.training._loop import (
    TrainingRun,
    carry,
    clip_gradient,
    forecast_last_origins,
    forecast_origins,
    gradients_of,
)

_BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_grad_computed")
_BATCH_READERS = (Checkpoint, TrainEndCheckpoint, PassthroughScoring)  # look for batches in the history
_CLOSURE_OPTIMIZERS = (torch.optim.LBFGS,)
_SERIES_AT_ONCE = 64
_DECODED_AT_ONCE = {"cpu": 512, "other": 65536}  # forecasts whose gates stay in the caches of a CPU
_CPU_BYTES, _GPU_BYTES = 2**24, 2**30


class WindowNet(AtomicSaveMixin, NeuralNet):
    """A skorch net whose batches are gathered on the device and whose losses stay there until the epoch ends.

    All of skorch's parameters work, and its callbacks that do not ask for data sets of scikit-learn's kind. Where a
    callback needs single batches or gradients, or the optimizer a closure, skorch's own loop runs; else a lean one with
    the same arithmetic, on a CUDA device, where that is asked for, as a replayed graph.

    Parameters
    ----------
    module : class or callable
        Makes the network, a :class:`~skts.nn.Forecaster`.
    criterion : class, default=torch.nn.MSELoss
        A torch loss that takes `reduction="none"`.
    gradient_clip : float or None, default=1.0
        The largest norm of the gradient; None clips nothing.
    lr_schedule : {"constant", "cosine", "one_cycle"}, default="constant"
        How the learning rate moves over the steps of one call of `fit` or `partial_fit`.
    precision : {"float32", "bf16"}, default="float32"
        What the network computes in, by torch's autocast; weights, loss and forecasts are float32 in any case. On CUDA
        torch's autocast computes recurrent layers in float16, so the loss is scaled there for the backward pass.
    cuda_graph : bool, default=False
        Whether to record a whole training step as a CUDA graph, where there is such a device, the batches are ours and
        of fixed size, the optimizer is one of torch's with `fused=True` or `capturable=True`, no step waits for the
        device, and it is the main thread that trains. Python code in a criterion or network then runs for the first
        steps only.
    bounds : {None, "clipped", "needed"}, default=None
        What becomes of bounds, which then follow the values in each row of the targets, (..., 3 * n_targets).
        "clipped": a forecast beyond a bound is right where the truth is on it, whatever the criterion. "needed": the
        criterion is called with forecast, targets, lower and upper bounds.
    **kwargs
        The rest of skorch's parameters.
    """

    _training: TrainingRun | None = None  # during a fit only
    _generator: Generator | None = None  # likewise
    _begin_epoch: Callable[[], Any] | None = None
    _end_epoch: Callable[[], bool] | None = None

    def __init__(
        self,
        module: Callable[..., torch.nn.Module],
        criterion: type[torch.nn.Module] = torch.nn.MSELoss,
        *,
        gradient_clip: float | None = 1.0,
        lr_schedule: str = "constant",
        precision: str = "float32",
        cuda_graph: bool = False,
        bounds: str | None = None,
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
        self.bounds = bounds

    def __getstate__(self) -> dict[str, Any]:
        during_a_fit = ("_training", "_generator", "_begin_epoch", "_end_epoch")
        return super().__getstate__() | dict.fromkeys(during_a_fit)

    @property
    def _default_callbacks(self) -> list[tuple[str, Callback]]:
        return [("epoch_timer", EpochTimer()), ("print_log", EpochLines())]

    @property
    def n_epochs_asked(self) -> int:
        """How many epochs the training that runs has in all; 0 where none runs."""
        return 0 if self._training is None else self._training.n_epochs

    @property
    def kept_epoch(self) -> int | None:
        """The epoch, from 1, whose weights are kept because early stopping went back to it; None without."""
        for _, callback in self.callbacks_:
            if isinstance(callback, EarlyStopping) and callback.load_best:
                return int(getattr(callback, "best_epoch_", 0)) or None  # of a net that never trained there is none
        return None

    def get_split_datasets(self, X: Any, y: Any = None, **fit_params: Any) -> tuple[Any, Any]:
        """Take the tables to train and to validate on as they are given: `X` is the two of them."""
        return X

    def get_iterator(self, dataset: Any, training: bool = False) -> Any:
        """Make the iterator over batches; ours draws their order from the generator of the fit."""
        kwargs = self.get_params_for("iterator_train" if training else "iterator_valid")
        iterator = self.iterator_train if training else self.iterator_valid
        if isinstance(iterator, type) and issubclass(iterator, Batches):
            return iterator(dataset, **{"batch_size": self.batch_size, "generator": self._generator} | kwargs)
        return super().get_iterator(dataset, training=training)

    def train_on(
        self,
        train: AddressTable,
        valid: AddressTable | None,
        n_epochs: int,
        generator: Generator | None = None,
        *,
        begin_epoch: Callable[[], Any] | None = None,
        end_epoch: Callable[[], bool] | None = None,
    ) -> Self:
        """Train for some more epochs.

        Parameters
        ----------
        train : AddressTable
        valid : AddressTable or None
        n_epochs : int
        generator : torch.Generator, default=None
            What the order of batches is drawn from, on the CPU whatever the device.
        begin_epoch : callable, default=None
            Called when an epoch begins.
        end_epoch : callable, default=None
            Called when an epoch ended; where it gives something true, the training stops.

        Returns
        -------
        self : object
        """
        self._generator, self._begin_epoch, self._end_epoch = generator, begin_epoch, end_epoch
        try:
            return self.partial_fit((train, valid), epochs=n_epochs)
        finally:
            self._generator = self._begin_epoch = self._end_epoch = None
            self._set_training(False)

    def notify(self, method_name: str, **kwargs: Any) -> None:
        """Call the callbacks, and whoever watches the epochs; say what a checkpoint left unsaid."""
        if method_name == "on_epoch_begin" and self._begin_epoch is not None:
            self._begin_epoch()
        stops = method_name == "on_epoch_end" and self._end_epoch is not None and self._end_epoch()
        self._is_notifying = True
        try:
            super().notify(method_name, **kwargs)
            if self._not_saved is not None:
                raise self._not_saved
        finally:
            self._is_notifying, self._not_saved = False, None
        if stops:
            raise KeyboardInterrupt  # skorch's way to end a training

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
        limits: list[Tensor] = []
        if self.bounds is not None:
            targets, *limits = targets.chunk(3, dim=-1)
        if y_pred.shape[: targets.ndim] != targets.shape:
            raise ValueError(
                f"{type(self.module_).__name__} gave a forecast of shape {tuple(y_pred.shape)}, and (n_windows, "
                f"horizon, n_targets) = {tuple(targets.shape)} is expected, with more dimensions only for a head that "
                "has them."
            )
        if self.bounds == "clipped":
            losses = self.criterion_(excuse_beyond(y_pred, targets, *limits), targets)
        else:
            losses = self.criterion_(y_pred, targets, *limits)
        if weights is None:
            return {"loss": losses.mean(), "n_targets": losses.numel()}
        losses, n_targets = losses * weights, (weights > 0).sum()
        return {"loss": losses.sum() / n_targets.clamp(min=1), "n_targets": n_targets}

    def train_step_single(self, batch: Any, **fit_params: Any) -> dict[str, Tensor]:
        """Run one batch forward and backward, and clip the gradient."""
        inputs, targets = batch
        y_pred = self._forecast_batch(inputs)
        step = self._weigh(y_pred, targets)
        scale = self._loss_scale(targets[0].numel())
        (step["loss"] if scale == 1 else step["loss"] * scale).backward()
        if scale != 1:
            torch._foreach_mul_(gradients_of(self.module_.parameters()), 1 / scale)
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
            y_pred = self._forecast_batch(inputs)
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
        run.begin_epoch()
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
                "the columns of X (StandardScaler), and look for extreme values in X and y."
            )
        earlier = [epoch[f"{prefix}_loss"] for epoch in self.history[:-1] if f"{prefix}_loss" in epoch]
        self.history.record(f"{prefix}_loss", loss)
        self.history.record(f"{prefix}_loss_best", loss < min(earlier, default=math.inf))

    def forecast(self, table: AddressTable) -> NDArray[np.float32]:
        """Forecast every window of a table. Changes nothing of the net: many threads may do so at once.

        Parameters
        ----------
        table : AddressTable
            Of windows, or of chunks.

        Returns
        -------
        forecasts : ndarray of float32 of shape (n_windows, horizon, n_targets, ...)
        """
        if self.module_.training:
            self._set_training(False)
        table = table.to(torch.device(self.device))
        with torch.inference_mode():
            return (
                (self._forecast_windows(table) if table.chunks is None else self._forecast_chunks(table)).cpu().numpy()
            )

    def read(self, table: AddressTable) -> Iterator[Inputs]:
        """Give, batch by batch, what the network reads of the windows of a table, on its device; ready to forecast."""
        if self.module_.training:
            self._set_training(False)
        table = table.to(torch.device(self.device))
        for inputs, _ in Batches(table, self._prediction_batch_size(table)):
            yield inputs

    def differentiate(self, table: AddressTable, answer: Callable[..., Tensor]) -> NDArray[np.float32]:
        """Differentiate every forecast by the rows of its window. Changes nothing of the net, as `forecast`.

        Parameters
        ----------
        table : AddressTable
            Of windows.
        answer : callable
            Makes of a forecast (B, H, T, ...), and of `items`, the slice of the table's windows that it is of, the
            values (B, H, T) to differentiate.

        Returns
        -------
        gradients : ndarray of float32 of shape (n_windows, horizon, n_targets, window, n_features)
            Computed in float32 whatever `precision` is.
        """
        recurrent = torch.backends.cudnn.flags(enabled=False)  # cuDNN has no gradient of a recurrence outside training
        with torch.enable_grad(), recurrent if torch.device(self.device).type == "cuda" else nullcontext():
            gradients: list[Tensor] = []
            done = 0
            for inputs in self.read(table):
                items = slice(done, done := done + len(inputs["past"]))
                gradients.append(self._differentiate_batch(inputs, partial(answer, items=items)).cpu())
        return torch.cat(gradients).numpy()

    def _differentiate_batch(self, inputs: Inputs, answer: Callable[[Tensor], Tensor]) -> Tensor:
        """Differentiate a batch by its past: (B, H, T, W, F)."""
        past = inputs["past"].requires_grad_()
        values = answer(self.module_(**inputs)[0])  # (B, H, T)
        sums = values.flatten(1).sum(dim=0)  # of one lead and target over the batch, whose windows do not meet
        parts = [
            torch.autograd.grad(one, past, retain_graph=True, materialize_grads=True, allow_unused=True)[0]
            if one.requires_grad
            else torch.zeros_like(past)
            for one in sums
        ]
        return torch.stack(parts, dim=1).unflatten(1, values.shape[1:])

    def _forecast_windows(self, table: AddressTable) -> Tensor:
        batches = Batches(table, self._prediction_batch_size(table))
        forecasts, done = torch.empty(0), 0
        for inputs, _ in batches:
            batch, _ = self._run(self.module_, **inputs)
            if not done:  # one tensor for all, since many small ones would keep the freed memory in pieces
                forecasts = batch.new_empty((len(table), *batch.shape[1:]))
            forecasts[done : done + len(batch)] = batch
            done += len(batch)
        return forecasts

    def _forecast_chunks(self, table: AddressTable) -> Tensor:
        """Forecast from every row where a window ends, in one pass over each series."""
        chunks = table.chunks
        assert chunks is not None
        forecasts, state = torch.empty(0), None
        at_once = _DECODED_AT_ONCE["cpu" if table.device.type == "cpu" else "other"]
        batches = Batches(table, _SERIES_AT_ONCE)
        for items in batches.numbers():
            inputs, _ = table.gather(items)
            state = carry(state, inputs.pop("continues"))
            batch, state = self._run(forecast_origins, self.module_, **inputs, state=state, at_once=at_once)
            if not len(forecasts):
                forecasts = batch.new_empty((chunks.n_windows, *batch.shape[1:]))
            forecasts[chunks.numbers[items][inputs["origins"]]] = batch
        return forecasts

    def _forecast_batch(self, inputs: Inputs) -> Tensor:
        """Forecast a batch to train or to validate on: (B * O, H, T, ...)."""
        if "origins" not in inputs:
            return self._run(self.module_, **inputs)[0]
        state: State | None = None
        carried = "continues" in inputs
        if carried and self._training is not None:
            state = carry(self._training.state, inputs["continues"])
        rows = {name: inputs[name] for name in ("past", "known", "series", "static") if name in inputs}
        n_origins = inputs["origins"].shape[1]
        forecast, state = self._run(forecast_last_origins, self.module_, n_origins=n_origins, state=state, **rows)
        if carried and self._training is not None:
            self._training.state = None if state is None else tuple(part.detach() for part in state)
        return forecast

    def _run(self, network: Callable[..., tuple[Tensor, State | None]], *args: Any, **inputs: Any) -> Any:
        """Run a network in the asked precision, and give float32."""
        if self.precision == "float32":
            return network(*args, **inputs)
        # each weight is cast once a pass; a cache of casts must not outlive a recording, nor inference
        with torch.autocast(torch.device(self.device).type, torch.bfloat16, cache_enabled=False):
            forecast, state = network(*args, **inputs)
            return forecast.float(), state

    def _loss_scale(self, n_targets: int) -> float:
        """Give a power of two that keeps the gradients of a mean over so many targets within the range of float16."""
        if self.precision == "float32" or torch.device(self.device).type != "cuda":
            return 1.0
        return 2.0 ** round(math.log2(max(n_targets, 1)) / 2)

    def _prediction_batch_size(self, table: AddressTable) -> int:
        """Choose large batches whose inputs and gates stay in the caches of a CPU, or fill a GPU."""
        embeddings = {id(layer.weight) for layer in self.module_.modules() if isinstance(layer, torch.nn.Embedding)}
        layers = [weights for weights in self.module_.parameters() if weights.ndim and id(weights) not in embeddings]
        widths = [weights.shape[0] for weights in layers]
        per_window = 4 * table.window * (max(widths, default=1) + table.panel.shape[1])
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
