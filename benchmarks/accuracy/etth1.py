"""Accuracy on ETTh1, the table that long-horizon forecasters are compared on: seven series, 96 and 192 hours ahead.

Run: python benchmarks/accuracy/etth1.py [--lookbacks 96 336] [--horizons 96 192] [--seeds 0 1 2] [--models gru DLinear]

The file is the published archive (or a CSV file) with the column date and one column per series, 14,400 hours or more.
"""

import zipfile

import numpy as np
import pandas as pd
import torch
from _report import DATA, Results, describe, make_parser, markdown, number_of
from sklearn.metrics import mean_absolute_error, mean_squared_error
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skts import DLinearRegressor, GRURegressor, NLinearRegressor, SlidingWindower

NAME = "etth1"
FILE = DATA / "ett" / "ETT-small.zip"
MEMBER = "ETT-small/ETTh1.csv"
LINEAR = {"DLinear": DLinearRegressor, "NLinear": NLinearRegressor}
MODELS = ["gru", *LINEAR, "last day"]
SCORES = ["mse", "mae"]
BEGIN_VALIDATION, BEGIN_TEST, END_TEST = (
    12 * 30 * 24,
    16 * 30 * 24,
    20 * 30 * 24,
)  # rows, as the published loaders have it
DAY = 24
PUBLISHED = {  # by lookback and horizon: (MSE, MAE)
    96: {  # README of SegRNN, whose other rows are those of iTransformer
        "SegRNN (GRU)": {96: (0.368, 0.395), 192: (0.408, 0.419), 336: (0.444, 0.440), 720: (0.446, 0.457)},
        "iTransformer": {96: (0.386, 0.405), 192: (0.441, 0.436), 336: (0.487, 0.458), 720: (0.503, 0.491)},
        "TimesNet": {96: (0.384, 0.402), 192: (0.436, 0.429), 336: (0.491, 0.469), 720: (0.521, 0.500)},
        "PatchTST": {96: (0.414, 0.419), 192: (0.460, 0.445), 336: (0.501, 0.466), 720: (0.500, 0.488)},
        "Crossformer": {96: (0.423, 0.448), 192: (0.471, 0.474), 336: (0.570, 0.546), 720: (0.653, 0.621)},
        "DLinear, published": {96: (0.386, 0.400), 192: (0.437, 0.432), 336: (0.481, 0.459), 720: (0.519, 0.516)},
        "FEDformer": {96: (0.376, 0.419), 192: (0.420, 0.448), 336: (0.459, 0.465), 720: (0.506, 0.507)},
        "TimeMixer (drop_last)": {96: (0.375, 0.400), 192: (0.429, 0.421), 336: (0.484, 0.458), 720: (0.498, 0.482)},
    },
    336: {  # LTSF-Linear and PatchTST/42, both with drop_last
        "LTSF-Linear (drop_last)": {96: (0.375, 0.397), 192: (0.418, 0.429), 336: (0.479, 0.476), 720: (0.624, 0.592)},
        "LTSF-NLinear (drop_last)": {96: (0.374, 0.394), 192: (0.408, 0.415), 336: (0.429, 0.427), 720: (0.440, 0.453)},
        "LTSF-DLinear (drop_last)": {96: (0.375, 0.399), 192: (0.405, 0.416), 336: (0.439, 0.443), 720: (0.472, 0.490)},
        "PatchTST/42 (drop_last)": {96: (0.375, 0.399), 192: (0.414, 0.421), 336: (0.431, 0.436), 720: (0.449, 0.466)},
    },
}
CHECKED = {96: (0.5122, 0.4333)}  # what the last day must give, whatever the lookback
N_WINDOWS = {96: 2785}


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
        n_members=5,
        net_params={"criterion": torch.nn.SmoothL1Loss, "criterion__beta": 0.5},
        random_state=seed,
    )
    return network.set_params(hidden_size=8, max_epochs=1, n_members=2) if quick else network


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


def check_naive(results, options):
    """See that the protocol is the one of the published tables."""
    if options.data != FILE or "last day" not in options.models:
        return
    found = {score: results.table(score)["mean"] for score in SCORES}
    for lookback in options.lookbacks:
        for horizon in set(options.horizons) & set(CHECKED):
            assert END_TEST - BEGIN_TEST - horizon + 1 == N_WINDOWS[horizon]
            found = tuple(
                round(results.table(score)["mean"]["last day", f"{lookback} to {horizon}"], 4) for score in SCORES
            )
            assert found == CHECKED[horizon], found
    print("Windows and seasonal naive forecast as they must be.")


def make_page(results):
    """Write tables and text."""
    parts = sorted({tuple(map(int, record["part"].split(" to "))) for record in results.records})
    tables = []
    for lookback in dict.fromkeys(lookback for lookback, _ in parts):
        horizons = [horizon for other, horizon in parts if other == lookback]
        rows = [
            [f"**skts {model}**" if model != "last day" else model, *cells]
            for model in MODELS
            if any(cells := [results.cell(model, f"{lookback} to {horizon}", SCORES) for horizon in horizons])
        ]
        for model, published in PUBLISHED.get(lookback, {}).items():
            pairs = [published.get(horizon, ()) for horizon in horizons]
            rows.append([model, *(" / ".join(number_of(each, 3) for each in pair) for pair in pairs)])
        tables.append(f"## Lookback {lookback}\n\n{markdown(['horizon', *horizons], rows)}")
    return TEXT.format(tables="\n\n".join(tables))


TEXT = """
# ETTh1

MSE / MAE of seven hourly series, forecast from their own past; mean ± deviation over seeds. Published rows below ours.

{tables}

**Protocol.** That of the published tables: 8,640 hours train, 2,880 validate, 2,880 test; each series in units of its
training mean and deviation; a forecast from every hour of the test, all of them scored (2,785 for horizon 96); errors
averaged over windows, hours and series. Rows marked drop_last leave out the last windows of the test, as did
LTSF-Linear and PatchTST, which usually flatters. Only equal lookbacks compare. The script reproduces the seasonal naive
forecast (the last day, again and again) before it writes.

**Known ahead.** Nothing: each model reads the values of one series up to the hour before. One model serves all seven.

**Models.** *gru* reads each day of the window as one step, takes its last value off, and learns a Huber loss, five
members at a time. DLinear and NLinear learn the squared error.

**How the settings were chosen.** On the 2,880 hours of validation, which no row is trained on; three earlier versions
of the network were scored on the test as well, and nothing was changed for it. They stand below for the first lookback
and horizon; the others differ in these two, and from a lookback of 200 on in the subsample (0.125).
"""


def main():
    """Run the benchmark."""
    parser = make_parser(__doc__, MODELS, FILE)
    parser.add_argument("--lookbacks", type=int, nargs="+", default=[96, 336])
    parser.add_argument("--horizons", type=int, nargs="+", default=[96, 192])
    options = parser.parse_args()
    table = load(options.data)
    results = Results.start(NAME, options)
    first = options.lookbacks[0], options.horizons[0]
    results.settings |= {m: describe(make_pipeline(m, *first, None)) for m in options.models if m != "last day"}
    jobs = [
        {"model": model, "part": f"{lookback} to {horizon}", "seed": seed, "table": table, "quick": options.quick}
        for model in reversed(options.models)
        for seed in ([None] if model == "last day" else options.seeds)
        for lookback in options.lookbacks
        for horizon in options.horizons
    ]
    results.run(fit_and_score, jobs, options.n_jobs)
    check_naive(results, options)
    results.publish(make_page(results))


if __name__ == "__main__":
    main()
