"""Accuracy on the wind track of GEFCom2014: 99 quantiles of the hourly power of ten farms, one month at a time.

Run: python benchmarks/accuracy/gefcom2014.py [--tasks 4,5,6,7,8,9] [--seeds 0 1 2] [--models climatology]

The file is a Parquet table with the columns farm, timestamp (hour-ending), power, u10, v10, u100 and v100. Task k tests
month September 2012 + k; a longer file serves later tasks.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.pipeline import make_pipeline as chain
from sklearn.preprocessing import FunctionTransformer, StandardScaler

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a checkout that is not installed
from benchmarks._report import data_file, markdown, number_of
from benchmarks.accuracy._by_hand import BY_HAND, LIGHTGBM, ON_WINDOWS, make_lightgbm
from benchmarks.accuracy._fits import PUBLISHED, Results, make_parser
from skts import HistoryPrepender, LSTMRegressor, SlidingWindower, TransformerRegressor
from skts.features import CalendarFeatures, NeighbourFeatures, WindFeatures
from skts.metrics import mean_quantile_loss
from skts.strategies import EnsembleRegressor, PerSeriesRegressor, WindowedRegressor

NAME = "gefcom2014"
FILE = "gefcom2014_wind/gefcom2014_wind.parquet"
TASKS = [f"T{task}" for task in range(4, 10)]
BLEND = "lstm + forest"
NETWORKS = ["lstm", "transformer"]
MODELS = [BLEND, "transformer", *LIGHTGBM, "climatology"]
ROWS = [  # model, its score, and how the page calls that
    (BLEND, "loss", "**skts lstm + forest**"),
    (BLEND, "loss of lstm", "**skts lstm**"),
    (BLEND, "loss of forest", "forest"),
    ("transformer", "loss", "**skts transformer**"),
    *((model, "loss", model) for model in LIGHTGBM),
    ("climatology", "loss", "climatology"),
]
WITHOUT_T5 = [task for task in TASKS if task != "T5"]  # which the winner did not submit
BEFORE_FIRST_TASK = pd.Period("2012-09", "M")
LEVELS = np.arange(1, 100) / 100
TRAINED = (0.01, *(np.arange(1, 50) / 50).round(2).tolist(), 0.99)
BOOSTED = (0.01, 0.05, *(np.arange(1, 10) / 10).round(1).tolist(), 0.95, 0.99)


def make_features(model):
    """Give what a model reads of an hour: its weather at all farms, and the calendar."""
    neighbours = ("neighbours", NeighbourFeatures(["speed_u100", "u100", "v100"]))
    if model == BY_HAND:
        wind = WindFeatures(["u10", "u100"], ["v10", "v100"], heights=[10, 100])
        return [("wind", wind), ("calendar", CalendarFeatures(["hour", "year"])), neighbours]
    speed = WindFeatures(["u10", "u100"], ["v10", "v100"], features=["speed"])
    direction = WindFeatures("u100", "v100", features=["sin", "cos"])
    return [("speed", speed), ("direction", direction), ("calendar", CalendarFeatures(["hour"])), neighbours]


def make_pipeline(model, seed, quick=False):
    """A network over 48 hours of weather and 12 hours on both sides, or LightGBM on the same windows, hour by hour."""
    same = {
        "hidden_size": 8 if quick else 64,
        "dropout": 0.2,
        "input_dropout": 0.1,
        "lookahead": 12,
        "series_embedding": 16,
        "max_epochs": 1,
        "subsample": 0.25,
        "lr_schedule": "one_cycle",
        "batch_size": 64,
        "weight_decay": 0.05,
    }
    stride = 48 if model == ON_WINDOWS else 1  # where no lag is read, a row is the same from every origin
    if model == ON_WINDOWS:
        network = make_windowed(quick)
    elif model == "transformer":
        network = TransformerRegressor(**same, quantiles=TRAINED, num_layers=1, patch_len=4, lr=5e-3)
    else:
        answer = {"distribution": "inflated_beta", "bounds": (0, 1)}
        network = LSTMRegressor(**same, **answer, num_layers=2, bidirectional=True, origins_per_pass=1, lr=5e-3)
    if model in NETWORKS:
        network = EnsembleRegressor(network, n_members=2 if quick else 6, random_state=seed)
    steps = [
        *make_features("lstm"),
        ("scale", StandardScaler()),
        ("history", HistoryPrepender(12)),
        ("windows", SlidingWindower(12, horizon=48, stride=24 if quick else stride, known=slice(None))),
        ("network", network),
    ]
    return Pipeline(steps).set_output(transform="pandas")


def make_forest(seed, quick=False):
    """What the network is averaged with: a quantile forest for each farm, behind the features and the hours around."""
    from quantile_forest import ExtraTreesQuantileRegressor

    forest = ExtraTreesQuantileRegressor(
        10 if quick else 60, min_samples_leaf=8, max_features=0.5, n_jobs=1, random_state=seed
    )
    return PerSeriesRegressor(chain(SimpleImputer(), forest))


def make_boosting(quick=False):
    """The rival: one gradient boosting per level for all farms, behind the features and the hours around."""
    from lightgbm import LGBMRegressor

    boosting = LGBMRegressor(
        objective="quantile",
        n_estimators=20 if quick else 400,
        learning_rate=0.04,
        num_leaves=63,
        min_child_samples=300,
        colsample_bytree=0.3,
        subsample=0.5,
        subsample_freq=1,
        max_bin=63,
        categorical_feature=[0],
        n_jobs=1,
        random_state=0,
        verbose=-1,
    )
    return WindowedRegressor(boosting, quantiles=BOOSTED, quantile_parameter="alpha")


def make_windowed(quick=False):
    """The rival on the windows of the networks: the weather of an hour and of two on either side."""
    boosting = make_lightgbm(
        200,
        quick,
        objective="quantile",
        learning_rate=0.08,
        num_leaves=31,
        min_child_samples=300,
        colsample_bytree=0.5,
        subsample=0.5,
    )
    return WindowedRegressor(
        boosting,
        leads="rows",
        lags=(),
        around=2,
        lookahead=2,
        series=True,
        quantiles=BOOSTED,
        quantile_parameter="alpha",
    )


def add_hours_around(X, columns=("u100", "v100", "speed_u100", "speed_u10"), hours=(-3, -2, -1, 1, 2, 3)):
    """Put the farm, as a number, and the weather of the hours around beside each row; missing at both ends."""
    farms = X[list(columns)].groupby("farm")
    shifted = [farms.shift(hour).add_suffix(f"_{hour:+d}h") for hour in hours]
    number = pd.Series(pd.factorize(X.index.get_level_values("farm"), sort=True)[0], index=X.index, name="farm")
    return pd.concat([number, X, *shifted], axis=1)


def load(path):
    """Read the table, indexed by farm and time."""
    return pd.read_parquet(path).set_index(["farm", "timestamp"]).sort_index()


def split(table, task):
    """Give the rows before the month of a task, and those of it: 01:00 of its first day to 00:00 of the next month."""
    month = (table.index.get_level_values("timestamp") - pd.Timedelta(hours=1)).to_period("M")
    wanted = BEFORE_FIRST_TASK + task
    if wanted not in month:
        raise SystemExit(f"Task {task} tests {wanted}, and the table has {month.min()} to {month.max()}.")
    return table[month < wanted], table[month == wanted]


def climatology(train, test, levels):
    """Forecast the quantiles of each farm's past power."""
    quantiles = {farm: power.quantile(levels) for farm, power in train["power"].groupby("farm")}
    return np.stack([quantiles[farm] for farm in test.index.get_level_values("farm")])


def forecast(model, train, test, seed, quick):
    """Forecast the 99 quantiles of every row of the test month; neither model reads any power but to learn from it."""
    if model == "climatology":
        return climatology(train, test, LEVELS)
    weather = [table.drop(columns="power") for table in (train, test)]
    if model in [*NETWORKS, ON_WINDOWS]:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "X does not have valid feature names")  # LightGBM behind windows
            pipe = make_pipeline(model, seed, quick).fit(weather[0], train["power"])
            return pipe.predict(weather[1], quantiles=LEVELS)
    features = chain(*(step for _, step in make_features(model)), FunctionTransformer(add_hours_around))
    rows = features.set_output(transform="pandas").fit_transform(pd.concat(weather).sort_index())
    if model == "forest":
        measured = train.index[train["power"].notna()]
        forest = make_forest(seed, quick).fit(rows.loc[measured], train["power"].loc[measured])
        return forest.predict(rows.loc[test.index], quantiles=LEVELS.tolist())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "categorical_feature keyword")  # LightGBM reads it nevertheless
        regressor = make_boosting(quick).fit(rows.loc[train.index].to_numpy(), train["power"])
    return regressor.predict(rows.loc[test.index].to_numpy(), quantiles=LEVELS)


def score(power, forecasts):
    """Mean pinball loss over levels and hours, each farm weighing the same; hours without power are left out."""
    farms = power.groupby("farm").indices.values()
    losses = [mean_quantile_loss(power.iloc[rows], forecasts[rows], quantiles=LEVELS) for rows in farms]
    return float(np.mean(losses))


def fit_and_score(model, part, seed, table, quick):
    """Do one task with one model."""
    train, test = split(table, int(part.removeprefix("T")))
    if quick and model != "climatology":
        hours = train.index.get_level_values("timestamp")
        train = train[hours > hours.max() - pd.Timedelta(days=60)]
    parts = model.split(" + ")
    forecasts = [np.clip(forecast(each, train, test, seed, quick), 0, 1) for each in parts]
    losses = {f"loss of {each}": score(test["power"], one) for each, one in zip(parts, forecasts, strict=True)}
    return {"loss": score(test["power"], np.mean(forecasts, axis=0)), **(losses if len(parts) > 1 else {})}


def make_blocks(results):
    """Write the table of the page: ours, the places that they would have had, and the teams of the leaderboard."""
    parts = sorted({record["part"] for record in results.records}, key=lambda part: int(part[1:]))
    ours, places, teams = [], [], []
    board = pd.DataFrame(PUBLISHED[NAME]["rows"], index=TASKS, dtype=float)  # a column for each team
    for model, score_name, label in ROWS:
        cells = [results.cell(model, part, [score_name], 5) for part in parts]
        if any(cells):
            ours.append([label, *cells, results.mean(model, WITHOUT_T5, [score_name], 5)])
            if model != "climatology":
                means = results.table(score_name)["mean"][model]
                places.append([f"place of {label}", *(place(means, part, board) for part in parts), ""])
    for team, losses in board.items():
        shown = losses.reindex(parts).map(lambda loss: number_of(loss, 5), na_action="ignore").fillna("")
        teams.append([team, *shown, number_of(losses[WITHOUT_T5].mean(), 5)])
    return {"results": markdown(["", *parts, "mean without T5"], [*ours, *places, *teams])}


def place(means, part, board):
    """Say which place a model would have had among the teams, of which the last is the benchmark."""
    if part not in means.index or part not in board.index:
        return ""
    others = board.loc[part].iloc[:-1].dropna()
    return f"{1 + (others < means[part]).sum()} of {len(others) + 1}"


def main():
    """Run the benchmark."""
    parser = make_parser(__doc__, MODELS)
    parser.add_argument("--tasks", type=lambda text: [int(task) for task in text.split(",")], default=[*range(4, 10)])
    options = parser.parse_args()
    table = load(data_file(options.data, FILE))
    for task in options.tasks:
        split(table, task)
    estimators = {BLEND: make_pipeline("lstm", None), "transformer": make_pipeline("transformer", None)}
    estimators |= {BY_HAND: make_boosting(), ON_WINDOWS: make_pipeline(ON_WINDOWS, None)}
    estimators = {model: each for model, each in estimators.items() if model in options.models}
    results = Results.start(NAME, options, estimators)
    results.run(
        fit_and_score, {f"T{task}": {"table": table} for task in options.tasks}, [BLEND, "transformer"], options
    )
    results.check(["loss"], 5, options)
    results.publish(make_blocks(results))


if __name__ == "__main__":
    main()
