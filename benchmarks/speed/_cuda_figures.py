"""The parts of `cuda.py`: the tests, what `LSTMRegressor` does on a device, and what the others do."""

import importlib.util
import statistics
import subprocess
import sys
import time
from itertools import product

import numpy as np
import torch
from skorch.callbacks import Callback

from benchmarks._report import ROOT
from benchmarks.speed._device import NO_DEVICE, fit, forget_peak, peak_mb, time_training, windows_of

PROFILED_EPOCH, PROFILED_STEPS = 5, 100
WANTED_BUSY, FROM_BATCH = 0.9, 512
PEERS = {"loop by hand": ("float32", "bf16"), "skorch": ("float32",), "darts": ("float32",)}
PEERS["neuralforecast"] = ("float32",)


def run_tests(tried):
    """Run what is marked `cuda`, and import no other test; say how that ended."""
    if tried.device == "cpu" or importlib.util.find_spec("pytest") is None:
        return {"tests": [{"left out": NO_DEVICE if tried.device == "cpu" else "pytest is not installed"}]}
    files = [path for path in sorted(ROOT.glob("tests/**/test_*.py")) if "pytest.mark.cuda" in path.read_text()]
    command = [sys.executable, "-m", "pytest", "-m", "cuda", "-q", "-ra", *map(str, files)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    print(done.stdout + done.stderr, flush=True)
    return {"tests": [{"exit": done.returncode, "summary": " ".join(done.stdout.strip().splitlines()[-1:])}]}


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


def trace(sizes, device, *, batch, origins, precision, graph):
    """Divide the time of kernels in a traced epoch by that of epochs which are not: tracing slows the host down."""
    task = sizes.task(min(PROFILED_STEPS * batch, sizes.n_series * (sizes.n_rows - sizes.window - sizes.horizon + 1)))
    options = {"batch_size": batch, "origins_per_pass": origins, "precision": precision, "max_epochs": PROFILED_EPOCH}
    net = fit(sizes, device, task, **options, net_params={"cuda_graph": graph, "callbacks": [Tracer()]}).net_
    busy = dict(net.callbacks_)["Tracer"].busy
    if not busy:
        raise RuntimeError("the profiler saw no kernel")
    share = busy / statistics.median(net.history[1:-1, "dur"])
    return {"busy": round(share, 3), "over 90 %": share > WANTED_BUSY if batch >= FROM_BATCH else None}


def forecast(sizes, device, *, rolling):
    """Forecast from every row."""
    task = sizes.task()
    windows, regressor = windows_of(task), fit(sizes, device, task, batch_size=sizes.batches[-1], rolling=rolling)
    forget_peak(device)
    seconds = []
    for _ in range(1 + sizes.epochs):
        start = time.perf_counter()
        regressor.predict(windows)  # an array of NumPy: all is done
        seconds.append(time.perf_counter() - start)
    return {"windows/s": round(len(windows) / statistics.median(seconds[1:])), "peak MB": peak_mb(device)}


def find_batch_size(sizes, device, *, origins, precision):
    """Let the size of batches be found."""
    regressor = fit(sizes, device, sizes.task(), origins_per_pass=origins, precision=precision, batch_size="auto")
    return {"batch_size": regressor.batch_size_, "lr": regressor.lr_}


def measure_ours(tried):
    """Measure training, forecasts, and what batch_size="auto" finds."""
    sizes, rows = tried.sizes, []
    pairs = [{"origins": o, "precision": p} for o, p in product((1, sizes.n_origins), ("float32", "bf16"))]
    for pair, batch, graph in product(pairs, sizes.batches, tried.graphs):
        cell = {**pair, "batch": batch, "graph": graph}
        rows.append({**(tried(trace, **cell) if tried.device == "cuda" else {}), **tried(time_training, **cell)})
    return {
        "training": rows,
        "forecasts": [tried(forecast, rolling=rolling) for rolling in ("windows", "stateful")],
        "batch_size='auto'": [tried(find_batch_size, **pair) for pair in pairs],
    }


def measure_peers(tried):
    """Measure the others; only the loop by hand offers bf16."""
    cells = [(library, batch, p) for library in PEERS for batch in tried.sizes.batches for p in PEERS[library]]
    return {"peers": [tried(time_training, library=name, batch=batch, precision=p) for name, batch, p in cells]}


PARTS = {"tests": run_tests, "figures": measure_ours, "peers": measure_peers}
