"""Accuracy on ETTh1, the table that long-horizon forecasters are compared on: seven series, 96 and 192 hours ahead.

Run: python benchmarks/accuracy/etth1.py [--lookbacks 96 336] [--horizons 96 192] [--seeds 0 1 2] [--models gru DLinear]

The file is the published archive (or a CSV file) with the column date and one column per series, 14,400 hours or more.
"""

import sys
import zipfile
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import mean_absolute_error, mean_squared_error
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a checkout that is not installed
from benchmarks._report import data_file, markdown, number_of
from benchmarks.accuracy._by_hand import BY_HAND, LIGHTGBM, ON_WINDOWS, load_rows, make_lightgbm
from benchmarks.accuracy._fits import PUBLISHED, Results, make_parser
from skts import DLinearRegressor, GRURegressor, NLinearRegressor, SlidingWindower, TransformerRegressor
from skts.strategies import EnsembleRegressor, WindowedRegressor

NAME = "etth1"
FILE = "ett/ETT-small.zip"
MEMBER = "ETT-small/ETTh1.csv"
LINEAR = {"DLinear": DLinearRegressor, "NLinear": NLinearRegressor}
NETWORKS = ["gru", "transformer", *LINEAR]
MODELS = [*NETWORKS, *LIGHTGBM, "last day"]
SCORES = ["mse", "mae"]
BEGIN_VALIDATION, BEGIN_TEST, END_TEST = (months * 30 * 24 for months in (12, 16, 20))  # rows of the published loaders
DAY = 24


def make_pipeline(model, lookback, horizon, seed, quick=False):
    """What forecasts a series from its own past, a network or a linear rival; one model for all seven."""
    if model in LINEAR:
        linear = {"lr": 5e-3, "lr_schedule": "one_cycle", "batch_size": 224}
        regressor = LINEAR[model](max_epochs=1 if quick else 6, random_state=seed, **linear)
    elif model == ON_WINDOWS:
        boosting = make_lightgbm(
            60, quick, learning_rate=0.1, num_leaves=15, min_child_samples=100, colsample_bytree=0.3, subsample=0.7
        )
        regressor = WindowedRegressor(boosting, series=True)
    else:
        same = {
            "dropout": 0.3,
            "instance_norm": "last",
            "series_embedding": 4,
            "max_epochs": 1 if quick else 15,
            "lr_schedule": "one_cycle",
            "subsample": 0.25 if lookback < 200 else 0.125,
            "weight_decay": 1e-4,
            "net_params": {"criterion": torch.nn.SmoothL1Loss, "criterion__beta": 0.5},
        }
        if model == "gru":
            network = GRURegressor(8 if quick else 128, patch_len=DAY, lr=5e-3, batch_size=512, **same)
        else:
            network = TransformerRegressor(
                8 if quick else 64, num_layers=1, patch_len=DAY, lr=2e-3, batch_size=256, **same
            )
        regressor = EnsembleRegressor(network, n_members=2 if quick else 5, random_state=seed)
    stride = stride_of(model, horizon)
    windower = SlidingWindower(lookback, horizon, stride=97 if quick else stride)
    return Pipeline([("windows", windower), ("regressor", regressor)])


def stride_of(model, horizon):
    """Say how far apart the windows are that a model learns from; LightGBM has a row for each hour ahead of them."""
    return {BY_HAND: (11, 23), ON_WINDOWS: (7, 13)}.get(model, (1, 1))[horizon > 96]


def make_boosting(quick=False):
    """LightGBM by hand, one for all hours ahead."""
    return make_lightgbm(
        200,
        quick,
        objective="l1",
        learning_rate=0.05,
        num_leaves=31,
        min_child_samples=500,
        colsample_bytree=0.5,
        subsample=0.7,
    )


def forecast_by_hand(train, test, lookback, horizon, quick=False):
    """Forecast each series from every hour of the test, having learned from some hours of the training."""
    n_train = len(train.loc[train.index[0][0]])
    origins = np.arange(lookback, n_train - horizon + 1, 97 if quick else stride_of(BY_HAND, horizon))
    tables, targets = [], []
    names = sorted(train.index.unique("series"))  # as the windows have them
    for number, name in enumerate(names):
        values = train.loc[name, "value"].to_numpy()
        rows, level = load_rows(values, origins, horizon, days=lookback // DAY)
        tables.append(rows.assign(series=number))
        targets.append(values[origins[:, None] + np.arange(horizon)].ravel() - level)
    boosting = make_boosting(quick).fit(pd.concat(tables), np.concatenate(targets), categorical_feature=["series"])
    forecasts = []
    for number, name in enumerate(names):
        values = test.loc[name, "value"].to_numpy()
        every_hour = np.arange(lookback, len(values) - horizon + 1)
        rows, level = load_rows(values, every_hour, horizon, days=lookback // DAY)
        forecasts.append((boosting.predict(rows.assign(series=number)) + level).reshape(-1, horizon))
    return np.concatenate(forecasts)


def load(path):
    """Read the table, one column per series."""
    if path.suffix != ".zip":
        return pd.read_csv(path, parse_dates=["date"], index_col="date")
    with zipfile.ZipFile(path) as archive, archive.open(MEMBER) as file:
        return pd.read_csv(file, parse_dates=["date"], index_col="date")


def split(table, lookback):
    """Give the training hours, and those of the test with the window before them, as panels of scaled values."""
    scaler = StandardScaler().set_output(transform="pandas").fit(table[:BEGIN_VALIDATION])
    scaled = scaler.transform(table).melt(ignore_index=False, var_name="series")  # columns below each other
    panel = scaled.set_index("series", append=True).swaplevel()
    row = panel.groupby(level="series").cumcount()
    return panel[row < BEGIN_VALIDATION], panel[(row >= BEGIN_TEST - lookback) & (row < END_TEST)]


def fit_and_score(model, part, seed, table, quick):
    """Do one lookback and horizon with one model: a forecast from every hour of the test."""
    lookback, horizon = map(int, part.split(" to "))
    train, test = split(table, lookback)
    windows = SlidingWindower(lookback, horizon).fit_transform(test)
    y_true = windows.targets(test["value"])
    if model == "last day":
        y_pred = np.tile(windows[:][:, -DAY:, 0], (1, -(-horizon // DAY)))[:, :horizon]
    elif model == BY_HAND:
        y_pred = forecast_by_hand(train, test, lookback, horizon, quick)
    else:
        pipe = make_pipeline(model, lookback, horizon, seed, quick).fit(train, train["value"])
        y_pred = pipe["regressor"].predict(windows)
    assert len(y_true) == table.shape[1] * (END_TEST - BEGIN_TEST - horizon + 1)
    return {"mse": mean_squared_error(y_true, y_pred), "mae": mean_absolute_error(y_true, y_pred)}


def make_blocks(results):
    """Write the tables of the page."""
    parts = sorted({tuple(map(int, record["part"].split(" to "))) for record in results.records})
    tables = []
    for lookback in dict.fromkeys(lookback for lookback, _ in parts):
        horizons = [horizon for other, horizon in parts if other == lookback]
        rows = results.rows(MODELS, [f"{lookback} to {horizon}" for horizon in horizons], SCORES, NETWORKS)
        for model, published in PUBLISHED[NAME].get(str(lookback), {}).items():
            pairs = [published.get(str(horizon), ()) for horizon in horizons]
            rows[model] = [" / ".join(number_of(each, 3) for each in pair) for pair in pairs]
        table = markdown(["horizon", *horizons], [[name, *cells] for name, cells in rows.items()])
        tables.append(f"## Lookback {lookback}\n\n{table}")
    return {"results": "\n\n".join(tables)}


def main():
    """Run the benchmark."""
    parser = make_parser(__doc__, MODELS)
    parser.add_argument("--lookbacks", type=int, nargs="+", default=[96, 336])
    parser.add_argument("--horizons", type=int, nargs="+", default=[96, 192])
    options = parser.parse_args()
    table = load(data_file(options.data, FILE))
    pairs = list(product(options.lookbacks, options.horizons))
    estimators = {
        model: make_boosting() if model == BY_HAND else make_pipeline(model, *pairs[0], None)
        for model in options.models
        if model != "last day"
    }
    results = Results.start(NAME, options, estimators)
    parts = {f"{lookback} to {horizon}": {"table": table} for lookback, horizon in pairs}
    results.run(fit_and_score, parts, NETWORKS, options)
    results.check(SCORES, 4, options)
    results.publish(make_blocks(results))


if __name__ == "__main__":
    main()
