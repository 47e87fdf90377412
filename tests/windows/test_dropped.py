import warnings

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from skts import SlidingWindower
from skts.exceptions import ShortSeriesError, ShortSeriesWarning
from tests._panels import by_series, make_table, ragged_panels

quick = settings(deadline=None, max_examples=100)


def reasons(X, window, horizon, kept, before):
    """Say of each row why no window starts its horizon there; `before` are the origins before windows are compared."""
    for rows in by_series(X).values():
        hours = {hour for hour, _ in rows}
        for hour, row in rows:
            if hour - min(hours) < window or max(hours) - hour + 1 < horizon:
                yield "incomplete"
            elif not hours.issuperset(range(hour - window, hour + horizon)):
                yield "gap"
            else:
                yield "kept" if row in kept else "similarity" if row in before else "stride"


@quick
@given(ragged_panels(), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.sampled_from([None, 0.9]))
def test_every_row_is_an_origin_or_dropped_for_one_reason(X, window, horizon, stride, max_similarity):
    def origins(**kwargs):
        windows = SlidingWindower(window, horizon, stride=stride, **kwargs).fit_transform(X)
        return windows, set(windows.targets(np.arange(len(X)))[:, 0])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ShortSeriesWarning)
        try:
            windows, kept = origins(max_similarity=max_similarity)
            before = origins()[1]
        except ShortSeriesError:
            return
    found = list(reasons(X, window, horizon, kept, before))
    assert windows.dropped == {name: found.count(name) for name in ("incomplete", "gap", "stride", "similarity")}
    assert len(windows) + sum(windows.dropped.values()) == len(X)


def test_whole_series_drop_what_has_no_row_before_or_no_horizon():
    windows = SlidingWindower(None, 3, history=4).fit_transform(np.zeros((20, 1)))
    assert (len(windows), windows.dropped) == (17, {"incomplete": 3, "gap": 0, "stride": 0, "similarity": 0})


def test_forecasting_drops_nothing():
    X = np.zeros((20, 1))
    assert SlidingWindower(3).fit(X).transform(X).dropped is None


def test_a_table_of_training_windows_says_what_was_dropped():
    X = make_table([("a", h) for h in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17)])
    windows = SlidingWindower(2, 2, stride=2, max_similarity=1).fit_transform(X)
    assert "; dropped: 3 incomplete, 3 gap, 4 stride, 4 similarity; worth" in repr(windows)
