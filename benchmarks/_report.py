"""What all benchmarks share: where data lie, on what was measured, results in JSON, tables and pages in Markdown.

A page is written by hand but for blocks between two comments, which :func:`fill` fills from the results.
"""

import json
import os
import platform
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
DATA = Path(os.environ.get("SKTS_DATA", ROOT.parent / "shared" / "data"))
DATA_HELP = "the folder of the data sets, or one file of the same layout (default: $SKTS_DATA, else ../shared/data)"


def data_file(given: Path | None, relative: str) -> Path:
    """Find a data set below the folder that was given, or take the file that was given."""
    folder = DATA if given is None else given
    path = folder if folder.is_file() else folder / relative
    if not path.is_file():
        raise SystemExit(f"{path} is not here: give the folder that has {relative} by --data, or the file itself.")
    return path


def is_another_file(given: Path | None) -> bool:
    """Tell whether a file was given, of which published figures need not hold."""
    return given is not None and given.is_file()


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


def versions(*packages: str) -> dict[str, str]:
    """Give the versions of those packages that are installed."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def processor() -> str:
    """Name the processor, where the system tells."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"
