"""Ours beside a loop by hand, skorch, darts and neuralforecast: speed, memory, and how they grow.

Run: python benchmarks/speed/peers.py [--rounds 5] [--python INTERPRETER] [--only PART ...] [--output FOLDER]

Without `--python` the peers are installed once, with exact pins, into `.venv-peers`. Every contender has a process of
its own with one thread; they take turns, so that no two run at once. Each part is saved when it is done, and
the tables go to `docs/speed_peers.md`.
"""

import argparse
import os
import platform
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a checkout that is not installed
from benchmarks._report import ROOT, load_json, processor, save_json, spread, write_page
from benchmarks.speed._peers_tables import make_blocks
from benchmarks.speed._work import CONTENDERS, HORIZON, N_ROWS, N_SERIES, OURS, SIZES, Work, check_sameness, make_work
from benchmarks.speed._worker import Worker

Side = tuple[str, bool]  # a contender, and whether its process is tuned
SIDES: list[Side] = [*((name, False) for name in CONTENDERS), ("skts", True), ("skts, forking", True)]
PROFILED: list[Side] = [(name, tuned) for name in ("skorch", "skts") for tuned in (False, True)]
PARTS = ("speed", "profile", "memory", "growth")
_PACKAGES = ("torch", "neuralforecast", "darts", "skorch", "scikit-learn", "pandas", "numpy", "pytorch-lightning")
_STEPS_FOR_MEMORY = 20


def measure_speed(workers: dict[Side, Worker], work: Work, n_rounds: int) -> dict[str, Any]:
    """Let every side train and forecast, in turn, `n_rounds` times.

    Returns
    -------
    found : dict
        "checked" what each did, counted; "rounds" the rates of each round (targets per second of the training loop,
        forecasts per second, seconds of set-up), by side; "load" of the machine before each round.
    """
    load: list[list[float]] = []
    sides = list(workers)
    rounds: dict[str, list[dict[str, float]]] = {label(side): [] for side in sides}
    for worker in workers.values():
        worker.ask("table", **work.as_dict())
    checked = {label(side): worker.ask("check") for side, worker in workers.items()}
    check_sameness(work, checked)
    for number in range(n_rounds):
        load.append([round(each, 2) for each in os.getloadavg()])
        turn = number % len(sides)
        for side in [*sides[turn:], *sides[:turn]]:  # nobody always comes first
            rounds[label(side)].append(one_round(workers[side], checked[label(side)]))
    return {"work": work.as_dict(), "checked": checked, "rounds": rounds, "load": load}


def one_round(worker: Worker, checked: dict[str, Any]) -> dict[str, float]:
    trained = worker.ask("fit")
    found = {"targets_per_s": round(checked["targets"] / trained["loop_s"], 1)}
    found["setup_s"] = round(trained["setup_s"], 4)
    if worker.contender in OURS[1:]:  # which forecast as the first of ours
        return found
    if worker.contender != OURS[0]:
        return found | {"forecasts_per_s": rate(worker.ask("forecast"))}
    windowed, stateful = (
        rate(worker.ask("forecast", rolling=rolling, everywhere=rolling == "stateful"))
        for rolling in ("windows", "stateful")
    )
    return found | {"forecasts_per_s": windowed, "stateful_per_s": stateful}


def rate(forecast: dict[str, Any]) -> float:
    return round(forecast["n_forecasts"] / forecast["forecast_s"], 1)


def measure_profile(workers: dict[Side, Worker], work: Work, n_rounds: int) -> dict[str, Any]:
    """Let sides say where the time of a step goes: the medians of some rounds, in milliseconds."""
    found: dict[str, list[dict[str, float]]] = {label(side): [] for side in workers}
    for worker in workers.values():
        worker.ask("table", **work.as_dict())
    for number in range(n_rounds + 1):
        for side, worker in workers.items():
            spent = worker.ask("profile")
            if number:  # the first warms up
                found[label(side)].append(spent)
    return {
        name: {part: round(spread([each[part] for each in rounds])["median"], 4) for part in rounds[0]}
        for name, rounds in found.items()
    }


def measure_memory(python: str, names: Sequence[str], log: Path, quick: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the peaks in MB above what each process held after its imports.

    All windows of the panel are there to train on; training stops after 20 steps (after one with ten series a batch).
    Ours forecast every window too.
    """
    n_rows = 500 if quick else N_ROWS
    n_origins = n_rows - 168 - HORIZON + 1
    work = Work(64, 168, 64, 24, 10**6, 1, n_origins, n_rows=n_rows, stop_after=3 if quick else _STEPS_FOR_MEMORY)
    for name in names:
        with Worker(python, name, False, log) as worker:
            peaks = {**worker.imported, **worker.ask("table", **work.as_dict()), **worker.ask("fit")}
            if name == OURS[0]:
                peaks |= worker.ask("forecast")
        yield name, {key: value for key, value in peaks.items() if "mb" in key or key == "error"}


def measure_growth(python: str, log: Path, quick: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give seconds and MB of ours on ten series of 8,760 rows, ten and a hundred times as many; 2 features, 16/24/32.

    An epoch takes a window of about every hundredth row.
    """
    once = Work(16, 24, 32, 2, 27, 1, 250, n_rows=500 if quick else N_ROWS)
    for times in (1, 10) if quick else (1, 10, 100):
        work = replace(once, n_rows=once.n_rows * times, n_steps=once.n_steps * times)
        with Worker(python, OURS[0], False, log) as worker:
            worker.ask("table", **replace(once, n_rows=500).as_dict())
            worker.ask("fit")  # the late imports, and the first calls
            table = worker.ask("table", **work.as_dict())
            held = worker.ask("forget_peak")
            fitted = worker.ask("fit")
        above = round(fitted["peak_mb_fit"] - held["held_mb"], 1)
        sizes = {"n_rows": N_SERIES * work.n_rows, "n_windows": work.n_windows}
        yield f"x {times}", {**sizes, **table, **held, **fitted, "mb_above_table": above}


def do(part: str, python: str, sides: list[Side], options: argparse.Namespace) -> Iterator[tuple[str, Any]]:
    """Give the results of a part one after the other."""
    log = options.output / "peers.log"
    if part == "memory":
        yield from measure_memory(python, [name for name, tuned in sides if not tuned], log, options.quick)
        return
    if part == "growth":
        yield from measure_growth(python, log, options.quick)
        return
    features = (1,) if options.quick else (24, 1)
    works = [make_work(size, n, options.quick) for n in features for size in SIZES]
    if part == "profile":
        works = [works[0], works[len(SIZES) - 1]]  # the largest size and the smallest
        sides = PROFILED
    measure = measure_speed if part == "speed" else measure_profile
    with ExitStack() as stack:
        workers = start(python, sides, log, stack)
        for work in works:
            yield work.name, measure(workers, work, options.rounds)


def start(python: str, sides: Sequence[Side], log: Path, stack: ExitStack) -> dict[Side, Worker]:
    """Start a process for each side, which ends with the stack."""
    workers = {side: stack.enter_context(Worker(python, *side, log)) for side in sides}
    for side, worker in workers.items():
        assert "error" not in worker.imported, f"{label(side)}: {worker.imported['error']}"
    return workers


def label(side: Side) -> str:
    return f"{side[0]} (tuned)" if side[1] else side[0]


def make_environment() -> str:
    """Install the peers into `.venv-peers`, unless they are there, and give its interpreter."""
    folder = ROOT / ".venv-peers"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True)
        wanted = Path(__file__).with_name("requirements-peers.txt")
        torch = next(line for line in wanted.read_text().splitlines() if line.startswith("torch=="))
        for what in ([torch], ["-r", str(wanted)]):
            subprocess.run([str(python), "-m", "pip", "install", "--quiet", *what], check=True)
        (folder / "ready").touch()
    return str(python)


def describe(python: str) -> dict[str, Any]:
    """Say on what the figures were made."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from benchmarks._report import versions; "
    code += f"print(*(' '.join(each) for each in versions(*{_PACKAGES}).items()), sep='\\n')"
    lines = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    made = dict(line.split(" ") for line in lines)
    return {**made, "python": platform.python_version(), "cpu": processor(), "threads": 1}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for, and write results and page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--python", help="interpreter of an environment with the peers")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS, help="nothing: write the page anew")
    parser.add_argument("--quick", action="store_true", help="little work, to see that everything runs")
    parser.add_argument("--without-peers", action="store_true", help="ours and the loop by hand only")
    parser.add_argument("--output", type=Path, help="where benchmarks/results and docs are (the repository)")
    options = parser.parse_args(arguments)
    folder = (options.output or ROOT).resolve()
    options.output = folder / "benchmarks" / "results"
    options.output.mkdir(parents=True, exist_ok=True)
    sides = [("skts", False), ("loop by hand", False)] if options.without_peers else SIDES
    path = options.output / "peers.json"
    found = load_json(path)
    if options.only:
        python = os.path.abspath(options.python or make_environment())  # a link is not followed: it names the venv
        found["with"] = describe(python)
    for part in options.only:
        began = time.time()
        found[part] = {}
        for name, result in do(part, python, sides, options):
            found[part][name] = result
            save_json(found, path)
        print(f"{part}: {time.time() - began:.0f} s, load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)
    blocks = make_blocks(found)
    print("\n\n".join(blocks.values()))
    if not options.quick:
        write_page("speed_peers.md", blocks, folder)


if __name__ == "__main__":
    main()
