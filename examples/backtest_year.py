"""A year of forecasts in one call: 52 weekly origins of a network on four wind turbines, and the error by lead.

Run: python examples/backtest_year.py [--picture docs/images/backtest_by_lead.png]
"""

import argparse
import warnings
from pathlib import Path

import torch
from sklearn.compose import make_column_selector
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skts import HistoryPrepender, LSTMRegressor, SlidingWindower
from skts.datasets import load_la_haute_borne
from skts.exceptions import MissingHistoryWarning
from skts.features import CalendarFeatures, WindFeatures
from skts.inspection import ErrorByLeadDisplay
from skts.model_selection import PanelTimeSeriesSplit, backtest, score_table


def make_forecaster(quick=False):
    """Two days of every turbine in, one day out; all columns but the power are known ahead."""
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
        quantiles=(0.1, 0.9),
        random_state=0,
    )
    return Pipeline(
        [
            ("wind", WindFeatures("era5_u100", "era5_v100")),
            ("calendar", CalendarFeatures(["hour"])),
            ("scale", StandardScaler()),
            ("history", HistoryPrepender(48)),
            ("windows", SlidingWindower(48, horizon=24, known=make_column_selector("^(?!power_kw)"))),
            ("lstm", network),
        ]
    ).set_output(transform="pandas")


def main(arguments=None):
    """Backtest, print the scores by lead, draw them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picture", type=Path, help="where to draw the error by lead, a PNG")
    parser.add_argument("--quick", action="store_true", help="a tiny network, to see whether it runs")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore", MissingHistoryWarning)  # power has its holes
    torch.set_num_threads(1)  # more do not pay for a network of 32 units
    X, y = load_la_haute_borne(return_X_y=True)
    pipe = make_forecaster(options.quick)

    cv = PanelTimeSeriesSplit(52, test_size=24 * 7)  # the last 52 weeks, each after all hours before it
    result = backtest(pipe, X, y, cv=cv, refit=13, quantiles=[0.1, 0.9])  # trained anew every 13 weeks
    scores = score_table(result, by="lead")

    print(f"{len(result):,} forecasts, {result['fold'].nunique()} folds")
    print(scores.round({"mae": 1, "rmse": 1, "bias": 1, "pinball": 1, "coverage": 3}).to_string())
    if options.picture is not None:
        display = ErrorByLeadDisplay.from_backtest(result, unit="kW")
        display.ax_.set_title("Four turbines of 2,050 kW, 52 weeks of 2015", loc="left", fontsize="medium")
        display.figure_.savefig(options.picture, dpi=150)
    return result


if __name__ == "__main__":
    main()
