"""Accuracy on the bundled wind farm: hourly power of four turbines a day ahead, forecast at midnight.

Run: python benchmarks/accuracy/la_haute_borne.py [--seeds 0 1 2 3 4] [--models lstm boosting ridge]

Another file is a CSV or Parquet table with the columns turbine, time, power_kw and those of the weather, as
`skts.datasets.load_la_haute_borne` has them, that ends with a quarter of a year.
"""

import sys
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.compose import make_column_selector
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a checkout that is not installed
from benchmarks._report import markdown, number_of
from benchmarks.accuracy._by_hand import BY_HAND, LIGHTGBM, ON_WINDOWS, make_lightgbm, turbine_rows
from benchmarks.accuracy._fits import Results, half_interval, make_parser
from skts import HistoryPrepender, LSTMRegressor, SlidingWindower, TransformerRegressor
from skts.datasets import load_la_haute_borne
from skts.exceptions import MissingHistoryWarning
from skts.features import CalendarFeatures, WindFeatures
from skts.metrics import capacity_normalized_mae, capacity_normalized_rmse, skill_score
from skts.model_selection import backtest
from skts.strategies import EnsembleRegressor, WindowedRegressor

NAME = "la_haute_borne"
NETWORKS = ["lstm", "transformer"]
RATED = 2050.0  # kW
WINDOW, HORIZON = 48, 24
PARTS = {"last 59 days": "The last 59 days", "last year": "The last year, quarter by quarter"}


def make_pipeline(model, seed, quick=False):
    """What forecasts a day of every turbine from two; wind, temperature, pressure and calendar are known ahead."""
    stride = {ON_WINDOWS: 24, "boosting": 12, "ridge": 6}.get(model, 1)
    ahead = make_column_selector("^(?!power_kw)")
    steps = [
        ("wind", WindFeatures("era5_u100", "era5_v100")),
        ("calendar", CalendarFeatures(["hour"] if model in NETWORKS else ["hour", "year"])),
        ("scale", StandardScaler()),
        ("history", HistoryPrepender(WINDOW)),
        ("windows", SlidingWindower(WINDOW, HORIZON, stride=48 if quick else stride, known=ahead)),
        ("regressor", make_regressor(model, seed, quick)),
    ]
    return Pipeline(steps).set_output(transform="pandas")


def make_regressor(model, seed, quick=False):
    """The network, and the rivals on the same windows."""
    if model == "ridge":
        return WindowedRegressor(Ridge(alpha=1000.0), lags=range(1, 7))
    if model == "boosting":
        boosting = HistGradientBoostingRegressor(
            learning_rate=0.05, max_iter=20 if quick else 200, min_samples_leaf=1000, random_state=0
        )
        return WindowedRegressor(boosting, leads="rows", lags=[1], around=2)
    if model == ON_WINDOWS:
        return WindowedRegressor(make_boosting(quick), leads="rows", lags=[1], around=6, lookahead=6, series=True)
    same = {
        "hidden_size": 8 if quick else 32,
        "dropout": 0.2,
        "input_dropout": 0.1,
        "lookahead": 6,
        "series_embedding": 4,
        "max_epochs": 1 if quick else 4,
        "subsample": 0.25,
        "lr_schedule": "one_cycle",
        "weight_decay": 1e-2,
        "net_params": {"criterion": torch.nn.SmoothL1Loss},
    }
    if model == "lstm":
        network = LSTMRegressor(**same, bidirectional=True, origins_per_pass=1, lr=3e-3)
    else:
        network = TransformerRegressor(**same, num_layers=1, patch_len=4, lr=5e-3)
    return EnsembleRegressor(network, n_members=4, random_state=seed)


def make_boosting(quick=False):
    """LightGBM, by hand and on windows."""
    return make_lightgbm(
        400,
        quick,
        learning_rate=0.02,
        num_leaves=15,
        min_child_samples=200,
        colsample_bytree=0.2,
        subsample=0.5,
        reg_lambda=10.0,
    )


def forecast_by_hand(X, y, splits, quick=False):
    """Forecast all test rows from a table with a row for every hour, forecast at the midnight before it."""
    weather = WindFeatures("era5_u100", "era5_v100").set_output(transform="pandas")
    rows = turbine_rows(
        weather.fit_transform(X.drop(columns="power_kw")), y, X.index.get_level_values("time").floor("D")
    )
    forecasts = []
    for train, test in splits:
        there = train[y.iloc[train].notna()]
        boosting = make_boosting(quick).fit(rows.iloc[there], y.iloc[there], categorical_feature=["turbine"])
        forecasts.append(boosting.predict(rows.iloc[test]))
    return np.concatenate(forecasts)


def load(path):
    """Give the table, which holds the power that is observed, and the power to forecast."""
    if path is None:
        return load_la_haute_borne(return_X_y=True)
    table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, parse_dates=["time"])
    table = table.set_index(["turbine", "time"]).sort_index()
    return table, table["power_kw"]


def make_splits(times, part):
    """Give training and test rows of the last 59 days, or of each of the last four quarters; all before trains."""
    end = times.max() + pd.Timedelta(hours=1)
    if part == "last 59 days":
        borders = [end - pd.Timedelta(days=59), end]
    else:
        borders = pd.date_range(end=end, periods=5, freq="QS")
    tests = [(begin, (times >= begin) & (times < stop)) for begin, stop in pairwise(borders)]
    return [(np.flatnonzero(times < begin), np.flatnonzero(test)) for begin, test in tests]


def persistence(y, splits):
    """Forecast for all hours of a day the last power that was there before it."""
    times = y.index.get_level_values("time")
    before = y.groupby("turbine").ffill().groupby("turbine").shift()
    at_midnight = before.where(times.hour == 0).groupby("turbine").ffill()
    return np.concatenate([at_midnight.to_numpy()[test] for _, test in splits])


def climatology(y, splits):
    """Forecast the training mean of each turbine and hour of the day."""
    index = pd.MultiIndex.from_arrays([y.index.get_level_values("turbine"), y.index.get_level_values("time").hour])
    power = y.set_axis(index)
    means = [power.iloc[train].groupby(level=[0, 1]).mean().reindex(index[test]) for train, test in splits]
    return np.concatenate(means)


def fit_and_score(model, part, seed, X, y, quick):
    """Do one period with one model, split by split."""
    splits = make_splits(X.index.get_level_values("time"), part)
    power = y.iloc[np.concatenate([test for _, test in splits])]
    if model in NAIVE:
        y_pred = NAIVE[model](y, splits)
    elif model == BY_HAND:
        y_pred = forecast_by_hand(X, y, splits, quick)
    else:
        pipe = make_pipeline(model, seed, quick)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MissingHistoryWarning)  # power has its holes
            warnings.filterwarnings("ignore", "X does not have valid feature names")  # LightGBM behind windows
            y_pred = backtest(pipe, X, y, cv=splits, on_error="raise")["y_pred"].to_numpy()
    mae = capacity_normalized_mae(power, y_pred, capacity=RATED)
    rmse = capacity_normalized_rmse(power, y_pred, capacity=RATED)
    skill = skill_score(power, y_pred, persistence(y, splits))
    return {"mae": 100 * mae, "rmse": 100 * rmse, "mae_kw": RATED * mae, "rmse_kw": RATED * rmse, "skill": skill}


NAIVE = {"persistence": persistence, "climatology": climatology}
MODELS = [*NETWORKS, *LIGHTGBM, "boosting", "ridge", *NAIVE]


def interval(results, model, part):
    """Give the interval of the mean RMSE over the seeds."""
    values = [each["rmse"] for each in results.records if (each["model"], each["part"]) == (model, part)]
    if len(values) < 2:
        return ""
    mean, half = np.mean(values), half_interval(values)
    return f"{number_of(mean - half, 2)} to {number_of(mean + half, 2)}"


def make_blocks(results):
    """Write the tables of the page."""
    header = ["", "MAE, %", "RMSE, %", "95 % of RMSE, %", "MAE, kW", "RMSE, kW", "skill"]
    tables = []
    for part, title in PARTS.items():
        rows = []
        for model in MODELS:
            shares = [results.cell(model, part, [score], 2) for score in ("mae", "rmse")]
            kilowatts = [results.cell(model, part, [score], 1, deviation=False) for score in ("mae_kw", "rmse_kw")]
            cells = [
                *shares,
                interval(results, model, part),
                *kilowatts,
                results.cell(model, part, ["skill"], 3),
            ]
            if any(cells):
                rows.append([f"**skts {model}**" if model in NETWORKS else model, *cells])
        tables.append(f"## {title}\n\n{markdown(header, rows)}")
    return {"results": "\n\n".join(tables)}


def main():
    """Run the benchmark."""
    parser = make_parser(__doc__, MODELS, seeds=range(5))
    parser.add_choice("--parts", PARTS)
    options = parser.parse_args()
    X, y = load(options.data)
    estimators = {model: make_pipeline(model, None) for model in options.models if model not in [*NAIVE, BY_HAND]}
    estimators |= {BY_HAND: make_boosting()} if BY_HAND in options.models else {}
    results = Results.start(NAME, options, estimators)
    results.run(fit_and_score, {part: {"X": X, "y": y} for part in options.parts}, NETWORKS, options)
    results.publish(make_blocks(results))


if __name__ == "__main__":
    main()
