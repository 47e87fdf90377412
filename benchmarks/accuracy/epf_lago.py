"""Accuracy on the day-ahead prices of five markets as in Lago et al. (2021): 728 days, each forecast at its midnight.

Run: python benchmarks/accuracy/epf_lago.py [--markets NP PJM BE FR DE] [--german DE.csv] [--seeds 0]

The file is that of epf.py, but for DE; beside it lie the published forecasts, forecasts_DNN_LEAR_<market>.csv.gz.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a checkout that is not installed
from benchmarks._report import data_file, markdown, number_of
from benchmarks.accuracy._epf_day_ahead import (
    KINDS,
    PARTS,
    WIND_ALONE,
    Scale,
    add_markets,
    last_day_or_week,
    make_pipeline,
    read_markets,
)
from benchmarks.accuracy._fits import PUBLISHED, Results, make_parser
from benchmarks.accuracy.epf import FILE
from skts.strategies import ColumnRegressor, CombinationRegressor

NAME = "epf_lago"
DAY = 24
TEST_DAYS = 728
DAYS_BETWEEN = {"lstm": 91, "mlp": 28, "mlp, levels kept": 28}  # trainings
NAIVE = "last day or week"
NETWORKS = "networks"
MODELS = [NETWORKS, NAIVE]
ROWS = [  # score of the networks, and how the page calls it
    ("mae online", "**skts, three networks**, combined online"),
    ("mae mean", "**skts, three networks**, plain mean"),
    ("mae lstm", "**skts lstm**"),
    ("mae mlp", "**skts mlp**"),
    ("mae mlp, levels kept", "**skts mlp**, levels kept"),
    ("mae lstm once", "**skts lstm**, trained once"),
    ("mae online with published", "**skts, three networks**, DNN and LEAR, combined online"),
    ("mae mean with published", "**skts, three networks**, DNN and LEAR, plain mean"),
    ("mae published", "DNN and LEAR, plain mean"),
]


def split(table):
    """Give the rows before the last 728 days, and those."""
    return table[: -TEST_DAYS * DAY], table[-TEST_DAYS * DAY :]


def read_published(path, market):
    """Read the forecasts of the ensembles of Lago et al."""
    file = path.with_name(f"forecasts_DNN_LEAR_{'DE' if market == WIND_ALONE else market}.csv.gz")
    return pd.read_csv(file, index_col=0, parse_dates=True)[["DNN Ensemble", "LEAR Ensemble"]]


def forecast(pipe, train, test):
    """Learn from all hours before, and forecast day after day."""
    scale = Scale.fit(train)
    rows = scale.transform(train)
    return scale.inverse(pipe.fit(rows, rows["price"]).predict(scale.transform(test)))


def forecast_anew(make, train, test, once, n_days):
    """Forecast some days as whoever was trained once, train anew on all hours so far, and so on."""
    length, n_train = n_days * DAY, len(train)
    rows, forecasts = pd.concat([train, test]), [once[:length]]
    for begin in range(length, len(test), length):
        so_far, days = rows[: n_train + begin], rows[n_train + begin :][:length]
        forecasts.append(forecast(make(), so_far, days))
    return np.concatenate(forecasts)


def make_online(experts):
    """Weigh experts by how each did on the days before."""
    options = {"by": (), "loss": "absolute", "target": "price", "horizon": DAY, "calibration": 0.5}
    return CombinationRegressor(experts, method="ml_poly", **options)


def combine_online(forecasts, price):
    """Weigh forecasts of the test hours: (n_hours, n_experts) to (n_hours,)."""
    combination = make_online([(name, ColumnRegressor(name)) for name in forecasts])
    table = forecasts.reindex(price.index).assign(price=price)
    before = table[: -len(forecasts)][-2 * DAY :]  # of which nobody has a forecast: nothing to learn from yet
    return combination.fit(before, before["price"]).predict(table[-len(forecasts) :])


def fit_and_score(model, part, seed, table, published, quick):
    """Do one market with one model."""
    train, test = split(table)
    if quick and model != NAIVE:
        train, test = train[-120 * DAY :], test[: 60 * DAY]
    prices = table["price"][: test.index[-1]]

    def mae(forecasts):
        return float(np.abs(np.asarray(forecasts) - prices[-len(test) :]).mean())

    if model == NAIVE:
        return {"mae": mae(last_day_or_week(table["price"])[test.index])}
    experts = published.reindex(test.index)
    once = {kind: forecast(make_pipeline(kind, seed, quick), train, test) for kind in KINDS}
    anew = {
        kind: forecast_anew(lambda kind=kind: make_pipeline(kind, seed, quick), train, test, once[kind], n_days)
        for kind, n_days in DAYS_BETWEEN.items()
    }
    ours = pd.DataFrame(anew, index=test.index)
    both = ours.join(experts)
    scores = {kind: mae(ours[kind]) for kind in KINDS} | {"lstm once": mae(once["lstm"])}
    scores |= {"online": mae(combine_online(ours, prices)), "mean": mae(ours.mean(axis=1))}
    scores |= {
        "online with published": mae(combine_online(both, prices)),
        "mean with published": mae(both.mean(axis=1)),
    }
    scores |= {"published": mae(experts.mean(axis=1))}
    scores |= {"best network": min(scores[kind] for kind in KINDS)}
    scores |= {"best expert": min(scores["best network"], *(mae(experts[name]) for name in experts))}
    return {f"mae {name}": score for name, score in scores.items()}


def make_blocks(results):
    """Write the table of the page."""
    rows = [[label, *(results.cell(NETWORKS, part, [score], 3) for part in PARTS)] for score, label in ROWS]
    rows += [[NAIVE, *(results.cell(NAIVE, part, ["mae"], 3) for part in PARTS)]]
    rows += [[name, *(number_of(each, 3) for each in errors), ""] for name, errors in PUBLISHED[NAME]["rows"].items()]
    tables = {"results": rows, "regret": make_regret(results)}
    return {name: markdown(["", *PARTS], [row for row in some if any(row[1:])]) for name, some in tables.items()}


def make_regret(results):
    """Say what the online combinations lost to the best expert and to the mean; below nought is a gain."""
    pairs = {
        "three networks, to the best of them": ("mae online", "mae best network"),
        "three networks, to their mean": ("mae online", "mae mean"),
        "with DNN and LEAR, to the best of the five": ("mae online with published", "mae best expert"),
        "with DNN and LEAR, to their mean": ("mae online with published", "mae mean with published"),
    }
    rows = []
    for name, (combined, other) in pairs.items():
        regret = results.table(combined)["mean"] - results.table(other)["mean"]
        cells = (f"{regret.get((NETWORKS, part), np.nan):+.3f}".replace("+nan", "") for part in PARTS)
        rows.append([name, *cells])
    return rows


def main():
    """Run the benchmark."""
    parser = make_parser(__doc__, MODELS, seeds=[0])
    add_markets(parser)
    options = parser.parse_args()
    path = data_file(options.data, FILE)
    parts = {
        part: {"table": table, "published": read_published(path, part)} for part, table in read_markets(options).items()
    }
    all_kinds = make_online([(kind, make_pipeline(kind, None)) for kind in KINDS])
    networks = {NETWORKS: all_kinds} if NETWORKS in options.models else {}
    results = Results.start(NAME, options, networks)
    results.run(fit_and_score, parts, [NETWORKS], options)
    results.check(["mae"], 3, options)
    results.publish(make_blocks(results))


if __name__ == "__main__":
    main()
