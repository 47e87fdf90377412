"""What tune_allocator, precision and rolling do to speed, and to the error on real turbines.

Run: python benchmarks/speed/levers.py [--rounds 5] [--output FOLDER]

One thread. Speed: 10 series x 8,760 rows x 24 features of noise, window 168, batch 64, hidden 64, each pair in turn in
one process, the ratio within each round. Error: the bundled turbines, the last 1,416 hours, blocks of 24 hours, the
weather known, window 168, hidden 32, seeds 0 to 2.
"""

import argparse
import ctypes
import json
import os
import platform
import statistics
import sys
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a checkout that is not installed
from benchmarks._report import RESULTS, save_json
from benchmarks.speed._work import make_panel
from skts import GRURegressor, HistoryPrepender, LSTMRegressor, SlidingWindower
from skts.datasets import load_la_haute_borne
from skts.exceptions import MissingHistoryWarning
from skts.training import tune_allocator

N_SERIES, N_ROWS, N_FEATURES, WINDOW, HORIZON = 10, 8760, 24, 168, 24
KNOWN = ["x0", "x1"]


def undo():
    """Set glibc to where its own adaption ends, which a network of this size reaches at once."""
    libc = ctypes.CDLL(None)
    for parameter, value in ((-4, 65536), (-3, 32 * 2**20), (-1, 64 * 2**20)):
        libc.mallopt(parameter, value)


def fit(X, y, n_windows, regressor=LSTMRegressor, **options):
    """Train on some windows; give windows per second."""
    windows = SlidingWindower(WINDOW, HORIZON, known=KNOWN).fit_transform(X.iloc[: n_windows + WINDOW + HORIZON - 1])
    start = time.perf_counter()
    regressor(64, max_epochs=1, origins_per_pass=1, random_state=0, device="cpu", **options).fit(
        windows, y.iloc[: windows.n_rows]
    )
    return len(windows) / (time.perf_counter() - start)


def predict(windows, regressor, rolling):
    """Forecast every window; give windows per second."""
    start = time.perf_counter()
    regressor.predict(windows, rolling=rolling)
    return len(windows) / (time.perf_counter() - start)


def in_turn(rounds, **sides):
    """Time both sides in turn."""
    rates = {name: [] for name in sides}
    for i in range(rounds + 1):
        for name, side in sides.items():
            rate = side()
            if i:  # the first round warms up
                rates[name].append(rate)
    (_, first), (_, second) = rates.items()
    ratios = [b / a for a, b in zip(first, second, strict=True)]
    return {name: round(statistics.median(values)) for name, values in rates.items()} | {
        "ratio": round(statistics.median(ratios), 2),
        "ratios": [round(ratio, 2) for ratio in ratios],
        "load": [round(load, 1) for load in os.getloadavg()],
    }


def measure_allocator(X, y, rounds):
    def before():
        undo()
        return fit(X, y, 64 * 20)

    def after():
        tune_allocator()
        return fit(X, y, 64 * 20)

    fresh = fit(X, y, 64 * 20), fit(X, y, 64 * 20)
    return {"fresh_process": round(fresh[1])} | in_turn(rounds, before=before, after=after)


def measure_rolling(X, y, rounds):
    found = {}
    for horizon, known in ((1, []), (HORIZON, KNOWN)):
        windower = SlidingWindower(WINDOW, horizon, known=known, stride=97).fit(X)
        regressor = LSTMRegressor(64, max_epochs=1, random_state=0, device="cpu").fit(windower.fit_transform(X), y)
        # one station by windows, all of them statefully: a rate of windows does not depend on their number
        few, all_ = (windower.set_params(stride=1).fit_transform(table) for table in (X.iloc[:N_ROWS], X))
        found[f"horizon {horizon}, {len(known)} known"] = in_turn(
            rounds,
            windows=partial(predict, few, regressor, "windows"),
            stateful=partial(predict, all_, regressor, "stateful"),
        )
    return found


def measure_error():
    X, y = load_la_haute_borne(return_X_y=True)
    mean, scale = X.mean(), X.std()
    new = (X.groupby("turbine").cumcount() >= 17520 - 1416).to_numpy()
    X = (X - mean) / scale
    windower = SlidingWindower(WINDOW, HORIZON, stride=4, known=[name for name in X if name.startswith("era5")])
    training = windower.fit_transform(X[~new])
    testing = windower.transform(HistoryPrepender(WINDOW).fit(X[~new]).transform(X[new]))
    there = y[new].notna().to_numpy()
    found = {}
    for name, options in {"float32": {}, "bf16": {"precision": "bf16"}}.items():
        for seed in range(3):
            start = time.perf_counter()
            regressor = LSTMRegressor(32, max_epochs=8, random_state=seed, device="cpu", **options)
            regressor.fit(training, y[~new])
            seconds = time.perf_counter() - start
            for rolling in ("windows", "stateful"):
                errors = (regressor.predict(testing, rolling=rolling) - y[new].to_numpy())[there]
                entry = found.setdefault(f"{name}, rolling={rolling}", {"mae_kw": [], "rmse_kw": [], "fit_s": []})
                entry["mae_kw"].append(round(float(np.abs(errors).mean()), 1))
                entry["rmse_kw"].append(round(float((errors**2).mean() ** 0.5), 1))
                entry["fit_s"].append(round(seconds, 1))
    return found


def main(arguments=None):
    """Measure every switch."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", MissingHistoryWarning)
    X = make_panel(N_SERIES, N_ROWS, N_FEATURES)
    y = X["x2"]
    rounds = options.rounds
    found = {
        "torch": torch.__version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}",
        "allocator, windows/s of a fit": measure_allocator(X, y, rounds),
    }
    tune_allocator()
    train = partial(fit, X, y)
    for regressor in (LSTMRegressor, GRURegressor):
        found[f"precision, {regressor.__name__}, windows/s of a fit"] = in_turn(
            rounds, float32=partial(train, 1280, regressor), bf16=partial(train, 1280, regressor, precision="bf16")
        )
    found["rolling, windows/s of predict"] = measure_rolling(X, y, rounds)
    found["error on the bundled turbines"] = measure_error()
    print(json.dumps(found, indent=1))
    save_json(found, options.output / "levers.json")


if __name__ == "__main__":
    main()
