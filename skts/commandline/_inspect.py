"""`skts inspect`: what is in a table, or in the file of a model."""

import argparse
from pathlib import Path
from typing import Any

from skts.commandline._file import WORDS, read_panel
from skts.commandline._table import match_columns
from skts.panel import describe_panel, find_column
from skts.persistence import read_manifest

_TABLES = (".csv", ".parquet", ".pq", ".gz", ".bz2", ".xz", ".zip", ".zst")
_MOST = 10


def inspect(options: argparse.Namespace) -> int:
    """Describe a file."""
    if _is_table(options.file):
        print(tell_panel(options))
    else:
        print(tell_model(read_manifest(options.file)))
    return 0


def tell_panel(options: argparse.Namespace) -> str:
    """Say who and when is in a table, and what looks wrong with its columns."""
    X = read_panel(options.file, options.time, options.series, time_format=options.time_format, tz=options.tz)
    target = None if options.target is None else find_column(X.columns, options.target, "target", WORDS)
    report = describe_panel(X, target=target)
    lines = [str(report)]
    known = match_columns(X, options.known)
    if known and target is not None:
        told = [name for name in report.knowing if name in known]
        lines += [f"  Known ahead, and knows the target: {', '.join(told)}: take them out of --known."] if told else []
    return "\n".join(lines)


def tell_model(manifest: dict[str, Any]) -> str:
    """Lay out what the file of a model says of it."""
    trained, command = manifest["trained"], manifest["card"].get("command", {})
    packages = ", ".join(f"{name} {number}" for name, number in manifest["packages"].items())
    kept = [f"{each['n_rows']:,} {each['what']} ({each['of']})" for each in manifest["kept_rows"]]
    networks = [
        f"{each['estimator']}, {each['n_weights']:,} weights, {each['epochs']} epochs, {each['device']}"
        for each in manifest["networks"]
    ]
    updates = command.get("updates", [])
    facts = {
        "saved": f"{manifest['saved']}, format {manifest['format']}",
        "packages": packages,
        "estimator": manifest["estimator"],
        "series": _count(trained.get("series", []), trained.get("n_series")),
        "period": f"{trained['first']} to {trained['last']}" if "first" in trained else None,
        "step": trained.get("step"),
        "rows": f"{trained['n_rows']:,}" if "n_rows" in trained else None,
        "columns": _count(trained.get("columns", [])),
        "target": ", ".join(trained.get("target", [])),
        "networks": _count(networks),
        "kept": "; ".join(kept),
        "trusted": ", ".join(manifest["trusted"]),
        "updates": f"{len(updates)}, the last until {updates[-1]['until']}" if updates else None,
        "options": ", ".join(f"{name} {_write(value)}" for name, value in command.get("options", {}).items()),
        "card": ", ".join(f"{name} {value}" for name, value in manifest["card"].items() if name != "command"),
    }
    width = max(map(len, facts))
    return "\n".join(["Model", *(f"  {name:{width}}  {said}" for name, said in facts.items() if said)])


def _is_table(path: Path) -> bool:
    """Tell a table from a model, which is a zip of parts."""
    if path.suffix in _TABLES or path.is_dir() or not path.exists():
        return True
    with open(path, "rb") as file:
        return file.read(2) != b"PK"


def _count(names: list[Any], number: int | None = None) -> str | None:
    if not names and number is None:
        return None
    more = len(names) - _MOST
    shown = ", ".join(map(str, names[:_MOST])) + (f" and {more:,} more" if more > 0 else "")
    return f"{len(names) if number is None else number:,}: {shown}" if names else f"{number:,}"


def _write(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
