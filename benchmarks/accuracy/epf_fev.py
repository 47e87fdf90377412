"""Accuracy on the day-ahead prices of five markets as in fev-bench: quantiles of the last 20 days, scaled loss.

Run: python benchmarks/accuracy/epf_fev.py [--markets NP PJM BE FR DE] [--german DE.csv] [--seeds 0 1 2]

The file is that of epf.py, but for DE.
"""

import sys
from pathlib import Path

import numpy as np
from scipy.stats import norm

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a checkout that is not installed
from benchmarks._report import markdown, number_of
from benchmarks.accuracy._epf_day_ahead import KINDS, PARTS, Scale, add_markets, make_pipeline, read_markets
from benchmarks.accuracy._fits import PUBLISHED, Results, make_parser
from skts.metrics import mean_quantile_loss
from skts.strategies import CombinationRegressor

NAME = "epf_fev"
DAY, TEST_DAYS = 24, 20
NAIVE = "seasonal naive"
ALL = "three networks"
OURS = [ALL, "lstm"]
MODELS = [*OURS, NAIVE]
LEVELS = (np.arange(1, 10) / 10).round(1)
READ_BY_NAIVE = 1000  # the rows that its errors are taken from


def scaled_loss(price, forecasts):
    """Mean over days of twice the pinball loss, by the mean change from day to day before each: (n_test, n_levels)."""
    n_train = len(price) - len(forecasts)
    losses = []
    for begin in range(0, len(forecasts), DAY):
        day, past = slice(begin, begin + DAY), price[: n_train + begin]
        scale = np.abs(past[DAY:] - past[:-DAY]).mean()
        losses.append(2 * mean_quantile_loss(price[n_train:][day], forecasts[day], quantiles=LEVELS) / scale)
    return float(np.mean(losses))


def seasonal_naive(price):
    """Forecast the day before, with normal errors of the variance that it had over the latest rows."""
    forecasts = []
    for begin in range(len(price) - TEST_DAYS * DAY, len(price), DAY):
        past = price[:begin][-READ_BY_NAIVE:]
        spread = np.sqrt(((past[DAY:] - past[:-DAY]) ** 2).sum() / (len(past) - DAY))
        forecasts.append(past[-DAY:, None] + norm.ppf(LEVELS) * spread)
    return np.concatenate(forecasts)


def make_regressor(model, seed, quick=False):
    """One network, or several whose quantiles are averaged level by level."""
    kinds = KINDS if model == ALL else [model]
    pipes = [(kind, make_pipeline(kind, seed, quick, quantiles=LEVELS.tolist())) for kind in kinds]
    return CombinationRegressor(pipes) if model == ALL else pipes[0][1]


def fit_and_score(model, part, seed, table, quick):
    """Do one market with one model, fitted once."""
    price = table["price"].to_numpy()
    if model == NAIVE:
        return {"sql": scaled_loss(price, seasonal_naive(price))}
    train, test = table[: -TEST_DAYS * DAY], table[-TEST_DAYS * DAY :]
    train = train[-120 * DAY :] if quick else train
    scale = Scale.fit(train)
    rows = scale.transform(train)
    regressor = make_regressor(model, seed, quick).fit(rows, rows["price"])
    return {"sql": scaled_loss(price, scale.inverse(regressor.predict(scale.transform(test), quantiles=LEVELS)))}


def make_blocks(results):
    """Write the table of the page."""
    rows = results.rows(MODELS, PARTS, ["sql"], OURS)
    rows |= {name: [*(number_of(each, 3) for each in losses), ""] for name, losses in PUBLISHED[NAME]["rows"].items()}
    return {"results": markdown(["", *PARTS], [[name, *cells] for name, cells in rows.items()])}


def main():
    """Run the benchmark."""
    parser = make_parser(__doc__, MODELS)
    add_markets(parser)
    options = parser.parse_args()
    estimators = {model: make_regressor(model, None) for model in OURS if model in options.models}
    results = Results.start(NAME, options, estimators)
    parts = {part: {"table": table} for part, table in read_markets(options).items()}
    results.run(fit_and_score, parts, OURS, options)
    results.check(["sql"], 6, options)
    results.publish(make_blocks(results))


if __name__ == "__main__":
    main()
