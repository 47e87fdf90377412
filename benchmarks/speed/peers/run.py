"""Speed and memory beside a hand-written loop, skorch, darts and neuralforecast.

Run: python benchmarks/speed/peers/run.py [--python .venv-peers/bin/python] [--rounds 5] [--output FOLDER]

`make peers` makes the environment that `--python` names by default, with the versions of `requirements.txt`. Every
contender has a process of its own; they take turns, so that none runs beside another, and ratios are taken within a
round. Each is first counted: as many steps, windows, rows, columns, units, the same optimizer, as `_rounds.py` asserts.
"""

import argparse
import json
import os
import platform
import subprocess
import tempfile
from pathlib import Path

from _page import write_page
from _rounds import OURS, measure
from _work import N_ROWS, Work
from _workers import ROOT, Worker

LARGE, MEDIUM, SMALL = (64, 168, 64), (32, 48, 64), (16, 24, 32)  # hidden, window, batch
STEPS = {LARGE: (20, 2, 200), MEDIUM: (100, 4, 400), SMALL: (400, 5, 500)}  # of a round, of a costly one; origins
PEERS = ["loop by hand", "skorch", "darts", "neuralforecast, one series", "neuralforecast, ten series"]
SIDES = [*((name, False) for name in (*OURS, *PEERS)), *((name, True) for name in OURS)]
GROWTH = {"skts": (1, 10, 100), "skts, forking": (1, 10, 100), "loop by hand": (1, 10, 100), "darts": (1, 10)}
GROWTH |= {"skorch": (1, 10), "neuralforecast, one series": (1, 10)}


def measure_memory(python, log, stop_after):
    """Let each contender hold all windows of the panel, train some steps, and forecast, in a fresh process."""
    n_steps = 10 * N_ROWS  # more than there are windows: a stride of 1
    work = Work(*LARGE, 24, n_steps, 2, 50, stop_after=stop_after)
    found = {}
    for contender in ("skts", "skts, forking", *PEERS):
        with Worker(python, contender, False, log) as worker:
            answers = [worker.imported, worker.take(work), worker.ask("fit"), worker.ask("forecast")]
        found[contender] = {key: value for answer in answers for key, value in answer.items() if "_s" not in key}
        print("memory", contender, found[contender], flush=True)
    return found


def measure_growth(python, log):
    """Let contenders train an epoch at a stride of 24 on tables of more and more rows (ours forking: at 1)."""
    found = []
    for contender, factors in GROWTH.items():
        for factor in factors:
            n_rows = factor * N_ROWS
            n_steps = 10 * (n_rows - SMALL[1] - 24) // 24 // SMALL[2]
            work = Work(*SMALL, 1, n_steps, 2, 50, n_rows=n_rows)
            with Worker(python, contender, False, log) as worker:
                answers = [worker.imported, worker.take(work), worker.ask("fit")]
            found.append({"contender": contender, "rows": 10 * n_rows, "windows": work.n_windows})
            found[-1] |= {key: value for answer in answers for key, value in answer.items()}
            print("growth", found[-1], flush=True)
    return found


def versions(python):
    """Say which versions the environment has."""
    names = ("torch", "numpy", "pandas", "scikit-learn", "skorch", "darts", "neuralforecast", "pytorch-lightning")
    code = f"import importlib.metadata as m; print({{n: m.version(n) for n in {names}}})"
    answer = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    if answer.returncode:
        raise SystemExit(
            f"{python} lacks a peer: run `make peers`, or name another with --python.\n{answer.stderr[-300:]}"
        )
    return json.loads(answer.stdout.replace("'", '"'))


def processor():
    """Name the processor (Linux)."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(": ")[1]
    return platform.processor()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=str(ROOT / ".venv-peers" / "bin" / "python"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a smoke test of our own sides and the loop")
    parser.add_argument("--output", type=Path, default=ROOT, help="where benchmarks/results and docs are")
    options = parser.parse_args()
    options.python = os.path.abspath(options.python)  # a link is not followed: it names the environment
    results = options.output / "benchmarks" / "results" / "peers.json"
    results.parent.mkdir(parents=True, exist_ok=True)
    found = {"processor": processor(), "cores": os.cpu_count()}
    if not options.quick:
        found["versions"] = versions(options.python)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        if options.quick:
            sides = [(name, False) for name in (*OURS, "loop by hand")]
            works = [Work(4, 6, 8, 1, 4, 1, 5, n_rows=60)]
        else:
            sides = SIDES
            works = [Work(*size, n_features, *STEPS[size]) for size in STEPS for n_features in (24, 1)]
        found["rounds"] = []
        for work in works:
            found["rounds"].append(measure(options.python, work, sides, options.rounds, log))
            results.write_text(json.dumps(found, indent=1) + "\n")
            print(work.name, os.getloadavg(), flush=True)
        if not options.quick:
            found["memory"] = measure_memory(options.python, log, stop_after=20)
            found["growth"] = measure_growth(options.python, log)
            results.write_text(json.dumps(found, indent=1) + "\n")
            write_page(found, options.output / "docs" / "speed_peers.md")


if __name__ == "__main__":
    main()
