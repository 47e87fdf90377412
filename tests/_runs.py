"""Tables with runs for tests."""

import numpy as np
import pandas as pd

START = pd.Timestamp("2024-01-01")
HOUR = pd.Timedelta(1, "h")


def forecast_runs(n_days, *, farms=("a", "b"), every=12, horizon=24, first=1, seed=0):
    """Runs every so many hours, whose wind forecasts grow worse with the lead, and the power that was measured.

    Returns
    -------
    X : DataFrame with the columns wind (known) and power (observed), by farm, run and time
    y : Series, the power of each row
    """
    rng = np.random.RandomState(seed)
    n_hours = n_days * 24 + horizon + first
    times = pd.date_range(START, periods=n_hours, freq="h")
    tables = []
    for farm in farms:
        wind = 8 + 3 * np.sin(np.arange(n_hours) / 9) + np.cumsum(rng.normal(size=n_hours)) / 5
        power = np.clip(wind, 3, 12) ** 2 + rng.normal(size=n_hours)
        for hour in range(0, n_days * 24, every):
            places = hour + first + np.arange(horizon)
            error = np.cumsum(rng.normal(size=horizon)) / 10
            columns = {"wind": wind[places] + error, "power": power[places]}
            index = pd.MultiIndex.from_product([[farm], [times[hour]], times[places]], names=["farm", "run", "time"])
            tables.append(pd.DataFrame(columns, index=index))
    X = pd.concat(tables)
    return X, X["power"].rename("y")


def of_runs(X, begin, end=None):
    """Which rows are of runs from one day to another, not included."""
    run = X.index.get_level_values("run")
    is_in = run >= START + pd.Timedelta(begin, "D")
    return is_in if end is None else is_in & (run < START + pd.Timedelta(end, "D"))
