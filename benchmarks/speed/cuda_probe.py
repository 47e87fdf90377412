"""A first run on a lent CUDA device, of eight minutes: is what we compute there right, does it survive, how fast is it?

Run: python benchmarks/speed/cuda_probe.py [--minutes 8] [--output FOLDER]

- autocast: in which dtype LSTM and GRU compute under torch's autocast (cuDNN's layers are cast to float16, whatever is
  asked for), and how far outputs and gradients are from float64 on a CPU; eager, and replayed from a CUDA graph.
- gradients: the share of gradients that are zero at 4,096 windows a step, with and without loss scaling.
- failures: a recording that fails, and memory that runs out, each in a process of its own; does training go on?
- steps: milliseconds by CUDA events, by batch, graph, precision, and with and without known columns.

It needs torch, NumPy, scikit-learn, pandas and skorch. A cell that fails says so; cells that the time does not suffice
for are left out. `--quick --device cpu` runs what a CPU can, as a smoke test.
"""

import argparse
import copy
import json
import statistics
import subprocess
import sys
import time
import warnings
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import product
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[0] = str(ROOT)  # a checkout that is not installed; not this folder, where torch finds a `cuda`

import torch
from skorch.callbacks import Callback
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from benchmarks._report import markdown, save_json
from benchmarks.adapters._handwritten import PlainLSTM
from benchmarks.speed._cuda_figures import Trial
from benchmarks.speed._work import make_panel
from benchmarks.speed.cuda import describe
from skts import LSTMRegressor, SlidingWindower

MODES = {"float32": None, "tf32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
SCALE = 2.0**16
CASES = ("capture", "memory")
LONGEST = 180  # seconds of a case
NO_DEVICE = "needs a CUDA device"


@dataclass(frozen=True)
class Sizes:
    """The sizes of layers, batches and panels."""

    hidden: tuple[int, ...] = (5, 33, 64, 128, 160, 192, 256)
    batches: tuple[int, ...] = (64, 512, 4096)
    steps: tuple[int, ...] = (100, 60, 20)  # of an epoch
    epochs: int = 4
    n_series: int = 10
    n_features: int = 24
    n_known: int = 4
    window: int = 168
    horizon: int = 24
    units: int = 64
    small: int = 32  # windows, and rows of each, where a layer alone is compared


QUICK = Sizes((5,), (32,), (4,), 2, 2, 3, 1, 8, 4, 4, 4)


def compare_layer(sizes, device, *, cell, hidden, mode, graph):
    """Run a layer forward and backward, and compare with float64 on the CPU."""
    torch.manual_seed(0)
    exact = getattr(nn, cell)(sizes.n_features, hidden, batch_first=True).double()
    rows = torch.randn(sizes.small, sizes.small, sizes.n_features, dtype=torch.float64)
    towards = torch.randn(sizes.small, sizes.small, hidden, dtype=torch.float64) / sizes.small
    layer = copy.deepcopy(exact).float().to(device)
    expected, wanted = forward_and_backward(exact, rows, towards, nullcontext())
    dtype = MODES[mode]
    context = torch.autocast(device, dtype, cache_enabled=False) if dtype else nullcontext()
    arguments = layer, rows.float().to(device), towards.float().to(device), context
    before, torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.allow_tf32, mode != "float32"
    try:
        output, found = (replay if graph else run)(forward_and_backward, arguments)
    finally:
        torch.backends.cudnn.allow_tf32 = before
    errors = [relative_error(one, other) for one, other in zip(found, wanted, strict=True)]
    zeros = torch.cat([(gradient == 0).flatten() for gradient in found])
    return {
        "computed in": str(output.dtype).removeprefix("torch."),
        "output error": relative_error(output, expected),
        "gradient error": max(errors),
        "zero gradients": float(zeros.float().mean()),
    }


def forward_and_backward(layer, rows, towards, context):
    """Give the output of a layer, and its gradients."""
    layer.zero_grad()
    with context:
        output, _ = layer(rows)
    (output.to(towards.dtype) * towards).sum().backward()
    return output.detach(), [weight.grad for weight in layer.parameters()]


def run(function, arguments):
    return function(*arguments)


def replay(function, arguments):
    """Record a function as a CUDA graph, and give what it found when that was replayed."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            function(*arguments)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        found = function(*arguments)
    graph.replay()
    torch.cuda.synchronize()
    output, gradients = found
    return output.clone(), [gradient.clone() for gradient in gradients]


def relative_error(found, wanted):
    """Give the norm of the difference by the norm of what was wanted."""
    return float((found.double().cpu() - wanted).norm() / wanted.norm())


def probe_autocast(sizes, device, tried):
    """Compare every layer, size and precision, eager and replayed."""
    graphs = (False, True) if device == "cuda" else (False,)
    cells = product(("LSTM", "GRU"), sizes.hidden, MODES, graphs)
    return [tried(compare_layer, cell=c, hidden=h, mode=m, graph=g) for c, h, m, g in cells]


def watch_loop(sizes, device, *, who, precision, scale):
    """Give the share of zero gradients of one step of a loop by hand, and their distance from those of float32."""
    torch.manual_seed(0)
    net = PlainLSTM(sizes.n_features, sizes.horizon, sizes.units).to(device)
    past = torch.randn(sizes.batches[-1], sizes.window, sizes.n_features, device=device)
    ahead = torch.randn(sizes.batches[-1], sizes.horizon, device=device)
    found = {}
    for mode in ("float32", precision):
        net.zero_grad()
        with torch.autocast(device, torch.bfloat16, enabled=mode == "bf16"):
            forecasts = net(past)
        (scale * nn.functional.mse_loss(forecasts.float(), ahead)).backward()
        found[mode] = torch.cat([weight.grad.flatten() for weight in net.parameters()]) / scale
    exact = found["float32"].double().cpu()
    zeros = float((found[precision] == 0).float().mean())
    return {"zero gradients": zeros, "gradient error": relative_error(found[precision], exact)}


def watch_fit(sizes, device, *, who, precision, scale):
    """Give the share of zero gradients over the steps of a fit of skts, which scales as it sees fit."""
    X, windows = make_windows(sizes, sizes.batches[-1], 4)
    shares = []

    def on_step(optimizer, *_):
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        zeros = torch.cat([(weight.grad == 0).flatten() for weight in weights if weight.grad is not None])
        shares.append(float(zeros.float().mean()))

    hook = register_optimizer_step_post_hook(on_step)
    try:
        options = {"batch_size": sizes.batches[-1], "precision": precision, "net_params": {"cuda_graph": False}}
        make_regressor(sizes, device, max_epochs=1, **options).fit(windows, X["x0"])
    finally:
        hook.remove()
    return {"zero gradients": statistics.mean(shares)}


def probe_gradients(sizes, device, tried):
    """Look at a loop by hand, without and with its loss scaled, and at a fit."""
    cells = [tried(watch_loop, who="loop", precision="bf16", scale=scale) for scale in (1.0, SCALE)]
    fits = [tried(watch_fit, who="skts", precision=precision, scale=None) for precision in ("float32", "bf16")]
    return [*cells, *fits]


class WaitingLoss(nn.MSELoss):
    """A loss that waits for the device where it is recorded, and only there: no rehearsal can notice."""

    def forward(self, input, target):
        if input.is_cuda and torch.cuda.is_current_stream_capturing():
            torch.cuda.synchronize()
        return super().forward(input, target)


def fail_to_capture(sizes, device):
    """Fit with a loss that cannot be recorded, then again with one that can."""
    X, windows = make_windows(sizes, sizes.batches[0], 40)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        options = {"batch_size": sizes.batches[0], "max_epochs": 1}
        first = make_regressor(sizes, device, **options, net_params={"criterion": WaitingLoss}).fit(windows, X["x0"])
    after = make_regressor(sizes, device, **options).fit(windows, X["x0"])
    said = [f"{each.category.__name__}: {each.message}"[:200] for each in caught]
    return {"warnings": said, "loss": first.history_["train_loss"][-1], "loss after": after.history_["train_loss"][-1]}


def run_out_of_memory(sizes, device):
    """Fit where memory does not suffice, then again where it does."""
    X, windows = make_windows(sizes, sizes.batches[-1], 2)
    torch.cuda.set_per_process_memory_fraction(min(1.0, 2**29 / torch.cuda.mem_get_info()[1]))
    error = None
    try:
        make_regressor(sizes, device, hidden_size=1024, batch_size=sizes.batches[-1]).fit(windows, X["x0"])
    except RuntimeError as raised:
        error = f"{type(raised).__name__}: {raised}"[:200]
    torch.cuda.set_per_process_memory_fraction(1.0)
    after = make_regressor(sizes, device, batch_size=sizes.batches[0], max_epochs=1).fit(windows, X["x0"])
    return {"error": error, "loss after": after.history_["train_loss"][-1]}


def survive(sizes, device, *, case):
    """Let a case happen in a process of its own, and say whether training went on."""
    if case == "memory" and device == "cpu":
        return {"left out": NO_DEVICE}
    command = [sys.executable, str(Path(__file__).resolve()), "--case", case, "--device", device]
    command += ["--quick"] if sizes == QUICK else []
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=LONGEST)
    if done.returncode:
        return {"goes on": False, "exit": done.returncode, "error": done.stderr.strip()[-300:]}
    found = json.loads(done.stdout.splitlines()[-1])
    return {"goes on": found["loss after"] == found["loss after"], **found}


def probe_failures(sizes, device, tried):
    return [tried(survive, case=case) for case in CASES]


class EpochEvents(Callback):
    """Time every epoch on the device."""

    def __init__(self, device="cpu"):
        self.device = device

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        self.spans = []

    def on_epoch_begin(self, net, **kwargs):
        self.begin = mark(self.device)

    def on_epoch_end(self, net, **kwargs):
        self.spans.append(milliseconds(self.begin, mark(self.device)))


def mark(device):
    """Give an event in the device's queue; on a CPU, the time."""
    if device == "cpu":
        return time.perf_counter()
    event = torch.cuda.Event(enable_timing=True)
    event.record()
    return event


def milliseconds(begin, end):
    if isinstance(begin, float):
        return 1e3 * (end - begin)
    end.synchronize()
    return begin.elapsed_time(end)


def time_steps(sizes, device, *, batch, precision, graph, decoder):
    """Give the milliseconds of a step; the first epoch, in which graphs are recorded, is left out."""
    n_steps = sizes.steps[sizes.batches.index(batch)]
    X, windows = make_windows(sizes, batch, n_steps, decoder)
    net_params = {"cuda_graph": graph, "callbacks": [EpochEvents(device)]}
    options = {"batch_size": batch, "precision": precision, "max_epochs": sizes.epochs}
    fitted = make_regressor(sizes, device, **options, net_params=net_params).fit(windows, X["x0"])
    spans = dict(fitted.net_.callbacks_)["EpochEvents"].spans
    step = statistics.median(spans[1:]) / -(-len(windows) // batch)
    return {"ms a step": round(step, 3), "windows/s": round(1e3 * batch / step)}


def probe_steps(sizes, device, tried):
    """Time every size of batch with every switch."""
    graphs = (False, True) if device == "cuda" else (False,)
    cells = product(sizes.batches, ("float32", "bf16"), graphs, (False, True))
    return [tried(time_steps, batch=b, precision=p, graph=g, decoder=d) for b, p, g, d in cells]


def make_windows(sizes, batch, n_steps, decoder=False):
    """Make a panel that gives so many steps, and its windows; of the decoder, with known columns."""
    own = -(-batch * n_steps // sizes.n_series)
    X = make_panel(sizes.n_series, sizes.window + sizes.horizon - 1 + own, sizes.n_features)
    known = list(X.columns[-sizes.n_known :]) if decoder else []
    return X, SlidingWindower(sizes.window, sizes.horizon, known=known).fit_transform(X)


def make_regressor(sizes, device, **options):
    usual = {"hidden_size": sizes.units, "origins_per_pass": 1, "random_state": 0, "device": device}
    return LSTMRegressor(**usual | options)


PARTS = {"autocast": probe_autocast, "gradients": probe_gradients, "failures": probe_failures, "steps": probe_steps}


def as_markdown(found):
    """Make a table of each part."""
    lines = [f"{found['with']['device']}, torch {found['with']['torch']}, cuDNN {found['with']['cudnn']}"]
    for part in PARTS:
        columns = list(dict.fromkeys(key for row in found.get(part, []) for key in row))
        rows = [[as_cell(row.get(column)) for column in columns] for row in found.get(part, [])]
        lines.append(f"## {part}\n\n{markdown(columns, rows)}")
    skipped = [f"{part}: {row['left out']}" for part in PARTS for row in found.get(part, []) if "left out" in row]
    skipped += [f"replays: {NO_DEVICE}"] if found["with"]["cuda graphs"] is False else []
    return "\n\n".join([*lines, *(f"Left out: {each}." for each in dict.fromkeys(skipped))])


def as_cell(value):
    return "" if value is None else f"{value:.2e}" if isinstance(value, float) and abs(value) < 0.1 else str(value)


def main(arguments=None):
    """Probe the device, part by part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=8.0, help="after which no cell is begun")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--quick", action="store_true", help="a smoke test")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)  # in the process of its own
    options = parser.parse_args(arguments)
    if options.device == "cuda" and not torch.cuda.is_available():
        print("cuda_probe.py probes a CUDA device, and torch sees none here (--quick --device cpu is a smoke test).")
        return 1
    sizes = QUICK if options.quick else Sizes()
    if options.case:
        case = fail_to_capture if options.case == "capture" else run_out_of_memory
        print(json.dumps(case(sizes, options.device)))
        return 0
    tried = Trial(sizes, options.device, options.minutes)
    found = {"with": describe(options.device) | {"cuda graphs": options.device == "cuda"}}
    for part in options.parts:
        began = time.monotonic()
        found[part] = PARTS[part](sizes, options.device, tried)
        save_json(found, options.output / "cuda_probe.json")
        print(f"{part}: {time.monotonic() - began:.0f} s", flush=True)
    print(as_markdown(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
