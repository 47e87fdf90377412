"""`skts check`: look for leaks in a table and in the way a model is made of it."""

import argparse
import warnings
from dataclasses import replace

from sklearn.base import clone

from skts.commandline._messages import note
from skts.commandline._model import Model
from skts.commandline._pipeline import build_pipeline, settle_job
from skts.commandline._say import tell_table, timed, verbose
from skts.commandline._table import load_table
from skts.exceptions import KnownTargetWarning, MissingHistoryWarning, ShortSeriesWarning
from skts.inspection import check_leakage
from skts.panel import find_knowing

LEAK = 1


def check(options: argparse.Namespace) -> int:
    """Change what forecasts must not see, and say which forecasts change; 1 where there is a leak."""
    table = load_table(options)
    tell_table(table)
    if options.model is None:
        job = replace(table.job, quick=True)
        estimator = build_pipeline(settle_job(job, table.X, table.y))
    else:
        estimator = clone(Model.load(options).estimator)
    knowing = find_knowing(table.X, table.y, [*table.job.known])
    for name, said in knowing.items():
        note(f"--known takes in {name!r}, which {said}: forecasts would read the truth.")
    with timed("Trying"), warnings.catch_warnings():
        for category in (MissingHistoryWarning, ShortSeriesWarning, KnownTargetWarning):
            warnings.simplefilter("ignore", category)
        report = check_leakage(
            estimator,
            table.X,
            table.y,
            target=[table.job.target],
            n_origins=options.origins,
            random_state=options.seed,
            verbose=verbose(),
        )
    print(f"\n{report}")
    return 0 if report.ok and not knowing else LEAK
