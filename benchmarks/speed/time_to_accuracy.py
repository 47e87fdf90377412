"""Wall time to a fixed validation error on wind power and on electricity prices: skts, LightGBM, neuralforecast, darts.

Run: python benchmarks/speed/time_to_accuracy.py [--tasks wind prices] [--seeds 0 1 2] [--contenders skts LightGBM]

It needs the packages of requirements-peers.txt, in any environment, and the data beside the repository (`--data`).
Every run is a process of its own with one thread; pin it to a core from outside (`taskset -c 0`).
"""

import json
import os
import sys
import time
import warnings
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a checkout that is not installed
from benchmarks._report import Parser, load_json, made_with, results_file, save_json, write_page
from benchmarks.adapters import Clock, load_adapter, missing_packages
from benchmarks.speed._racers import RACERS
from benchmarks.speed._races import RACES
from benchmarks.speed._standing import draw, make_block
from benchmarks.speed._worker import start_process
from skts.training import tune_allocator

PACKAGES = ("torch", "scikit-learn", "lightgbm", "neuralforecast", "darts")
KEY = ("task", "contender", "seed")
LENGTHS = {"max_epochs", "max_steps", "num_boost_round"}


def fit(racer, race, kind, seed, **changes):
    """Fit from the table in memory on, and give the clock and the adapter, which forecasts from its marks."""
    adapter = load_adapter(racer.library)
    clock = Clock()
    task = race.for_boostings() if racer.library == "LightGBM" else race.for_networks()
    fitted = adapter(task, racer.settings[kind] | changes, clock, seed)
    fitted.fit()
    return clock, fitted


def run(name, kind, seed, data, quick):
    """Warm up, fit, and score what was learned at every mark: the record of one run, in a process of its own."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    racer = RACERS[name]
    if racer.tuned:
        tune_allocator()
    short = dict.fromkeys(LENGTHS & racer.settings[kind].keys(), 2)
    fit(racer, RACES[kind].load(data, quick=True), kind, 0, **short)  # so that no late import is counted
    race = RACES[kind].load(data, quick)
    load, began = os.getloadavg()[0], time.process_time()
    clock, fitted = fit(racer, race, kind, seed, **(short if quick else {}))
    cpu_seconds = time.process_time() - began
    curve = []
    for seconds, learned in clock.marks:
        began = time.perf_counter()
        forecasts = fitted.forecast(learned)
        forecast_seconds = time.perf_counter() - began
        curve.append((round(seconds, 3), round(race.score(forecasts), 6)))
    return {
        **dict(zip(KEY, (kind, name, seed), strict=True)),
        "curve": curve,
        "cpu_seconds": round(cpu_seconds, 2),
        "forecast_seconds": round(forecast_seconds, 2),
        "load": round(load, 1),
    }


def start(options, path):
    """Begin with what the results file has (`--add`), or anew."""
    kept = {"naive": {}, "records": []} | (load_json(path) if options.add else {})
    for kind in options.tasks:
        race = RACES[kind].load(options.data, options.quick)
        kept["naive"][kind] = round(race.score(race.naive()), 6)
    settings = {name: racer.settings for name, racer in RACERS.items() if name != "skts, allocator as it comes"}
    return kept | {"made_with": made_with(*PACKAGES) | {"threads": 1}, "settings": settings}


def make_blocks(results):
    """Give what fills the page."""
    made = ", ".join(f"{key} {value}" for key, value in results["made_with"].items())
    settings = "\n".join(f"- {name}: `{json.dumps(used)}`" for name, used in results["settings"].items())
    races = "\n\n".join(make_block(results, task) for task in results["naive"])
    return {"the races": races, "the run": f"{made}.\n\n{settings}"}


def main(arguments=None):
    """Race, and write results, picture and page."""
    parser = Parser(__doc__, data=True, seeds=(0, 1, 2))
    parser.add_choice("--tasks", RACES)
    parser.add_choice("--contenders", RACERS)
    parser.add_argument("--add", action="store_true", help="keep what the results file has of other runs")
    options = parser.parse_args(arguments)
    missing = sorted({each for name in options.contenders for each in missing_packages(RACERS[name].library)})
    if missing:
        raise SystemExit(f"Missing: {', '.join(missing)} (pip install -r benchmarks/speed/requirements-peers.txt).")
    order, path = list(RACERS), results_file(options.output, "time_to_accuracy")
    results = start(options, path)
    runs = [(name, kind, seed) for seed in options.seeds for kind in options.tasks for name in options.contenders]
    for name, kind, seed in runs:
        if kind not in RACERS[name].settings:
            continue
        with start_process() as process:
            record = process.submit(run, name, kind, seed, options.data, options.quick).result()
        records = [each for each in results["records"] if any(each[key] != record[key] for key in KEY)] + [record]
        results["records"] = sorted(records, key=lambda r: (r["task"], order.index(r["contender"]), r["seed"]))
        (seconds, error), load = record["curve"][-1], record["load"]
        print(f"{kind}, {name}, seed {seed}: {error:.5f} in {seconds:.1f} s (load {load})", flush=True)
        save_json(results, path)  # after each run, so that nothing is lost
    draw(results, RACERS, options.output / "docs" / "images" / "time_to_accuracy.png")
    write_page("time_to_accuracy.md", make_blocks(results), options.output)


if __name__ == "__main__":
    main()
