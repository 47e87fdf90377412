"""What it takes to join two years of runs of three weather providers: seconds, and memory at its highest.

Run: python benchmarks/speed/join_runs.py [--rounds 5]

Ten stations, two years, four runs a day of 72 hourly leads, three providers of eight float32 columns each, joined for
every run of the first as an origin. Each round is a process of its own, so that the highest memory is that of the join:
the most that the process held, less what it held with the forecasts in memory. "in order" has constant delays; "late"
has a delay for each run, of which some arrive after their successor, and some runs and times missing.
"""

import json
import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a checkout that is not installed
from benchmarks._report import Parser, made_with, markdown, results_file, save_json, spread
from skts.exceptions import MissingRunsWarning
from skts.weather import join_runs

PROVIDERS = ("ecmwf", "gfs", "icon")
COLUMNS = ("u10", "v10", "u100", "v100", "t2m", "tcc", "ssrd", "tp")
N_STATIONS, N_DAYS, RUNS_A_DAY, N_LEADS = 10, 730, 4, 72
CASES = ("in order", "late")


def make_forecasts(n_days, case, seed):
    """Make the runs of one provider, sorted as files are."""
    rng = np.random.default_rng(seed)
    runs = pd.date_range("2022-01-01", periods=n_days * RUNS_A_DAY, freq="6h")
    times = pd.date_range(runs[0], runs[-1] + pd.Timedelta(N_LEADS - 1, "h"), freq="h")
    station, run, lead = (part.ravel() for part in np.indices((N_STATIONS, len(runs), N_LEADS)))
    codes = [station, run, 6 * run + lead]
    if case == "late":
        keep = (rng.random(len(runs)) > 0.01)[run] & (rng.random(len(run)) > 0.01)
        codes = [code[keep] for code in codes]
    names = [f"station_{i}" for i in range(N_STATIONS)]
    index = pd.MultiIndex(levels=[names, runs, times], codes=codes, names=["station", "run", "time"])
    values = rng.standard_normal((len(COLUMNS), len(index)), dtype=np.float32)
    delay = pd.Series(pd.to_timedelta(5 + 8 * (rng.random(len(runs)) < 0.05), unit="h"), index=runs)
    return pd.DataFrame(values.T, index=index, columns=list(COLUMNS), copy=False), delay


def measure(n_days, case):
    """Join once: rows, columns, seconds, and megabytes before, at the highest and of the table."""
    made = {name: make_forecasts(n_days, case, seed) for seed, name in enumerate(PROVIDERS)}
    forecasts = {name: frame for name, (frame, _) in made.items()}
    delay = {name: late for name, (_, late) in made.items()} if case == "late" else "5h"
    origins = next(iter(forecasts.values())).index.levels[1]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    warnings.simplefilter("ignore", MissingRunsWarning)
    start, began = time.perf_counter(), time.process_time()
    table = join_runs(forecasts, origins=origins, horizon=N_LEADS, delay=delay)
    seconds, busy = time.perf_counter() - start, time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "rows": len(table),
        "columns": table.shape[1],
        "rows of a provider": len(forecasts[PROVIDERS[0]]),
        "seconds": seconds,
        "seconds of the processor": busy,
        "MB of the forecasts": sum(frame.memory_usage().sum() for frame in forecasts.values()) / 1e6,
        "MB of the table": table.memory_usage().sum() / 1e6,
        "MB more at the highest": (peak - before) * 1024 / 1e6,
    }


def run(n_days, case):
    """Join in a process of its own."""
    code = "import sys, json; from benchmarks.speed import join_runs as j; print(json.dumps(j.measure(%d, %r)))"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code % (n_days, case)], cwd=root, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def summarise(rounds):
    """Give the spread over the rounds of what was timed and of the memory, and what is the same in all."""
    timed = ("seconds", "seconds of the processor", "MB more at the highest")
    return {key: spread([one[key] for one in rounds]) if key in timed else rounds[0][key] for key in rounds[0]}


def as_markdown(found):
    """Make one table."""
    rows = [
        [
            case,
            f"{result['rows']:,} x {result['columns']}",
            f"{result['seconds']['median']:.1f}",
            f"{result['seconds of the processor']['median']:.1f}",
            f"{result['MB of the forecasts']:,.0f}",
            f"{result['MB of the table']:,.0f}",
            f"{result['MB more at the highest']['median']:,.0f}",
        ]
        for case, result in found.items()
    ]
    return markdown(
        [
            "",
            "table",
            "seconds",
            "of the processor",
            "MB of the forecasts",
            "MB of the table",
            "MB more at the highest",
        ],
        rows,
    )


def main(arguments=None):
    """Measure both cases, in turn."""
    parser = Parser(__doc__, rounds=5)
    options = parser.parse_args(arguments)
    n_days, n_rounds = (20, 1) if options.quick else (N_DAYS, options.rounds)
    rounds = {case: [] for case in CASES}
    for _ in range(n_rounds):
        for case in CASES:
            rounds[case].append(run(n_days, case))
            print(case, rounds[case][-1], flush=True)
    found = {case: summarise(done) for case, done in rounds.items()}
    print(as_markdown(found))
    save_json(found | {"with": made_with("numpy", "pandas")}, results_file(options.output, "join_runs"))


if __name__ == "__main__":
    main()
