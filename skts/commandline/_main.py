"""Load, search, forecast, compare, save: the whole way, with stock scikit-learn."""

import argparse
import sys
import time
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skts.commandline._arguments import parse_arguments
from skts.commandline._report import draw, scores, write_table
from skts.commandline._rivals import LastValue, TimeOfDay
from skts.commandline._table import Table, load_table
from skts.exceptions import MissingHistoryWarning, ShortSeriesWarning
from skts.metrics import ignore_missing
from skts.model_selection import PanelTimeSeriesSplit
from skts.panel import series_names
from skts.regressors import LSTMRegressor
from skts.strategies import WindowedRegressor
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
        0, or 2 where the table cannot be used, with the reason on standard error.
    """
    options = parse_arguments(arguments)
    try:
        run(options)
    except (ValueError, OSError, ImportError) as error:
        print(f"python -m skts: {error}", file=sys.stderr)
        return 2
    return 0


def run(options: argparse.Namespace) -> pd.DataFrame:
    """Do the whole job and give the table of scores."""
    began = time.perf_counter()
    table = load_table(options)
    _describe(table, options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingHistoryWarning)  # the holes were counted above
        warnings.simplefilter("ignore", ShortSeriesWarning)
        forecasts = _forecast_all(table, options)
        leads = _leads(table, options)
    _, y = table.test
    result = scores(y, forecasts, reference="persistence")
    print(f"\nScores over the {int(y.notna().sum()):,} test rows with a measured value, skill against persistence:\n")
    print(write_table(result, table.unit))
    options.output.mkdir(parents=True, exist_ok=True)
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


def build_pipeline(window: int, horizon: int, known: list[str], *, stride: int, **regressor: Any) -> Pipeline:
    """Put the steps of the LSTM's way together: scale, history, windows, network."""
    return Pipeline(
        [
            ("scale", StandardScaler()),
            ("history", HistoryPrepender(window)),
            ("windows", SlidingWindower(window, horizon, stride=stride, known=known, history=window)),
            ("lstm", LSTMRegressor(**regressor)),
        ]
    ).set_output(transform="pandas")


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
    search = _search(table, options)
    print(f"\nSearch over {len(search.cv_results_['params'])} settings and {options.splits} splits, mean MAE:")
    for setting, score in sorted(
        zip(search.cv_results_["params"], -search.cv_results_["mean_test_score"], strict=True), key=lambda pair: pair[1]
    ):
        print(f"  {score:10.4g}  {', '.join(f'{name} = {value}' for name, value in setting.items())}")
    print(f"Best refitted on all {len(X):,} training rows; {time.perf_counter() - began:.0f} s in all.")
    column = list(X.columns).index(table.target)
    history = HistoryPrepender(options.window)
    windower = SlidingWindower(options.window, options.horizon, stride=options.stride, known=table.known)
    scaled = StandardScaler().set_output(transform="pandas")
    rivals = {
        "Ridge": make_pipeline(scaled, history, windower, WindowedRegressor(Ridge(alpha=1000.0))),
        "climatology": TimeOfDay(),
        "persistence": make_pipeline(clone(history), clone(windower), LastValue(column)),
    }
    forecasts = {"LSTM": search.predict(X_test)}
    for name, rival in rivals.items():
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


def _search(table: Table, options: argparse.Namespace) -> GridSearchCV:
    X, y = table.train
    short = max(1, options.window // 4)
    grid = {"windows__window": [short, options.window], "lstm__hidden_size": [16, 32]}
    if options.quick:
        grid = {"windows__window": [short], "lstm__hidden_size": [8, 16]}
    pipeline = build_pipeline(
        options.window,
        options.horizon,
        table.known,
        stride=options.stride,
        max_epochs=3 if options.quick else 8,
        random_state=options.seed,
        device=options.device,
    )
    n_times = X.index.get_level_values(-1).nunique()
    test_size = max(options.horizon, min(table.is_test.sum(), n_times // (options.splits + 2)))
    search = GridSearchCV(
        pipeline,
        grid,
        cv=PanelTimeSeriesSplit(options.splits, test_size=int(test_size)),
        scoring=ignore_missing("neg_mean_absolute_error"),
        n_jobs=options.jobs,
        error_score="raise",
    )
    print("\nSearching ...", flush=True)
    if find_spec("rich"):
        from sklearn.callback import ProgressBar

        search.set_callbacks(ProgressBar())
    return search.fit(X, y)
