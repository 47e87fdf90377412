"""What updates are worth: a year of four wind turbines, forecast by a network that goes on learning, or does not.

Run: python examples/going_on.py [--seeds 0 1 2]

Trained on the first years, forecast month by month through the last: as it was trained, brought up to date every month
(history, conformal scores, some epochs of the network), or trained anew every month.
"""

import argparse
import time
import warnings
from itertools import pairwise

import pandas as pd
import torch
from sklearn.compose import make_column_selector
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skts import HistoryPrepender, LSTMRegressor, SlidingWindower
from skts.datasets import load_la_haute_borne
from skts.exceptions import MissingHistoryWarning
from skts.features import CalendarFeatures, WindFeatures
from skts.model_selection import backtest, score_table
from skts.strategies import ConformalRegressor

LEVELS = [0.1, 0.9]
DECIMALS = {"mae": 1, "rmse": 1, "pinball": 2, "coverage": 3, "width": 0, "seconds": 0}
ARMS = {
    "as trained": {"refit": False},
    "updated, no epochs": {"refit": False, "update_epochs": 0},
    "updated, 1 epoch": {"refit": False, "update_epochs": 1},
    "updated, 2 epochs": {"refit": False, "update_epochs": 2},
    "trained anew": {"refit": True},
}


def make_forecaster(seed, quick=False):
    """Two days of every turbine in, one day out, and quantiles calibrated on the latest fifth of the training times."""
    network = LSTMRegressor(
        hidden_size=4 if quick else 32,
        dropout=0.2,
        bidirectional=True,
        lookahead=6,
        series_embedding=4,
        max_epochs=1 if quick else 4,
        subsample=0.01 if quick else 0.25,
        lr_schedule="one_cycle",
        weight_decay=1e-2,
        quantiles=LEVELS,
        random_state=seed,
    )
    pipe = Pipeline(
        [
            ("wind", WindFeatures("era5_u100", "era5_v100")),
            ("calendar", CalendarFeatures(["hour"])),
            ("scale", StandardScaler()),
            ("history", HistoryPrepender(48)),
            ("windows", SlidingWindower(48, horizon=24, known=make_column_selector("^(?!power_kw)"))),
            ("lstm", network),
        ]
    ).set_output(transform="pandas")
    return ConformalRegressor(pipe, by=("lead",))


def months(X, n=12):
    """Give training and test rows of each of the last months; all rows before a month may train."""
    times = X.index.get_level_values("time")
    end = times.max() + pd.Timedelta("1h")
    borders = pd.date_range(end=end, periods=n + 1, freq="MS")
    return [
        ((times < begin).nonzero()[0], ((times >= begin) & (times < stop)).nonzero()[0])
        for begin, stop in pairwise(borders)
    ]


def run(arm, seed, X, y, splits, quick=False):
    """Forecast all months in one way, and score them."""
    begin = time.process_time()
    result = backtest(make_forecaster(seed, quick), X, y, cv=splits, quantiles=LEVELS, on_error="raise", **ARMS[arm])
    seconds = time.process_time() - begin  # of one core, whatever else runs
    inside = result["y_true"].between(result["q0.1"], result["q0.9"])[result["y_true"].notna()]
    scores = score_table(result, by=None).iloc[0]
    return {
        "arm": arm,
        "seed": seed,
        **scores[["mae", "rmse", "pinball"]],
        "coverage": inside.mean(),
        "width": (result["q0.9"] - result["q0.1"]).mean(),
        "seconds": seconds,
    }


def main(arguments=None):
    """Run all arms, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=[*ARMS])
    parser.add_argument("--quick", action="store_true", help="a tiny network and two months, to see whether it runs")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore", MissingHistoryWarning)  # power has its holes
    torch.set_num_threads(1)  # more do not pay for a network of 32 units
    X, y = load_la_haute_borne(return_X_y=True)
    splits = months(X, 2 if options.quick else 12)
    records = []
    for seed in options.seeds:
        for arm in options.arms:
            records.append(run(arm, seed, X, y, splits, options.quick))
            print(f"seed {seed}, {arm}: {records[-1]['mae']:.1f} kW, {records[-1]['seconds']:.0f} s", flush=True)
    table = pd.DataFrame(records).drop(columns="seed").groupby("arm", sort=False)
    parts = {"mean over the seeds": table.mean()}
    if len(options.seeds) > 1:
        parts["standard deviation"] = table.std()
    for name, values in parts.items():
        print(f"{name}\n{values.round(DECIMALS).to_string()}\n")
    return records


if __name__ == "__main__":
    main()
