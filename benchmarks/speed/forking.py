"""What `origins_per_pass` does to the error, and to the time until an error is reached, on three data sets.

Run: python benchmarks/speed/forking.py [--seeds 0 1 2 3 4] [--sets turbines prices farms] [--data FOLDER]

Ordinary training takes 64 windows a step. The others teach 4 or 24 windows by one pass, at as many windows a step or at
more of them; network, learning rate (one cycle) and windows are the same. Each is trained afresh for several lengths,
in quarters of an epoch, so that errors can be compared at equal numbers of targets and at equal times. The error is
measured on the months after those that train, never on the months of a published test. One thread, arms in turn within
a seed, `skts.training.tune_allocator()`.
"""

import os
import statistics
import sys
import time
import warnings
from itertools import product
from pathlib import Path

import numpy as np
import torch
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a checkout that is not installed
from benchmarks._report import Parser, data_file, made_with, markdown, results_file, save_json
from benchmarks.accuracy import epf, gefcom2014
from benchmarks.accuracy._fits import half_interval
from skts import HistoryPrepender, LSTMRegressor, SlidingWindower
from skts.datasets import load_la_haute_borne
from skts.exceptions import MissingHistoryWarning
from skts.features import CalendarFeatures, WindFeatures
from skts.metrics import mean_quantile_loss
from skts.training import tune_allocator

LEVELS = tuple(np.arange(1, 10) / 10)
ARMS = {  # windows of a step, origins of a pass
    "64 windows": (64, 1),
    "16 passes of 4": (64, 4),
    "3 passes of 24": (72, 24),
    "16 passes of 24": (384, 24),
}
ORDINARY = "64 windows"
QUARTERS = (1, 3, 6, 12)  # of an epoch
MORE_QUARTERS = (*QUARTERS, 24)  # for steps of more than 100 windows, of which there are fewer


def load_turbines(data):
    """Four turbines: weather known, a day ahead, kW."""
    X, _ = load_la_haute_borne(return_X_y=True)
    X = CalendarFeatures(["hour"]).fit_transform(WindFeatures("era5_u100", "era5_v100").fit_transform(X))
    times = X.index.get_level_values("time")
    return X, "power_kw", times < "2015-07-01", (times >= "2015-07-01") & (times < "2015-11-01")


def load_prices(data):
    """Nord Pool: nothing known ahead, prices in standard deviations."""
    X = epf.load(data_file(data, epf.FILE))["NP"]
    X = CalendarFeatures(["hour", "weekday", "year"]).fit_transform(X)
    share = np.arange(len(X)) / len(X)
    return X, "price", share < 0.6, (share >= 0.6) & (share < 0.7)


def load_farms(data):
    """Ten wind farms: weather known, nine quantiles of the normalised power."""
    table = gefcom2014.load(data_file(data, gefcom2014.FILE))
    table = table[[name for name in table if table[name].dtype.kind == "f"]]
    table = WindFeatures(["u10", "u100"], ["v10", "v100"], features=["speed"]).fit_transform(table)
    times = table.index.get_level_values(1)
    return table, "power", times <= "2012-10-01", (times > "2012-10-01") & (times <= "2013-01-01")


SETS = {
    "turbines": {"load": load_turbines, "window": 168, "known": True, "hidden_size": 32, "digits": 1},
    "prices": {"load": load_prices, "window": 168, "known": False, "hidden_size": 64, "digits": 3},
    "farms": {"load": load_farms, "window": 48, "known": True, "hidden_size": 32, "quantiles": LEVELS, "digits": 4},
}


def cut(table, target, train, test, window, *, known=True, stride=1):
    """Scale with the rows that train; give windows and target to train on, and windows and target to forecast."""
    scaled = StandardScaler().set_output(transform="pandas").fit(table[train]).transform(table)
    ahead = [column for column in table if column != target] if known else None
    windower = SlidingWindower(window, 24, known=ahead, stride=stride)
    training = windower.fit_transform(scaled[train])
    new = HistoryPrepender(window).fit(scaled[train]).transform(scaled[test])
    return training, table.loc[train, target], windower.transform(new), table.loc[test, target]


def train(size, arm, seed, parts, quarters):
    """Train for some quarters of an epoch: the seconds that took, and the error where there is a truth."""
    training, y, testing, y_test = parts
    batch_size, n_origins = ARMS[arm]
    regressor = LSTMRegressor(
        size["hidden_size"],
        dropout=0.1,
        max_epochs=quarters,
        lr=5e-3,
        lr_schedule="one_cycle",
        batch_size=batch_size,
        origins_per_pass=n_origins,
        subsample=0.25,
        quantiles=size.get("quantiles"),
        random_state=seed,
        device="cpu",
    )
    start = time.perf_counter()
    regressor.fit(training, y)
    seconds = time.perf_counter() - start
    there = y_test.notna().to_numpy()
    truth = y_test[there].to_numpy()
    if regressor.quantiles is None:
        return seconds, float(np.abs(regressor.predict(testing)[there] - truth).mean())
    forecasts = regressor.predict(testing, quantiles=LEVELS)[there]
    return seconds, float(mean_quantile_loss(truth, forecasts, quantiles=LEVELS))


def interval(values):
    return {"mean": statistics.mean(values), "half_interval": half_interval(values)}


def seconds_until(points, error):
    """When the best error so far, between one length and the next as by a line, is as low as this; None if never."""
    for (before, high), (after, low) in zip([(0.0, np.inf), *points[:-1]], points, strict=True):
        if low <= error:
            return after if np.isinf(high) else before + (after - before) * (high - error) / (high - low)
    return None


def summarise(runs):
    """Compare each arm, at each length, with ordinary training."""
    points = {
        arm: [
            (statistics.median(seconds), statistics.mean(errors)) for seconds, errors in map(columns, lengths.values())
        ]
        for arm, lengths in runs.items()
    }
    best = min(error for _, error in points[ORDINARY])
    usual = seconds_until(points[ORDINARY], best)
    rows = {}
    for arm, lengths in runs.items():
        reached = seconds_until(points[arm], best)
        rows[arm] = {
            "lengths": {quarters: compare(done, runs[ORDINARY].get(quarters)) for quarters, done in lengths.items()},
            "seconds to the best error of 64 windows": reached,
            "times as fast": usual / reached if reached else None,
        }
    return rows


def columns(done):
    """Give the seconds, and the errors, of all seeds."""
    return tuple(zip(*done, strict=True))


def compare(done, usual):
    """Give seconds and error of an arm at one length, and how far that is from ordinary training, seed by seed."""
    seconds, errors = columns(done)
    difference = None
    if usual is not None:
        difference = interval([error - other for error, other in zip(errors, columns(usual)[1], strict=True)])
    return {"seconds": statistics.median(seconds), "error": interval(errors), "difference": difference}


def run(name, options):
    """Do one data set."""
    size = SETS[name]
    table, target, is_train, is_test = size["load"](options.data)
    if options.quick:
        is_train = is_train & (np.arange(len(table)) % 8000 < 600)
    parts = cut(table, target, is_train, is_test, size["window"], known=size["known"])
    runs = {arm: {} for arm in options.arms}
    for seed, arm in product(options.seeds, options.arms):
        for quarters in (1, 2) if options.quick else MORE_QUARTERS if ARMS[arm][0] > 100 else QUARTERS:
            runs[arm].setdefault(quarters, []).append(train(size, arm, seed, parts, quarters))
            print(name, seed, arm, quarters, runs[arm][quarters][-1], os.getloadavg()[0], flush=True)
    return {"windows": len(parts[0]), "arms": summarise(runs), "runs of (seconds, error)": runs}


def as_markdown(found):
    """Make one table: a row for each data set and arm, a column for each length."""
    arms = [(name, arm, row) for name, result in found.items() for arm, row in result["arms"].items()]
    lengths = list(dict.fromkeys(quarters for _, _, row in arms for quarters in row["lengths"]))
    rows = []
    for name, arm, row in arms:
        cells = [as_cell(row["lengths"].get(quarters), SETS[name]["digits"]) for quarters in lengths]
        fast = row["times as fast"]
        rows.append([name, arm, *cells, f"{fast:.1f}" if fast else "not reached"])
    return markdown(["", "a step", *(f"{int(q) / 4:g} epochs" for q in lengths), "times as fast"], rows)


def as_cell(entry, digits):
    """Say error, half of its interval and seconds."""
    if entry is None:
        return ""
    error = entry["error"]
    return f"{error['mean']:.{digits}f} ± {error['half_interval']:.{digits}f}, {entry['seconds']:.1f} s"


def main(arguments=None):
    """Measure the sets that are asked for."""
    parser = Parser(__doc__, data=True, seeds=range(5))
    parser.add_choice("--sets", SETS)
    parser.add_choice("--arms", ARMS)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    tune_allocator()
    warnings.simplefilter("ignore", MissingHistoryWarning)
    found = {name: run(name, options) for name in options.sets}
    print(as_markdown(found))
    found["with"] = made_with("torch") | {"capability": torch.backends.cpu.get_cpu_capability()}
    save_json(found, results_file(options.output, "forking"))


if __name__ == "__main__":
    main()
