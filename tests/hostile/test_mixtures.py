"""What works alone works together."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hostile._check import Untouched, check
from tests.hostile._subjects import SUBJECTS
from tests.hostile._tables import N, categorical, hours, panel, read_only

TIMES = [
    hours(),
    hours(freq="D"),
    hours().as_unit("s"),
    hours(start="2024-03-30 18:00", tz="Europe/Paris"),
    hours(start="2024-10-26 18:00", tz="Europe/Paris"),
    pd.period_range("2024-01", periods=N, freq="M"),
    pd.timedelta_range("0h", periods=N, freq="h"),
    pd.RangeIndex(-5, N - 5),
]
NAMES = [("a", "b"), (7, 3), (0.5, np.inf), ("", " "), tuple(hours(2))]
INDICES = [lambda index: index, lambda index: index.set_names([None, None]), categorical]
VALUES = ["float64", "float32", "float16", "object", "Float64", "double[pyarrow]"]
TARGETS = [lambda y: y, list, read_only, pd.Series.to_frame, lambda y: y.astype("Float64")]
ORDERS = [np.arange(2 * N), np.arange(2 * N).reshape(2, -1).T.ravel(), np.roll(np.arange(2 * N), N)]


@st.composite
def mixtures(draw):
    """Draw a panel of any times, names, dtype, holes, gaps, order of rows and kind of target."""
    to_index = draw(st.sampled_from(INDICES))
    X, y = panel(("a", "b") if to_index is categorical else draw(st.sampled_from(NAMES)), draw(st.sampled_from(TIMES)))
    X, y = X.set_axis(to_index(X.index)), y.set_axis(to_index(y.index))
    holes = draw(st.lists(st.integers(0, 2 * N - 1), max_size=5))
    X.iloc[holes, draw(st.integers(0, 1))] = np.nan
    gaps = draw(st.sets(st.sampled_from([8, 9, 31]), max_size=3))
    rows = [row for row in draw(st.sampled_from(ORDERS)) if row not in gaps]
    return X.iloc[rows].astype(draw(st.sampled_from(VALUES))), draw(st.sampled_from(TARGETS))(y.iloc[rows])


@given(mixtures(), st.sampled_from(["HistoryPrepender", "SlidingWindower", "DLinearRegressor", "WindowedRegressor"]))
@settings(max_examples=30)
def test_what_works_alone_works_together(table, subject):
    X, y = table
    untouched = Untouched(X, y)
    check(lambda: SUBJECTS[subject](X, y, None), None)
    untouched.check()
