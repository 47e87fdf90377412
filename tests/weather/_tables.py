"""Tables by (station, run, time)."""

import numpy as np
import pandas as pd


def make_index(n_stations=2, n_runs=3, n_steps=6, every="6h", start="2024-01-01"):
    runs = pd.date_range(start, periods=n_runs, freq=every)
    station, run, lead = (part.ravel() for part in np.indices((n_stations, n_runs, n_steps)))
    times = runs[run] + pd.to_timedelta(lead + 1, unit="h")
    return pd.MultiIndex.from_arrays([[f"s{i}" for i in station], runs[run], times], names=["station", "run", "time"])
