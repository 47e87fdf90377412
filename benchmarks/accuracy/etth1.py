"""Accuracy on ETTh1, the table that long-horizon forecasters are compared on: seven series, 96 and 192 hours ahead.

Run: python benchmarks/accuracy/etth1.py [--lookbacks 96 336] [--horizons 96 192] [--seeds 0 1 2] [--models gru DLinear]

The file is the published archive (or a CSV file) with the column date and one column per series, 14,400 hours or more.
"""

import json
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
from benchmarks._report import data_file, is_another_file, markdown, number_of
from benchmarks.accuracy._fits import Results, describe, make_parser
from skts import DLinearRegressor, GRURegressor, NLinearRegressor, SlidingWindower
from skts.strategies import EnsembleRegressor

NAME = "etth1"
FILE = "ett/ETT-small.zip"
MEMBER = "ETT-small/ETTh1.csv"
LINEAR = {"DLinear": DLinearRegressor, "NLinear": NLinearRegressor}
MODELS = ["gru", *LINEAR, "last day"]
SCORES = ["mse", "mae"]
BEGIN_VALIDATION, BEGIN_TEST, END_TEST = (months * 30 * 24 for months in (12, 16, 20))  # rows of the published loaders
PUBLISHED = json.loads(Path(__file__).with_name("published.json").read_text(encoding="utf-8"))["etth1"]
DAY = 24
CHECKED = {96: (0.5122, 0.4333)}  # what the last day must give, whatever the lookback


def make_pipeline(model, lookback, horizon, seed, quick=False):
    """What forecasts a series from its own past; one model for all seven."""
    windower = SlidingWindower(lookback, horizon, stride=97 if quick else 1)
    return Pipeline([("windows", windower), ("regressor", make_regressor(model, lookback, horizon, seed, quick))])


def make_regressor(model, lookback, horizon, seed, quick=False):
    """The network and the linear rivals."""
    if model in LINEAR:
        return LINEAR[model](
            max_epochs=1 if quick else 6, lr=5e-3, lr_schedule="one_cycle", batch_size=224, random_state=seed
        )
    network = GRURegressor(
        hidden_size=128,
        dropout=0.3,
        patch_len=DAY,
        instance_norm="last",
        series_embedding=4,
        max_epochs=15,
        lr=5e-3,
        lr_schedule="one_cycle",
        batch_size=512,
        subsample=0.25 if lookback < 200 else 0.125,
        weight_decay=1e-4,
        net_params={"criterion": torch.nn.SmoothL1Loss, "criterion__beta": 0.5},
    )
    if quick:
        network.set_params(hidden_size=8, max_epochs=1)
    return EnsembleRegressor(network, n_members=2 if quick else 5, random_state=seed)


def load(path):
    """Read the table, one column per series."""
    if path.suffix != ".zip":
        return pd.read_csv(path, parse_dates=["date"], index_col="date")
    with zipfile.ZipFile(path) as archive, archive.open(MEMBER) as file:
        return pd.read_csv(file, parse_dates=["date"], index_col="date")


def split(table, lookback):
    """Give the training hours, and those of the test with the window before them, as panels of scaled values."""
    scaler = StandardScaler().set_output(transform="pandas").fit(table[:BEGIN_VALIDATION])
    scaled = scaler.transform(table)
    return to_panel(scaled[:BEGIN_VALIDATION]), to_panel(scaled[BEGIN_TEST - lookback : END_TEST])


def to_panel(table):
    """Put the columns below each other, indexed by series and time."""
    return table.melt(ignore_index=False, var_name="series").set_index("series", append=True).swaplevel()


def forecast(model, train, test, windower, pipe):
    """Forecast from every hour of the test: the forecasts and the truth, both (n_windows, horizon)."""
    if model == "last day":
        windows = windower.fit_transform(test)
        days = -(-windows.horizon // DAY)
        return np.tile(windows[:][:, -DAY:, 0], (1, days))[:, : windows.horizon], windows.targets(test["value"])
    pipe.fit(train, train["value"])
    windows = windower.fit_transform(test)
    return pipe["regressor"].predict(windows), windows.targets(test["value"])


def fit_and_score(model, part, seed, table, quick):
    """Do one lookback and horizon with one model."""
    lookback, horizon = map(int, part.split(" to "))
    train, test = split(table, lookback)
    pipe = None if model == "last day" else make_pipeline(model, lookback, horizon, seed, quick)
    y_pred, y_true = forecast(model, train, test, SlidingWindower(lookback, horizon), pipe)
    assert len(y_true) == table.shape[1] * (END_TEST - BEGIN_TEST - horizon + 1)
    return {"mse": mean_squared_error(y_true, y_pred), "mae": mean_absolute_error(y_true, y_pred)}


def make_blocks(results):
    """Write the tables of the page."""
    parts = sorted({tuple(map(int, record["part"].split(" to "))) for record in results.records})
    tables = []
    for lookback in dict.fromkeys(lookback for lookback, _ in parts):
        horizons = [horizon for other, horizon in parts if other == lookback]
        rows = [
            [f"**skts {model}**" if model != "last day" else model, *cells]
            for model in MODELS
            if any(cells := [results.cell(model, f"{lookback} to {horizon}", SCORES) for horizon in horizons])
        ]
        for model, published in PUBLISHED.get(str(lookback), {}).items():
            pairs = [published.get(str(horizon), ()) for horizon in horizons]
            rows.append([model, *(" / ".join(number_of(each, 3) for each in pair) for pair in pairs)])
        tables.append(f"## Lookback {lookback}\n\n{markdown(['horizon', *horizons], rows)}")
    return {"results": "\n\n".join(tables)}


def main():
    """Run the benchmark."""
    parser = make_parser(__doc__, MODELS)
    parser.add_argument("--lookbacks", type=int, nargs="+", default=[96, 336])
    parser.add_argument("--horizons", type=int, nargs="+", default=[96, 192])
    options = parser.parse_args()
    table = load(data_file(options.data, FILE))
    results = Results.start(NAME, options)
    first = options.lookbacks[0], options.horizons[0]
    results.settings |= {m: describe(make_pipeline(m, *first, None)) for m in options.models if m != "last day"}
    pairs = list(product(options.lookbacks, options.horizons))
    parts = {f"{lookback} to {horizon}": {"table": table} for lookback, horizon in pairs}
    results.run_models(fit_and_score, parts, ["gru", *LINEAR], options)
    if not is_another_file(options.data):
        expected = {("last day", f"{look} to {ahead}"): CHECKED[ahead] for look, ahead in pairs if ahead in CHECKED}
        results.check(expected, SCORES, digits=4)
    results.publish(make_blocks(results))


if __name__ == "__main__":
    main()
