"""The commands and their arguments."""

import argparse
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from skts._version import __version__
from skts.commandline._config import read_config, write_tokens
from skts.commandline._messages import PROGRAM
from skts.commandline._options import FORECAST, JOB_FILE, READ, ROLES, SPLIT, TRUST, Settings, dest, natural, positive
from skts.persistence import read_manifest

_EPILOG = """\
exit codes: 0 done; 1 check found a leak; 2 nothing was done, and the line on standard error says why; 130 stopped

examples:
  skts demo
  skts inspect power.csv --time time --series park --target mw
  skts fit power.csv --time time --series park --target mw --known 'nwp_*' --model parks.skts
  skts predict --model parks.skts --ahead --known-ahead weather.csv --output tomorrow.csv
"""
_HELP = {
    "demo": "tune an LSTM on the bundled turbines (or a table), forecast, compare and draw",
    "inspect": "say what is in a table, or in the file of a model",
    "fit": "train on a table, and save the model",
    "predict": "forecast the rows of a table, or those after its end",
    "update": "bring a model up to date with rows that came since",
    "backtest": "forecast the past from several origins, and compare with rivals",
    "check": "look for leaks: change what forecasts must not see",
    "export": "write the network of a model as ONNX or for torch.export",
}
_END = "--end-of-job"  # after options from a file, of which the last may take any number of values
_TABLE = "CSV or Parquet file, one row per series and time"


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        if message.startswith("unrecognized arguments: --"):
            wrong = message.split("--")[1].split()[0].split("=")[0]
            close = get_close_matches(wrong, JOB_FILE, n=1)
            message += f"; did you mean --{close[0]}?" if close else ""
        print(f"{self.prog}: {' '.join(message.split())} ({self.prog} --help says what there is)", file=sys.stderr)
        sys.exit(2)


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line, the job file that it names, and what a model remembers; the first counts most.

    Parameters
    ----------
    arguments : sequence of str, default=None
        `sys.argv[1:]` by default.

    Returns
    -------
    options : Namespace
        `command` is None where none was given.

    Raises
    ------
    ValueError, OSError
        A job file or a model that cannot be read.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    parser, commands = _make_parser()
    _refuse_file(parser, arguments)
    options = parser.parse_args(arguments)
    if options.command is None:
        return options
    named = [f"--{name}" for name in _options_of(options.command)]
    tokens = [] if getattr(options, "config", None) is None else _tokens(read_config(options.config), named)
    if tokens:  # the job file may name the model
        options = parser.parse_args([options.command, *tokens, *arguments[arguments.index(options.command) + 1 :]])
    if getattr(options, "model", None) is not None and options.command in ("predict", "update", "check"):
        tokens = [*_tokens(_remembered(options.model), named), *tokens]
        options = parser.parse_args([options.command, *tokens, *arguments[arguments.index(options.command) + 1 :]])
    _check(commands[options.command], options)
    return options


def show_help() -> None:
    """Print the commands."""
    _make_parser()[0].print_help()


def _make_parser() -> tuple[_Parser, dict[str, _Parser]]:
    parser = _Parser(
        prog=PROGRAM,
        description="Forecasting of many series: from a table to forecasts in service.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands", parser_class=_Parser)
    commands = {}
    for name, said in _HELP.items():
        command = subparsers.add_parser(
            name, help=said, description=f"{said[0].upper()}{said[1:]}.", formatter_class=argparse.RawTextHelpFormatter
        )
        _fill(command, name)
        commands[name] = command
    return parser, commands


def _groups_of(command: str) -> dict[str, Settings]:
    """Give the options that several commands share."""
    read = {"the table": READ}
    table = {"the table": {**READ, **ROLES}}
    of_predict = {name: FORECAST[name] for name in ("origin", "quantiles")}
    return {
        "demo": {**table, "the forecast": FORECAST, "the search": SPLIT},
        "inspect": {"the table": {**READ, "known": ROLES["known"]}},
        "fit": {**table, "the forecast": FORECAST},
        "predict": {**read, "the forecast": of_predict, "the model": TRUST},
        "update": {**read, "the model": TRUST},
        "backtest": {**table, "the forecast": FORECAST, "the backtest": SPLIT},
        "check": {**table, "the forecast": FORECAST, "the model": TRUST},
        "export": {"the model": TRUST},
    }[command]


def _options_of(command: str) -> list[str]:
    return [name for group in _groups_of(command).values() for name in group] + ["model"]


def _fill(parser: _Parser, command: str) -> None:
    """Add the arguments of a command: its files, then what it shares with others."""
    for positional, settings in _FILES[command].get("positional", {}).items():
        parser.add_argument(positional, type=Path, **settings)
    for name, settings in _FILES[command].get("options", {}).items():
        parser.add_argument(f"--{name}", **settings)
    for title, group in _groups_of(command).items():
        section = parser.add_argument_group(title)
        for name, settings in group.items():
            section.add_argument(f"--{name}", **settings)
    parser.add_argument(
        "--config", type=Path, metavar="JOB.yaml", help="options as a file; those given here count more"
    )
    parser.add_argument(_END, action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--traceback", action="store_true", help="show where in the code an error comes from")


_OUTPUT = {"type": Path, "metavar": "FILE", "help": "CSV or Parquet, by its name"}
_MODEL = {"type": Path, "metavar": "FILE", "help": "file of the model"}
_FILES: dict[str, dict[str, dict[str, Any]]] = {
    "demo": {
        "positional": {"table": {"nargs": "?", "metavar": "TABLE", "help": _TABLE}},
        "options": {
            "output": {
                "type": Path,
                "default": Path(),
                "metavar": "FOLDER",
                "help": "for forecast.png and forecasts.csv",
            }
        },
    },
    "inspect": {"positional": {"file": {"metavar": "FILE", "help": "CSV or Parquet file, or a model"}}},
    "fit": {
        "positional": {"table": {"metavar": "TABLE", "help": _TABLE}},
        "options": {
            "model": {**_MODEL, "help": "file to save the model to"},
            "save-config": {"type": Path, "metavar": "JOB.yaml", "help": "write all options to a file for --config"},
        },
    },
    "predict": {
        "positional": {"table": {"nargs": "?", "metavar": "TABLE", "help": _TABLE}},
        "options": {
            "model": _MODEL,
            "output": {**_OUTPUT, "help": "CSV or Parquet, by its name, for the forecasts"},
            "from": {"metavar": "TIME", "help": "forecast the rows from this time on; those before\nare history"},
            "ahead": {
                "nargs": "?",
                "type": positive,
                "const": 0,
                "metavar": "ROWS",
                "help": "forecast the rows after the last measured target\n(or what the model has seen): a horizon",
            },
            "known-ahead": {
                "type": Path,
                "metavar": "TABLE",
                "help": "known columns of the rows to come\n(default: rows of TABLE without a target at its end)",
            },
        },
    },
    "update": {
        "positional": {"table": {"metavar": "TABLE", "help": _TABLE + "; rows seen\nbefore are left out"}},
        "options": {
            "model": {**_MODEL, "help": "file of the model, which is replaced"},
            "epochs": {
                "type": natural,
                "default": 0,
                "metavar": "N",
                "help": "train on all rows of TABLE for so many epochs (0)",
            },
            "output": {"type": Path, "metavar": "FILE", "help": "write the model there instead"},
        },
    },
    "backtest": {
        "positional": {"table": {"metavar": "TABLE", "help": _TABLE}},
        "options": {
            "refit": {
                "action": "store_true",
                "help": "train for every split (default: once, before the first)",
            },
            "output": {**_OUTPUT, "help": "CSV or Parquet, by its name, for all forecasts"},
        },
    },
    "check": {
        "positional": {"table": {"metavar": "TABLE", "help": _TABLE}},
        "options": {
            "model": {
                **_MODEL,
                "help": "check the way this model was made\n(default: that of skts fit, with few epochs)",
            },
            "origins": {"type": positive, "default": 20, "metavar": "N", "help": "origins to try (20)"},
        },
    },
    "export": {
        "options": {
            "model": _MODEL,
            "output": {"type": Path, "metavar": "FILE", "help": "x.onnx, or x.pt2 for torch.export"},
        }
    },
}


def _check(parser: _Parser, options: argparse.Namespace) -> None:
    """Refuse options that do not go together."""
    needed = {
        "demo": [] if options.command != "demo" or options.table is None else ["time", "target"],
        "fit": ["model", "time", "target"],
        "predict": ["model", "output"],
        "update": ["model", "time"],
        "backtest": ["time", "target"],
        "check": ["time", "target"],
        "export": ["model", "output"],
    }.get(options.command, [])
    missing = [f"--{name}" for name in needed if getattr(options, dest(name)) is None]
    if missing:
        what = "a table needs " if options.command == "demo" else "give "
        parser.error(f"{what}{' and '.join(missing)}")
    if options.command == "predict":
        if options.table is None and options.ahead is None:
            parser.error("give a TABLE with the rows to forecast, or --ahead for those that come next")
        if options.known_ahead is not None and options.ahead is None:
            parser.error("--known-ahead is read with --ahead alone")
        if getattr(options, "from") is not None and (options.ahead is not None or options.origin is not None):
            parser.error("--from names the first row to forecast itself: leave --ahead and --origin out")
    if (getattr(options, "latitude", None) is None) != (getattr(options, "longitude", None) is None):
        parser.error("--latitude and --longitude go together")


def _refuse_file(parser: _Parser, arguments: list[str]) -> None:
    first = arguments[0] if arguments else ""
    if first and not first.startswith("-") and first not in _HELP and Path(first).suffix:
        parser.error(f"{first!r} is no command: a table comes after one, as in skts demo {first}")


def _tokens(values: dict[str, Any], named: list[str]) -> list[str]:
    """Write options with one at the end that takes no values."""
    tokens = write_tokens(values, [name.removeprefix("--") for name in named])
    return [*tokens, _END] if tokens else []


def _remembered(model: Path) -> dict[str, Any]:
    """Give the options by which the table of a model was read."""
    card = read_manifest(model)["card"]
    remembered = card.get("command", {}).get("options", {}) if isinstance(card, dict) else {}
    known = {**READ, **ROLES, **FORECAST}
    return {name: value for name, value in remembered.items() if name in known and name not in ("origin", "quantiles")}
