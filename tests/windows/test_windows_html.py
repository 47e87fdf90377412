import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings

from skts import SlidingWindower
from skts.exceptions import ShortSeriesError
from skts.windows import Windows
from skts.windows._windows_html import count_missing, count_nan
from tests._markup import read_box
from tests._panels import by_series, ragged_panels

ignore_short = pytest.mark.filterwarnings("ignore::skts.exceptions.ShortSeriesWarning")


def two_series():
    index = pd.MultiIndex.from_product([["a", "<script>b"], pd.date_range("2024", periods=20, freq="h")])
    X = pd.DataFrame({"wind": np.arange(40.0), "power": 1.0}, index=index)
    X.iloc[:4, 0] = np.nan
    return X.drop(index[8])


def test_training_windows_say_where_they_come_from_and_what_they_are_worth():
    windows = SlidingWindower(3, 2, stride=2, known=["wind"]).fit_transform(two_series())
    facts = read_box(windows._repr_html_())
    dropped = ", ".join(
        f"{windows.dropped[reason]} {why}"
        for reason, why in {
            "incomplete": "too near an end of the series",
            "gap": "across a gap",
            "stride": "passed over by the stride",
        }.items()
    )
    assert facts == {
        "series": "2 series: <script>b, a",
        "period": "2024-01-01 00:00 to 2024-01-01 19:00",
        "step": "1 h",
        "window": "3 rows",
        "horizon": "2 rows",
        "columns": "2, 1 of them known over the horizon",
        "holes": "1 row missing (2.5 %), 5.1 % of the values in the others",
        "dropped": f"{39 - len(windows)} of 39 rows start no window: {dropped}",
        "worth": f"about {windows.n_independent:.0f} independent windows",
    }
    assert f"{len(windows)} training windows" in windows._repr_html_()


def test_forecasting_windows_have_no_worth_and_dropped_nothing():
    windows = SlidingWindower(3, 2).fit(two_series()).transform(two_series())
    facts = read_box(windows._repr_html_())
    assert {"dropped", "worth"}.isdisjoint(facts)
    assert facts["holes"].startswith("1 row missing (2.5 %)")


def test_windows_of_an_array_and_of_whole_series_can_be_shown():
    facts = read_box(SlidingWindower(None, 2, history=4).fit_transform(np.ones((30, 2)))._repr_html_())
    assert (facts["series"], facts["window"], facts["step"]) == ("1 series", "all rows before the origin", "1 row")
    assert "period" not in facts
    assert facts["holes"] == "no row missing, 0 % of the values"


@ignore_short
@pytest.mark.parametrize("is_training", [True, False])
@settings(deadline=None, max_examples=60)
@given(X=ragged_panels())
def test_missing_rows_are_those_between_the_first_and_the_last_of_a_series(is_training, X):
    lengths = [[hour for hour, _ in rows] for rows in by_series(X).values()]
    expected = sum(max(hours) - min(hours) + 1 - len(hours) for hours in lengths)
    windower = SlidingWindower(1, 1)
    try:
        windows = windower.fit_transform(X) if is_training else windower.fit(X).transform(X)
    except ShortSeriesError:
        assume(False)
    assert count_missing(windows) == expected


def test_few_of_many_rows_are_looked_at_for_missing_values_at_every_hour_of_the_day():
    panel = np.zeros((24 * 20_000, 2), dtype=np.float32)
    panel[::24, 0] = np.nan  # at midnight
    n_nan, n_cells = count_nan(panel, np.arange(len(panel)))
    assert n_cells <= 2**17
    assert n_nan / n_cells == pytest.approx(1 / 48, rel=0.1)


def test_20_000_series_are_shown_by_a_look_at_some(monkeypatch):
    index = pd.MultiIndex.from_product([[f"station_{i}" for i in range(20_000)], range(12)])
    windows = SlidingWindower(2, 2).fit_transform(pd.DataFrame({"power": np.arange(len(index)) % 7.0}, index=index))
    judged, whole = [], Windows._independent
    monkeypatch.setattr(Windows, "_independent", lambda *args: judged.append(len(args[2])) or whole(*args))
    monkeypatch.setattr(Windows, "series", property(lambda self: pytest.fail("made for every window")))
    html = windows._repr_html_()
    assert sum(judged) <= 2**14
    assert len(re.findall("station_", html)) == 4
    assert "20,000 series" in html


def test_the_period_is_that_of_the_table():
    X = two_series()
    windows = SlidingWindower(3, 2).fit_transform(X)
    times = X.index.get_level_values(1)
    assert windows.clock.labels(np.array(windows.period)).tolist() == [times.min(), times.max()]
