import numpy as np
import pandas as pd

from skts.inspection._plot._style import label_times, place_times


def test_times_are_placed_in_their_unit_and_named_by_it():
    winter = pd.DatetimeIndex(["2024-01-01 01:00"], tz="Europe/Paris", name="time")
    assert place_times(winter)[0] == np.datetime64("2024-01-01T00:00")  # in UTC, and shown by the clock of the zone
    assert label_times(winter) == "time (Europe/Paris)"
    assert place_times(winter.tz_localize(None).to_period("h"))[0] == np.datetime64("2024-01-01T01:00")
    half_hours = pd.timedelta_range("0h", periods=2, freq="30min")
    assert (place_times(half_hours).tolist(), label_times(half_hours)) == ([0.0, 0.5], "time (hours)")
    assert (place_times(pd.Index([3, 4])).tolist(), label_times(pd.Index([3, 4], name="row"))) == ([3, 4], "row")
