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
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT))  # a checkout that is not installed

from contest._contenders import CONTENDERS  # noqa: E402
from contest._page import draw, make_page  # noqa: E402
from contest._tasks import TASKS  # noqa: E402

from skts import tune_allocator  # noqa: E402

ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")}
VERSIONS = ("torch", "scikit-learn", "skts", "lightgbm", "neuralforecast", "darts")
KEY = ("task", "contender", "seed")


def make_parser():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder of the data sets (default: ../shared/data)")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS), help="both by default")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="a round for each")
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), help="all by default")
    parser.add_argument("--add", action="store_true", help="keep what the results file has of other runs")
    parser.add_argument("--quick", action="store_true", help="a smoke test: small tables, short fits")
    parser.add_argument("--output", type=Path, help="where benchmarks/results and docs are (the repository)")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)  # run one contender, print its record
    return parser


def load_task(name, options, quick=False):
    """Read the data of a task."""
    task = TASKS[name]
    file = task.file if options.data is None else options.data / task.file.parent.name / task.file.name
    if not file.exists():
        raise SystemExit(f"{file} is not here: give the folder of the data sets by --data.")
    return task.load(file, quick or options.quick)


def run_here(name, kind, seed, options):
    """Warm up, fit, and score what was learned at every mark: the record of one run."""
    import torch

    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    contender = CONTENDERS[name]
    if contender.tuned:
        tune_allocator()
    contender.warm_up(load_task(kind, options, quick=True), kind)
    task = load_task(kind, options)
    load, began = os.getloadavg()[0], time.process_time()
    clock, forecast = contender.fit(task, kind, seed) if not options.quick else contender.warm_up(task, kind)
    cpu_seconds = time.process_time() - began
    curve = []
    for seconds, weights in clock.marks:
        began = time.perf_counter()
        forecasts = forecast(weights)
        forecast_seconds = time.perf_counter() - began
        curve.append((round(seconds, 3), round(task.score(forecasts), 6)))
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
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
    return json.loads(told.splitlines()[-1])


def start(options, path):
    """Begin with what the results file has (`--add`), or anew."""
    kept = json.loads(path.read_text()) if options.add and path.exists() else {"naive": {}, "records": []}
    for kind in options.tasks:
        task = load_task(kind, options)
        kept["naive"][kind] = round(task.score(task.naive()), 6)
    packages = {name: version(name) for name in VERSIONS if name != "skts" and is_here(name)}
    made_with = {"python": platform.python_version(), **packages, "processor": processor(), "threads": 1}
    settings = {name: CONTENDERS[name].settings for name in CONTENDERS if name != "skts, allocator as it comes"}
    return {"made_with": made_with, "settings": settings, **{key: kept[key] for key in ("naive", "records")}}


def is_here(name):
    try:
        return bool(version(name))
    except ImportError:
        return False


def processor():
    """Name the processor, where the system tells."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


def main():
    options = make_parser().parse_args()
    if options.one:
        print("\n" + json.dumps(run_here(options.contenders[0], options.tasks[0], options.seeds[0], options)))
        return
    missing = sorted({each for name in options.contenders for each in CONTENDERS[name].missing()})
    if missing:
        raise SystemExit(f"Missing: {', '.join(missing)} (pip install -r benchmarks/speed/requirements-peers.txt).")
    folder = options.output or ROOT
    path = folder / "benchmarks" / "results" / "time_to_accuracy.json"
    results = start(options, path)
    for seed in options.seeds:
        for kind in options.tasks:
            for name in (each for each in options.contenders if kind in CONTENDERS[each].settings):
                record = run_apart(name, kind, seed, options)
                others = [each for each in results["records"] if any(each[key] != record[key] for key in KEY)]
                results["records"] = [*others, record]
                (seconds, error), load = record["curve"][-1], record["load"]
                print(f"{kind}, {name}, seed {seed}: {error:.5f} in {seconds:.1f} s (load {load})", flush=True)
                save(results, path)
    publish(results, folder)


def save(results, path):
    """Write the results: after each run, so that nothing is lost."""
    order = list(CONTENDERS)
    results["records"].sort(key=lambda each: (each["task"], order.index(each["contender"]), each["seed"]))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n")


def publish(results, folder):
    """Write the page and its picture."""
    page = folder / "docs" / "time_to_accuracy.md"
    draw(results, page.parent / "images" / "time_to_accuracy.png")
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(make_page(results).lstrip(), encoding="utf-8")


if __name__ == "__main__":
    main()
