"""Ours beside a loop by hand, skorch, darts and neuralforecast: speed, memory, and how they grow.

Run: python benchmarks/speed/peers/run.py [--rounds 5] [--python INTERPRETER] [--only PART ...] [--output FOLDER]

Without `--python` the peers are installed once, with exact pins, into `.venv-peers`. Every contender has a process of
its own with one thread; they take turns, so that no two run at once. Each part is saved when it is done, and
the tables go to `docs/speed_peers.md`; what a person wrote there below the mark stays.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
import venv
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from _growth import measure_growth, measure_memory
from _page import tables, write_page
from _rounds import Side, measure, profile, start
from _work import SIZES, make_work
from _workers import HERE, ROOT

PEERS = ("loop by hand", "skorch", "darts", "neuralforecast, one series", "neuralforecast, ten series")
SIDES: list[Side] = [
    ("skts", False),
    ("skts, forking", False),
    ("skts, as it comes", False),
    *((peer, False) for peer in PEERS),
    ("skts", True),
    ("skts, forking", True),
]
PROFILED: list[Side] = [(name, tuned) for name in ("skorch", "skts") for tuned in (False, True)]
PARTS = ("speed", "profile", "memory", "growth")
_PACKAGES = ("torch", "neuralforecast", "darts", "skorch", "scikit-learn", "pandas", "numpy", "pytorch-lightning")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--python", help="interpreter of an environment with the peers")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS, help="nothing: write the page anew")
    parser.add_argument("--quick", action="store_true", help="little work, to see that everything runs")
    parser.add_argument("--without-peers", action="store_true", help="ours and the loop by hand only")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "speed_peers.md")
    options = parser.parse_args()
    python = options.python or make_environment() if options.only else ""
    python = os.path.abspath(python)  # a link is not followed: it names the environment
    options.output = options.output.resolve()
    sides = [("skts", False), ("loop by hand", False)] if options.without_peers else SIDES
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "peers.json"
    found = json.loads(path.read_text()) if path.exists() else {}
    if options.only:
        found["with"] = describe(python)
    for part in options.only:
        began = time.time()
        found[part] = {}
        for name, result in do(part, python, sides, options):
            found[part][name] = result
            path.write_text(json.dumps(found, indent=1) + "\n")
        print(f"{part}: {time.time() - began:.0f} s, load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)
    print(tables(found))
    if not options.quick:
        write_page(found, options.page)


def do(part: str, python: str, sides: list[Side], options: argparse.Namespace) -> Any:
    """Give the results of a part one after the other."""
    log = Path(options.output) / "peers.log"
    if part == "memory":
        yield from measure_memory(python, [name for name, tuned in sides if not tuned], log, options.quick)
        return
    if part == "growth":
        yield from measure_growth(python, log, options.quick)
        return
    features = (1,) if options.quick else (24, 1)
    works = [make_work(size, n, options.quick) for n in features for size in SIZES]
    with ExitStack() as stack:
        if part == "speed":
            workers = start(python, sides, log, stack)
            for work in works:
                yield work.name, measure(workers, work, options.rounds)
        else:
            workers = start(python, PROFILED, log, stack)
            for work in (works[0], works[len(SIZES) - 1]):  # the largest size and the smallest
                yield work.name, profile(workers, work, options.rounds)


def make_environment() -> str:
    """Install the peers into `.venv-peers`, unless they are there, and give its interpreter."""
    folder = ROOT / ".venv-peers"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True)
        wanted = HERE.parent / "requirements-peers.txt"
        torch = next(line for line in wanted.read_text().splitlines() if line.startswith("torch=="))
        for what in ([torch], ["-r", str(wanted)]):
            subprocess.run([str(python), "-m", "pip", "install", "--quiet", *what], check=True)
        (folder / "ready").touch()
    return str(python)


def describe(python: str) -> dict[str, Any]:
    """Say on what the figures were made."""
    code = f"import importlib.metadata as m; print(*[m.version(name) for name in {_PACKAGES}])"
    code = code if _has_peers(python) else "print()"
    versions = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    cpu = [
        line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    return {
        **dict(zip(_PACKAGES, versions, strict=False)),
        "python": platform.python_version(),
        "cpu": f"{len(cpu)} x {cpu[0]}" if cpu else platform.machine(),
        "threads": 1,
    }


def _has_peers(python: str) -> bool:
    code = "import importlib.util as u, sys; sys.exit(u.find_spec('darts') is None)"
    return subprocess.run([python, "-c", code], check=False).returncode == 0


if __name__ == "__main__":
    main()
