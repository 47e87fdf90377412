"""What `LSTMRegressor` does on a device."""

import statistics
import time
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
import torch
from skorch.callbacks import Callback

from skts import LSTMRegressor, SlidingWindower

PROFILED_STEPS = 100
WANTED_BUSY, FROM_BATCH = 0.9, 512


@dataclass(frozen=True)
class Work:
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


QUICK = Work(n_series=2, n_rows=90, n_features=3, window=8, horizon=4, hidden=4, batches=(32,), n_origins=4, epochs=1)


class Watch(Callback):
    """See whether steps are replayed, and trace the kernels of one epoch."""

    def __init__(self, traced=None):
        self.traced = traced
        self.replays = False
        self.busy = None

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == self.traced and net.device != "cpu":
            self.profiler = torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA])
            self.profiler.start()

    def on_epoch_end(self, net, **kwargs):
        captured = net._training.captured
        self.replays = self.replays or (captured is not None and captured.replay is not None)
        if hasattr(self, "profiler") and self.busy is None:
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


def make_table(work, n_rows=None):
    rng = np.random.default_rng(0)
    times = pd.date_range("2024-01-01", periods=n_rows or work.n_rows, freq="h")
    index = pd.MultiIndex.from_product([range(work.n_series), times], names=["series", "time"])
    X = pd.DataFrame(rng.standard_normal((len(index), work.n_features), dtype=np.float32), index=index)
    X.columns = [f"x{i}" for i in range(work.n_features)]
    return X, X["x0"]


def make_regressor(work, device, **options):
    return LSTMRegressor(work.hidden, **{"random_state": 0, "device": device, "max_epochs": 1 + work.epochs} | options)


def tried(function, *arguments, **options):
    """Give what a function found, or in what it failed: one cell must not end the others."""
    start = time.perf_counter()
    try:
        found = function(*arguments, **options)
    except ImportError as error:
        found = {"absent": str(error)}
    except Exception as error:
        found = {"failed": f"{type(error).__name__}: {error}"}
    said = {**options, **found, "seconds in all": round(time.perf_counter() - start, 1)}
    print(function.__name__, said, flush=True)
    return {**options, **found}


def forget_peak(device):
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def peak_mb(device):
    return round(torch.cuda.max_memory_reserved() / 2**20) if device == "cuda" else None


def train(work, device, table, *, batch, origins, precision, graph):
    """Train for some epochs, of which the first is not timed."""
    X, y = table
    windows = SlidingWindower(work.window, work.horizon).fit_transform(X)
    options = {"batch_size": batch, "origins_per_window": origins, "precision": precision}
    watch = Watch()
    forget_peak(device)
    regressor = make_regressor(work, device, **options, callbacks=[watch], net_params={"cuda_graph": graph})
    regressor.fit(windows, y)
    rate = len(windows) / statistics.median(regressor.net_.history[1:, "dur"])
    return {
        "windows_per_s": round(rate),
        "targets_per_s": round(rate * work.horizon),
        "replays": watch.replays,
        "peak_mb": peak_mb(device),
    }


def trace(work, device, *, batch, origins, precision, graph):
    """Divide the time of kernels in a traced epoch by that of epochs which are not: tracing slows the host down."""
    own = -(-PROFILED_STEPS * batch // work.n_series)
    X, y = make_table(work, min(work.n_rows, work.window + work.horizon - 1 + own))
    windows = SlidingWindower(work.window, work.horizon).fit_transform(X)
    watch = Watch(traced=5)
    options = {"batch_size": batch, "origins_per_window": origins, "precision": precision, "max_epochs": 5}
    regressor = make_regressor(work, device, **options, callbacks=[watch], net_params={"cuda_graph": graph})
    regressor.fit(windows, y)
    if not watch.busy:
        raise RuntimeError("the profiler saw no kernel")
    share = watch.busy / statistics.median(regressor.net_.history[1:4, "dur"])
    return {"busy": round(share, 3), "busy_enough": share > WANTED_BUSY if batch >= FROM_BATCH else None}


def forecast(work, device, table, *, rolling):
    """Forecast from every row."""
    X, y = table
    windows = SlidingWindower(work.window, work.horizon).fit_transform(X)
    regressor = make_regressor(work, device, max_epochs=1, batch_size=work.batches[-1], rolling=rolling)
    regressor.fit(windows, y)
    forget_peak(device)
    seconds = []
    for _ in range(1 + work.epochs):
        start = time.perf_counter()
        regressor.predict(windows)  # an array of NumPy: all is done
        seconds.append(time.perf_counter() - start)
    return {"windows_per_s": round(len(windows) / statistics.median(seconds[1:])), "peak_mb": peak_mb(device)}


def find(work, device, table, *, origins, precision):
    """Let the size of batches be found."""
    X, y = table
    windows = SlidingWindower(work.window, work.horizon).fit_transform(X)
    options = {"origins_per_window": origins, "precision": precision, "batch_size": "auto", "max_epochs": 1}
    regressor = make_regressor(work, device, **options).fit(windows, y)
    return {"batch_size": regressor.batch_size_, "lr": regressor.lr_}


def measure(work, device):
    table = make_table(work)
    graphs = (True, False) if device == "cuda" else (False,)
    rows = []
    for origins, batch, precision, graph in product((1, work.n_origins), work.batches, ("float32", "bf16"), graphs):
        cell = {"origins": origins, "batch": batch, "precision": precision, "graph": graph}
        traced = tried(trace, work, device, **cell) if device == "cuda" else {}
        rows.append({**traced, **tried(train, work, device, table, **cell)})
    return {
        "train": rows,
        "forecast": [tried(forecast, work, device, table, rolling=rolling) for rolling in ("windows", "stateful")],
        "auto": [
            tried(find, work, device, table, origins=origins, precision=precision)
            for origins, precision in product((1, work.n_origins), ("float32", "bf16"))
        ],
    }


def as_markdown(found):
    """Make one table of training, one of forecasts and sizes, and a line on tests."""
    figures = found.get("figures", {"train": [], "forecast": [], "auto": []})
    lines = [
        f"{found['with']['device']}, torch {found['with']['torch']}",
        "",
        "| | batch | precision | graph | windows/s | targets/s | busy | over 90 % | peak MB |",
        "|---" * 9 + "|",
    ]
    ours = [{"name": f"skts, {row['origins']} a pass", **row} for row in figures["train"]]
    for row in [*ours, *found.get("peers", [])]:
        keys = (
            "name",
            "batch",
            "precision",
            "graph",
            "windows_per_s",
            "targets_per_s",
            "busy",
            "busy_enough",
            "peak_mb",
        )
        cells = [as_cell(row.get(key)) for key in keys]
        trouble = row.get("absent") or row.get("failed")
        if trouble and "windows_per_s" not in row:
            cells[4] = trouble.splitlines()[0][:60]
        lines.append(f"| {' | '.join(cells)} |")
    for row in figures["forecast"]:
        lines.append(
            f"\nForecasts, rolling={row['rolling']!r}: {row.get('windows_per_s', row.get('failed'))} windows/s"
        )
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
