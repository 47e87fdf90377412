"""Coverage of intervals, and errors of combined forecasts, on the turbines of La Haute Borne: train 2014, score 2015.

    python benchmarks/accuracy/calibration.py [--picture docs/images/coverage_by_lead.png]

Prints the two tables of the guide, and draws the coverage of each lead; about three minutes on one core.
"""

import argparse
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a checkout that is not installed
from skts import GRURegressor, HistoryPrepender, SlidingWindower
from skts.datasets import load_la_haute_borne
from skts.exceptions import MissingHistoryWarning
from skts.strategies import CombinationRegressor, ConformalRegressor, WindowedRegressor

LEVELS = [0.1, 0.25, 0.5, 0.75, 0.9]
HORIZON = 24


def read():
    """Give the table with the wind speed, the target, and which rows train."""
    X, y = load_la_haute_borne(return_X_y=True)
    X = X.assign(power=y)
    return X, y, X.index.get_level_values("time") < pd.Timestamp("2015-01-01", tz="UTC")


def describe(name, q, y, lead, turbine):
    """Write a row of the table of coverage, and give the coverage of each lead in per cent."""
    there = ~np.isnan(y)
    inside = pd.Series(((q[:, 0] <= y) & (y <= q[:, -1]))[there])
    by_lead, by_turbine = (100 * inside.groupby(each[there]).mean() for each in (lead, turbine))
    losses = [np.maximum(level * (y - q[:, i]), (level - 1) * (y - q[:, i])) for i, level in enumerate(LEVELS)]
    width, loss = (q[:, -1] - q[:, 0])[there].mean(), np.mean(losses, axis=0)[there].mean()
    spans = [f"{each.min():.1f} to {each.max():.1f}" for each in (by_lead, by_turbine)]
    cells = [name, f"{100 * inside.mean():.1f} %", *spans, f"{width:.0f}", f"{loss:.1f}"]
    print(f"| {' | '.join(cells)} |", flush=True)
    return by_lead


def stretched(q, y, share):
    """Stretch all quantiles about the median alike, so that they cover a share of what came."""
    low, high, middle = 1.0, 3.0, q[:, 2:3]
    for _ in range(20):
        factor = (low + high) / 2
        wide = middle + factor * (q - middle)
        inside = ((wide[:, 0] <= y) & (y <= wide[:, -1]))[~np.isnan(y)].mean()
        low, high = (factor, high) if inside < share else (low, factor)
    return wide


def show_coverage(X, y, trains):
    """Print the coverage of quantile trees, as learned and calibrated, and give that of each lead, in columns."""
    known = [name for name in X.columns if name.startswith("era5")]
    trees = HistGradientBoostingRegressor(
        loss="quantile", max_iter=60, max_leaf_nodes=15, learning_rate=0.1, random_state=0
    )
    pipe = make_pipeline(
        HistoryPrepender(6),
        SlidingWindower(6, HORIZON, stride=7, known=known),
        WindowedRegressor(trees, leads="rows", lags=[1], quantiles=LEVELS),
    ).set_output(transform="pandas")
    told, X_new = y[~trains].to_numpy(), X[~trains]
    lead = X_new.groupby("turbine").cumcount().to_numpy() % HORIZON
    turbine = X_new.index.get_level_values("turbine").to_numpy()
    q = clone(pipe).fit(X[trains], y[trains]).predict(X_new, quantiles=LEVELS)
    by_lead = {"as learned": describe("as learned", q, told, lead, turbine)}
    describe("all stretched alike by what 2015 took", stretched(q, told, 0.805), told, lead, turbine)
    faster = {"adaptive": "aci", "by": ("lead",), "rate": 0.03}
    for options in ({"adaptive": None}, {"adaptive": "aci"}, {"adaptive": "pid"}, faster):
        conformal = ConformalRegressor(pipe, target="power", **options).fit(X[trains], y[trains])
        name = ", ".join(f"{name}={value}" for name, value in options.items())
        by_lead[name] = describe(name, conformal.predict(X_new, quantiles=LEVELS), told, lead, turbine)
    return pd.DataFrame(by_lead)


def draw_coverage(by_lead, path):
    """Draw the coverage of each lead, before and after, with a band of a point around what was promised."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
    looks = [  # a column, its label, its colour and marker
        ("as learned", "as learned", "0.45", "o"),
        ("adaptive=None", "conformal", "#0072B2", "s"),
        ("adaptive=aci", 'conformal, adaptive="aci"', "#D55E00", "^"),
        ("adaptive=pid", 'conformal, adaptive="pid"', "#009E73", "v"),
    ]
    ax.axhspan(79, 81, color="0.9")
    ax.axhline(80, color="0.6", linewidth=1)
    for name, label, color, marker in looks:
        ax.plot(by_lead.index + 1, by_lead[name], color=color, marker=marker, markersize=3.5, lw=1.2, label=label)
    ax.set(
        xlabel="lead (hours)", ylabel="coverage in 2015 (%)", xlim=(0.5, 24.5), ylim=(66, 84), xticks=[1, 6, 12, 18, 24]
    )
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_title("Intervals that promise 80 %, trained on 2014", fontsize=10, loc="left")
    ax.legend(frameon=False, fontsize=8, loc="lower right", ncols=2)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def show_combination(X, y, trains):
    """Print the errors of three experts and of their combinations."""
    X = X.assign(speed=np.hypot(X["era5_u100"], X["era5_v100"]))
    known = [name for name in X.columns if name.startswith("era5")] + ["speed"]

    def pipe(regressor, stride):
        windower = SlidingWindower(24, HORIZON, known=known, stride=stride)
        steps = (StandardScaler(), HistoryPrepender(24), windower, regressor)
        return make_pipeline(*steps).set_output(transform="pandas")

    trees = HistGradientBoostingRegressor(max_iter=100, random_state=0)
    gru = GRURegressor(hidden_size=16, max_epochs=3, random_state=0, device="cpu")
    experts = [
        ("trees", pipe(WindowedRegressor(trees, leads="rows", lags=[1, 2]), 7)),
        ("ridge", pipe(WindowedRegressor(Ridge(10.0)), 5)),
        ("gru", pipe(gru, 5)),
    ]
    methods = {
        "mean": {"method": "mean"},
        "stacked, by lead": {"method": "stacked"},
        "stacked": {"method": "stacked", "by": ()},
        **{
            f"{method}, {loss}": {"method": method, "loss": loss, "target": "power"}
            for method in ("ml_poly", "boa")
            for loss in ("square", "absolute")
        },
    }
    told = y[~trains].to_numpy()
    for name, forecaster in [
        *experts,
        *((name, CombinationRegressor(experts, **each)) for name, each in methods.items()),
    ]:
        errors = clone(forecaster).fit(X[trains], y[trains]).predict(X[~trains]) - told
        print(f"| {name} | {np.sqrt(np.nanmean(errors**2)):.1f} | {np.nanmean(np.abs(errors)):.1f} |", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", MissingHistoryWarning)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picture", type=Path, help="where to draw the coverage of each lead, a PNG")
    options = parser.parse_args()
    table = read()
    coverage = show_coverage(*table)
    if options.picture:
        draw_coverage(coverage, options.picture)
    show_combination(*table)
