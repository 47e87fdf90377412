"""What `LSTMRegressor` and the others do on a device."""

import statistics
import time
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from skorch.callbacks import Callback
from torch.optim.optimizer import register_optimizer_step_post_hook

from benchmarks._report import markdown
from benchmarks.adapters import Plan, Task, Watch, load_adapter, missing_packages
from benchmarks.speed._work import make_panel
from skts import LSTMRegressor, SlidingWindower

PROFILED_EPOCH, PROFILED_STEPS = 5, 100
WANTED_BUSY, FROM_BATCH = 0.9, 512
N_WARM, N_STEPS = 10, 100  # of libraries that are watched step by step
COLUMNS = ("name", "batch", "precision", "graph", "windows_per_s", "targets_per_s", "busy", "busy_enough", "peak_mb")
TITLES = ("", "batch", "precision", "graph", "windows/s", "targets/s", "busy", "over 90 %", "peak MB")


@dataclass(frozen=True)
class Sizes:
    """The sizes of panel, network and run."""

    n_series: int = 10
    n_rows: int = 8760
    n_features: int = 24
    window: int = 168
    horizon: int = 24
    hidden: int = 64
    batches: tuple[int, ...] = (64, 512, 4096)
    n_origins: int = 24
    epochs: int = 5

    def table(self, n_rows=None):
        return make_panel(self.n_series, n_rows or self.n_rows, self.n_features)

    def task(self, X):
        return Task(X, X, "x0", self.window, self.horizon, first=self.window)


QUICK = Sizes(n_series=2, n_rows=90, n_features=3, window=8, horizon=4, hidden=4, batches=(32,), n_origins=4, epochs=1)


class CountingWatch(Watch):
    """Count the steps that optimizers take by running Python; a step that is replayed runs none."""

    def __init__(self, at=None):
        super().__init__(at)
        self.n_steps = self.n_steps_of_look = 0

    def begin(self):
        self.hook = register_optimizer_step_post_hook(self._count)
        super().begin()

    def _count(self, *_):
        self.n_steps += 1

    def look(self, module):
        super().look(module)
        self.n_steps_of_look, self.n_steps = self.n_steps, 0

    def end(self, module):
        super().end(module)
        self.hook.remove()


class Tracer(Callback):
    """Trace the kernels of one epoch."""

    busy = None

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == PROFILED_EPOCH:
            self.profiler = torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA])
            self.profiler.start()

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == PROFILED_EPOCH:
            torch.cuda.synchronize()
            self.profiler.stop()
            self.busy = busy_seconds(self.profiler.events())


def busy_seconds(events):
    """Add up the time in which at least one kernel or copy runs, from events in microseconds."""
    spans = sorted(
        (event.time_range.start, event.time_range.end)
        for event in events
        if event.device_type == torch.autograd.DeviceType.CUDA and not event.is_user_annotation
    )
    total, until = 0.0, -np.inf
    for start, end in spans:
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total / 1e6


class Trial:
    """Call what measures a cell: what it found, in what it failed, or that the time was up; no cell ends the others."""

    def __init__(self, sizes, device, minutes=np.inf):
        self.sizes, self.device, self.deadline = sizes, device, time.monotonic() + 60 * minutes

    def __call__(self, function, *arguments, **options):
        began = time.monotonic()
        if began > self.deadline:
            return options | {"left out": "the time was up"}
        try:
            found = function(self.sizes, self.device, *arguments, **options)
        except Exception as error:
            found = {"failed": f"{type(error).__name__}: {error}".splitlines()[0][:160]}
        print(f"{function.__name__} ({time.monotonic() - began:.1f} s): {options | found}", flush=True)
        return options | found


def forget_peak(device):
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def peak_mb(device):
    return round(torch.cuda.max_memory_reserved() / 2**20) if device == "cuda" else None


def train(sizes, device, X, *, library, batch, precision, origins=1, graph=None):
    """Train for some epochs (or steps, where a library is watched so), of which the first are not timed."""
    if absent := missing_packages(library):
        return {"absent": f"not installed: {', '.join(absent)}"}
    adapter, task = load_adapter(library), sizes.task(X)
    n_steps = min(N_WARM + N_STEPS, len(task.origins) // batch)
    plan = Plan(sizes.hidden, batch, 1 + sizes.epochs, n_steps, precision)
    settings = adapter.plain_lstm(plan)
    if library == "skts":
        settings |= {"origins_per_pass": origins, "net_params": {"cuda_graph": graph}}
    if library == "skorch":
        settings["max_epochs"] = 2  # its epochs are long
    by_step = adapter.looks_after == "step"
    if library == "darts":
        settings["n_epochs"] = 1
    watch = CountingWatch({min(N_WARM, n_steps // 2), n_steps} if by_step else None)
    forget_peak(device)
    adapter(task, settings, watch, device=device).fit()
    n_windows = batch if by_step else len(task.origins)
    rate = n_windows / watch.seconds_of_a_look()
    replays = {"replays": watch.n_steps_of_look < n_windows // batch} if library == "skts" else {}
    rates = {"windows_per_s": round(rate), "targets_per_s": round(rate * sizes.horizon)}
    return {**rates, **replays, "peak_mb": peak_mb(device)}


def make_regressor(sizes, device, **options):
    return LSTMRegressor(sizes.hidden, **{"random_state": 0, "device": device, "max_epochs": 1} | options)


def make_windows(sizes, X):
    return SlidingWindower(sizes.window, sizes.horizon).fit_transform(X)


def trace(sizes, device, *, batch, origins, precision, graph):
    """Divide the time of kernels in a traced epoch by that of epochs which are not: tracing slows the host down."""
    own = -(-PROFILED_STEPS * batch // sizes.n_series)
    X = sizes.table(min(sizes.n_rows, sizes.window + sizes.horizon - 1 + own))
    tracer = Tracer()
    options = {"batch_size": batch, "origins_per_pass": origins, "precision": precision, "max_epochs": PROFILED_EPOCH}
    regressor = make_regressor(sizes, device, **options, net_params={"cuda_graph": graph, "callbacks": [tracer]})
    regressor.fit(make_windows(sizes, X), X["x0"])
    busy = dict(regressor.net_.callbacks_)["Tracer"].busy
    if not busy:
        raise RuntimeError("the profiler saw no kernel")
    share = busy / statistics.median(regressor.net_.history[1:-1, "dur"])
    return {"busy": round(share, 3), "busy_enough": share > WANTED_BUSY if batch >= FROM_BATCH else None}


def forecast(sizes, device, X, *, rolling):
    """Forecast from every row."""
    windows = make_windows(sizes, X)
    regressor = make_regressor(sizes, device, batch_size=sizes.batches[-1], rolling=rolling).fit(windows, X["x0"])
    forget_peak(device)
    seconds = []
    for _ in range(1 + sizes.epochs):
        start = time.perf_counter()
        regressor.predict(windows)  # an array of NumPy: all is done
        seconds.append(time.perf_counter() - start)
    return {"windows_per_s": round(len(windows) / statistics.median(seconds[1:])), "peak_mb": peak_mb(device)}


def find(sizes, device, X, *, origins, precision):
    """Let the size of batches be found."""
    options = {"origins_per_pass": origins, "precision": precision, "batch_size": "auto"}
    regressor = make_regressor(sizes, device, **options).fit(make_windows(sizes, X), X["x0"])
    return {"batch_size": regressor.batch_size_, "lr": regressor.lr_}


def measure(sizes, device):
    """Measure ours: training, forecasts, and what batch_size="auto" finds."""
    X, tried = sizes.table(), Trial(sizes, device)
    graphs = (True, False) if device == "cuda" else (False,)
    rows = []
    for origins, batch, precision, graph in product((1, sizes.n_origins), sizes.batches, ("float32", "bf16"), graphs):
        cell = {"origins": origins, "batch": batch, "precision": precision, "graph": graph}
        traced = tried(trace, **cell) if device == "cuda" else {}
        rows.append({**traced, **tried(train, X, library="skts", **cell)})
    pairs = [{"origins": o, "precision": p} for o, p in product((1, sizes.n_origins), ("float32", "bf16"))]
    return {
        "train": rows,
        "forecast": [tried(forecast, X, rolling=rolling) for rolling in ("windows", "stateful")],
        "auto": [tried(find, X, **pair) for pair in pairs],
    }


def measure_peers(sizes, device):
    """Measure the others; only the loop by hand offers bf16."""
    X, tried = sizes.table(), Trial(sizes, device)
    precisions = {"loop by hand": ("float32", "bf16")}
    return [
        {"name": library, **tried(train, X, library=library, batch=batch, precision=precision)}
        for library in ("loop by hand", "skorch", "darts", "neuralforecast")
        for batch in sizes.batches
        for precision in precisions.get(library, ("float32",))
    ]


def as_markdown(found):
    """Make one table of training, one of forecasts and sizes, and a line on tests."""
    figures = found.get("figures", {"train": [], "forecast": [], "auto": []})
    ours = [{"name": f"skts, {row['origins']} a pass", **row} for row in figures["train"]]
    rows = []
    for row in [*ours, *found.get("peers", [])]:
        cells = [as_cell(row.get(key)) for key in COLUMNS]
        trouble = row.get("absent") or row.get("failed")
        if trouble and "windows_per_s" not in row:
            cells[4] = trouble.splitlines()[0][:60]
        rows.append(cells)
    lines = [f"{found['with']['device']}, torch {found['with']['torch']}\n", markdown(TITLES, rows)]
    for row in figures["forecast"]:
        rate = row.get("windows_per_s", row.get("failed"))
        lines.append(f"\nForecasts, rolling={row['rolling']!r}: {rate} windows/s")
    for row in figures["auto"]:
        size = row.get("batch_size", row.get("failed"))
        lines.append(f"\nbatch_size='auto', {row['origins']} a pass, {row['precision']}: {size}")
    if "tests" in found:
        lines.append(f"\nTests: {found['tests']['summary']}")
    return "\n".join(lines)


def as_cell(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
