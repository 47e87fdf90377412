"""Every option of the command, once: on the command line, in a job file and in the card of a model."""

import argparse
from argparse import BooleanOptionalAction
from pathlib import Path
from typing import Any

import pandas as pd

Settings = dict[str, dict[str, Any]]


def positive(text: str) -> int:
    """Read a whole number of at least 1."""
    return _at_least(text, 1)


def natural(text: str) -> int:
    """Read a whole number of at least 0."""
    return _at_least(text, 0)


def several(text: str) -> int:
    """Read a whole number of at least 2."""
    return _at_least(text, 2)


def jobs(text: str) -> int:
    """Read a number of processes."""
    value = int(text)
    if value == 0:
        raise argparse.ArgumentTypeError("must be a number of processes, or -1 for all cores, and is 0")
    return value


def seed(text: str) -> int:
    """Read a seed."""
    value = int(text)
    if not 0 <= value < 2**32:
        raise argparse.ArgumentTypeError(f"must lie between 0 and {2**32 - 1}, and is {value}")
    return value


def level(text: str) -> float:
    """Read a level of a quantile."""
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"must lie between 0 and 1, and is {value}")
    return value


def hour(text: str) -> str:
    """Read an hour of the day."""
    try:
        return pd.to_datetime(text, format="%H:%M").strftime("%H:%M")
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be an hour of the day such as 00:00, and is {text!r}") from None


def number_or_column(text: str) -> float | str:
    """Read a number, or what is then the name of a column."""
    try:
        return float(text)
    except ValueError:
        return text


def bound(text: str) -> float | str | None:
    """Read a bound: a number, a column, or "none"."""
    return None if text.lower() == "none" else number_or_column(text)


def _at_least(text: str, least: int) -> int:
    value = int(text)
    if value < least:
        raise argparse.ArgumentTypeError(f"must be at least {least}, and is {value}")
    return value


_MANY: dict[str, Any] = {"nargs": "+", "default": []}

READ: Settings = {
    "time": {"metavar": "COLUMN", "help": "column with the times"},
    "time-format": {"metavar": "FORMAT", "help": "how times are written, such as %%d/%%m/%%Y %%H:%%M"},
    "tz": {"metavar": "ZONE", "help": "zone of the times, such as Europe/Berlin (default: as they are)"},
    "series": {"metavar": "COLUMN", "help": "column(s) that name the series", **_MANY},
    "target": {"metavar": "COLUMN", "help": "column to forecast"},
}
ROLES: Settings = {
    "known": {"metavar": "PATTERN", "help": "columns known ahead, names or patterns ('era5_*')", **_MANY},
    "observed": {
        "metavar": "PATTERN",
        "help": "columns of which only the past is read\n(default: all other numeric ones; the target always)",
        **_MANY,
    },
    "static": {"metavar": "PATTERN", "help": "columns with one value per series", **_MANY},
    "capacity": {
        "type": number_or_column,
        "metavar": "VALUE",
        "help": "the most that a series gives: a number, or the\ncolumn that says it",
    },
    "bounds": {
        "type": bound,
        "nargs": 2,
        "metavar": ("LOW", "HIGH"),
        "help": "what the target lies within: numbers, columns, or none",
    },
    "active": {"metavar": "COLUMN", "help": "known column that is 0 where the target is 0"},
    "latitude": {
        "type": number_or_column,
        "metavar": "VALUE",
        "help": "degrees north, or the column that says it:\nsolar stations",
    },
    "longitude": {"type": number_or_column, "metavar": "VALUE", "help": "degrees east, or the column that says it"},
}
FORECAST: Settings = {
    "window": {
        "type": positive,
        "metavar": "ROWS",
        "help": "rows read before a forecast (with known columns as\nmany as are forecast, 24 at least; else 168)",
    },
    "horizon": {"type": positive, "default": 24, "metavar": "ROWS", "help": "rows forecast at a time (24)"},
    "origin": {"type": hour, "metavar": "HH:MM", "help": "the hour that forecasts begin at, such as 00:00"},
    "stride": {"type": positive, "default": 6, "metavar": "ROWS", "help": "rows between training windows (6)"},
    "quantiles": {"type": level, "metavar": "LEVEL", "help": "levels to answer too, such as 0.1 0.9", **_MANY},
    "members": {"type": positive, "default": 3, "metavar": "N", "help": "networks, which differ by their seeds (3)"},
    "seed": {"type": seed, "default": 0, "metavar": "N", "help": "seed of the networks (0)"},
    "device": {"default": "auto", "metavar": "NAME", "help": "auto, cpu or cuda (auto)"},
    "quick": {
        "action": BooleanOptionalAction,
        "default": False,
        "help": "few epochs on the last 5,000 times: to see that\nit runs",
    },
}
SPLIT: Settings = {
    "test": {"type": positive, "metavar": "TIMES", "help": "times held out at the end (default: a tenth)"},
    "splits": {"type": several, "default": 3, "metavar": "N", "help": "time-ordered splits (3)"},
    "jobs": {"type": jobs, "default": 1, "metavar": "N", "help": "processes, -1 for all cores (1)"},
}
TRUST: Settings = {
    "trust": {"metavar": "NAME", "help": "classes of others that a model file may hold", **_MANY},
}
JOB_FILE: Settings = {  # what a job file may hold
    **READ,
    **ROLES,
    **FORECAST,
    **SPLIT,
    **TRUST,
    "model": {"type": Path, "metavar": "FILE", "help": "file of the model"},
}


def dest(name: str) -> str:
    """Give the name of an option as a Namespace has it."""
    return name.replace("-", "_")
