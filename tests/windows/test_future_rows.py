"""The rows that come next go on where every series ends, and are forecast as rows of the table would be."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skts import HistoryPrepender, SlidingWindower, future_rows, update
from skts.exceptions import PanelIndexError
from skts.features import CalendarFeatures, WindFeatures
from skts.strategies import PerSeriesRegressor, WindowedRegressor
from tests._panels import CALENDARS, make_table

ZONE = "Europe/Paris"
ENDS = {"a": 60, "b": 57}  # hours
TABLE = make_table([(name, hour) for name, end in ENDS.items() for hour in range(end)])
TARGET = np.sin(TABLE["seen"])
WEATHER = make_table([(name, hour) for name in ENDS for hour in range(80)])[["known"]]
FOREVER = [
    pd.date_range("2024-10-26 18:00", periods=20, freq="h", tz=ZONE, name="time"),  # clocks go back on the 27th
    pd.date_range("2024-03-30 18:00", periods=20, freq="h", tz=ZONE, name="time"),  # and forward on the 31st
    pd.period_range("2024-01", periods=20, freq="M", name="time"),
    pd.period_range("2024-10-26", periods=20, freq="D", name="time"),
    pd.RangeIndex(-5, 15, name="time"),
    pd.date_range("2024-01-01", periods=20, freq="15min", name="time"),
]


def make_pipe(*before, known=("known",)):
    cut = [HistoryPrepender(6), SlidingWindower(6, horizon=4, known=list(known)), WindowedRegressor(Ridge())]
    return make_pipeline(*before, *cut).set_output(transform="pandas")


@pytest.fixture(scope="module")
def pipe():
    return make_pipe(StandardScaler()).fit(TABLE, TARGET)


@pytest.mark.parametrize("calendar", FOREVER, ids=lambda calendar: f"{calendar.dtype} from {calendar[0]}")
def test_future_rows_are_the_rows_that_were_cut_off(calendar):
    whole = pd.DataFrame({"mw": np.arange(20.0)}, index=calendar)
    rows = future_rows(whole[:8], 12)
    assert rows.index.equals(whole.index[8:])
    assert rows.index.dtype == whole.index.dtype
    assert rows.isna().all(axis=None)
    several = pd.concat({"a": whole, "b": whole[:13]}, names=["farm"])
    cut = several.drop([("a", time) for time in calendar[15:]])
    expected = [*(("a", time) for time in calendar[15:18]), *(("b", time) for time in calendar[13:16])]
    assert future_rows(cut, 3).index.tolist() == expected
    assert future_rows(cut, 3).index.names == ["farm", "time"]


def test_a_pipe_and_its_table_have_the_same_next_rows(pipe):
    from_pipe, from_table = future_rows(pipe, known=WEATHER), future_rows(TABLE, 4, known=WEATHER)
    pd.testing.assert_frame_equal(from_pipe, from_table)
    assert from_pipe.index.tolist() == [(name, CALENDARS[0][end + i]) for name, end in ENDS.items() for i in range(4)]
    assert from_pipe["seen"].isna().all()
    np.testing.assert_array_equal(from_pipe["known"], WEATHER["known"].loc[from_pipe.index])


def test_what_was_observed_later_does_not_change_the_forecast_of_blank_rows(pipe):
    rows = future_rows(pipe, known=WEATHER)
    np.testing.assert_array_equal(pipe.predict(rows), pipe.predict(rows.assign(seen=1e6)))
    assert np.isfinite(pipe.predict(rows)).all()


def test_rows_go_on_after_an_update():
    pipe = make_pipe().fit(TABLE, TARGET)
    new = future_rows(TABLE, 3, known=WEATHER).assign(seen=1.0)
    update(pipe, new)
    assert future_rows(pipe, 1, known=WEATHER).index.tolist() == [(s, CALENDARS[0][end + 3]) for s, end in ENDS.items()]


def test_searches_and_pipes_by_series_know_their_next_rows(pipe):
    search = GridSearchCV(make_pipe(), {"slidingwindower__stride": [1]}, cv=[(np.arange(110), np.arange(110, 117))])
    each = PerSeriesRegressor(make_pipe())
    for estimator in (search, each):
        estimator.fit(TABLE, TARGET)
        pd.testing.assert_frame_equal(future_rows(estimator, known=WEATHER), future_rows(pipe, known=WEATHER))


def test_times_alone_serve_all_series_and_static_columns_go_on():
    price = pd.DataFrame({"known": np.arange(80.0)}, index=CALENDARS[0][:80])
    rows = future_rows(TABLE.assign(lat=np.repeat([50, 51], [60, 57])), 2, known=price)
    assert rows["known"].tolist() == [60.0, 61.0, 57.0, 58.0]
    assert rows["lat"].tolist() == [50.0, 50.0, 51.0, 51.0]


def test_columns_that_steps_make_of_the_index_need_nothing_and_others_are_named_by_what_they_are_made_of():
    X = TABLE.assign(u=1.0, v=np.arange(len(TABLE)) % 7)
    steps = [CalendarFeatures(), WindFeatures(u="u", v="v"), StandardScaler()]
    names = [name for name in make_pipe(*steps[:2])[:2].fit(X).transform(X).columns if name not in X]
    calendar = [name for name in names if name.endswith(("_sin", "_cos"))]
    pipe = make_pipe(*steps, known=calendar).fit(X, TARGET)
    assert len(future_rows(pipe)) == 8
    pipe = make_pipe(*steps, known=names).fit(X, TARGET)
    with pytest.raises(
        ValueError, match=r"'u', 'v' must be known ahead, and known=None does not hold them for a, 2024-"
    ):
        future_rows(pipe)


@pytest.mark.parametrize(
    ("known", "message"),
    [
        (None, r"'known' must be known ahead, and known=None does not hold it for a, 2024-01-03 12:00:00 and"),
        (WEATHER.rename(columns={"known": "knwn"}), r"'known' must be known ahead, and known=\['knwn'\]"),
        (WEATHER.assign(x=1.0), r"no column 'x' among \['seen', 'known'\]"),
        (WEATHER.drop(("b", CALENDARS[0][58])), r"no row for b, 2024-01-03 10:00:00 \(1 of 8 are missing\)"),
        (pd.concat([WEATHER, WEATHER[:1]]), "row 160 is the second one for a, 2024-01-01 00:00:00"),
        (WEATHER.tz_localize(ZONE, level="time"), "1 series level and date-times with a time zone, and the rows to"),
    ],
)
def test_what_is_not_known_is_named_with_its_time(pipe, known, message):
    with pytest.raises(ValueError, match=message):
        future_rows(pipe, known=known)


def test_where_nothing_tells_what_comes_next_the_way_out_is_named(pipe):
    with pytest.raises(ValueError, match="a table has no horizon of its own"):
        future_rows(TABLE)
    with pytest.raises(TypeError, match=r"skts.to_panel makes a DataFrame"):
        future_rows(TABLE.to_numpy(), 3)
    with pytest.raises(ValueError, match=r"Ridge holds no HistoryPrepender.*future_rows\(X, horizon\)"):
        future_rows(Ridge().fit(TABLE, TARGET), 3)
    with pytest.raises(PanelIndexError, match="fitted on an array"):
        future_rows(make_pipe(known=()).fit(TABLE.to_numpy()[:60], np.arange(60.0)))
    with pytest.raises(PanelIndexError, match="no series has two rows"):
        future_rows(TABLE.iloc[[0]], 3)
    runs = TABLE.assign(run=CALENDARS[0][0]).set_index("run", append=True).swaplevel()
    with pytest.raises(
        PanelIndexError, match=r"next run of the weather forecast: .*weather.reindex\(columns=X.columns\)"
    ):
        future_rows(runs, 3)
    plain = future_rows(TABLE.reset_index(drop=True), 2)
    assert plain.index.tolist() == [117, 118]
