"""A table as people have it becomes the one that skts reads, whatever library it comes from."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from skts import describe_panel, to_panel
from skts.exceptions import PanelIndexError
from tests._panels import CALENDARS

WHO = {"series": "farm", "time": "when"}


def make_panel(times):
    index = pd.MultiIndex.from_product([["a", "b"], times.rename("when")], names=["farm", "when"])
    n = len(index)
    return pd.DataFrame({"mw": np.arange(n) / 4, "n": np.arange(n), "on": np.arange(n) % 2 == 0}, index=index)


PANEL = make_panel(pd.date_range("2024-03-31", periods=4, freq="h"))
ZONED = make_panel(pd.date_range("2024-10-26 23:00", periods=6, freq="h", tz="Europe/Paris"))
FLAT = PANEL.reset_index()


@pytest.mark.parametrize("X", [PANEL, ZONED], ids=["naive", "over a clock change"])
@pytest.mark.parametrize("convert", [pd.DataFrame, pl.from_pandas, pa.Table.from_pandas], ids=["pd", "pl", "pa"])
def test_a_table_of_any_library_gives_back_the_panel_that_it_was_made_of(X, convert):
    pd.testing.assert_frame_equal(to_panel(convert(X.reset_index()), **WHO), X)


def test_a_lazy_table_of_polars_is_one_too():
    pd.testing.assert_frame_equal(to_panel(pl.from_pandas(FLAT).lazy(), **WHO), PANEL)


@pytest.mark.parametrize("dims", [("farm", "when"), ("when", "farm")])
def test_a_dataset_needs_no_names_and_its_coordinates_become_columns(dims):
    found = to_panel(PANEL.to_xarray().transpose(*dims).assign_coords(lat=("farm", [50.0, 51.0])))
    expected = PANEL.assign(lat=np.repeat([50.0, 51.0], 4))
    pd.testing.assert_frame_equal(found[expected.columns], expected, check_index_type=False)


def test_what_is_indexed_already_stays_and_is_found_without_names():
    pd.testing.assert_frame_equal(to_panel(ZONED.sample(frac=1, random_state=0)), ZONED)
    single = PANEL.loc["a"]
    for table in (single.iloc[::-1], single.reset_index()):
        pd.testing.assert_frame_equal(to_panel(table), single, check_freq=False)


@pytest.mark.parametrize("calendar", CALENDARS, ids=lambda calendar: str(calendar.dtype))
def test_the_order_of_rows_is_of_no_matter_whatever_the_times_are(calendar):
    X = make_panel(calendar[:5])
    pd.testing.assert_frame_equal(to_panel(X.reset_index().sample(frac=1, random_state=1), **WHO), X)


@pytest.mark.parametrize(
    "write",
    [
        lambda times: times.strftime("%Y-%m-%dT%H:%M:%S"),
        lambda times: times.strftime("%Y/%m/%d %H:%M"),
        lambda times: times.astype(object),
        lambda times: times.astype(str).astype("category"),
    ],
)
def test_text_that_begins_with_the_year_is_read_as_it_is(write):
    times = pd.DatetimeIndex(FLAT["when"])
    found = to_panel(FLAT.assign(when=np.asarray(write(times)), farm=FLAT["farm"].astype("category")), **WHO)
    pd.testing.assert_frame_equal(found, PANEL)


def test_dates_and_decimals_and_missing_numbers_become_numbers():
    table = pd.DataFrame(
        {
            "when": [datetime.date(2024, 1, 1), datetime.date(2024, 1, 2)],
            "price": [Decimal("1.5"), None],
            "n": pd.array([1, None], dtype="Int64"),
            "whole": pd.array([1, 2], dtype="Int32"),
        }
    )
    found = to_panel(table, time="when")
    assert found.dtypes.astype(str).tolist() == ["float64", "float64", "int32"]
    assert found["price"].iloc[0] == 1.5
    assert isinstance(found.index, pd.DatetimeIndex)


def test_local_text_with_offsets_becomes_utc_or_gets_its_zone_back():
    text = ZONED.reset_index()
    text["when"] = text["when"].map(lambda time: time.isoformat())
    found = to_panel(text, **WHO)
    assert str(found.index.levels[-1].tz) == "UTC"
    np.testing.assert_array_equal(found["n"], ZONED["n"])
    pd.testing.assert_frame_equal(to_panel(text, **WHO, tz="Europe/Paris"), ZONED)


def test_local_times_that_repeat_are_refused_and_told_apart_by_their_zone():
    local = ZONED.reset_index()
    local["when"] = local["when"].dt.tz_localize(None)
    with pytest.raises(PanelIndexError, match=r"Series a has the time 2024-10-27 02:00:00 .* again in row 4.*tz='Euro"):
        to_panel(local, **WHO)
    pd.testing.assert_frame_equal(to_panel(local, **WHO, tz="Europe/Paris"), ZONED)
    with pytest.raises(PanelIndexError, match=r"time that this zone has twice, and once, in row 3\. Give times with"):
        to_panel(local.drop(3), **WHO, tz="Europe/Paris")
    with pytest.raises(PanelIndexError, match=r"2024-03-31 02:00:00, a time that this zone skips, in row 2"):
        to_panel(FLAT, **WHO, tz="Europe/Paris")


def test_days_and_months_become_periods():
    months = pd.DataFrame({"when": ["2024-01", "2024-02", "2024-03"], "mw": [1.0, 2.0, 3.0]})
    with pytest.raises(PanelIndexError, match=r"in a step of 31 days .* no whole number of steps .* freq='M'"):
        to_panel(months, time="when")
    expected = pd.period_range("2024-01", periods=3, freq="M", name="when")
    assert to_panel(months, time="when", freq="M").index.equals(expected)


@pytest.mark.parametrize(
    ("spoil", "options", "message"),
    [
        ({"when": "01/02/2024 00:00"}, {}, r"'01/02/2024 00:00', of which it is unclear .* in row 0\. .*time_format="),
        ({"when": "soon"}, {}, r"time='when' holds no time such as 2024-01-31 13:00 but 'soon' in row 0\. Mend it"),
        ({"when": "2024"}, {"time_format": "%d/%m/%Y"}, r"'2024', not of time_format='%d/%m/%Y', in row 0"),
        ({"when": 0.5}, {}, "time='when' holds numbers such as 0.5"),
        ({"when": None}, {}, r"time='when' is empty in row 0\. Fill it in"),
        ({"farm": None}, {}, r"series='farm' is empty in row 0\. Fill it in"),
        ({"note": "ok"}, {}, r"'note' holds no numbers, such as 'ok' at a, 2024-03-31 00:00:00.*text='drop'"),
        ({"note": "1.5"}, {}, r"'note' holds no numbers.*It holds numbers as text: pandas.to_numeric"),
        ({"note": pd.Timestamp("2024")}, {}, "'note' holds no numbers"),
        ({}, {"time": "wen"}, r"time='wen' is no column of the table; those are farm, when, .* Did you mean 'when'"),
        ({}, {"columns": ["mww"]}, r"to_panel\(columns=...\): no column 'mww' .* Did you mean 'mw'"),
        ({}, {"series": []}, r"The table has the time .* again in row 4: name the column .* series= \(farm"),
        ({}, {"series": "when"}, "names a series too"),
        ({"other": pd.Timestamp("2024")}, {"time": None}, r"2 columns hold date-times \(when, other\): name it, time="),
        ({}, {"text": "no"}, "'raise', 'drop' or 'keep' is expected"),
        ({}, {"tz": "Mars/Base"}, "tz='Mars/Base': "),
    ],
)
def test_what_cannot_be_read_without_a_guess_is_refused_with_its_row(spoil, options, message):
    with pytest.raises(ValueError, match=message):
        to_panel(FLAT.assign(**spoil), **{**WHO, **options})


def test_what_is_no_table_is_refused():
    for table in ([[1.0]], np.ones((2, 2)), {"mw": [1.0]}):
        with pytest.raises(TypeError, match="takes a DataFrame of pandas or polars"):
            to_panel(table)
    with pytest.raises(ValueError, match="no rows"):
        to_panel(FLAT[:0], **WHO)


def test_a_format_says_what_is_the_day():
    written = FLAT.assign(when=FLAT["when"].dt.strftime("%d/%m/%Y %H:%M"))
    pd.testing.assert_frame_equal(to_panel(written, **WHO, time_format="%d/%m/%Y %H:%M"), PANEL)


def test_text_is_kept_or_left_out_as_asked():
    noted = FLAT.assign(note="ok")
    pd.testing.assert_frame_equal(to_panel(noted, **WHO, text="drop"), PANEL)
    assert to_panel(noted, **WHO, text="keep")["note"].eq("ok").all()
    assert to_panel(noted, **WHO, columns=["n", "mw"]).columns.tolist() == ["n", "mw"]


def test_a_column_of_runs_stays_a_level_and_is_read_as_times():
    runs = pd.DataFrame({"farm": "a", "run": ["2024-01-01"] * 2 + ["2024-01-02"] * 2, "n": range(4)})
    runs["when"] = ["2024-01-01", "2024-01-02", "2024-01-02", "2024-01-03"]
    found = to_panel(runs.iloc[::-1], series=["farm", "run"], time="when")
    assert found.index.names == ["farm", "run", "when"]
    assert found["n"].tolist() == [0, 1, 2, 3]
    assert describe_panel(found).facts["runs"] == "2"


def test_a_report_counts_what_is_there_and_what_is_not():
    X = PANEL.assign(lat=np.repeat([50.0, 51.0], 4), again=PANEL["mw"], flat=1.0, gone=np.nan).drop(columns="on")
    X.iloc[1, 0] = np.nan
    X = X.drop(X.index[[2, 7]])
    report = describe_panel(X)
    assert report.series["rows"].tolist() == [3, 3]
    assert report.series["holes"].tolist() == [1, 0]
    assert report.columns.index[report.columns["constant"]].tolist() == ["flat", "gone"]
    assert report.columns.index[report.columns["static"]].tolist() == ["lat", "flat", "gone"]
    assert report.columns["repeats"].dropna().to_dict() == {}  # one value is missing in mw alone
    assert describe_panel(PANEL.assign(again=PANEL["mw"])).columns["repeats"].dropna().to_dict() == {"again": "mw"}
    text = str(report)
    for fact in [
        "2 series: a, b",
        "1 row missing",
        "1 row: a, 2024-03-31 02:00",
        "before the last: 1 series: b",
        "mw 16.7 %",
    ]:
        assert fact in text
        assert fact in report._repr_html_()
