"""The training loop, and what is there while it runs and no longer."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR

from skts.nn import State
from skts.training._address_table import AddressTable
from skts.training._batches import Batches, items_of
from skts.training.cuda import CapturedStep, CudaGraph, Recorder, can_be_recorded, is_worth_recording


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
        self.n_epochs = n_epochs
        self.device = torch.device(net.device)
        self.loss = RunningLoss(self.device)
        self.state: Any = None  # of whole series, after the last chunk
        n_steps = n_epochs * len(batches)
        self.rates = LearningRate(net.optimizer_, net.lr_schedule, n_steps)
        self.captured: CapturedStep | None = None
        if type(batches) is Batches and batches.dataset.chunks is None:
            recorder = choose_recorder(net)
            if recorder is not None and is_worth_recording(n_steps):
                self.captured = make_step(net, batches.dataset, batches.batch_size, self.loss, recorder)

    def begin_epoch(self) -> None:
        """Forget the loss and the state of the epoch before."""
        self.loss.clear()
        self.state = None

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


class RunningLoss:
    """Average losses, each by the number of targets that it was taken over.

    Parameters
    ----------
    device : torch.device
        Where the sums stay until somebody asks: `mean` is the only synchronisation.
    """

    def __init__(self, device: torch.device):
        precise = torch.float32 if device.type == "mps" else torch.float64  # which has no float64
        self.total = torch.zeros((), dtype=precise, device=device)
        self.n_targets = torch.zeros((), dtype=torch.int64, device=device)

    def add(self, loss: Tensor, n_targets: Tensor | int) -> None:
        """Add the mean loss over some targets."""
        if isinstance(n_targets, int):
            self.total.add_(loss.detach(), alpha=n_targets)  # one call less
        else:
            self.total += loss.detach() * n_targets
        self.n_targets += n_targets

    def clear(self) -> None:
        """Begin anew, in the same memory."""
        self.total.zero_()
        self.n_targets.zero_()

    def mean(self) -> float:
        """Wait for the device, and give the mean over all targets so far."""
        return float(self.total / self.n_targets.clamp(min=1))


class LearningRate:
    """Move the rates of an optimizer by one of torch's schedules, and put them back in the end.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
    schedule : {"constant", "cosine", "one_cycle"}
    n_steps : int
        Steps of the whole fit.

    Notes
    -----
    The schedule runs on an optimizer of its own and in Python's numbers, so that it is exact, and never waits for a
    device on which the rates may be.
    """

    def __init__(self, optimizer: Optimizer, schedule: str, n_steps: int):
        self.optimizer = optimizer
        self.before = [group["lr"] for group in self.groups]
        self.tensors: list[Tensor] | None = None
        self.schedule: LRScheduler | None = None
        if schedule == "constant":
            return
        self.carrier = torch.optim.SGD([{"params": [torch.zeros(())], "lr": float(rate)} for rate in self.before])
        if schedule == "cosine":
            self.schedule = CosineAnnealingLR(self.carrier, T_max=n_steps)
        else:
            rates = [group["lr"] for group in self.carrier.param_groups]
            self.schedule = OneCycleLR(self.carrier, rates, total_steps=n_steps, cycle_momentum=False)
        self.carrier.step()  # torch warns of schedules that move before their optimizer does
        self._put()

    @property
    def groups(self) -> list[dict[str, Any]]:
        """The groups of the optimizer, which are others once a state was loaded."""
        return self.optimizer.param_groups

    def step(self) -> None:
        """Go on to the next step of the schedule."""
        if self.schedule is not None:
            self.schedule.step()
            self._put()

    def restore(self) -> None:
        """Leave the rates as they were, where a schedule moved them."""
        if self.schedule is not None:
            for group, rate in zip(self.groups, self.before, strict=True):
                group["lr"] = rate

    @contextmanager
    def on_device(self, device: torch.device) -> Iterator[None]:
        """Keep the rates in tensors inside the block, always the same ones, which a recorded step reads again."""
        if self.tensors is None:
            self.tensors = [torch.zeros((), dtype=torch.float32, device=device) for _ in self.groups]
        rates = [group["lr"] for group in self.groups]
        for group, tensor, rate in zip(self.groups, self.tensors, rates, strict=True):
            group["lr"] = tensor.fill_(rate)
        try:
            yield
        finally:
            for i, group in enumerate(self.groups):
                group["lr"] = rates[i] if self.schedule is None else self.carrier.param_groups[i]["lr"]

    def _put(self) -> None:
        for group, moved in zip(self.groups, self.carrier.param_groups, strict=True):
            _set(group, moved["lr"])


def clip_gradient(parameters: Iterable[Tensor], max_norm: float) -> None:
    """Scale the gradients of all parameters, in place, so that their common norm is at most `max_norm`.

    The arithmetic of `torch.nn.utils.clip_grad_norm_`, for dense gradients of one type on one device, by few calls: a
    step of a small network is not much longer than the usual ones.

    Parameters
    ----------
    parameters : iterable of Tensor
        Those without a gradient are left out.
    max_norm : float
    """
    gradients = gradients_of(parameters)
    if not gradients:
        return
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    torch._foreach_mul_(gradients, (max_norm / (norm + 1e-6)).clamp(max=1.0))


def gradients_of(parameters: Iterable[Tensor]) -> list[Tensor]:
    """List the gradients of the parameters that have one."""
    return [parameter.grad for parameter in parameters if parameter.grad is not None]


def make_step(
    net: Any, table: AddressTable, batch_size: int, loss: RunningLoss, recorder: Recorder | None
) -> CapturedStep:
    """Give what trains a net on items of a table by their numbers, recorded where there is a recorder."""

    def step(items: Tensor) -> None:
        done = net.take_step(table.gather(items))
        loss.add(done["loss"], done["n_targets"])

    tell = print if net.verbose else None
    return CapturedStep(step, net.optimizer_, items_of(table, batch_size), table.device, recorder, tell)


def choose_recorder(net: Any) -> Recorder | None:
    """Give what records the steps of a net on its device, if anything does.

    A process can record one graph at a time, and no other of its threads may wait for the device during a rehearsal: so
    only the main thread records.
    """
    device = torch.device(net.device)
    if not net.cuda_graph or device.type != "cuda" or CudaGraph.failed or current_thread() is not main_thread():
        return None
    return CudaGraph(device) if can_be_recorded(net.optimizer_) else None


def _set(group: dict[str, Any], rate: float) -> None:
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(rate)  # a number in the arguments of a kernel: nothing waits
    else:
        group["lr"] = rate


def forecast_last_origins(
    network: Any,
    past: Tensor,
    n_origins: int,
    known: Tensor | None = None,
    series: Tensor | None = None,
    state: State | None = None,
    static: Tensor | None = None,
) -> tuple[Tensor, State | None]:
    """Forecast from the last O origins of every pass over rows; all shapes are fixed.

    Parameters
    ----------
    network : Forecaster
        A causal one.
    past : Tensor of shape (B, L, F)
        The first of the origins comes after row L - O, the last one after the last row.
    n_origins : int
        O.
    known : Tensor of shape (B, H + A + O - 1, K), default=None
        From the first of the origins on.
    series : Tensor of shape (B,), default=None
    state : tuple of Tensor, default=None
    static : Tensor of shape (B, n_static), default=None
        Given on where it is given.

    Returns
    -------
    forecast : Tensor of shape (B * O, H, T, ...)
    state : tuple of Tensor or None
    """
    about = {} if static is None else {"static": static}
    encoded, state = network.encode(past, series, state, **about)
    encoded = encoded[:, -n_origins:].flatten(0, 1)  # (B * O, U)
    series = None if series is None else series.repeat_interleave(n_origins)
    about = {name: values.repeat_interleave(n_origins, dim=0) for name, values in about.items()}
    if known is not None:
        known = _known_of_origins(known, n_origins).flatten(0, 1)  # (B * O, H + A, K)
    return network.decode(encoded, known, series, **about), state


def forecast_origins(
    network: Any,
    past: Tensor,
    origins: Tensor,
    known: Tensor | None = None,
    series: Tensor | None = None,
    state: State | None = None,
    static: Tensor | None = None,
    *,
    at_once: int,
) -> tuple[Tensor, State | None]:
    """Forecast as :func:`forecast_last_origins`, but from chosen origins alone.

    Parameters
    ----------
    network, past, known, series, state, static
        As there.
    origins : Tensor of bool of shape (B, O)
        Which of the last O origins, N in all.
    at_once : int
        How many of them are decoded together.

    Returns
    -------
    forecast : Tensor of shape (N, H, T, ...)
    state : tuple of Tensor or None
    """
    n_origins = origins.shape[1]
    about = {} if static is None else {"static": static}
    encoded, state = network.encode(past, series, state, **about)
    encoded = encoded[:, -n_origins:][origins]  # (N, U)
    about = {name: values[:, None].expand(-1, n_origins, -1)[origins] for name, values in about.items()}
    series = None if series is None else series[:, None].expand(-1, n_origins)[origins]
    if known is not None:
        known = _known_of_origins(known, n_origins)[origins]  # (N, H + A, K)
    forecasts = []
    for start in range(0, max(len(encoded), 1), at_once):
        few = slice(start, start + at_once)
        rows, numbers = (None if values is None else values[few] for values in (known, series))
        own = {name: values[few] for name, values in about.items()}
        forecasts.append(network.decode(encoded[few], rows, numbers, **own))
    return torch.cat(forecasts), state


def carry(state: State | None, continues: Tensor) -> State | None:
    """Give the state of a batch (B,) of which some go on from the first of the batch before, and others begin."""
    if state is None:
        return None
    n_before = min(len(continues), state[0].shape[1])
    carried = tuple(part.new_zeros(part.shape[0], len(continues), *part.shape[2:]) for part in state)
    for new, old in zip(carried, state, strict=True):
        goes_on = continues[:n_before].view(1, n_before, *[1] * (old.ndim - 2))
        new[:, :n_before] = torch.where(goes_on, old[:, :n_before], 0.0)  # not a product: NaN * 0 is NaN
    return carried


def _known_of_origins(known: Tensor, n_origins: int) -> Tensor:
    """Give each origin the known rows from it on: (B, H + A + O - 1, K) to (B, O, H + A, K)."""
    return known.unfold(1, known.shape[1] - n_origins + 1, 1).transpose(2, 3)
