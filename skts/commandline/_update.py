"""`skts update`: bring a model up to date with rows that came since."""

import argparse
import datetime

import numpy as np

from skts.commandline._model import Model
from skts.commandline._output import check_output
from skts.commandline._say import tell_rows, timed
from skts.panel import read_index
from skts.strategies import update as go_on


def update(options: argparse.Namespace) -> int:
    """Give the model the rows that it has not seen, and replace its file."""
    output = options.model if options.output is None else options.output
    check_output(output, [options.table])
    model = Model.load(options)
    X = model.read_rows(options, options.table)
    target = model.read_target(options)
    if target is None or target not in X:
        raise ValueError(f"--target is needed, the column with the truths; the columns are {', '.join(X.columns)}.")
    seen = model.seen(X)
    print(tell_rows(X))
    if seen.all():
        print(f"Nothing to do: the model has seen all rows up to {X.index.get_level_values(-1).max()}.")
        return 0
    if options.epochs:
        series = read_index(X).series
        given = np.isin(series, series[~seen])  # the others have no row that is new
    else:
        given = ~seen
    if seen.any():
        again = f", {int((seen & given).sum()):,} of them to train on once more" if options.epochs else ""
        print(f"  new       {int((~seen).sum()):,} rows; the model has seen {int(seen.sum()):,}{again}")
    with timed("Updating" if not options.epochs else f"Updating, {options.epochs} epochs"):
        go_on(model.estimator, X[given], X[given][target], epochs=options.epochs)
    command = dict(model.card.get("command", {}))
    step = {
        "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "rows": int((~seen).sum()),
        "epochs": options.epochs,
        "until": str(X.index.get_level_values(-1).max()),
    }
    command["updates"] = [*command.get("updates", []), step][-100:]
    model.save(output, {**model.card, "command": command})
    print(f"Saved {output}")
    return 0
