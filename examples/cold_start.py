"""A station never seen: from its description, from the mean of the others, or from nothing; generated, and measured.

Run: python examples/cold_start.py [--seeds 0 1 2 3 4 5 6 7]

About a minute for each seed. Over these eight (benchmarks/results/cold_start.json), from the weather alone, the error
falls from 0.144 of the capacity (mean vector) to 0.115 (description and vector) among twenty stations, in all seeds,
and from 0.153 to 0.131 among six, in seven of the eight: five stations are few to learn from what three numbers say.
"""

import argparse
import itertools
import json
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skts import HistoryPrepender, LSTMRegressor, SlidingWindower, __version__
from skts.exceptions import MissingHistoryWarning, UnseenSeriesWarning
from skts.model_selection import LeaveSeriesOut

ROOT = Path(__file__).resolve().parents[1]
WINDOW, HORIZON = 12, 6
DESCRIPTION = ["hub_height", "specific_power", "latitude"]
MEAN_VECTOR = "a vector each, their mean for a new one"
ARMS = {  # what tells stations apart
    "nothing": {"embedding": 0, "static": None},
    MEAN_VECTOR: {"embedding": 4, "static": None},
    "the description": {"embedding": 0, "static": DESCRIPTION},
    "the description and a vector each": {"embedding": 4, "static": DESCRIPTION},
}
PASTS = {"weather and power": ["power"], "weather alone": []}  # what is read of the last hours
N_SPLITS = {6: 6, 20: 4}  # of so many stations, which are left out one, or five, at a time


def make_stations(n_stations, n_rows, random_state):
    """Stations below one weather, whose hubs and rotors turn one forecast of the wind into different power.

    The wind at the hub follows a power law of the height; what a rotor of little power for its area makes of it reaches
    the rated power in less wind. `power` is a share of the capacity. The latitude says nothing. A share of what tells
    stations apart (`terrain`) stands in no column.
    """
    rng = np.random.default_rng(random_state)
    hub, specific = rng.uniform(60, 160, n_stations), rng.uniform(220, 480, n_stations)  # m, W / m2
    latitude, terrain = rng.uniform(44, 55, n_stations), rng.normal(1, 0.04, n_stations)
    shared, own = (_smooth(rng.standard_normal((n_rows, n))) for n in (1, n_stations))
    wind = 5 * np.exp(0.35 * (0.8 * shared + 0.6 * own))  # m / s at 10 m
    at_hub = wind * (hub / 10) ** 0.2 * terrain * np.exp(0.08 * _smooth(rng.standard_normal(wind.shape), 0.8))
    rated = 11.5 * (specific / 330) ** (1 / 3)
    power = np.clip(((at_hub / rated) ** 3 - 0.02) / 0.98, 0, 1) * (at_hub < 25)
    names = [f"station_{i:02}" for i in range(n_stations)]
    times = pd.date_range("2024-01-01", periods=n_rows, freq="h")
    index = pd.MultiIndex.from_product([names, times], names=["station", "time"])
    X = pd.DataFrame({"power": power.T.ravel(), "wind": wind.T.ravel()}, index=index)
    for name, values in zip(DESCRIPTION, (hub, specific, latitude), strict=True):
        X[name] = np.repeat(values, n_rows)
    return X, X["power"]


def _smooth(noise, kept=0.95):
    """Let every row keep a share of the one before; of variance 1."""
    rows = noise.copy()
    for t in range(1, len(rows)):
        rows[t] = kept * rows[t - 1] + np.sqrt(1 - kept**2) * noise[t]
    return rows


def make_pipeline(arm, seed, **options):
    """Half a day of a station in, six hours out; the wind is known ahead."""
    options = {"lr": 0.01, "lr_schedule": "one_cycle", "batch_size": 128, **options}
    windower = SlidingWindower(WINDOW, HORIZON, known=["wind"], static=arm["static"])
    lstm = LSTMRegressor(16, series_embedding=arm["embedding"], random_state=seed, device="cpu", **options)
    steps = [("scale", StandardScaler()), ("history", HistoryPrepender(WINDOW)), ("windows", windower), ("lstm", lstm)]
    return Pipeline(steps).set_output(transform="pandas")


def measure(X, y, arm, past, seed, n_splits, **options):
    """Give the error at each station as one that training has not seen: RMSE as a share of the capacity."""
    table, errors = X[[*past, "wind", *(arm["static"] or [])]], []
    for train, test in LeaveSeriesOut(n_splits).split(table):
        pipe = make_pipeline(arm, seed, **options).fit(table.iloc[train], y.iloc[train])
        error = (pipe.predict(table.iloc[test]) - y.iloc[test]) ** 2
        errors.append(error.groupby(level="station").mean() ** 0.5)
    return pd.concat(errors).sort_index()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--quick", action="store_true", help="little data and training, to see that it runs")
    parser.add_argument("--output", type=Path, default=ROOT)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", UnseenSeriesWarning)  # which is the point
    warnings.simplefilter("ignore", MissingHistoryWarning)
    start, records = time.perf_counter(), []
    for seed, n_stations in itertools.product(options.seeds, [6] if options.quick else N_SPLITS):
        X, y = make_stations(n_stations, 200 if options.quick else 800, seed)
        training = {"max_epochs": 1 if options.quick else 10, "subsample": min(2 / n_stations, 1)}  # of equal length
        for (past_name, past), (name, arm) in itertools.product(PASTS.items(), ARMS.items()):
            error = measure(X, y, arm, past, seed, 2 if options.quick else N_SPLITS[n_stations], **training)
            what = {"stations": n_stations, "read": past_name, "told apart by": name, "seed": seed}
            records.append(what | {"rmse": round(float(error.mean()), 5)})
            print(*records[-1].values(), f"{time.perf_counter() - start:.0f} s", sep=" | ")
    print(summarise(records).round(4).to_string())
    path = options.output / "benchmarks" / "results" / "cold_start.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"skts": __version__, "records": records}, indent=1) + "\n")


def summarise(records):
    """Give the mean error over the seeds, and of how many seeds it is below that of the mean vector."""
    table = pd.DataFrame(records)
    by_seed = table.pivot_table(index=["stations", "read", "seed"], columns="told apart by", values="rmse")[list(ARMS)]
    mean = by_seed.groupby(level=["stations", "read"]).mean()
    is_better = by_seed.lt(by_seed[MEAN_VECTOR], axis=0).groupby(level=["stations", "read"]).sum()
    return pd.concat({"rmse": mean, "seeds better than the mean vector": is_better}, axis=1).T


if __name__ == "__main__":
    main()
