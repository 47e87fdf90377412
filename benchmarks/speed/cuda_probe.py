"""A first run on a lent CUDA device, of eight minutes: is what we compute there right, does it survive, how fast is it?

Run: python benchmarks/speed/cuda_probe.py [--minutes 8] [--parts autocast gradients failures steps] [--output FOLDER]

- autocast: in which dtype LSTM and GRU compute under torch's autocast (cuDNN's layers are cast to float16, whatever is
  asked for), and how far outputs and gradients are from float64 on a CPU; eager, and replayed from a CUDA graph.
- gradients: the share of gradients that are zero at 4,096 windows a step, with and without loss scaling.
- failures: a recording that fails, and memory that runs out, each in a process of its own; does training go on?
- steps: milliseconds a step, by batch, graph, precision, and with and without known columns.

It needs torch, NumPy, scikit-learn, pandas and skorch. A cell that fails says so; cells that the time does not suffice
for are left out. `--quick --device cpu` runs what a CPU can, as a smoke test.
"""

import copy
import json
import os
import statistics
import subprocess
import sys
import warnings
from contextlib import nullcontext
from itertools import product
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[0] = str(ROOT)  # a checkout that is not installed; not this folder, where torch finds a `cuda`

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from benchmarks.adapters._handwritten import PlainLSTM
from benchmarks.speed._device import NO_DEVICE, fit, run, time_training

MODES = {"float32": None, "tf32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
SCALE = 2.0**16
LONGEST = 180  # seconds of a case that may fail


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
        output, found = replay(forward_and_backward, arguments) if graph else forward_and_backward(*arguments)
    finally:
        torch.backends.cudnn.allow_tf32 = before
    return {
        "computed in": str(output.dtype).removeprefix("torch."),
        "output error": relative_error(output, expected),
        "gradient error": max(relative_error(one, other) for one, other in zip(found, wanted, strict=True)),
        "zero gradients": share_of_zeros(found),
    }


def forward_and_backward(layer, rows, towards, context):
    """Give the output of a layer, and its gradients."""
    layer.zero_grad()
    with context:
        output, _ = layer(rows)
    (output.to(towards.dtype) * towards).sum().backward()
    return output.detach(), [weight.grad for weight in layer.parameters()]


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
    return float((found.double().cpu() - wanted.double().cpu()).norm() / wanted.double().cpu().norm())


def share_of_zeros(gradients):
    return float(torch.cat([(gradient == 0).flatten() for gradient in gradients]).float().mean())


def probe_autocast(tried):
    """Compare every layer, size and precision, eager and replayed."""
    cells = product(("LSTM", "GRU"), tried.sizes.layers, MODES, tried.graphs)
    return {"autocast": [tried(compare_layer, cell=c, hidden=h, mode=m, graph=g) for c, h, m, g in cells]}


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
    error = relative_error(found[precision], found["float32"])
    return {"zero gradients": share_of_zeros([found[precision]]), "gradient error": error}


def watch_fit(sizes, device, *, who, precision, scale):
    """Give the share of zero gradients over the steps of a fit of skts, which scales as it sees fit."""
    batch, shares = sizes.batches[-1], []

    def on_step(optimizer, *_):
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        shares.append(share_of_zeros([weight.grad for weight in weights if weight.grad is not None]))

    hook = register_optimizer_step_post_hook(on_step)
    try:
        options = {"batch_size": batch, "precision": precision, "net_params": {"cuda_graph": False}}
        fit(sizes, device, sizes.task(4 * batch), **options)
    finally:
        hook.remove()
    return {"zero gradients": statistics.mean(shares)}


def probe_gradients(tried):
    """Look at a loop by hand, without and with its loss scaled, and at a fit."""
    cells = [tried(watch_loop, who="loop", precision="bf16", scale=scale) for scale in (1.0, SCALE)]
    fits = [tried(watch_fit, who="skts", precision=precision, scale=None) for precision in ("float32", "bf16")]
    return {"gradients": [*cells, *fits]}


class WaitingLoss(nn.MSELoss):
    """A loss that waits for the device where it is recorded, and only there: no rehearsal can notice."""

    def forward(self, input, target):
        if input.is_cuda and torch.cuda.is_current_stream_capturing():
            torch.cuda.synchronize()
        return super().forward(input, target)


def fail_to_capture(sizes, device):
    """Fit with a loss that cannot be recorded, then again with one that can."""
    task, batch = sizes.task(40 * sizes.batches[0]), sizes.batches[0]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        net_params = {"criterion": WaitingLoss, "cuda_graph": True}
        first = fit(sizes, device, task, batch_size=batch, net_params=net_params)
    after = fit(sizes, device, task, batch_size=batch, net_params={"cuda_graph": True})
    said = [f"{each.category.__name__}: {each.message}"[:200] for each in caught]
    return {"warnings": said, "loss": first.history_["train_loss"][-1], "loss after": after.history_["train_loss"][-1]}


def run_out_of_memory(sizes, device):
    """Fit where memory does not suffice, then again where it does."""
    task, error = sizes.task(2 * sizes.batches[-1]), None
    torch.cuda.set_per_process_memory_fraction(min(1.0, 2**29 / torch.cuda.mem_get_info()[1]))
    try:
        fit(sizes, device, task, hidden_size=1024, batch_size=sizes.batches[-1])
    except RuntimeError as raised:
        error = f"{type(raised).__name__}: {raised}"[:200]
    torch.cuda.set_per_process_memory_fraction(1.0)
    after = fit(sizes, device, task, batch_size=sizes.batches[0])
    return {"error": error, "loss after": after.history_["train_loss"][-1]}


CASES = {"capture": fail_to_capture, "memory": run_out_of_memory}


def survive(sizes, device, *, case):
    """Let a case happen in a process of its own, and say whether training went on."""
    if case == "memory" and device == "cpu":
        return {"left out": NO_DEVICE}
    code = "import json; from benchmarks.speed.cuda_probe import CASES; from benchmarks.speed._device import Sizes; "
    code += f"print(json.dumps(CASES[{case!r}]({sizes!r}, {device!r})))"
    options = {"cwd": ROOT, "env": {**os.environ, "OMP_NUM_THREADS": "1"}, "timeout": LONGEST}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, **options)
    if done.returncode:
        return {"goes on": False, "exit": done.returncode, "error": done.stderr.strip()[-300:]}
    found = json.loads(done.stdout.splitlines()[-1])
    return {"goes on": found["loss after"] == found["loss after"], **found}  # NaN equals nothing


def probe_failures(tried):
    return {"failures": [tried(survive, case=case) for case in CASES]}


def probe_steps(tried):
    """Time every size of batch with every switch."""
    batches = zip(tried.sizes.batches, tried.sizes.steps, strict=True)
    cells = product(batches, ("float32", "bf16"), tried.graphs, (False, True))
    cells = [{"batch": b, "n_steps": n, "precision": p, "graph": g, "known": k} for (b, n), p, g, k in cells]
    return {"steps": [tried(time_training, **cell) for cell in cells]}


PARTS = {"autocast": probe_autocast, "gradients": probe_gradients, "failures": probe_failures, "steps": probe_steps}


def main(arguments=None):
    """Probe the device, part by part."""
    return run("cuda_probe", __doc__, PARTS, arguments, epochs=3, minutes=8.0)


if __name__ == "__main__":
    sys.exit(main())
