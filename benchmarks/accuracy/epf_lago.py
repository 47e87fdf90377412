"""Accuracy on the day-ahead prices of five markets as in Lago et al. (2021): 728 days, each forecast at its midnight.

Run: python benchmarks/accuracy/epf_lago.py [--markets NP PJM BE FR DE] [--seeds 0] [--models lstm]

The file is that of epf.py; beside it lie the published forecasts, forecasts_DNN_LEAR_<market>.csv.gz.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a checkout that is not installed
from benchmarks._report import data_file, markdown, number_of
from benchmarks.accuracy._epf_day_ahead import Scale, last_day_or_week, make_pipeline
from benchmarks.accuracy._fits import PUBLISHED, Results, make_parser
from benchmarks.accuracy.epf import FILE, MARKETS, load
from skts.strategies import ColumnRegressor, CombinationRegressor

NAME = "epf_lago"
DAY = 24
TEST_DAYS, DAYS_BETWEEN = 728, 91
NAIVE = "last day or week"
MODELS = ["lstm", NAIVE]
ROWS = [  # score of the LSTM, and how the page calls it
    ("mae", "**skts lstm**, trained anew every 91 days"),
    ("mae once", "**skts lstm**, trained once"),
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


def forecast(pipe, train, test):
    """Learn from all hours before, and forecast day after day."""
    scale = Scale.fit(train)
    rows = scale.transform(train)
    return scale.inverse(pipe.fit(rows, rows["price"]).predict(scale.transform(test)))


def forecast_anew(make, train, test, once):
    """Forecast 91 days as whoever was trained once, train anew on all hours so far, and so on."""
    length, n_train = DAYS_BETWEEN * DAY, len(train)
    rows, forecasts = pd.concat([train, test]), [once[:length]]
    for begin in range(length, len(test), length):
        so_far, days = rows[: n_train + begin], rows[n_train + begin :][:length]
        forecasts.append(forecast(make(), so_far, days))
    return np.concatenate(forecasts)


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
    if quick and model != NAIVE:
        train, test = train[-120 * DAY :], test[: 60 * DAY]
    prices = test["price"]

    def mae(forecasts):
        return float(np.abs(np.asarray(forecasts) - prices).mean())

    if model == NAIVE:
        return {"mae": mae(last_day_or_week(table["price"])[test.index])}
    once = forecast(make_pipeline(seed, quick), train, test)
    experts = published.reindex(test.index)
    forecasts = experts.assign(lstm=forecast_anew(lambda: make_pipeline(seed, quick), train, test, once))
    return {
        "mae": mae(forecasts["lstm"]),
        "mae once": mae(once),
        "mae online": mae(combine_online(forecasts, table["price"][: test.index[-1]])),
        "mae mean": mae(forecasts.mean(axis=1)),
        "mae published": mae(experts.mean(axis=1)),
        "mae best expert": min(mae(forecasts[name]) for name in forecasts),
    }


def make_blocks(results):
    """Write the table of the page."""
    rows = [[label, *(results.cell("lstm", market, [score], 3) for market in MARKETS)] for score, label in ROWS]
    rows += [[NAIVE, *(results.cell(NAIVE, market, ["mae"], 3) for market in MARKETS)]]
    rows += [[name, *(number_of(each, 3) for each in errors)] for name, errors in PUBLISHED[NAME]["rows"].items()]
    tables = {"results": rows, "regret": make_regret(results)}
    return {name: markdown(["", *MARKETS], [row for row in some if any(row[1:])]) for name, some in tables.items()}


def make_regret(results):
    """Say what the online combination lost to the best of its experts and to their mean; below nought is a gain."""
    means = pd.DataFrame({score: results.table(score)["mean"] for score, _ in ROWS if score != "mae published"})
    best = results.table("mae best expert")["mean"]
    found = {"the best of the three": means["mae online"] - best, "their mean": means["mae online"] - means["mae mean"]}
    return [
        [name, *(f"{regret.get(('lstm', market), np.nan):+.3f}".replace("+nan", "") for market in MARKETS)]
        for name, regret in found.items()
    ]


def main():
    """Run the benchmark."""
    parser = make_parser(__doc__, MODELS, seeds=[0])
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
