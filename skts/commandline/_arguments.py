"""The arguments of the command."""

import argparse
from collections.abc import Sequence
from pathlib import Path

_DESCRIPTION = """\
Tune an LSTM over time-ordered splits, forecast every row of the last period, and compare with simple rivals.

Without a file: four wind turbines of La Haute Borne, two years of hours, the last 59 days a day ahead.
"""

_EPILOG = """\
examples:
  skts
  skts power.csv --time timestamp --series turbine --target power_kw --known 'era5_*'
  skts power.parquet --time time --series region farm --target mw --known wind_speed --window 96 --horizon 48
"""


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; `--help` says what there is.

    Parameters
    ----------
    arguments : sequence of str, default=None
        `sys.argv[1:]` by default.

    Returns
    -------
    options : Namespace
    """
    parser = argparse.ArgumentParser(
        prog="skts", description=_DESCRIPTION, epilog=_EPILOG, formatter_class=argparse.RawTextHelpFormatter
    )
    table = parser.add_argument_group("the table")
    table.add_argument("data", nargs="?", type=Path, help="CSV or Parquet file, one row per series and time")
    table.add_argument("--time", metavar="COLUMN", help="column with the times (needed with a file)")
    table.add_argument("--time-format", metavar="FORMAT", help="how times are written, such as %%d/%%m/%%Y %%H:%%M")
    table.add_argument("--tz", metavar="ZONE", help="zone of the times, such as Europe/Berlin (default: as they are)")
    table.add_argument("--series", metavar="COLUMN", nargs="+", default=[], help="column(s) that name the series")
    table.add_argument("--target", metavar="COLUMN", help="column to forecast (needed with a file)")
    table.add_argument(
        "--known",
        metavar="PATTERN",
        nargs="+",
        default=[],
        help="columns known ahead, names or patterns ('era5_*');\nof the other numeric ones only the past is read",
    )
    job = parser.add_argument_group("the forecast")
    job.add_argument("--window", type=_positive, default=168, help="rows read before a forecast (default: 168)")
    job.add_argument("--horizon", type=_positive, default=24, help="rows forecast at a time (default: 24)")
    job.add_argument(
        "--test", type=_positive, metavar="TIMES", help="times held out at the end (default: 1416; of a file, a tenth)"
    )
    job.add_argument("--splits", type=_positive, default=3, help="time-ordered splits of the search (default: 3)")
    job.add_argument("--stride", type=_positive, default=6, help="rows between training windows (default: 6)")
    job.add_argument("--jobs", type=_jobs, default=-1, help="processes of the search, -1 for all cores (default: -1)")
    job.add_argument("--seed", type=_seed, default=0, help="seed of the networks (default: 0)")
    job.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    job.add_argument("--output", type=Path, default=Path(), metavar="FOLDER", help="for forecast.png and forecasts.csv")
    job.add_argument("--quick", action="store_true", help="a small search on the last 5,000 times: to see that it runs")
    options = parser.parse_args(arguments)
    if options.data is not None and (options.time is None or options.target is None):
        parser.error("a file needs --time and --target")
    if options.splits < 2:
        parser.error("--splits must be at least 2")
    return options


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, and is {value}")
    return value


def _jobs(text: str) -> int:
    value = int(text)
    if value == 0:
        raise argparse.ArgumentTypeError("must be a number of processes, or -1 for all cores, and is 0")
    return value


def _seed(text: str) -> int:
    value = int(text)
    if not 0 <= value < 2**32:
        raise argparse.ArgumentTypeError(f"must lie between 0 and {2**32 - 1}, and is {value}")
    return value
