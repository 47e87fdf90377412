"""Accuracy on the day-ahead prices of five markets as in Lago et al. (2021): 728 days, each forecast at its midnight.

Run: python benchmarks/accuracy/epf_lago.py [--markets NP PJM BE FR DE] [--seeds 0 1 2] [--models lstm "last day or week"]

The file is that of epf.py; beside it lie the published forecasts, forecasts_DNN_LEAR_<market>.csv.gz.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a checkout that is not installed
import skts
from benchmarks._report import data_file, markdown, number_of
from benchmarks.accuracy._epf_day_ahead import Scale, last_day_or_week, make_pipeline
from benchmarks.accuracy._fits import PUBLISHED, Results, make_parser
from benchmarks.accuracy.epf import FILE, MARKETS, load
from skts.strategies import ColumnRegressor, CombinationRegressor

NAME = "epf_lago"
DAY = 24
TEST_DAYS, DAYS_BETWEEN, DAYS_AGAIN = 728, 28, 364
NAIVE = "last day or week"
MODELS = ["lstm", NAIVE]
ROWS = [  # score of the LSTM, and how the page calls it
    ("mae", "**skts lstm**, brought up to date every 28 days"),
    ("mae once", "**skts lstm**, fitted once"),
    ("mae online", "**skts lstm**, DNN and LEAR, combined online"),
    ("mae mean", "**skts lstm**, DNN and LEAR, plain mean"),
    ("mae published", "DNN and LEAR, plain mean"),
]


def split(table):
    """Give the rows before the last 728 days, and those."""
    return table[: -TEST_DAYS * DAY], table[-TEST_DAYS * DAY :]


def read_published(path, market):
    """Read the forecasts of the ensembles of Lago et al."""
    file = path.with_name(f"forecasts_DNN_LEAR_{market}.csv.gz")
    return pd.read_csv(file, index_col=0, parse_dates=True)[["DNN Ensemble", "LEAR Ensemble"]]


def forecast_once(pipe, train, test):
    """Forecast all days by what was learned before the first."""
    scale = Scale.fit(train)
    rows = scale.transform(train)
    return scale.inverse(pipe.fit(rows, rows["price"]).predict(scale.transform(test)))


def forecast_up_to_date(pipe, train, test):
    """Forecast 28 days, let the fitted pipe go on for an epoch on the latest year, and so on."""
    scale, n_train = Scale.fit(train), len(train)
    rows = scale.transform(pd.concat([train, test]))
    forecasts = []
    for begin in range(0, len(test), DAYS_BETWEEN * DAY):
        if begin:
            latest = rows[: n_train + begin][-DAYS_AGAIN * DAY :]
            skts.update(pipe, latest, latest["price"], epochs=1)
        forecasts.append(pipe.predict(rows[n_train + begin :][: DAYS_BETWEEN * DAY]))
    return scale.inverse(np.concatenate(forecasts))


def combine_online(forecasts, price):
    """Weigh forecasts of the test hours by how each did on the days before: (n_hours, n_experts) to (n_hours,)."""
    experts = [(name, ColumnRegressor(name)) for name in forecasts]
    combination = CombinationRegressor(
        experts, method="ml_poly", by=(), loss="absolute", target="price", horizon=DAY, calibration=0.5
    )
    table = forecasts.reindex(price.index).assign(price=price)
    before = table[: -len(forecasts)][-2 * DAY :]  # of which nobody has a forecast: nothing to learn from yet
    return combination.fit(before, before["price"]).predict(table[-len(forecasts) :])


def fit_and_score(model, part, seed, table, published, quick):
    """Do one market with one model."""
    train, test = split(table)
    if quick:
        train, test = train[-120 * DAY :], test[: 60 * DAY]
    prices = test["price"]

    def mae(forecasts):
        return float(np.abs(np.asarray(forecasts) - prices).mean())

    if model == NAIVE:
        return {"mae": mae(last_day_or_week(table["price"])[test.index])}
    pipe = make_pipeline(seed, quick)
    scores = {"mae once": mae(forecast_once(pipe, train, test))}
    forecasts = published.reindex(test.index).assign(lstm=forecast_up_to_date(pipe, train, test))
    return scores | {
        "mae": mae(forecasts["lstm"]),
        "mae online": mae(combine_online(forecasts, table["price"][: test.index[-1]])),
        "mae mean": mae(forecasts.mean(axis=1)),
        "mae published": mae(forecasts.drop(columns="lstm").mean(axis=1)),
    }


def make_blocks(results):
    """Write the table of the page."""
    rows = [[label, *(results.cell("lstm", market, [score], 3) for market in MARKETS)] for score, label in ROWS]
    rows += [[NAIVE, *(results.cell(NAIVE, market, ["mae"], 3) for market in MARKETS)]]
    rows += [[name, *(number_of(each, 3) for each in errors)] for name, errors in PUBLISHED[NAME]["rows"].items()]
    return {"results": markdown(["", *MARKETS], [row for row in rows if any(row[1:])])}


def main():
    """Run the benchmark."""
    parser = make_parser(__doc__, MODELS)
    parser.add_argument("--markets", nargs="+", choices=MARKETS, default=MARKETS, help="all by default")
    options = parser.parse_args()
    path = data_file(options.data, FILE)
    tables = load(path)
    parts = {market: {"table": tables[market], "published": read_published(path, market)} for market in options.markets}
    results = Results.start(NAME, options, {"lstm": make_pipeline(None)} if "lstm" in options.models else {})
    results.run(fit_and_score, parts, ["lstm"], options)
    results.check(["mae"], 3, options)
    results.publish(make_blocks(results))


if __name__ == "__main__":
    main()
