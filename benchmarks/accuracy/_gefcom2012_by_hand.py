"""What a competent forecaster makes by hand, in pandas, of the wind track of GEFCom2012: one row for each forecast."""

import numpy as np
import pandas as pd

from benchmarks.accuracy._gefcom2012_data import by_farm, newest

HOURS = (-3, -2, -1, 1, 2, 3)


def make_features(X):
    """Put beside each farm, run and time what may be read of them when the run is made.

    Parameters
    ----------
    X : DataFrame
        By farm, run and time: the wind `u` and `v`, that of older runs, the `lead`, and the `power` that may be seen.

    Returns
    -------
    features : DataFrame of float32
        The wind of the hour, of the hours around it in the same run, of the older runs, and at the other farms; the
        power of all farms when the run was made, and of the own farm in the day before it; hour, season, lead and farm.
    """
    farm, run, time = (X.index.get_level_values(level) for level in ("farm", "run", "time"))
    speed = np.hypot(X["u"], X["v"])
    wind = pd.DataFrame({"u": X["u"], "v": X["v"], "speed": speed})
    still = speed.clip(lower=0.1)
    direction = pd.DataFrame({"sin": -X["u"] / still, "cos": -X["v"] / still})
    own_run = wind.groupby(level=["farm", "run"], sort=False)
    around = [own_run.shift(-hour).add_suffix(f"_{hour:+d}h") for hour in HOURS]
    smooth = speed.groupby(level=["farm", "run"], sort=False).transform(
        lambda run: run.rolling(5, center=True, min_periods=1).mean()
    )
    at_farms = pd.concat({name: by_farm(wind[name]) for name in wind}, axis=1)
    at_farms.columns = [f"{name}@{number}" for name, number in at_farms.columns]
    others = at_farms.reindex(pd.MultiIndex.from_arrays([run, time])).set_axis(X.index)
    when = {"lead": X["lead"], "hour": time.hour, "season": time.day_of_year, "farm": farm, "smooth": smooth}
    older = X[[name for name in X if name.startswith("speed_")]]
    parts = [wind, direction, *around, older, others, _measured(X, farm, run), pd.DataFrame(when, index=X.index)]
    return pd.concat(parts, axis=1).astype("float32")


def _measured(X, farm, run):
    """Give the power when each run was made, and what the wind was forecast to be then."""
    past = newest(X)
    power, speed = by_farm(past["power"]), by_farm(np.hypot(past["u"], past["v"]))
    rows, columns = power.index.get_indexer(run), power.columns.get_indexer(farm)

    def take(table):
        return np.where(rows >= 0, table.to_numpy()[rows, columns], np.nan)

    own = {
        "power": take(power),
        "power_1h": take(power.shift(1)),
        "power_2h": take(power.shift(2)),
        "power_6h": take(power.rolling(6, min_periods=1).mean()),
        "power_24h": take(power.rolling(24, min_periods=1).mean()),
        "speed_now": take(speed),
    }
    return pd.concat(
        [power.reindex(run).set_axis(X.index).add_prefix("power@"), pd.DataFrame(own, index=X.index)], axis=1
    )
