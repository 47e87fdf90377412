"""Accuracy on the wind track of GEFCom2012: seven farms, 48 hours from a run at 00 or 12 UTC, as the contest asked.

Run: python benchmarks/accuracy/gefcom2012.py [--seeds 0 1 2] [--models lstm persistence] [--validate] [--blocks FILE]

The folder, that of --data itself or gefcom2012_wind in it, has power.csv.gz (timestamp, wp1 to wp7) and
wind_forecasts.parquet (farm, issue, lead_h, u, v). A file of blocks is a CSV with a column `run`, the times of the runs
that they are forecast from, or `start`, their first hours.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a checkout that is not installed
from benchmarks._report import data_file, markdown
from benchmarks.accuracy._fits import Results, make_parser
from benchmarks.accuracy._gefcom2012_by_hand import make_features
from benchmarks.accuracy._gefcom2012_data import (
    HORIZON,
    by_farm,
    contest_runs,
    load,
    look_up,
    make_table,
    newest,
    read_runs,
    rmse,
    take_runs,
)
from skts import GRURegressor, HistoryPrepender, LSTMRegressor, SlidingWindower, TransformerRegressor
from skts.features import CalendarFeatures, NeighbourFeatures, WindFeatures
from skts.strategies import EnsembleRegressor, WindowedRegressor

NAME = "gefcom2012"
FILE = "gefcom2012_wind/power.csv.gz"
VALIDATION, TEST = "first half of 2010", "second half of 2010"
HALVES = {VALIDATION: ("2010-01-01", "2010-07-01"), TEST: ("2010-07-01", "2011-01-01")}
BLEND = "lstm + boosting"
WITHOUT_RUNS = "lstm without issue times"
NETWORKS = {"lstm": LSTMRegressor, "gru": GRURegressor, "transformer": TransformerRegressor}
SEEDED = [BLEND, *NETWORKS, WITHOUT_RUNS]
MODELS = [BLEND, "lightgbm by hand", WITHOUT_RUNS, "persistence"]
ALONE = ["lstm", "gru", "transformer"]  # when asked for
ROWS = [  # model, what its scores begin with, and how the page calls that
    (BLEND, "", "**skts lstm + boosting**"),
    (BLEND, "lstm, ", "**skts lstm**"),
    ("lstm", "", "**skts lstm**"),
    (BLEND, "boosting, ", "**skts boosting**"),
    ("gru", "", "**skts gru**"),
    ("transformer", "", "**skts transformer**"),
    ("lightgbm by hand", "", "lightgbm by hand"),
    (WITHOUT_RUNS, "", "**skts lstm** without issue times"),
    (WITHOUT_RUNS, "flattered, ", "the same, scored on the newest forecasts (a leak)"),
    ("persistence", "", "persistence"),
]


def make_pipeline(model, seed, quick=False):
    """Everything between the table and the forecasts: a window of 36 hours, which the contest left between blocks."""
    steps = [
        ("wind", WindFeatures("u", "v", features=["speed", "sin", "cos"])),
        ("calendar", CalendarFeatures(["hour", "year"])),
        ("neighbours", NeighbourFeatures(["speed_u", "u", "v", "power"])),
        ("scale", StandardScaler()),
        ("history", HistoryPrepender(36, remember="all")),
        ("windows", SlidingWindower(36, horizon=HORIZON, known=make_column_selector(pattern="^(?!power)"))),
        ("regressor", make_boosting(quick) if model == "boosting" else make_network(model, seed, quick)),
    ]
    return Pipeline(steps).set_output(transform="pandas")


def make_network(model, seed, quick=False):
    """An ensemble of networks, each trained on all farms."""
    own = {"num_layers": 1, "patch_len": 4} if model == "transformer" else {"bidirectional": True}
    runs = {"subsample": 1 / 12} if model == WITHOUT_RUNS else {}  # which has a window every hour, not every 12
    network = NETWORKS.get(model, LSTMRegressor)(
        hidden_size=8 if quick else 64,
        dropout=0.2,
        input_dropout=0.1,
        series_embedding=8,
        max_epochs=1 if quick else 6,
        lr=5e-3,
        lr_schedule="one_cycle",
        weight_decay=0.05,
        **own,
        **runs,
    )
    return EnsembleRegressor(network, n_members=2 if quick else 5, random_state=seed)


def make_lightgbm(quick=False):
    """Gradient boosting, of all farms together."""
    from lightgbm import LGBMRegressor

    return LGBMRegressor(
        n_estimators=20 if quick else 800,
        learning_rate=0.03,
        num_leaves=63,
        min_child_samples=200,
        colsample_bytree=0.3,
        subsample=0.5,
        subsample_freq=1,
        reg_lambda=5.0,
        max_bin=63,
        n_jobs=1,
        random_state=0,
        verbose=-1,
    )


def make_boosting(quick=False):
    """The same behind the windows that the networks are given."""
    return WindowedRegressor(make_lightgbm(quick), leads="rows", lags=[1, 2, 3], around=3)


def forecast(model, X, blocks, seed, quick):
    """Forecast rows of a table, whose power is blank there and in all that is learned from."""
    if model == "persistence":
        past = by_farm(newest(X)["power"])
        return look_up(past, blocks.index.droplevel("time").rename(["farm", "time"]))
    if model == "lightgbm by hand":
        features, measured = make_features(X), X["power"].notna()
        return make_lightgbm(quick).fit(features[measured], X["power"][measured]).predict(features.loc[blocks.index])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X does not have valid feature names")  # LightGBM behind windows
        return make_pipeline(model, seed, quick).fit(X, X["power"]).predict(blocks)


def forecast_without_runs(X, blocks, seed, quick):
    """Forecast as one does who keeps the newest forecast of each hour: the blocks' own runs, and then the newest."""
    flat = newest(X)[["u", "v", "power"]]
    own = blocks.droplevel("run")[flat.columns]
    pipe = make_pipeline(WITHOUT_RUNS, seed, quick).fit(flat, flat["power"])
    return pipe.predict(own), pipe.predict(flat.loc[own.index])


def fit_and_score(model, part, seed, power, weather, runs, quick):
    """Forecast all blocks with one model, and take the error of each farm."""
    if quick:
        runs = runs[-3:]
        weather = weather[weather.index.get_level_values("run") >= runs[0] - pd.Timedelta(days=20)]
    X = make_table(power, weather, runs)
    blocks = take_runs(X, runs)
    if model == WITHOUT_RUNS:
        own, flattered = forecast_without_runs(X, blocks, seed, quick)
        forecasts = {"": own, "flattered, ": flattered}
    elif model == BLEND:
        forecasts = {f"{each}, ": forecast(each, X, blocks, seed, quick) for each in BLEND.split(" + ")}
        forecasts[""] = np.mean([np.clip(each, 0, 1) for each in forecasts.values()], axis=0)
    else:
        forecasts = {"": forecast(model, X, blocks, seed, quick)}
    truth, farms = look_up(power, blocks.index), blocks.index.get_level_values("farm")
    scores = {prefix: rmse(truth, np.clip(each, 0, 1), farms) for prefix, each in forecasts.items()}
    return {prefix + name: error for prefix, own in scores.items() for name, error in own.items()}


def make_blocks(results):
    """Write a table for each set of blocks: a column for each farm, and the mean."""
    names = [*(f"farm {farm}" for farm in range(1, 8)), "mean"]
    tables = []
    for part in dict.fromkeys(record["part"] for record in results.records):
        rows = []
        for model, prefix, label in ROWS:
            if any(record["model"] == model and record["part"] == part for record in results.records):
                cells = [results.cell(model, part, [prefix + name], deviation=name == "mean") for name in names]
                rows.append([label, *cells])
        tables.append(f"{part[0].upper()}{part[1:]}:\n\n" + markdown(["", *names], rows))
    return {"results": "\n\n".join(tables)}


def main():
    """Run the benchmark."""
    parser = make_parser(__doc__, [*MODELS, *ALONE])
    parser.set_defaults(models=MODELS)
    parser.add_argument("--blocks", type=Path, help="a CSV with the runs, or the first hours, of other blocks to score")
    parser.add_argument("--validate", action="store_true", help="score where the settings were chosen")
    options = parser.parse_args()
    given = options.data
    inside = given is not None and (given / Path(FILE).name).is_file()
    power, weather = load(given / Path(FILE).name if inside else data_file(given, FILE))
    part = VALIDATION if options.validate else TEST
    first, last = (pd.Timestamp(day) for day in HALVES[part])
    if options.blocks:
        part, runs = f"blocks of {options.blocks.name}", read_runs(options.blocks)
    else:
        runs = contest_runs(first, last)
        power, weather = power[:last], weather[weather.index.get_level_values("time") <= last]
    estimators = {model: make_network(model, None) for model in SEEDED} | {"lightgbm by hand": make_lightgbm()}
    estimators = {model: each for model, each in estimators.items() if model in options.models}
    results = Results.start(NAME, options, estimators)
    results.run(fit_and_score, {part: {"power": power, "weather": weather, "runs": runs}}, SEEDED, options)
    results.publish(make_blocks(results))


if __name__ == "__main__":
    main()
