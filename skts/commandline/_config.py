"""A job as a file: YAML whose keys are the options of the command."""

import argparse
import difflib
from argparse import BooleanOptionalAction
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from skts._optional import load as import_package
from skts.commandline._options import FORECAST, JOB_FILE, READ, ROLES, dest
from skts.training import write_atomically


def read_config(path: Path) -> dict[str, Any]:
    """Read a job file.

    Raises
    ------
    ValueError
        No mapping in YAML, or a key that no command knows.
    """
    yaml = import_package("yaml", "--config", "skts[command]")
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no YAML that can be read ({' '.join(str(error).split())}).") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds {_kind(found)}, and options are expected, each in a line such as 'time: when'.")
    options = {}
    for key, value in found.items():
        name = str(key).replace("_", "-")
        if name not in JOB_FILE:
            close = difflib.get_close_matches(name, JOB_FILE, n=1)
            hint = f"did you mean {close[0]}?" if close else f"those that a job has are {', '.join(JOB_FILE)}."
            raise ValueError(f"{path}: no option is called {str(key)!r}; {hint}")
        options[name] = _check_value(path, name, value)
    return options


def write_config(path: Path, options: argparse.Namespace) -> None:
    """Write the options of a job to a file that `--config` reads."""
    yaml = import_package("yaml", "--save-config", "skts[command]")
    written = yaml.safe_dump(given_options(options), sort_keys=False, allow_unicode=True)
    with write_atomically(path) as partial:
        Path(partial).write_text(f"# skts fit TABLE --model FILE --config {path.name}\n{written}", encoding="utf-8")


def given_options(options: argparse.Namespace) -> dict[str, Any]:
    """Give the options that say how a table is read and forecast, without those that were left open."""
    names = [name for name in (*READ, *ROLES, *FORECAST) if hasattr(options, dest(name))]
    values = {name: getattr(options, dest(name)) for name in names}
    return {name: value for name, value in values.items() if value is not None and value != []}


def write_tokens(options: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Write options as the command line has them; those that a command does not have are left out.

    Parameters
    ----------
    options : mapping of str to value
    names : iterable of str
        The options of the command.
    """
    tokens: list[str] = []
    names = set(names)
    for name, value in options.items():
        if name not in names or value is None or value == []:
            continue
        settings = JOB_FILE[name]
        if settings.get("action") is BooleanOptionalAction:
            tokens.append(f"--{name}" if value else f"--no-{name}")
        elif "nargs" in settings:
            values = value if isinstance(value, list | tuple) else [value]
            tokens += [f"--{name}", *("none" if each is None else str(each) for each in values)]
        else:
            tokens.append(f"--{name}={value}")
    return tokens


def _check_value(path: Path, name: str, value: Any) -> Any:
    """Refuse what no option can be, and mend what YAML reads otherwise than it is written."""
    settings = JOB_FILE[name]
    is_switch = settings.get("action") is BooleanOptionalAction
    if name == "origin" and isinstance(value, int) and not isinstance(value, bool):
        return f"{value // 60:02}:{value % 60:02}"  # 06:30 is a number to base 60 in YAML 1.1
    if isinstance(value, bool) != is_switch and value is not None:
        expected = "true or false" if is_switch else "a name or a number (names such as no and on in quotes)"
        raise ValueError(f"{path}: {name} is {_kind(value)}, and {expected} is expected.")
    if isinstance(value, dict) or (isinstance(value, list) and "nargs" not in settings):
        raise ValueError(f"{path}: {name} is {_kind(value)}, and one value is expected.")
    return value


def _kind(value: Any) -> str:
    kinds = {dict: "a mapping", list: "a list", type(None): "nothing"}
    return kinds.get(type(value), repr(value))
