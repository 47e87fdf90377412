"""Accuracy on the day-ahead electricity prices of five markets: 168 hours to 24, with two forecasts beside the price.

Run: python benchmarks/accuracy/epf.py [--markets NP PJM BE FR DE] [--seeds 0 1 2] [--models lstm DLinear]

The file is a Parquet table with the columns market, timestamp, exog1, exog2 and price, regular in time.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.base import clone
from sklearn.metrics import mean_absolute_error, mean_squared_error
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a checkout that is not installed
from benchmarks._report import data_file, markdown, number_of
from benchmarks.accuracy._by_hand import BY_HAND, LIGHTGBM, ON_WINDOWS, make_lightgbm, price_rows
from benchmarks.accuracy._fits import PUBLISHED, Results, make_parser
from skts import DLinearRegressor, NetRegressor, NLinearRegressor, SlidingWindower
from skts.features import CalendarFeatures
from skts.nn import EncoderDecoder, Transformer
from skts.strategies import EnsembleRegressor, WindowedRegressor

NAME = "epf"
FILE = "epf/epf.parquet"
MARKETS = ["NP", "PJM", "BE", "FR", "DE"]
WINDOW, HORIZON = 168, 24
AHEAD = "lstm-ahead"
NAIVE = {"last day": slice(-HORIZON, None), "last week": slice(None, HORIZON), "last value": slice(-1, None)}
NETWORKS = ["lstm", AHEAD, "transformer"]
LINEAR = {"DLinear": DLinearRegressor, "NLinear": NLinearRegressor}
OURS = [*NETWORKS, *LINEAR]
WITH_AHEAD = {AHEAD: "lstm", f"{BY_HAND}, ahead": BY_HAND, f"{ON_WINDOWS}, ahead": ON_WINDOWS}  # and without
BOOSTINGS = [*LIGHTGBM, *(model for model, alike in WITH_AHEAD.items() if alike in LIGHTGBM)]
MODELS = [*OURS, *BOOSTINGS, *NAIVE]
SCORES = ["mse", "mae"]
CALENDAR = ["hour_sin", "hour_cos", "weekday_sin", "weekday_cos", "year_sin", "year_cos"]


def make_pipeline(model, seed, quick=False):
    """What forecasts 24 hours from 168; calendar and exogenous columns are known ahead where that is asked for."""
    known = [*CALENDAR, "exog1", "exog2"] if model in WITH_AHEAD else None
    stride = 3 if model in BOOSTINGS else 1
    steps = [
        ("calendar", CalendarFeatures(["hour", "weekday", "year"])),
        ("windows", SlidingWindower(WINDOW, HORIZON, stride=48 if quick else stride, known=known)),
        ("regressor", make_windowed(model, quick) if model in BOOSTINGS else make_regressor(model, seed, quick)),
    ]
    return Pipeline(steps).set_output(transform="pandas")


def make_regressor(model, seed, quick=False):
    """The networks, with and without the exogenous columns ahead, and the linear rivals."""
    same = {"lr_schedule": "one_cycle", "batch_size": 128}
    if model in LINEAR:
        return LINEAR[model](max_epochs=1 if quick else 6, lr=2e-3, random_state=seed, **same)
    same |= {
        "instance_norm": "median",
        "max_epochs": 1 if quick else 8,
        "subsample": 1 / 3,
        "weight_decay": 1e-2,
        "net_params": {"criterion": torch.nn.L1Loss},
    }
    size = {"hidden_size": 8 if quick else 96, "dropout": 0.1, "patch_len": HORIZON, "linear_skip": True}
    if model == "transformer":
        network = NetRegressor(Transformer, network_params=size | {"num_layers": 1}, **same, lr=2e-3)
    else:
        network = NetRegressor(EncoderDecoder, network_params=size, **same, lr=5e-3)
    return EnsembleRegressor(network, n_members=3, random_state=seed)


def make_windowed(model, quick=False):
    """LightGBM on the windows of the networks, one for each hour ahead."""
    boosting = make_lightgbm(
        150,
        quick,
        learning_rate=0.05,
        num_leaves=15,
        min_child_samples=40,
        colsample_bytree=0.3,
        subsample=0.7,
    )
    return WindowedRegressor(boosting, lags=[*range(1, 25), 48, 168])


def make_boosting(quick=False):
    """LightGBM by hand, one for all hours ahead."""
    return make_lightgbm(
        300,
        quick,
        objective="l1",
        learning_rate=0.05,
        num_leaves=31,
        min_child_samples=100,
        colsample_bytree=0.5,
        subsample=0.7,
    )


def forecast_by_hand(model, train, test, quick=False):
    """Forecast from every hour of the test, having learned from every seventh of the training, of all hours of day."""
    every = range(WINDOW, len(train) - HORIZON + 1, 48 if quick else 7), range(WINDOW, len(test) - HORIZON + 1)
    origins, origins_test = (np.array(each) for each in every)
    rows, level = price_rows(train, origins, HORIZON, ahead=model in WITH_AHEAD)
    target = train["price"].to_numpy()[origins[:, None] + np.arange(HORIZON)].ravel()
    rows_test, level_test = price_rows(test, origins_test, HORIZON, ahead=model in WITH_AHEAD)
    return (make_boosting(quick).fit(rows, target - level).predict(rows_test) + level_test).reshape(-1, HORIZON)


def load(path):
    """Read the table, indexed by time, of every market."""
    tables = pd.read_parquet(path).set_index("timestamp").groupby("market", sort=False)
    return {market: table.drop(columns="market") for market, table in tables}


def split(table):
    """Give the first 70 % to train on, and the last 20 % and the window before them to test on, in scaled units."""
    n_train, n_test = int(len(table) * 0.7), int(len(table) * 0.2)
    scaled = StandardScaler().set_output(transform="pandas").fit(table[:n_train]).transform(table)
    return scaled[:n_train], scaled[len(table) - n_test - WINDOW :]


def reads_tamed(model):
    """Say whether a model reads and learns asinh of the price: networks, and LightGBM on the windows of theirs."""
    return model in NETWORKS or model.startswith(ON_WINDOWS)


def fit_and_score(model, part, seed, table, quick):
    """Do one market with one model: a forecast from every hour of the test."""
    train, test = split(table)
    windows = SlidingWindower(WINDOW, HORIZON).fit_transform(test[["price"]])
    y_true = windows.targets(test["price"])
    if model in NAIVE:
        y_pred = np.broadcast_to(windows[:][:, NAIVE[model], 0], y_true.shape)
    else:  # spikes of 79 deviations must not rule the training of a network
        tame, back = (np.arcsinh, np.sinh) if reads_tamed(model) else (np.asarray, np.asarray)
        X, X_test = (rows.assign(price=tame(rows["price"])) for rows in (train, test))
        if model.startswith(BY_HAND):
            y_pred = back(forecast_by_hand(model, X, X_test, quick))
        else:
            pipe = make_pipeline(model, seed, quick).fit(X, X["price"])
            every_hour = clone(pipe["windows"]).set_params(stride=1)
            y_pred = back(pipe["regressor"].predict(every_hour.fit_transform(pipe[:-2].transform(X_test))))
    assert len(y_true) == int(len(table) * 0.2) - HORIZON + 1
    return {"mse": mean_squared_error(y_true, y_pred), "mae": mean_absolute_error(y_true, y_pred)}


def make_blocks(results):
    """Write the tables of the page."""
    markets = list(dict.fromkeys(record["part"] for record in results.records))
    columns = [*markets, "mean" if markets == MARKETS else ""]
    alike = results.rows([model for model in MODELS if model not in WITH_AHEAD], markets, SCORES, OURS, mean=markets)
    ahead = results.rows([*WITH_AHEAD, *WITH_AHEAD.values()], markets, SCORES, OURS, mean=markets)
    for model, scores in PUBLISHED[NAME]["rows"].items():
        known = dict(zip([*MARKETS, "mean"], scores, strict=True))
        alike[model] = [" / ".join(number_of(each, 3) for each in known.get(column, ())) for column in columns]
    tables = {"results": alike, "ahead": ahead}
    header = ["", *markets, "mean"]
    return {name: markdown(header, [[model, *cells] for model, cells in rows.items()]) for name, rows in tables.items()}


def main():
    """Run the benchmark."""
    parser = make_parser(__doc__, MODELS)
    parser.add_argument("--markets", nargs="+", help="all by default")
    options = parser.parse_args()
    tables = load(data_file(options.data, FILE))
    estimators = {
        model: make_boosting() if model.startswith(BY_HAND) else make_pipeline(model, None)
        for model in options.models
        if model not in NAIVE
    }
    results = Results.start(NAME, options, estimators)
    parts = {market: {"table": tables[market]} for market in options.markets or tables}
    results.run(fit_and_score, parts, OURS, options)
    results.check(SCORES, 4, options)
    results.publish(make_blocks(results))


if __name__ == "__main__":
    main()
