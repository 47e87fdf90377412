"""What all benchmarks share: options, where data lie, on what was measured, results in JSON, tables and pages.

A page is written by hand but for blocks between two comments, which :func:`fill` fills from the results.
"""

import argparse
import json
import os
import platform
import re
import statistics
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("SKTS_DATA", ROOT.parent / "shared" / "data"))


class Parser(argparse.ArgumentParser):
    """The options of a command, with those that all have; `data`, `seeds` and `rounds` ask for more."""

    def __init__(self, doc: str, *, data: bool = False, seeds: Sequence[int] = (), rounds: int = 0):
        super().__init__(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
        self.add_argument("--quick", action="store_true", help="a smoke test: little work, kept in --output or nowhere")
        self.add_argument("--output", type=Path, help="where benchmarks/results and docs are (the repository)")
        if data:
            what = "the folder of the data sets, or one file of the same layout"
            self.add_argument("--data", type=Path, help=f"{what} (default: $SKTS_DATA, else ../shared/data)")
        if seeds:
            self.add_argument("--seeds", type=int, nargs="+", default=list(seeds), help="a fit or a round for each")
        if rounds:
            self.add_argument("--rounds", type=int, default=rounds)

    def add_choice(self, name: str, choices: Iterable[Any], **options: Any) -> None:
        """Add an option that takes some of the choices, all by default."""
        choices = list(choices)
        self.add_argument(name, nargs="+", choices=choices, default=choices, help="all by default", **options)

    def parse_args(self, *arguments: Any) -> argparse.Namespace:  # type: ignore[override]
        """Read the options; a smoke test without `--output` writes to a temporary folder."""
        options = super().parse_args(*arguments)
        options.output = (options.output or Path(tempfile.mkdtemp() if options.quick else ROOT)).resolve()
        return options


def data_file(given: Path | None, relative: str) -> Path:
    """Find a data set below the folder that was given, or take the file that was given."""
    folder = DATA if given is None else given
    path = folder if folder.is_file() else folder / relative
    if not path.is_file():
        raise SystemExit(f"{path} is not here: give the folder that has {relative} by --data, or the file itself.")
    return path


def results_file(folder: Path, name: str) -> Path:
    """Say where the results of a benchmark are, in a repository or in what `--output` names."""
    return folder / "benchmarks" / "results" / f"{name}.json"


def load_json(path: Path) -> dict[str, Any]:
    """Read results; of a file that is not there, none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def save_json(found: Mapping[str, Any], path: Path) -> None:
    """Write results."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def fill(page: str, blocks: Mapping[str, str]) -> str:
    """Put each text between the comments of a page that bear its name."""
    for name, text in blocks.items():
        begin, end = f"<!-- {name}: written by the benchmark -->", f"<!-- end of {name} -->"
        pattern = re.compile(f"({re.escape(begin)}\n).*?({re.escape(end)})", re.DOTALL)
        if not pattern.search(page):
            raise ValueError(f"The page has no block {name!r}, from {begin} to {end}.")
        page = pattern.sub(lambda match, text=text: f"{match[1]}\n{text.strip()}\n\n{match[2]}", page)
    return page


def write_page(name: str, blocks: Mapping[str, str], folder: Path = ROOT) -> None:
    """Fill `docs/<name>` of a folder; a folder without that page gets the repository's."""
    path = folder / "docs" / name
    page = (path if path.exists() else ROOT / "docs" / name).read_text(encoding="utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(fill(page, blocks), encoding="utf-8")


def markdown(header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> str:
    """Make a table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def number_of(value: float, digits: int) -> str:
    """Show a number without the zero before its point, as the published tables do."""
    shown = f"{value:.{digits}f}"
    return shown.replace("0.", ".", 1) if abs(value) < 1 else shown


def spread(values: Sequence[float]) -> dict[str, float]:
    """Give the median, the least and the most."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def made_with(*packages: str) -> dict[str, Any]:
    """Say on what was measured: Python, those of the packages that are installed, and the processor."""
    found: dict[str, Any] = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return found | {"processor": f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"}
