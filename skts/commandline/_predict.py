"""`skts predict`: forecast rows of a table, or those that come after it."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.commandline._file import WORDS
from skts.commandline._messages import note
from skts.commandline._model import Model
from skts.commandline._output import check_table_output, write_frame
from skts.commandline._report import score_by_series
from skts.commandline._say import tell_rows, timed
from skts.commandline._split import hours_of
from skts.commandline._table import load_rows
from skts.model_selection import forecast
from skts.panel import find_column, read_index
from skts.strategies import update
from skts.windows import HistoryPrepender, find_horizon, future_rows, walk

_MOST_IN_A_DAY = 288  # rows, of five minutes


def predict(options: argparse.Namespace) -> int:
    """Forecast, and write forecasts with series, time, origin, lead and quantiles."""
    check_table_output(options.output, [options.table, options.known_ahead, options.model])
    model = Model.load(options)
    X = rows_of_table(model, options) if options.ahead is None else rows_to_come(model, options)
    print(tell_rows(X))
    with timed("Forecasting"):
        table = forecast(model.estimator, X, quantiles=options.quantiles or None)
    write_frame(options.output, table.reset_index(names=_level_names(table.index)))
    print(f"Saved {options.output}")
    target = model.read_target(options)
    if target is not None and target in X and X[target].notna().any():
        errors = table[["forecast"]].rename(columns={"forecast": "MAE"})
        print(f"\nOver the {int(X[target].notna().sum()):,} rows with a measured value:\n")
        print(score_by_series(X[target], errors))
    return 0


def rows_of_table(model: Model, options: argparse.Namespace) -> pd.DataFrame:
    """Give the rows of a table that are to be forecast; those before them become history of the model."""
    X = model.read_rows(options, options.table)
    first = getattr(options, "from")
    times = X.index.get_level_values(-1)
    if first is not None:
        is_history = np.asarray(times < _read_time(first, times))
    elif options.origin is not None:
        is_history = _before_hour(X, options.origin)
    else:
        return X
    if is_history.all():
        what = f"--from {first}" if first is not None else f"--origin {options.origin}"
        raise ValueError(f"{what} leaves no row to forecast: the table goes from {times.min()} to {times.max()}.")
    _remember(model, X[is_history])
    return X[~is_history]


def rows_to_come(model: Model, options: argparse.Namespace) -> pd.DataFrame:
    """Give the rows after the last one with a target of every series, or after those that the model has seen."""
    known = None if options.known_ahead is None else load_known(model, options, options.known_ahead)
    horizon = options.ahead or find_horizon(model.estimator)
    if horizon is None:
        raise ValueError("--ahead needs a number of rows, as the model holds no SlidingWindower, and so no horizon.")
    if options.table is not None:
        X = model.read_rows(options, options.table)
        target = model.read_target(options)
        if target is None:
            raise ValueError("--target is needed, the column that says where the measured rows end.")
        is_past = _until_last(X[find_column(X.columns, target, "target", WORDS)])
        _remember(model, X[is_past])
        own = X[~is_past].drop(columns=target)
        own = own[[name for name in own.columns if own[name].notna().any()]]
        if len(own) and known is None:
            known = own
    if options.origin is None:
        return future_rows(model.estimator, horizon, known=known)
    n_before = _rows_before(model, options.origin)
    rows = future_rows(model.estimator, int(n_before.max()) + horizon, known=known)
    series = read_index(rows).series
    place = pd.Series(series).groupby(series).cumcount().to_numpy()
    is_between = place < n_before[series]
    if is_between.any():
        note(
            f"{int(n_before.max())} rows lie between the last measured one and the origin {options.origin}: what is "
            "observed is blank there."
        )
        update(model.estimator, rows[is_between])
    return rows[~is_between & (place < n_before[series] + horizon)]


def load_known(model: Model, options: argparse.Namespace, path: Path) -> pd.DataFrame:
    """Load a table of known columns, of which those that the model does not read are left out."""
    found = load_rows(options, path, [], [])
    names = [name for name in found.columns if name in model.columns]
    target = model.read_target(options)
    return found[[name for name in names if name != target]]


def _remember(model: Model, X: pd.DataFrame) -> None:
    """Put rows into the history of the model in memory, but for those that it has seen."""
    is_new = ~model.seen(X)
    if is_new.any():
        update(model.estimator, X[is_new])


def _until_last(y: pd.Series) -> NDArray[np.bool_]:
    """Mark the rows up to the last one with a target in each series."""
    there = y.notna().astype(int)
    after = there[::-1].groupby(read_index(y.to_frame()).series[::-1]).cumsum()[::-1]
    return (after > 0).to_numpy()


def _before_hour(X: pd.DataFrame, origin: str) -> NDArray[np.bool_]:
    """Mark the rows of each series before the first one at an hour of the day."""
    is_hour = hours_of(X.index.get_level_values(-1)) == origin
    return (pd.Series(is_hour).groupby(read_index(X).series).cumsum() == 0).to_numpy()


def _rows_before(model: Model, origin: str) -> NDArray[np.int64]:
    """Count for each series the rows to come before the first one at an hour of the day."""
    past = next(part.tail_ for part in walk(model.estimator) if isinstance(part, HistoryPrepender))
    rows = future_rows(past, _MOST_IN_A_DAY)
    series = read_index(rows).series
    is_origin = pd.Series(hours_of(rows.index.get_level_values(-1)) == origin)
    if not is_origin.groupby(series).any().all():
        first = rows.index.get_level_values(-1)[:3]
        raise ValueError(f"--origin {origin} is the hour of no row to come: {', '.join(map(str, first))}, ...")
    return is_origin.groupby(series).agg("idxmax").to_numpy() - np.searchsorted(series, np.arange(series.max() + 1))


def _read_time(text: str, times: pd.Index) -> pd.Timestamp:
    try:
        time = pd.Timestamp(text)
    except ValueError:
        raise ValueError(f"--from {text!r} is no time such as 2024-01-31 13:00.") from None
    zone = getattr(times, "tz", None)
    if zone is not None and time.tzinfo is None:
        return time.tz_localize(zone)
    return time if zone is None or time.tzinfo is None else time.tz_convert(zone)


def _level_names(index: pd.Index) -> list[str]:
    """Name the levels of an index, the last of them time."""
    names = [f"series_{i}" if name is None else str(name) for i, name in enumerate(index.names[:-1])]
    return [*names, "time" if index.names[-1] is None else str(index.names[-1])]
