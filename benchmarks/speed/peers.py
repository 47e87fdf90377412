"""Ours beside a loop by hand, skorch, darts and neuralforecast: speed, memory, and how they grow.

Run: python benchmarks/speed/peers.py [--rounds 5] [--python INTERPRETER] [--only PART ...] [--output FOLDER]

Without `--python` the peers are installed once, with exact pins, into `.venv-peers`. Every contender has a process of
its own with one thread; they take turns, so that no two run at once. Each part is saved when it is done, and
the tables go to `docs/speed_peers.md`.
"""

import os
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a checkout that is not installed
from benchmarks._report import ROOT, Parser, load_json, made_with, results_file, save_json, write_page
from benchmarks.speed._peers_tables import make_blocks
from benchmarks.speed._work import CONTENDERS, HORIZON, N_ROWS, N_SERIES, OURS, SIZES, Work, check_sameness, make_work
from benchmarks.speed._worker import Worker

Side = tuple[str, bool]  # a contender, and whether its process is tuned
SIDES: list[Side] = [*((name, False) for name in CONTENDERS), ("skts", True), ("skts, forking", True)]
PROFILED: list[Side] = [(name, tuned) for name in ("skorch", "skts") for tuned in (False, True)]
PARTS = ("speed", "profile", "memory", "growth")
PACKAGES = ("torch", "neuralforecast", "darts", "skorch", "scikit-learn", "pandas", "numpy", "pytorch-lightning")


def measure_speed(workers: dict[str, Worker], work: Work, n_rounds: int) -> dict[str, Any]:
    """Let every side train and forecast, in turn; give what each did, counted, its rates by round, and the load."""
    names, load = list(workers), []
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for worker in workers.values():
        worker.ask("table", work)
    checked = {name: worker.ask("check") for name, worker in workers.items()}
    check_sameness(work, checked)
    for number in range(n_rounds):
        load.append([round(each, 2) for each in os.getloadavg()])
        turn = number % len(names)
        for name in [*names[turn:], *names[:turn]]:  # nobody always comes first
            rounds[name].append(one_round(workers[name], checked[name]["targets"]))
    return {"work": asdict(work), "checked": checked, "rounds": rounds, "load": load}


def one_round(worker: Worker, n_targets: int) -> dict[str, float]:
    trained = worker.ask("fit")
    found = {"targets_per_s": round(n_targets / trained["loop_s"], 1), "setup_s": round(trained["setup_s"], 4)}
    if worker.contender not in OURS[1:]:  # which forecast as the first of ours
        found["forecasts_per_s"] = worker.ask("forecast", "windows")["forecasts_per_s"]
    if worker.contender == OURS[0]:
        found["stateful_per_s"] = worker.ask("forecast", "stateful", everywhere=True)["forecasts_per_s"]
    return found


def measure_profile(workers: dict[str, Worker], work: Work, n_rounds: int) -> dict[str, Any]:
    """Let sides say where the time of a step goes: the medians of some rounds, in milliseconds."""
    for worker in workers.values():
        worker.ask("table", work)
        worker.ask("profile")  # warms up
    rounds = [{name: worker.ask("profile") for name, worker in workers.items()} for _ in range(n_rounds)]
    return {
        name: {part: round(statistics.median(each[name][part] for each in rounds), 4) for part in rounds[0][name]}
        for name in workers
    }


def measure_memory(names: Sequence[str], log: Path, quick: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the peaks in MB above what each process held after its imports; ours forecast every window too."""
    n_rows = 500 if quick else N_ROWS
    # all windows of the panel are there to train on; training stops after 20 steps (after one with ten series a batch)
    n_origins = n_rows - 168 - HORIZON + 1
    work = Work(64, 168, 64, 24, 10**6, 1, n_origins, n_rows=n_rows, stop_after=3 if quick else 20)
    for name in names:
        peaks: dict[str, Any] = {}
        with Worker(name, False, log) as worker:
            try:
                peaks |= worker.imported.result() | worker.ask("table", work) | worker.ask("fit")
                peaks |= worker.ask("forecast") if name == OURS[0] else {}
            except Exception as error:  # memory may run out for one
                peaks["error"] = f"{type(error).__name__}: {error}"[:300]
        yield name, {key: value for key, value in peaks.items() if "mb" in key or key == "error"}


def measure_growth(log: Path, quick: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give seconds and MB of ours on ten series of 8,760 rows, and on ten and a hundred times as many rows."""
    # an epoch takes a window of about every hundredth row
    once = Work(16, 24, 32, 2, 27, 1, 250, n_rows=500 if quick else N_ROWS)
    for times in (1, 10) if quick else (1, 10, 100):
        work = replace(once, n_rows=once.n_rows * times, n_steps=once.n_steps * times)
        with Worker(OURS[0], False, log) as worker:
            worker.ask("table", replace(once, n_rows=500))
            worker.ask("fit")  # the late imports, and the first calls
            found = {"n_rows": N_SERIES * work.n_rows, "n_windows": work.n_windows, **worker.ask("table", work)}
            found |= worker.ask("forget_peak") | worker.ask("fit")
        yield f"x {times}", found | {"mb_above_table": round(found["peak_mb_fit"] - found["held_mb"], 1)}


def do(part: str, sides: list[Side], options: Any) -> Iterator[tuple[str, Any]]:
    """Give the results of a part one after the other."""
    log = results_file(options.output, "peers").with_suffix(".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    if part == "memory":
        yield from measure_memory([name for name, tuned in sides if not tuned], log, options.quick)
        return
    if part == "growth":
        yield from measure_growth(log, options.quick)
        return
    features = (1,) if options.quick else (24, 1)
    works = [make_work(size, n, options.quick) for n in features for size in SIZES]
    if part == "profile":
        works = [works[0], works[len(SIZES) - 1]]  # the largest size and the smallest
        sides = PROFILED
    measure = measure_speed if part == "speed" else measure_profile
    with ExitStack() as stack:
        workers = start(sides, log, stack)
        for work in works:
            yield work.name, measure(workers, work, options.rounds)


def start(sides: Sequence[Side], log: Path, stack: ExitStack) -> dict[str, Worker]:
    """Start a process for each side, which ends with the stack."""
    return {
        f"{name} (tuned)" if tuned else name: stack.enter_context(Worker(name, tuned, log)) for name, tuned in sides
    }


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for, and write results and page; in the environment of the peers."""
    parser = Parser(__doc__, rounds=5)
    parser.add_argument("--python", help="interpreter of an environment with the peers")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS, help="nothing: write the page anew")
    parser.add_argument("--without-peers", action="store_true", help="ours and the loop by hand only")
    options = parser.parse_args(arguments)
    python = os.path.abspath(options.python or make_environment()) if options.only else sys.executable
    if python != sys.executable:  # a link is not followed: it names the environment
        given = sys.argv[1:] if arguments is None else arguments
        return subprocess.call([python, str(Path(__file__).resolve()), *given, "--python", python])
    sides = [("skts", False), ("loop by hand", False)] if options.without_peers else SIDES
    path = results_file(options.output, "peers")
    found = load_json(path)
    if options.only:
        found["with"] = made_with(*PACKAGES) | {"threads": 1}
    for part in options.only:
        began = time.time()
        found[part] = {}
        for name, result in do(part, sides, options):
            found[part][name] = result
            save_json(found, path)
        print(f"{part}: {time.time() - began:.0f} s, load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)
    blocks = make_blocks(found)
    print("\n\n".join(blocks.values()))
    write_page("speed_peers.md", blocks, options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
