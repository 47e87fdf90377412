"""Load, search, forecast, compare, save: the whole way, with stock scikit-learn."""

import argparse
import time
import warnings
from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np
import pandas as pd
from joblib.externals.loky.process_executor import TerminatedWorkerError
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, ParameterGrid
from sklearn.pipeline import Pipeline, make_pipeline

from skts.commandline._arguments import parse_arguments
from skts.commandline._checks import check_job, split_size
from skts.commandline._fit_lines import FitLines, describe
from skts.commandline._job import Job
from skts.commandline._messages import show_error, warnings_as_lines
from skts.commandline._pipeline import build_pipeline, grid_of, settle_job
from skts.commandline._report import draw, scores, write_table
from skts.commandline._rivals import rivals
from skts.commandline._table import Table, load_table
from skts.exceptions import MissingHistoryWarning, ShortSeriesWarning
from skts.metrics import ignore_missing
from skts.model_selection import PanelTimeSeriesSplit
from skts.panel import series_names
from skts.windows import HistoryPrepender, SlidingWindower


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : sequence of str, default=None
        `sys.argv[1:]` by default.

    Returns
    -------
    status : int
        0, or 2 where the table cannot be used, with the reason in one line on standard error.
    """
    options = parse_arguments(arguments)
    try:
        with warnings_as_lines():
            run(options)
    except (ValueError, ArithmeticError, OSError, ImportError, MemoryError, TerminatedWorkerError) as error:
        show_error(error)
        return 2
    return 0


def run(options: argparse.Namespace) -> pd.DataFrame:
    """Do the whole job and give the table of scores."""
    began = time.perf_counter()
    table = load_table(options)
    _describe(table, options)
    check_job(table, options)
    options.output.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingHistoryWarning)  # the holes were counted above
        warnings.simplefilter("ignore", ShortSeriesWarning)
        forecasts = _forecast_all(table, options)
        leads = _leads(table, options)
    _, y = table.test
    result = scores(y, forecasts, reference="persistence")
    print(f"\nScores over the {int(y.notna().sum()):,} test rows with a measured value, skill against persistence:\n")
    print(write_table(result, table.unit))
    path = options.output / "forecasts.csv"
    forecasts.assign(**{f"{table.target} (measured)": y}).to_csv(path, float_format="%.6g")
    print(f"\nSaved {path}")
    if find_spec("matplotlib"):
        draw(options.output / "forecast.png", table, forecasts, leads)
        print(f"Saved {options.output / 'forecast.png'}")
    else:
        print("No picture: matplotlib is not installed (pip install 'skts[plot]').")
    print(f"Done in {time.perf_counter() - began:.0f} s.")
    return result


def make_job(table: Table, options: argparse.Namespace) -> Job:
    """Say what is to be forecast from what."""
    known = tuple(table.known)
    return Job(
        table.target,
        known=known,
        observed=tuple(name for name in table.X.columns if name not in known),
        window=options.window,
        horizon=options.horizon,
        stride=options.stride,
        seed=options.seed,
        device=options.device,
        quick=options.quick,
    )


def _describe(table: Table, options: argparse.Namespace) -> None:
    X, is_test = table.X, table.is_test
    times = X.index.get_level_values(-1)
    names = series_names(X.index)
    n_series = 1 if names is None else names.nunique()
    observed = [name for name in X.columns if name not in table.known]
    print(f"{len(X):,} rows of {n_series} series, {times.min()} to {times.max()}")
    print(f"  target    {table.target}, missing in {int(X[table.target].isna().sum()):,} rows")
    print(f"  observed  {', '.join(observed)}")
    print(f"  known     {', '.join(table.known) or 'nothing'}")
    print(f"  test      {int(is_test.sum()):,} rows from {times[is_test].min()} on, {options.horizon} rows ahead")


def _forecast_all(table: Table, options: argparse.Namespace) -> pd.DataFrame:
    X, y = table.train
    X_test, y_test = table.test
    began = time.perf_counter()
    job = settle_job(make_job(table, options), X, y)
    best = _search(table, options, job)
    print(f"Best fitted to all {len(X):,} training rows; {time.perf_counter() - began:.0f} s in all.")
    forecasts = {"LSTM": best.predict(X_test)}
    for name, rival in rivals(job).items():
        print(f"Fitting {name} ...", flush=True)
        forecasts[name] = rival.fit(X, y).predict(X_test)
    wrong = {name: np.shape(values) for name, values in forecasts.items() if np.shape(values) != y_test.shape}
    if wrong:
        raise ValueError(f"Not one forecast for each of the {len(y_test)} rows: {wrong}.")
    return pd.DataFrame(forecasts, index=X_test.index)


def _leads(table: Table, options: argparse.Namespace) -> np.ndarray:
    """Tell how many rows after the last one seen each test row lies, gaps counted."""
    cut = make_pipeline(HistoryPrepender(options.window), SlidingWindower(options.window, options.horizon))
    windows = cut.fit(*table.train).transform(table.test[0])
    return windows.to_rows(np.tile(np.arange(1, options.horizon + 1), (len(windows), 1)))


def _search(table: Table, options: argparse.Namespace, job: Job) -> Pipeline:
    """Try the settings, list their scores, and fit the best to all training rows."""
    X, y = table.train
    grid, pipeline = grid_of(job), build_pipeline(job)
    search = GridSearchCV(
        pipeline,
        grid,
        cv=PanelTimeSeriesSplit(options.splits, test_size=split_size(table, options)),
        scoring=ignore_missing("neg_mean_absolute_error"),
        n_jobs=options.jobs,
        error_score="raise",
        refit=False,
    ).set_callbacks(FitLines(list(grid), options.splits))
    print(f"\nSearching {len(ParameterGrid(grid))} settings on {options.splits} splits ...", flush=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the fit of the best says what there is to say, and says it once
        search.fit(X, y)
    found = sorted(zip(-search.cv_results_["mean_test_score"], search.cv_results_["params"], strict=True), key=_first)
    print("Mean absolute error over the splits:")
    for score, setting in found:
        print(f"  {score:10.4g}  {describe(setting)}")
    print("Fitting the best ...", flush=True)
    return clone(pipeline).set_params(**found[0][1]).fit(X, y)


def _first(pair: tuple[float, dict[str, int]]) -> float:
    return pair[0]
