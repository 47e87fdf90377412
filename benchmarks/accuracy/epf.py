"""Accuracy on the day-ahead electricity prices of five markets: 168 hours to 24, with two forecasts beside the price.

Run: python benchmarks/accuracy/epf.py [--markets NP PJM BE FR DE] [--seeds 0 1 2] [--models lstm DLinear]

The file is a Parquet table with the columns market, timestamp, exog1, exog2 and price, regular in time.
"""

import json
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
from benchmarks._report import data_file, is_another_file, markdown, number_of
from benchmarks.accuracy._fits import Results, describe, make_parser
from skts import DLinearRegressor, NetRegressor, NLinearRegressor, SlidingWindower
from skts.features import CalendarFeatures
from skts.nn import EncoderDecoder
from skts.strategies import EnsembleRegressor

NAME = "epf"
FILE = "epf/epf.parquet"
PUBLISHED = json.loads(Path(__file__).with_name("published.json").read_text(encoding="utf-8"))["epf"]["rows"]
MARKETS = ["NP", "PJM", "BE", "FR", "DE"]
WINDOW, HORIZON = 168, 24
AHEAD = "lstm-ahead"
NAIVE = {"last day": slice(-HORIZON, None), "last week": slice(None, HORIZON), "last value": slice(-1, None)}
NETWORKS = ["lstm", AHEAD]
TAMED = (np.arcsinh, np.sinh)  # what keeps spikes of 79 deviations from ruling the training of a network
MODELS = [*NETWORKS, "DLinear", "NLinear", *NAIVE]
SCORES = ["mse", "mae"]
CHECKED = {  # what the protocol must give
    "last day": ((0.4405, 0.3672), (0.1273, 0.2242), (0.5850, 0.3612), (0.5524, 0.3024), (0.9362, 0.6205)),
    "last week": ((0.7750, 0.5313), (0.2845, 0.3215), (0.9666, 0.4061), (0.6730, 0.3232), (1.3369, 0.7313)),
    "last value": ((0.7010, 0.5050), (0.3562, 0.4251), (1.0029, 0.5136), (1.0033, 0.4423), (1.1274, 0.7345)),
}
CALENDAR = ["hour_sin", "hour_cos", "weekday_sin", "weekday_cos", "year_sin", "year_cos"]


def make_pipeline(model, seed, quick=False):
    """What forecasts 24 hours from 168; calendar and exogenous columns are known ahead where that is asked for."""
    known = [*CALENDAR, "exog1", "exog2"] if model == AHEAD else None
    steps = [
        ("calendar", CalendarFeatures(["hour", "weekday", "year"])),
        ("windows", SlidingWindower(WINDOW, HORIZON, stride=48 if quick else 1, known=known)),
        ("regressor", make_regressor(model, seed, quick)),
    ]
    return Pipeline(steps).set_output(transform="pandas")


def make_regressor(model, seed, quick=False):
    """The networks, with and without the exogenous columns ahead, and the linear rivals."""
    if model in ("DLinear", "NLinear"):
        linear = DLinearRegressor if model == "DLinear" else NLinearRegressor
        return linear(max_epochs=1 if quick else 6, lr=2e-3, lr_schedule="one_cycle", batch_size=128, random_state=seed)
    network = NetRegressor(
        EncoderDecoder,
        network_params={"hidden_size": 8 if quick else 96, "dropout": 0.1, "patch_len": HORIZON, "linear_skip": True},
        instance_norm="median",
        max_epochs=1 if quick else 8,
        subsample=1 / 3,
        lr=5e-3,
        lr_schedule="one_cycle",
        batch_size=128,
        weight_decay=1e-2,
        net_params={"criterion": torch.nn.L1Loss},
    )
    return EnsembleRegressor(network, n_members=3, random_state=seed)


def load(path):
    """Read the table, indexed by time, of every market."""
    tables = pd.read_parquet(path).set_index("timestamp").groupby("market", sort=False)
    return {market: table.drop(columns="market") for market, table in tables}


def split(table):
    """Give the first 70 % to train on, and the last 20 % and the window before them to test on, in scaled units."""
    n_train, n_test = int(len(table) * 0.7), int(len(table) * 0.2)
    scaled = StandardScaler().set_output(transform="pandas").fit(table[:n_train]).transform(table)
    return scaled[:n_train], scaled[len(table) - n_test - WINDOW :]


def forecast(model, train, test, seed, quick):
    """Forecast from every hour of the test: the forecasts and the truth, both (n_windows, horizon)."""
    if model in NAIVE:
        windows = SlidingWindower(WINDOW, HORIZON).fit_transform(test[["price"]])
        truth = windows.targets(test["price"])
        return np.broadcast_to(np.asarray(windows)[:, NAIVE[model], 0], truth.shape), truth
    tame, back = TAMED if model in NETWORKS else (np.asarray, np.asarray)
    X, X_test = (part.assign(price=tame(part["price"])) for part in (train, test))
    pipe = make_pipeline(model, seed, quick).fit(X, X["price"])
    every_hour = clone(pipe["windows"]).set_params(stride=1)
    windows = every_hour.fit_transform(pipe[:-2].transform(X_test))
    return back(pipe["regressor"].predict(windows)), windows.targets(test["price"])


def fit_and_score(model, part, seed, table, quick):
    """Do one market with one model."""
    train, test = split(table)
    y_pred, y_true = forecast(model, train, test, seed, quick)
    assert len(y_true) == int(len(table) * 0.2) - HORIZON + 1
    return {"mse": mean_squared_error(y_true, y_pred), "mae": mean_absolute_error(y_true, y_pred)}


def make_blocks(results):
    """Write the tables of the page."""
    markets = list(dict.fromkeys(record["part"] for record in results.records))
    whole = markets == MARKETS
    published = []
    for model, scores in PUBLISHED.items():
        chosen = [scores[MARKETS.index(market)] if market in MARKETS else None for market in markets]
        chosen.append(scores[-1] if whole else None)
        shown = ["" if one is None else " / ".join(number_of(each, 3) for each in one) for one in chosen]
        published.append([model, *shown])
    header = ["", *markets, "mean"]
    alike = [row for model in MODELS if model != AHEAD for row in rows_of(results, model, markets)]
    ahead = [row for model in (AHEAD, "lstm") for row in rows_of(results, model, markets)]
    return {"results": markdown(header, [*alike, *published]), "ahead": markdown(header, ahead)}


def rows_of(results, model, markets):
    """Give the row of a model, or none where it did not run."""
    cells = [results.cell(model, market, SCORES) for market in markets]
    if not any(cells):
        return []
    means = [results.table(score)["mean"][model].mean() for score in SCORES]
    mean = "" if "" in cells else " / ".join(number_of(each, 4) for each in means)
    return [[f"**skts {model}**" if model not in NAIVE else model, *cells, mean]]


def main():
    """Run the benchmark."""
    parser = make_parser(__doc__, MODELS)
    parser.add_argument("--markets", nargs="+", help="all by default")
    options = parser.parse_args()
    tables = load(data_file(options.data, FILE))
    options.markets = options.markets or list(tables)
    results = Results.start(NAME, options)
    results.settings |= {model: describe(make_pipeline(model, None)) for model in options.models if model not in NAIVE}
    parts = {market: {"table": tables[market]} for market in options.markets}
    results.run_models(fit_and_score, parts, [model for model in MODELS if model not in NAIVE], options)
    if not is_another_file(options.data):
        expected = {(model, MARKETS[i]): scores for model, known in CHECKED.items() for i, scores in enumerate(known)}
        results.check(expected, SCORES, digits=4)
    results.publish(make_blocks(results))


if __name__ == "__main__":
    main()
