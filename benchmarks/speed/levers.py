"""What tune_allocator, precision and rolling do to speed, and to the error on real turbines.

Run: python benchmarks/speed/levers.py [--rounds 5] [--output FOLDER]

One thread. Speed: 10 series x 8,760 rows x 24 features of noise, window 168, batch 64, hidden 64, each pair in turn in
one process, the ratio within each round. Error: the bundled turbines, the last 1,416 hours, blocks of 24 hours, the
weather known, window 168, hidden 32, seeds 0 to 2. Where a processor cannot train a network in bfloat16, that is said.
"""

import ctypes
import json
import os
import statistics
import sys
import time
import warnings
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a checkout that is not installed
from benchmarks._report import Parser, made_with, results_file, save_json
from benchmarks.speed._work import make_panel
from benchmarks.speed.forking import cut
from skts import GRURegressor, LSTMRegressor, SlidingWindower
from skts.datasets import load_la_haute_borne
from skts.exceptions import MissingHistoryWarning
from skts.training import tune_allocator

WINDOW, HORIZON = 168, 24
KNOWN = ["x0", "x1"]
N_WINDOWS = 64 * 20
N_TEST = 59 * 24


def undo():
    """Set glibc to where its own adaption ends, which a network of this size reaches at once."""
    libc = ctypes.CDLL(None)
    for parameter, value in ((-4, 65536), (-3, 32 * 2**20), (-1, 64 * 2**20)):
        libc.mallopt(parameter, value)


def why_no_bf16(regressor):
    """Say why a network cannot be trained in bfloat16 on this processor; None where it can."""
    try:
        regressor(2, max_epochs=1, precision="bf16", device="cpu").fit(np.eye(4), np.arange(4.0))
    except ValueError as error:
        return str(error)
    return None


def train(X, n_windows=N_WINDOWS, regressor=LSTMRegressor, prepare=None, **options):
    """Train on some windows; give windows per second."""
    if prepare is not None:
        prepare()
    X = X.iloc[: n_windows + WINDOW + HORIZON - 1]
    windows = SlidingWindower(WINDOW, HORIZON, known=KNOWN).fit_transform(X)
    start = time.perf_counter()
    usual = {"max_epochs": 1, "origins_per_pass": 1, "random_state": 0, "device": "cpu"}
    regressor(64, **usual, **options).fit(windows, X["x2"])
    return len(windows) / (time.perf_counter() - start)


def predict(windows, regressor, rolling):
    """Forecast every window; give windows per second."""
    start = time.perf_counter()
    regressor.predict(windows, rolling=rolling)
    return len(windows) / (time.perf_counter() - start)


def in_turn(rounds, **sides):
    """Time both sides in turn, and take the ratio of the second to the first within each round."""
    rates = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name, side in sides.items():
            rate = side()
            if number:  # the first round warms up
                rates[name].append(rate)
    ratios = [second / first for first, second in zip(*rates.values(), strict=True)]
    return {name: round(statistics.median(values)) for name, values in rates.items()} | {
        "ratio": round(statistics.median(ratios), 2),
        "ratios": [round(ratio, 2) for ratio in ratios],
        "load": [round(load, 1) for load in os.getloadavg()],
    }


def measure_allocator(X, rounds, n_windows):
    """Train without the lever and with it, and before either, as a fresh process does."""
    side = partial(train, X, n_windows)
    fresh = [side(), side()]
    pair = in_turn(rounds, before=partial(side, prepare=undo), after=partial(side, prepare=tune_allocator))
    return {"fresh_process": round(fresh[1])} | pair


def measure_precision(X, rounds, n_windows, regressor):
    """Train in float32 and in bfloat16."""
    if reason := why_no_bf16(regressor):
        return {"left out": reason}
    side = partial(train, X, n_windows, regressor)
    return in_turn(rounds, float32=side, bf16=partial(side, precision="bf16"))


def measure_rolling(X, rounds):
    """Forecast from each row, by windows and statefully, without a decoder and with one."""
    found = {}
    for horizon, known in ((1, []), (HORIZON, KNOWN)):
        windower = SlidingWindower(WINDOW, horizon, known=known, stride=97)
        regressor = LSTMRegressor(64, max_epochs=1, random_state=0, device="cpu")
        regressor.fit(windower.fit_transform(X), X["x2"])
        windower.set_params(stride=1)
        # one station by windows, all of them statefully: a rate of windows does not depend on their number
        tables = {"windows": X.loc[[0]], "stateful": X}
        sides = {name: partial(predict, windower.fit_transform(X), regressor, name) for name, X in tables.items()}
        found[f"horizon {horizon}, {len(known)} known"] = in_turn(rounds, **sides)
    return found


def measure_error(quick):
    """Train on the turbines in both precisions, and forecast both ways: errors in kW, a value for each seed."""
    table, _ = load_la_haute_borne(return_X_y=True)
    if quick:
        table = table.groupby("turbine").tail(N_TEST + 30 * 24)
    is_new = (table[::-1].groupby("turbine").cumcount()[::-1] < N_TEST).to_numpy()
    training, y, testing, y_new = cut(table, "power_kw", ~is_new, is_new, WINDOW, stride=4)
    found = {}
    for precision, seed in product(("float32", "bf16"), (0,) if quick else range(3)):
        if precision == "bf16" and (reason := why_no_bf16(LSTMRegressor)):
            return found | {"bf16": {"left out": reason}}
        start = time.perf_counter()
        epochs = 1 if quick else 8
        regressor = LSTMRegressor(32, max_epochs=epochs, random_state=seed, device="cpu", precision=precision)
        regressor.fit(training, y)
        seconds = time.perf_counter() - start
        for rolling in ("windows", "stateful"):
            errors = (y_new - regressor.predict(testing, rolling=rolling)).dropna()
            scores = {"mae_kw": errors.abs().mean(), "rmse_kw": (errors**2).mean() ** 0.5, "fit_s": seconds}
            entry = found.setdefault(f"{precision}, rolling={rolling}", {name: [] for name in scores})
            for name, value in scores.items():
                entry[name].append(round(value, 1))
    return found


def main(arguments=None):
    """Measure every switch."""
    options = Parser(__doc__, rounds=5).parse_args(arguments)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", MissingHistoryWarning)
    rounds, n_windows = (1, 64) if options.quick else (options.rounds, N_WINDOWS)
    X = make_panel(10, 500 if options.quick else 8760, 24)
    found = {"with": made_with("torch") | {"capability": torch.backends.cpu.get_cpu_capability()}}
    found["allocator, windows/s of a fit"] = measure_allocator(X, rounds, n_windows)
    tune_allocator()
    for regressor in (LSTMRegressor, GRURegressor):
        name = f"precision, {regressor.__name__}, windows/s of a fit"
        found[name] = measure_precision(X, rounds, n_windows, regressor)
    found["rolling, windows/s of predict"] = measure_rolling(X, rounds)
    found["error on the bundled turbines"] = measure_error(options.quick)
    print(json.dumps(found, indent=1))
    save_json(found, results_file(options.output, "levers"))


if __name__ == "__main__":
    main()
