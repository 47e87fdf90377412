import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from skts.panel import find_stacked

NOISE = np.random.default_rng(0).normal(size=3000)
HOURS = pd.date_range("2024-01-01", periods=1000, freq="h")


def stack(series, times, **columns):
    """Stack three series of 1,000 rows, series and time as columns."""
    names = np.repeat(series, 1000)
    return pd.DataFrame({"wind": NOISE, "station": names, "time": np.tile(times, 3), **columns})


STACKED = {
    "integers": stack([7, 3, 5], np.arange(1000)),
    "seconds": stack([80711, 80721, 80790], HOURS.as_unit("s").asi8),
    "nanoseconds": stack([1, 2, 3], HOURS.as_unit("ns").asi8),
    "floats": stack([0.5, 1.5, -2.5], np.arange(1000) / 4),
    "with gaps": stack([1, 2, 3], np.delete(np.arange(1100), np.arange(300, 400))),
}
ORDINARY = {
    "noise": pd.DataFrame({"wind": NOISE, "power": NOISE**2}),
    "a count of rows": pd.DataFrame({"wind": NOISE, "row": np.arange(3000)}),
    "the hour beside the day": pd.DataFrame({"hour": np.arange(3000) % 24, "day": np.arange(3000) // 24}),
    "the minute beside the day": pd.DataFrame({"minute": np.arange(3000) % 1440, "day": np.arange(3000) // 1440}),
    "the day beside the year": pd.DataFrame({"day": np.arange(3000) % 365, "year": np.arange(3000) // 365}),
    "the hour of the year": pd.DataFrame({"hour": np.arange(20000) % 8760, "year": np.arange(20000) // 8760}),
    "a switch": stack([0, 1, 0], np.arange(1000)),
    "a meter that is reset": stack([1, 2, 3], np.cumsum(NOISE[:1000] ** 2)),
    "a constant": stack([1, 1, 1], np.arange(1000)),
    "a series name alone": stack([1, 2, 3], NOISE[:1000]),
    "few rows": STACKED["integers"].iloc[::3][:700],
    "a hole": stack([1, 2, 3], np.where(np.arange(1000) == 5, np.nan, np.arange(1000))),
}


@pytest.mark.parametrize("X", STACKED.values(), ids=STACKED)
def test_columns_that_look_like_series_and_time_are_found(X):
    assert find_stacked(X) == (1, 2)
    assert find_stacked(X.to_numpy()) == (1, 2)
    assert find_stacked(StandardScaler().fit_transform(X)) == (1, 2)
    assert find_stacked(X.astype({"wind": str})) == (1, 2)


@pytest.mark.parametrize("X", ORDINARY.values(), ids=ORDINARY)
def test_ordinary_tables_look_like_nothing(X):
    assert find_stacked(X) is None
    assert find_stacked(StandardScaler().fit_transform(X)) is None
