import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skts.exceptions import MissingRunsWarning, PanelIndexError
from skts.weather import join_runs

START = pd.Timestamp("2024-01-01")
STATIONS = ["b", "a"]


def at(hour):
    return START + pd.Timedelta(hour, "h")


def make_runs(rows, column="u", extra=0.0):
    """Make a frame of rows (station, run, time), in hours; each value in it is there once."""
    stations, runs, times = zip(*rows, strict=True)
    index = pd.MultiIndex.from_arrays([list(stations), [at(h) for h in runs], [at(h) for h in times]])
    values = np.arange(len(rows), dtype=float) + extra
    return pd.DataFrame({column: values}, index=index.set_names(["station", "run", "time"]))


def whole(runs=(0, 6, 12), length=24, stations=STATIONS, **kwargs):
    return make_runs([(s, r, t) for s in stations for r in runs for t in range(r, r + length)], **kwargs)


def join(forecasts, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingRunsWarning)
        return join_runs(forecasts, **kwargs)


@st.composite
def providers(draw):
    """Draw rows with missing runs, missing times, other runs in each series, and when each run was there."""
    runs = draw(st.lists(st.integers(0, 6), min_size=1, max_size=5, unique=True))
    cells = [(s, r, r + lead) for s in STATIONS for r in runs for lead in range(9)]
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    share = draw(st.sampled_from([0.3, 0.9, 1.0]))
    rows = [cells[i] for i in rng.permutation(len(cells)) if rng.random() < share] or cells[:1]
    frame = make_runs(rows)
    frame.iloc[rng.random(len(rows)) < draw(st.sampled_from([0.0, 0.2]))] = np.nan
    by_series = draw(st.booleans())
    keys = [(s, r) for s in STATIONS for r in runs] if by_series else runs
    delays = {key: draw(st.none() | st.integers(0, 7)) for key in keys}
    return frame, delays, by_series


def as_series(delays, by_series, arrivals):
    run_of = {key: key[1] if by_series else key for key in delays}
    values = [pd.NaT if d is None else pd.Timedelta(d, "h") + (at(run_of[k]) if arrivals else pd.Timedelta(0))
              for k, d in delays.items()]  # fmt: skip
    if by_series:
        index = pd.MultiIndex.from_tuples([(s, at(r)) for s, r in delays])
    else:
        index = pd.DatetimeIndex([at(r) for r in delays])
    return pd.Series(values, index=index, dtype="datetime64[ns]" if arrivals else "timedelta64[ns]")


def oracle(frame, delays, by_series, station, origin, time, max_age):
    """Look through all rows for the latest run that was there and has the time."""
    best = None
    for (s, run, t), value in frame["u"].items():
        run, t = int((run - START) / pd.Timedelta("1h")), int((t - START) / pd.Timedelta("1h"))
        delay = delays[(s, run) if by_series else run]
        if (s, t) == (station, time) and delay is not None and run + delay <= origin and not np.isnan(value):
            best = max(best, (run, value)) if best else (run, value)
    if best is None or origin - best[0] > max_age:
        return np.nan, np.nan
    return best[1], time - best[0]


@settings(max_examples=60)
@given(
    one=providers(), other=providers(), origins=st.lists(st.integers(0, 12), min_size=1, max_size=4, unique=True),
    own=st.booleans(), first=st.integers(0, 3), horizon=st.integers(1, 6), max_age=st.sampled_from([0, 3, 5, 30]),
    arrivals=st.booleans(),
)  # fmt: skip
def test_it_finds_what_a_look_through_all_rows_finds(one, other, origins, own, first, horizon, max_age, arrivals):
    given_origins = pd.DatetimeIndex([at(h) for h in origins])
    stations = sorted({s for frame, *_ in (one, other) for s in frame.index.get_level_values(0)})
    if own:
        stations = stations[:1]
        given_origins = pd.MultiIndex.from_product([stations, given_origins])
    sources = {"x": one, "y": other}
    try:
        table = join(
            {name: frame for name, (frame, *_) in sources.items()}, origins=given_origins, horizon=horizon,
            first=f"{first}h", step="1h", max_age=f"{max_age}h",
            delay={name: as_series(*rest, arrivals) for name, (_, *rest) in sources.items()},
        )  # fmt: skip
    except ValueError as error:
        assert "has nothing for any" in str(error)  # noqa: PT017
        table = None
    expected = {
        name: [
            oracle(*source, s, o, o + first + k, max_age)
            for s in dict.fromkeys(s for s in _in_order(one, other) if s in stations)
            for o in sorted(origins)
            for k in range(horizon)
        ]
        for name, source in sources.items()
    }
    if table is None:
        assert any(np.isnan(values).all() for values in expected.values())
        return
    for name, values in expected.items():
        np.testing.assert_array_equal(table[[f"{name}_u", f"{name}_lead"]], values)
    assert table.index.names == ["station", "run", "time"]


def _in_order(*sources):
    return [s for frame, *_ in sources for s in sorted(frame.index.get_level_values(0).unique())]


def test_the_index_is_that_of_a_table_with_runs():
    frame = whole()
    origins = pd.DatetimeIndex([at(13), at(7)])
    table = join_runs({"x": frame}, origins=origins, horizon=3, delay="1h", first="2h")
    expected = [("a", at(7), at(9)), ("a", at(7), at(10)), ("a", at(7), at(11)), ("a", at(13), at(15))]
    assert table.index[:4].tolist() == expected
    assert (table.index.get_level_values("time") >= table.index.get_level_values("run")).all()
    assert table.index.get_level_values("station").unique().tolist() == ["a", "b"]
    assert not table.index.has_duplicates
    assert table["x_lead"].iloc[:4].tolist() == [3, 4, 5, 3]


def test_a_run_is_there_from_its_delay_on_and_not_before():
    origins = pd.DatetimeIndex([at(8) - pd.Timedelta("1s"), at(8), at(14)])
    table = join({"x": whole()}, origins=origins, horizon=1, first="1h", delay="2h")
    assert np.isnan(table["x_u"].iloc[0])  # off the hour
    origins = pd.DatetimeIndex([at(7), at(8), at(13), at(14)])
    table = join_runs({"x": whole()}, origins=origins, horizon=1, first="1h", delay="2h")
    assert table.loc["a", "x_lead"].tolist() == [8, 3, 8, 3]
    table = join_runs({"x": whole()}, origins=origins, horizon=1, first="1h", delay={"x": pd.Timedelta("1h")})
    assert table.loc["a", "x_lead"].tolist() == [2, 3, 2, 3]


def test_a_run_that_comes_after_its_successor_is_not_taken():
    delays = pd.Series(pd.to_timedelta([1, 9, 1], unit="h"), index=[at(0), at(6), at(12)])  # at 1, 15 and 13 o'clock
    origins = pd.DatetimeIndex([at(h) for h in (12, 14, 16)])
    table = join_runs({"x": whole()}, origins=origins, horizon=1, delay={"x": delays})
    assert table.loc["a", "x_lead"].tolist() == [12, 2, 4]
    lost = delays.where(delays.index != at(12))
    table = join_runs({"x": whole()}, origins=origins, horizon=1, delay={"x": lost})
    assert table.loc["a", "x_lead"].tolist() == [12, 14, 10]


def test_a_run_may_be_as_old_as_is_said_and_no_older():
    origins = pd.DatetimeIndex([at(15), at(16)])
    table = join({"x": whole()}, origins=origins, horizon=2, delay="0h", max_age="3h")
    assert table["x_u"].notna().tolist() == [True, True, False, False] * 2


def test_half_hours_have_leads_of_half_hours():
    frame = make_runs([("a", 0, 0.5 * k) for k in range(9)])
    table = join_runs({"x": frame}, origins=pd.DatetimeIndex([at(1)]), horizon=3, delay="0h")
    assert table["x_lead"].tolist() == [1.0, 1.5, 2.0]
    assert (np.diff(table.index.get_level_values("time")) == np.timedelta64(30, "m")).all()


def test_two_levels_name_a_series_and_none_is_one():
    frame = whole()
    expected = join_runs({"x": frame}, origins=pd.DatetimeIndex([at(7)]), horizon=3, delay="0h")
    deep = pd.concat({"fr": frame}, names=["country"])
    table = join_runs({"x": deep}, origins=pd.DatetimeIndex([at(7)]), horizon=3, delay="0h")
    pd.testing.assert_frame_equal(table.loc["fr"], expected)
    assert table.index.names == ["country", "station", "run", "time"]
    alone = join_runs({"x": frame.loc["a"]}, origins=pd.DatetimeIndex([at(7)]), horizon=3, delay="0h")
    pd.testing.assert_frame_equal(alone, expected.loc["a"])


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Paris"])
def test_units_and_zones_of_times_change_nothing(unit, zone):
    frame = whole(stations=["a"])
    expected = join_runs({"x": frame}, origins=pd.DatetimeIndex([at(7)]), horizon=3, delay="0h")
    parts = [frame.index.get_level_values(i).as_unit(unit).tz_localize(zone) for i in (1, 2)]
    frame.index = pd.MultiIndex.from_arrays([["a"] * len(frame), *parts], names=frame.index.names)
    origins = pd.DatetimeIndex([at(7)]).as_unit("s").tz_localize(zone)
    table = join_runs({"x": frame}, origins=origins, horizon=3, delay="0h")
    np.testing.assert_array_equal(table, expected)
    assert table.index.levels[-1].dtype == parts[1].dtype
    if zone:
        with pytest.raises(PanelIndexError, match="tz_localize"):
            join_runs({"x": frame}, origins=origins.tz_localize(None), horizon=3, delay="0h")


def test_times_finer_than_those_of_the_forecasts_are_not_rounded():
    frame = whole(stations=["a"])
    frame.index = frame.index.set_levels([level.as_unit("s") for level in frame.index.levels[1:]], level=[1, 2])
    origins = pd.DatetimeIndex([at(7) + pd.Timedelta("1ms"), at(7)])
    table = join({"x": frame}, origins=origins, horizon=1, delay="0h")
    assert table.index.get_level_values("time").tolist() == sorted(origins)


def test_float32_stays_and_whole_numbers_may_be_missing():
    frame = whole(stations=["a"])
    origins = pd.DatetimeIndex([at(7), at(35)])
    table = join({"x": frame.astype("float32")}, origins=origins, horizon=2, delay="0h")
    assert (table.dtypes == "float32").all()
    table = join({"x": frame.astype(int)}, origins=origins, horizon=2, delay="0h")
    assert (table.dtypes == "float64").all()
    table = join({"x": frame.astype("Float64").astype("Int64")}, origins=origins, horizon=2, delay="0h")
    assert table["x_u"].isna().sum() == 1


def test_the_given_frames_stay_as_they_are():
    frame = whole()
    before = frame.copy(deep=True)
    table = join_runs({"x": frame}, origins=pd.DatetimeIndex([at(7)]), horizon=3, delay="0h")
    table.iloc[:] = -1.0
    pd.testing.assert_frame_equal(frame, before)


def test_a_provider_of_longer_steps_leaves_rows_to_its_older_runs_or_blank():
    fine, coarse = whole(stations=["a"]), make_runs([("a", 0, t) for t in range(0, 24, 3)])
    with pytest.warns(MissingRunsWarning, match=r"provider 'y' has nothing for 0 of 1 origins .* lacks 4 rows"):
        table = join_runs({"x": fine, "y": coarse}, origins=pd.DatetimeIndex([at(6)]), horizon=6, delay="0h")
    assert table["y_u"].notna().tolist() == [True, False, False, True, False, False]
    assert table["x_u"].notna().all()


def test_a_warning_counts_the_origins_that_are_lost_and_names_the_first():
    origins = pd.DatetimeIndex([at(h) for h in (1, 3, 7, 60)])
    with pytest.warns(MissingRunsWarning) as caught:
        join_runs({"x": whole(), "y": whole()}, origins=origins, horizon=2, delay={"x": "0h", "y": "2h"})
    (x, y) = sorted(str(warning.message) for warning in caught)
    assert "'x' has nothing for 2 of 8 origins (0 of them lie before its first run was there)" in x
    assert "'y' has nothing for 4 of 8 origins (2 of them lie before its first run was there)" in y
    assert "the first: the origin 2024-01-01 01:00:00 of series 'a'" in y
    assert caught[0].filename == __file__


def test_a_provider_without_any_run_in_time_is_refused():
    with pytest.raises(ValueError, match=r"'x' has nothing for any of the 2 origins. 2 of them lie before its first"):
        join_runs({"x": whole()}, origins=pd.DatetimeIndex([at(7)]), horizon=2, delay="9h")
    with pytest.raises(ValueError, match=r"max_age='1h' old and has.*2024-01-01 12:00:00, its times"):
        join_runs({"x": whole()}, origins=pd.DatetimeIndex([at(9)]), horizon=2, delay="0h", max_age="1h")


def change(frame, **levels):
    index = frame.index.to_frame(index=False).assign(**levels)
    return frame.set_axis(pd.MultiIndex.from_frame(index))


ORIGINS = pd.DatetimeIndex([at(7)])


@pytest.mark.parametrize(
    ("forecasts", "options", "message"),
    [
        ({}, {}, "is empty"),
        (whole(), {}, "takes a mapping from the name of a provider.*DataFrame"),
        ({"x": whole()["u"]}, {}, r"forecasts\['x'\] is a Series"),
        ({"x": whole().droplevel("run")}, {}, r"levels \['station', 'time'\].*one level named 'run'"),
        ({"x": whole().reorder_levels([0, 2, 1])}, {}, "one level named 'run'"),
        ({"x": whole()[[]]}, {}, "at least one row and one column"),
        ({"x": whole()[:0]}, {}, "at least one row and one column"),
        ({"x": whole().assign(u="high")}, {}, "column 'u' has dtype"),
        ({"x": change(whole(), time=range(144))}, {}, "level 'time' must hold date-times"),
        ({"x": change(whole(), run=[pd.NaT, *[at(0)] * 143])}, {}, "row 0 has no run"),
        ({"x": change(whole(), run=at(1))}, {}, r"row 0 \(series 'b', run 2024-01-01 01.*lies before its own run"),
        ({"x": pd.concat([whole(), whole()[5:6]])}, {}, r"row 144 \(series 'b', run .* 05:00:00\) is there twice"),
        ({"x": whole(), "y": whole().rename_axis(["farm", "run", "time"])}, {}, r"\['station'\], and .* \['farm'\]"),
        ({"x": whole().assign(lead=1)}, {}, "more than one column 'x_lead'"),
        ({"x": whole(column="y_u"), "x_y": whole()}, {}, "more than one column 'x_y_u'"),
        ({"x": whole()}, {"delay": {"x": "1h", "z": "2h"}}, r"no provider 'z' among \['x'\]"),
        ({"ecmwf": whole()}, {"delay": {"ecmfw": "2h"}}, "Did you mean 'ecmwf'"),
        ({"x": whole(), "y": whole()}, {"delay": {"x": "1h"}}, "no delay of the provider 'y'"),
        ({"x": whole()}, {"delay": "-1h"}, "must be at least 0"),
        ({"x": whole()}, {"delay": "soon"}, "give a duration"),
        ({"x": whole()}, {"delay": pd.Series(["1h"])}, "given by provider"),
        ({"x": whole()}, {"delay": {"x": pd.Series([1.0], index=[at(0)])}}, "dtype float64: give delays"),
        ({"x": whole()}, {"delay": {"x": pd.Series(pd.to_timedelta(["1h"]))}}, "must be the run"),
        ({"x": whole()}, {"delay": {"x": pd.Series(pd.to_timedelta(["1h"] * 2), index=[at(0)] * 2)}}, "a run twice"),
        (
            {"x": whole()},
            {"delay": {"x": pd.Series(pd.to_timedelta(["1h"] * 2), index=[at(0), at(6)])}},
            "no delay of series 'b', run 2024-01-01 12:00:00",
        ),
        (
            {"x": whole()},
            {"delay": {"x": pd.Series([at(1), at(5), at(13)], index=[at(0), at(6), at(12)])}},
            "run 2024-01-01 06:00:00 would arrive before it was made, at 2024-01-01 05:00:00",
        ),
        ({"x": whole()}, {"first": "-1h"}, r"first='-1h'\): the duration must be at least 0"),
        ({"x": whole()}, {"step": "0h"}, "above 0"),
        ({"x": whole(length=1)}, {}, "give it, such as step='1h'"),
        ({"x": whole()}, {"horizon": 0}, r"horizon=0\): a number of rows"),
        ({"x": whole()}, {"horizon": 2.0}, r"horizon=2.0\): a number of rows"),
        ({"x": whole()}, {"origins": ORIGINS[:0]}, "is empty"),
        ({"x": whole()}, {"origins": ORIGINS.append(ORIGINS)}, "origin 2024-01-01 07:00:00 of series 'a' is there twi"),
        ({"x": whole()}, {"origins": [7, 8]}, "takes the times at which forecasts are made"),
        ({"x": whole()}, {"origins": pd.DatetimeIndex([pd.NaT])}, "origin 0 is missing"),
        ({"x": whole()}, {"origins": pd.MultiIndex.from_product([["c"], ORIGINS])}, "names the series 'c', which no"),
        ({"x": whole()}, {"origins": pd.MultiIndex.from_product([["a"], [1], ORIGINS])}, "give the same levels"),
        ({"x": whole()}, {"origins": ORIGINS.tz_localize("UTC")}, "tz_localize"),
    ],
)
def test_what_is_wrong_is_named(forecasts, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        join_runs(forecasts, **{"origins": ORIGINS, "horizon": 2, "delay": "0h", **options})


def test_there_is_no_delay_by_default():
    with pytest.raises(TypeError, match="delay"):
        join_runs({"x": whole()}, origins=ORIGINS, horizon=2)


@pytest.mark.parametrize("dims", [("station", "run", "step"), ("step", "station", "run")])
def test_a_dataset_is_what_its_frame_is(dims):
    xarray = pytest.importorskip("xarray")
    frame = whole()
    values = frame["u"].to_numpy().reshape(2, 3, 24)
    coords = {
        "station": STATIONS,
        "run": [at(0), at(6), at(12)],
        "step": pd.timedelta_range("0h", periods=24, freq="h"),
    }
    dataset = xarray.Dataset({"u": (("station", "run", "step"), values)}, coords=coords).transpose(*dims)
    options = {"origins": pd.DatetimeIndex([at(7), at(13)]), "horizon": 3, "delay": "0h"}
    expected = join_runs({"x": frame}, **options)
    pd.testing.assert_frame_equal(
        join_runs({"x": dataset}, **options).sort_index(), expected.sort_index(), check_index_type=False
    )
