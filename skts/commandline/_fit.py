"""`skts fit`: train on a table, and save the model."""

import argparse
import time
import warnings

from skts.commandline._checks import check_device, check_target, check_windows
from skts.commandline._config import given_options, write_config
from skts.commandline._output import check_output
from skts.commandline._pipeline import build_pipeline, settle_job
from skts.commandline._say import tell_table, timed, with_bar
from skts.commandline._table import load_table
from skts.exceptions import MissingHistoryWarning
from skts.persistence import save


def fit(options: argparse.Namespace) -> int:
    """Train the command's own forecaster on all rows of a table."""
    check_output(options.model, [options.table, options.config])
    if options.save_config is not None:
        check_output(options.save_config, [options.table])
    check_device(options.device)
    table = load_table(options)
    tell_table(table)
    check_target(table.y, "of the table", "Name another column")
    check_windows(table.X, table.job, "of the table", " or a longer table")
    job = settle_job(table.job, table.X, table.y)
    began = time.perf_counter()
    pipeline = build_pipeline(job)
    with timed("Training"), with_bar(pipeline), warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingHistoryWarning)  # the holes were counted above
        pipeline.fit(table.X, table.y)
    card = {
        "command": {
            "options": given_options(options),
            "left_out": {why: list(map(str, names)) for why, names in table.left_out.items()},
            "seconds": round(time.perf_counter() - began, 1),
        }
    }
    save(pipeline, options.model, card=card)
    print(f"Saved {options.model} ({options.model.stat().st_size / 1e6:.2f} MB)")
    if options.save_config is not None:
        write_config(options.save_config, options)
        print(f"Saved {options.save_config}")
    return 0
