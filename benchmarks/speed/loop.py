"""Training speed of LSTMRegressor beside a hand-written PyTorch loop, and its peak memory.

Run: python benchmarks/speed/loop.py [--rounds 5] [--output FOLDER]

Both train the same network on the same windows of one panel (10 series x 8,760 rows x 24 features, horizon 24) with the
same optimizer, gradient clipping, loss and batch size, one thread, in turn in one process; the ratio is taken within
each round. The loop is what a careful user writes: a tensor of the table, starts of windows, one strided gather a
batch, fused AdamW, one synchronisation an epoch. The regressor is timed over its whole `fit`. Memory is the peak
resident size of a fresh process above what it holds after its imports, in the whole: table, all 85,690 windows cut, one
epoch of training on them, a forecast of each.
"""

import argparse
import json
import platform
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn
import skorch
import torch

import skts
from skts import LSTMRegressor, SlidingWindower
from skts.nn import EncoderDecoder

N_SERIES, N_ROWS, N_FEATURES, HORIZON = 10, 8760, 24, 24
SIZES = {
    "hidden 64, window 168, batch 64": {"hidden": 64, "window": 168, "batch": 64, "n_batches": 40},
    "hidden 8, window 24, batch 64": {"hidden": 8, "window": 24, "batch": 64, "n_batches": 600},
}

ORDINARY = {"max_epochs": 1, "origins_per_window": 1, "random_state": 0, "device": "cpu"}


def make_table():
    rng = np.random.default_rng(0)
    times = pd.date_range("2024-01-01", periods=N_ROWS, freq="h")
    index = pd.MultiIndex.from_product([range(N_SERIES), times], names=["series", "time"])
    X = pd.DataFrame(rng.standard_normal((len(index), N_FEATURES), dtype=np.float32), index=index)
    X.columns = [f"x{i}" for i in range(N_FEATURES)]
    return X, X["x0"]


def make_windows(X, window, n_windows):
    stride = N_SERIES * (N_ROWS - window - HORIZON) // n_windows
    return SlidingWindower(window, HORIZON, stride=max(1, stride)).fit_transform(X)


def train_by_hand(panel, y, origins, window, hidden, batch):
    torch.manual_seed(0)
    net = EncoderDecoder(panel.shape[1], 0, 1, HORIZON, hidden)
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.0, fused=True)
    inputs, targets = torch.from_numpy(panel), torch.from_numpy((y - y.mean()) / y.std())
    n_rows, n_features = inputs.shape
    past = inputs.as_strided((n_rows - window + 1, window, n_features), (n_features, n_features, 1))
    ahead = targets.as_strided((n_rows - HORIZON + 1, HORIZON), (1, 1))
    origins = torch.from_numpy(origins)
    net.train()
    total = torch.zeros(())
    for items in torch.randperm(len(origins)).split(batch):
        chosen = origins[items]
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(
            net(past.index_select(0, chosen - window))[..., 0], ahead.index_select(0, chosen)
        )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        total += loss.detach()
    return float(total)


def compare(X, y, name, rounds):
    size = SIZES[name]
    windows = make_windows(X, size["window"], size["n_batches"] * size["batch"])
    values = y.to_numpy()
    by_hand, ours = [], []
    for i in range(rounds + 1):
        start = time.perf_counter()
        train_by_hand(windows.panel, values, windows.origins, size["window"], size["hidden"], size["batch"])
        middle = time.perf_counter()
        regressor = LSTMRegressor(size["hidden"], batch_size=size["batch"], **ORDINARY)
        regressor.fit(windows, y)
        end = time.perf_counter()
        if i:  # the first round warms up
            by_hand.append(len(windows) / (middle - start))
            ours.append(len(windows) / (end - middle))
    ratios = [a / b for a, b in zip(ours, by_hand, strict=True)]
    return {
        "n_windows": len(windows),
        "by_hand_windows_per_s": round(statistics.median(by_hand)),
        "regressor_windows_per_s": round(statistics.median(ours)),
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
    }


def resident_mb(which):
    """Read "VmRSS", the resident size now, or "VmHWM", its peak, which starts anew with each process (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{which}:\s+(\d+)", status)[1]) / 1024


def measure_memory():
    before = resident_mb("VmRSS")
    torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))]).zero_grad()
    torch_imports = resident_mb("VmHWM") - before  # an optimizer's first step imports torch._dynamo and sympy
    X, y = make_table()
    table = resident_mb("VmHWM") - before
    windows = SlidingWindower(168, HORIZON).fit_transform(X)
    cut = resident_mb("VmHWM") - before
    regressor = LSTMRegressor(64, **ORDINARY).fit(windows, y)
    fitted = resident_mb("VmHWM") - before
    regressor.predict(windows)
    predicted = resident_mb("VmHWM") - before
    peaks = {
        "imports_of_torch_optim": torch_imports,
        "table": table,
        "windows": cut,
        "fit": fitted,
        "predict": predicted,
    }
    array = np.prod(windows.shape) * 4 / 2**20
    print(json.dumps({"window_array_would_take": round(array), **{key: round(value) for key, value in peaks.items()}}))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=Path(__file__).parents[1] / "results")
    parser.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.memory:
        measure_memory()
        return
    X, y = make_table()
    result = {name: compare(X, y, name, options.rounds) for name in SIZES}
    memory = subprocess.run([sys.executable, __file__, "--memory"], capture_output=True, text=True, check=True)
    result["peak MB above imports after"] = json.loads(memory.stdout)
    result["with"] = {
        "skts": skts.__version__,
        "torch": torch.__version__,
        "scikit-learn": sklearn.__version__,
        "skorch": skorch.__version__,
        "python": platform.python_version(),
        "threads": 1,
    }
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "loop.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
