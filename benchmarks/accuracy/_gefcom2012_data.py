"""The wind track of GEFCom2012 as a table with runs, and the blocks that its contest would have asked for."""

from pathlib import Path

import numpy as np
import pandas as pd

HORIZON = 48  # hours of a block, and of a run
BETWEEN = 36  # hours of power that are known between two blocks
OLDER = (12, 24)  # hours by which the runs are older whose word on an hour stands beside the newest


def load(path):
    """Read the power, a column for each farm, and the forecasts of the wind, by farm, run and time."""
    power = pd.read_csv(path, parse_dates=["timestamp"], index_col="timestamp")
    power.columns = pd.Index([int(name.removeprefix("wp")) for name in power.columns], name="farm")
    weather = pd.read_parquet(Path(path).with_name("wind_forecasts.parquet"))
    weather["time"] = weather["issue"] + pd.to_timedelta(weather["lead_h"], unit="h")
    weather = weather.rename(columns={"issue": "run"}).set_index(["farm", "run", "time"])[["u", "v"]].sort_index()
    return power.sort_index(), weather.astype("float64")


def contest_runs(first, last):
    """Give the runs that the contest would have asked for: two days of forecasts, 36 hours of power, and so on.

    Parameters
    ----------
    first : Timestamp
        The first of them, at 00 or 12 UTC.
    last : Timestamp
        The last hour that a block may hold.
    """
    runs = pd.date_range(first, last, freq=pd.Timedelta(hours=HORIZON + BETWEEN))
    return runs[runs + pd.Timedelta(hours=HORIZON) <= last]


def read_runs(path):
    """Read the runs of blocks from a CSV: their column `run`, or `start`, the first hour of each, one after the run."""
    table = pd.read_csv(path)
    if "run" in table:
        return pd.DatetimeIndex(pd.to_datetime(table["run"]))
    return pd.DatetimeIndex(pd.to_datetime(table["start"]) - pd.Timedelta(hours=1))


def hide(power, runs):
    """Blank the power of all farms over the 48 hours after each run."""
    power = power.copy()
    for run in runs:
        power.loc[run + pd.Timedelta(hours=1) : run + pd.Timedelta(hours=HORIZON)] = np.nan
    return power


def look_up(power, index):
    """Give the power of the farm and time of each row of a table; NaN where there is none."""
    farm, time = (index.get_level_values(level) for level in ("farm", "time"))
    at = power.index.get_indexer(time), power.columns.get_indexer(farm)
    return np.where((at[0] >= 0) & (at[1] >= 0), power.to_numpy()[at], np.nan)


def make_table(power, weather, runs):
    """Put the power that may be seen beside the wind: that of the blocks of `runs` is nowhere in it.

    Returns
    -------
    X : DataFrame of shape (n_rows, 6)
        By farm, run and time: the wind (m/s), the lead (hours), the speed that the runs 12 and 24 hours before had for
        the same hour (the own one's, where they do not reach it), and the power, which is the same in every run.
    """
    farm, run, time = (weather.index.get_level_values(level) for level in ("farm", "run", "time"))
    speed = np.hypot(weather["u"], weather["v"])
    X = weather.assign(lead=(time - run) / pd.Timedelta(hours=1))
    before = speed
    for hours in OLDER:
        made = pd.MultiIndex.from_arrays([farm, run - pd.Timedelta(hours=hours), time])
        before = speed.reindex(made).set_axis(X.index).fillna(before)
        X[f"speed_{hours}h"] = before
    return X.assign(power=look_up(hide(power, runs), X.index))


def take_runs(X, runs):
    """Take the rows of some runs, and refuse those that the table lacks."""
    made = X.index.get_level_values("run")
    missing = runs.difference(made)
    if len(missing):
        raise SystemExit(f"{len(missing)} blocks start from a run that is not in the forecasts: {missing[0]} first.")
    return X[made.isin(runs)]


def newest(X):
    """Give the newest forecast for each farm and hour, without the level of the runs."""
    return X[~X.index.droplevel("run").duplicated(keep="last")].droplevel("run")


def by_farm(values):
    """Put the farms of a column side by side."""
    return values.unstack("farm")  # noqa: PD010, as pivot_table would leave out what is missing


def rmse(truth, forecast, farms):
    """Give the root of the mean squared error of each farm, and their mean; hours without power are left out."""
    errors = pd.Series((truth - forecast) ** 2).groupby(np.asarray(farms)).mean() ** 0.5
    return {"mean": errors.mean()} | {f"farm {farm}": error for farm, error in errors.items()}
