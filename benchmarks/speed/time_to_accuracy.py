"""Wall time to a fixed validation error on wind power and on electricity prices: skts, LightGBM, neuralforecast, darts.

Run: python benchmarks/speed/time_to_accuracy.py [--tasks wind prices] [--seeds 0 1 2] [--contenders skts LightGBM]

It needs the packages of requirements-peers.txt, in any environment, and the data beside the repository (`--data`).
Every run is a process of its own with one thread; pin it to a core from outside (`taskset -c 0`).
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
import warnings
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a checkout that is not installed
from benchmarks._report import DATA_HELP, ROOT, load_json, processor, save_json, versions, write_page
from benchmarks.adapters import Clock, load_adapter, missing_packages
from benchmarks.speed._racers import RACERS
from benchmarks.speed._races import RACES
from benchmarks.speed._standing import draw, make_block
from skts.training import tune_allocator

ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")}
PACKAGES = ("torch", "scikit-learn", "lightgbm", "neuralforecast", "darts")
KEY = ("task", "contender", "seed")
LENGTHS = {"max_epochs", "max_steps", "num_boost_round"}


def make_parser():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help=DATA_HELP)
    parser.add_argument("--tasks", nargs="+", choices=RACES, default=list(RACES), help="both by default")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="a round for each")
    parser.add_argument("--contenders", nargs="+", choices=RACERS, default=list(RACERS), help="all by default")
    parser.add_argument("--add", action="store_true", help="keep what the results file has of other runs")
    parser.add_argument("--quick", action="store_true", help="a smoke test: small tables, short fits")
    parser.add_argument("--output", type=Path, help="where benchmarks/results and docs are (the repository)")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)  # run one contender, print its record
    return parser


def fit(racer, race, kind, seed, **changes):
    """Fit from the table in memory on, and give the clock and the adapter, which forecasts from its marks."""
    settings = racer.settings[kind] | changes
    adapter = load_adapter(racer.library)
    clock = Clock()
    task = race.for_boostings() if racer.library == "LightGBM" else race.for_networks()
    fitted = adapter(task, settings, clock, seed)
    fitted.fit()
    return clock, fitted


def warm_up(racer, race, kind):
    """Fit for a moment, so that no late import is counted."""
    return fit(racer, race, kind, 0, **dict.fromkeys(LENGTHS & racer.settings[kind].keys(), 2))


def run_here(name, kind, seed, options):
    """Warm up, fit, and score what was learned at every mark: the record of one run."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    racer = RACERS[name]
    if racer.tuned:
        tune_allocator()
    warm_up(racer, RACES[kind].load(options.data, quick=True), kind)
    race = RACES[kind].load(options.data, options.quick)
    load, began = os.getloadavg()[0], time.process_time()
    clock, fitted = warm_up(racer, race, kind) if options.quick else fit(racer, race, kind, seed)
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


def run_apart(name, kind, seed, options):
    """Do the same in a fresh process."""
    command = [sys.executable, str(Path(__file__).resolve()), "--one", "--tasks", kind, "--seeds", str(seed)]
    command += ["--contenders", name, *(["--data", str(options.data)] if options.data else [])]
    command += ["--quick"] if options.quick else []
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MALLOC_")} | ONE_THREAD
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
    return json.loads(printed.splitlines()[-1])


def start(options, path):
    """Begin with what the results file has (`--add`), or anew."""
    kept = {"naive": {}, "records": []} | (load_json(path) if options.add else {})
    for kind in options.tasks:
        race = RACES[kind].load(options.data, options.quick)
        kept["naive"][kind] = round(race.score(race.naive()), 6)
    made_with = {"python": platform.python_version(), **versions(*PACKAGES), "processor": processor(), "threads": 1}
    settings = {name: racer.settings for name, racer in RACERS.items() if name != "skts, allocator as it comes"}
    return {"made_with": made_with, "settings": settings, **{key: kept[key] for key in ("naive", "records")}}


def make_blocks(results):
    """Give what fills the page."""
    made = ", ".join(f"{key} {value}" for key, value in results["made_with"].items())
    settings = "\n".join(f"- {name}: `{json.dumps(used)}`" for name, used in results["settings"].items())
    races = "\n\n".join(make_block(results, task) for task in results["naive"])
    return {"the races": races, "the run": f"{made}.\n\n{settings}"}


def main(arguments=None):
    """Race, and write results, picture and page."""
    options = make_parser().parse_args(arguments)
    if options.one:
        print("\n" + json.dumps(run_here(options.contenders[0], options.tasks[0], options.seeds[0], options)))
        return
    missing = sorted({each for name in options.contenders for each in missing_packages(RACERS[name].library)})
    if missing:
        raise SystemExit(f"Missing: {', '.join(missing)} (pip install -r benchmarks/speed/requirements-peers.txt).")
    folder, order = options.output or ROOT, list(RACERS)
    path = folder / "benchmarks" / "results" / "time_to_accuracy.json"
    results = start(options, path)
    for seed in options.seeds:
        for kind in options.tasks:
            for name in (each for each in options.contenders if kind in RACERS[each].settings):
                record = run_apart(name, kind, seed, options)
                records = [each for each in results["records"] if any(each[key] != record[key] for key in KEY)]
                records.append(record)
                results["records"] = sorted(records, key=lambda r: (r["task"], order.index(r["contender"]), r["seed"]))
                (seconds, error), load = record["curve"][-1], record["load"]
                print(f"{kind}, {name}, seed {seed}: {error:.5f} in {seconds:.1f} s (load {load})", flush=True)
                save_json(results, path)  # after each run, so that nothing is lost
    draw(results, RACERS, folder / "docs" / "images" / "time_to_accuracy.png")
    write_page("time_to_accuracy.md", make_blocks(results), folder)


if __name__ == "__main__":
    main()
