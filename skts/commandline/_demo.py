"""`skts demo`: load, search, forecast, compare, save, the whole way with stock scikit-learn."""

import argparse
import time
import warnings
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV, ParameterGrid
from sklearn.pipeline import Pipeline, make_pipeline

from skts.commandline._fit_lines import FitLines, describe
from skts.commandline._job import Job
from skts.commandline._output import write_frame
from skts.commandline._pipeline import build_pipeline, grid_of, settle_job
from skts.commandline._report import draw, scores, write_reference, write_table
from skts.commandline._rivals import rivals
from skts.commandline._say import tell_table
from skts.commandline._split import Split, check_search, hold_out, split_size
from skts.commandline._table import load_table
from skts.exceptions import MissingHistoryWarning, ShortSeriesWarning
from skts.metrics import ignore_missing
from skts.model_selection import PanelTimeSeriesSplit
from skts.windows import HistoryPrepender, SlidingWindower


def demo(options: argparse.Namespace) -> int:
    """Do the whole job, and show the table of scores."""
    run(options)
    return 0


def run(options: argparse.Namespace) -> pd.DataFrame:
    """Do the whole job and give the table of scores."""
    began = time.perf_counter()
    table = load_table(options)
    split = hold_out(table, options)
    tell_table(table)
    is_test = split.is_test
    start = table.X.index.get_level_values(-1)[is_test].min()
    print(f"  test      {int(is_test.sum()):,} rows from {start} on, {options.horizon} rows ahead")
    check_search(split, options)
    options.output.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingHistoryWarning)  # the holes were counted above
        warnings.simplefilter("ignore", ShortSeriesWarning)
        forecasts = _forecast_all(split, options)
        leads = _leads(split)
    _, y = split.test
    result = scores(y, forecasts)
    print(f"\nScores over the {int(y.notna().sum()):,} test rows with a measured value, {write_reference(result)}:\n")
    print(write_table(result, table.unit))
    path = options.output / "forecasts.csv"
    measured = forecasts.assign(**{f"{y.name} (measured)": y})
    write_frame(path, measured.reset_index())
    print(f"\nSaved {path}")
    if find_spec("matplotlib"):
        draw(options.output / "forecast.png", y, forecasts, leads, table.unit)
        print(f"Saved {options.output / 'forecast.png'}")
    else:
        print("No picture: matplotlib is not installed (pip install 'skts[plot]').")
    print(f"Done in {time.perf_counter() - began:.0f} s.")
    return result


def _forecast_all(split: Split, options: argparse.Namespace) -> pd.DataFrame:
    X, y = split.train
    X_test, y_test = split.test
    began = time.perf_counter()
    job = settle_job(split.table.job, X, y)
    best = _search(split, options, job)
    print(f"Best fitted to all {len(X):,} training rows; {time.perf_counter() - began:.0f} s in all.")
    forecasts = {"LSTM": best.predict(X_test)}
    for name, rival in rivals(job).items():
        print(f"Fitting {name} ...", flush=True)
        forecasts[name] = rival.fit(X, y).predict(X_test)
    wrong = {name: np.shape(values) for name, values in forecasts.items() if np.shape(values) != y_test.shape}
    if wrong:
        raise ValueError(f"Not one forecast for each of the {len(y_test)} rows: {wrong}.")
    return pd.DataFrame(forecasts, index=X_test.index)


def _leads(split: Split) -> np.ndarray:
    """Tell how many rows after the last one seen each test row lies, gaps counted."""
    job = split.table.job
    cut = make_pipeline(HistoryPrepender(job.window), SlidingWindower(job.window, job.horizon))
    windows = cut.fit(*split.train).transform(split.test[0])
    return windows.to_rows(np.tile(np.arange(1, job.horizon + 1), (len(windows), 1)))


def _search(split: Split, options: argparse.Namespace, job: Job) -> Pipeline:
    """Try the settings, list their scores, and fit the best to all training rows."""
    X, y = split.train
    grid, pipeline = grid_of(job), build_pipeline(replace(job, n_members=1))  # of several, one tells which is better
    search = GridSearchCV(
        pipeline,
        grid,
        cv=PanelTimeSeriesSplit(options.splits, test_size=split_size(X, options)),
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
    return build_pipeline(job).set_params(**found[0][1]).fit(X, y)


def _first(pair: tuple[float, dict[str, int]]) -> float:
    return pair[0]
