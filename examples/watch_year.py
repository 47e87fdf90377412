"""Train on one year of four wind turbines and watch the next, month by month: which alarms, and are they true?

Run: python examples/watch_year.py [--picture docs/images/display_drift.png]
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.compose import make_column_selector
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skts import HistoryPrepender, SlidingWindower
from skts.datasets import load_la_haute_borne
from skts.exceptions import MissingHistoryWarning
from skts.features import CalendarFeatures, WindFeatures
from skts.inspection import DriftDisplay, DriftReference, drift_report
from skts.model_selection import PanelTimeSeriesSplit, backtest
from skts.strategies import ConformalRegressor, WindowedRegressor

QUANTILES = [0.1, 0.9]
PLANTED = "2015-07-20"  # from when on one turbine gives half of its power


def make_forecaster():
    """A day of every turbine in, a day out, with quantiles; all columns but the power are known ahead."""
    windower = SlidingWindower(24, horizon=24, known=make_column_selector("^(?!power_kw)"))
    steps = [
        ("wind", WindFeatures("era5_u100", "era5_v100")),
        ("calendar", CalendarFeatures(["hour"])),
        ("scale", StandardScaler()),
        ("history", HistoryPrepender(24)),
        ("windows", windower),
        ("ridge", WindowedRegressor(Ridge(), lags=range(1, 7))),
    ]
    return ConformalRegressor(Pipeline(steps).set_output(transform="pandas"), method="residual")


def months_of(X):
    """Give the month of each row, as periods."""
    return X.index.get_level_values("time").tz_localize(None).to_period("M")


def watch(X, y, options):
    """Learn from the first year what is usual, and report on each month of the second."""
    is_first = X.index.get_level_values("time") < "2015-01-01"
    n_weeks = 10 if options.quick else 40
    cv = PanelTimeSeriesSplit(n_weeks, test_size=24 * 7)
    promised = backtest(make_forecaster(), X[is_first], y[is_first], cv=cv, refit=n_weeks // 4, quantiles=QUANTILES)
    reference = DriftReference().fit(X[is_first]).promise(promised)

    months = months_of(X)
    second = months[~is_first].unique()[: 2 if options.quick else None]
    folds = [(np.flatnonzero(is_first), np.flatnonzero(months == month)) for month in second]
    forecasts = backtest(make_forecaster(), X, y, cv=folds, refit=False, quantiles=QUANTILES)
    made_in = forecasts["time"].dt.tz_localize(None).dt.to_period("M")
    reports = [
        drift_report(None, X[months == month], reference=reference, forecasts=forecasts[made_in == month])
        for month in second
    ]
    return reference, pd.concat(reports, keys=second.astype(str), names=["month", "row"])


def plant(X, reference):
    """Let the second turbine give half of its power for a week, and report on the four weeks that end with it."""
    start = pd.Timestamp(PLANTED, tz="UTC")
    times = X.index.get_level_values("time")
    new = X[(times >= start - pd.Timedelta(days=21)) & (times < start + pd.Timedelta(days=7))].copy()
    times, turbine = new.index.get_level_values("time"), new.index.get_level_values(0)
    new.loc[(turbine == turbine.unique()[1]) & (times >= start), "power_kw"] *= 0.5
    return drift_report(None, new, reference=reference)


def main(arguments=None):
    """Watch, print the alarms, draw them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picture", type=Path, help="where to draw the month that differs most, a PNG")
    parser.add_argument("--quick", action="store_true", help="two months, to see whether it runs")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore", MissingHistoryWarning)  # power has its holes
    torch.set_num_threads(1)
    X, y = load_la_haute_borne(return_X_y=True)
    reference, report = watch(X, y, options)
    columns = ["series", "column", "check", "value", "low", "high", "p_value", "since", "note"]
    alarms = report[report["alarm"]].droplevel("row")[columns]
    n_judged = int(report["p_value"].notna().sum())
    print(f"{len(report):,} checks, {n_judged:,} of them statistical, {len(alarms)} alarms")
    print(alarms.to_string(float_format="{:.3f}".format))
    planted = plant(X, reference)
    print(planted[planted["alarm"]][columns].to_string(index=False, float_format="{:.3f}".format))
    if options.picture is not None:
        month = report["p_value"].idxmin()[0]
        display = DriftDisplay(report=report.loc[month]).plot()
        display.figure_.savefig(options.picture, dpi=100)
    return report, planted


if __name__ == "__main__":
    main()
