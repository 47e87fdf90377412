import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from skts import HistoryPrepender, SlidingWindower
from skts.datasets import make_panel
from skts.exceptions import LostSeriesError, PanelIndexError
from skts.inspection import DriftReference, drift_report
from skts.model_selection import PanelTimeSeriesSplit, backtest
from skts.strategies import WindowedRegressor
from tests.inspection.drift._worlds import START, make_forecasts, make_world, split

LATER = START + pd.Timedelta(days=365)


def alarms(report):
    return report[report["alarm"]]


@pytest.fixture(scope="module")
def known():
    """A reference of a year, and the four weeks after."""
    train, new = split(make_world(0, 365 + 28), 28)
    return DriftReference().fit(train), new


def change(new, series, column, since, change):
    """Give a copy with some values changed, and when that begins."""
    new, start = new.copy(), new.index.get_level_values(1).max().normalize() - pd.Timedelta(days=since - 1)
    rows = (new.index.get_level_values(0) == series) & (new.index.get_level_values(1) >= start)
    new.loc[rows, column] = change(new.loc[rows, column])
    return new, start


def test_alarms_of_what_has_not_changed_are_as_rare_as_stated_and_shifts_are_found_within_a_week():
    n_false, found, named, since = 0, 0, 0, []
    for seed in range(50):
        train, new = split(make_world(seed, 365 + 28), 28)
        reference = DriftReference().fit(train)
        n_false += drift_report(None, new, reference=reference)["alarm"].any()
        if seed >= 12:
            continue
        deviation = train["temperature"].xs("s1").std()
        new, start = change(new, "s1", "temperature", 7, lambda values, shift=deviation: values + shift)
        report = alarms(drift_report(None, new, reference=reference))
        hit = report[(report["series"] == "s1") & (report["column"] == "temperature")]
        found, named = found + (len(hit) > 0), named + (0 < len(hit) == len(report))
        since.append(abs((hit["since"].max() - start) / pd.Timedelta(days=1)))
    assert n_false <= binom.ppf(0.999, 50, 0.05)
    assert found == 12
    assert named >= 10
    assert np.median(since) <= 1


def test_errors_and_coverage_that_are_as_promised_sound_no_alarm_and_others_do(known):
    reference, new = known
    n_false, n_grown, n_narrow, n_one = 0, 0, 0, 0
    for seed in range(20):
        promised = make_forecasts(seed, 365)

        def report(promised=promised, seed=seed, **kwargs):
            forecasts = make_forecasts(100 + seed, 28, start=LATER, **kwargs)
            if kwargs.get("factor", 1) > 2:
                same = make_forecasts(100 + seed, 28, start=LATER)
                forecasts = forecasts.where(forecasts["station"] == "s2", same)
            found = drift_report(None, new, reference=reference, backtest=promised, forecasts=forecasts)
            return alarms(found[found["check"].isin(["error", "pinball", "coverage"])])

        n_false += len(report()) > 0
        n_grown += "all" in set(report(factor=1.5)["series"])
        n_narrow += "coverage" in set(report(width=0.6)["check"])
        n_one += report(factor=2.2)["series"].isin(["s2", "all"]).sum() == len(report(factor=2.2)) > 0
    assert n_false <= binom.ppf(0.999, 20, 0.05)
    assert n_grown >= 18
    assert n_narrow >= 18
    assert n_one >= 16


def test_a_week_of_intervals_that_are_too_narrow_is_named_with_its_day(known):
    reference, new = known
    forecasts = make_forecasts(5, 28, start=LATER)
    start = LATER + pd.Timedelta(days=21)
    forecasts.loc[forecasts["time"] >= start, ["q0.1", "q0.9"]] *= 0.3
    report = drift_report(None, new, reference=reference, backtest=make_forecasts(1, 365), forecasts=forecasts)
    row = report[(report["check"] == "coverage") & (report["series"] == "all")].iloc[0]
    assert row["alarm"]
    assert row["value"] < row["low"] < 0.8 < row["high"]
    assert abs(row["since"] - start) <= pd.Timedelta(days=1)


@pytest.mark.parametrize(
    ("check", "broken"),
    [
        ("missing", lambda values: np.nan),
        ("stuck", lambda values: values.iloc[0]),
        ("unit", lambda values: 1000 * values),
        ("unit", lambda values: values / 1000),
        ("unit", lambda values: values + 273.15),
    ],
)
def test_what_is_plainly_broken_is_named_with_its_series_its_column_and_its_time(known, check, broken):
    reference, new = known
    new, start = change(new, "s2", "temperature", 7, broken)
    report = alarms(drift_report(None, new, reference=reference))
    row = report[report["check"] == check]
    assert row[["series", "column", "since"]].to_numpy().tolist() == [["s2", "temperature", start]]
    assert set(report["series"]) == {"s2"}
    assert set(report["column"]) == {"temperature"}


def test_kilometres_an_hour_are_no_metres_a_second():
    train, new = split(make_world(0, 70)[["temperature"]] + 8.0, 14)  # a trade wind
    new, start = change(new, "s0", "temperature", 7, lambda values: 3.6 * values)
    report = drift_report(None, new, reference=DriftReference().fit(train))
    row = report[(report["check"] == "unit") & report["alarm"]]
    assert row[["series", "since"]].to_numpy().tolist() == [["s0", start]]
    assert "3.6 times" in row["note"].item()


def test_series_and_columns_that_are_gone_or_new_are_named(known):
    reference, new = known
    start = LATER + pd.Timedelta(days=20)
    new = new[(new.index.get_level_values(0) != "s1") | (new.index.get_level_values(1) < start)].rename({"s3": "s9"})
    report = alarms(drift_report(None, new.drop(columns="wind").assign(gust=1.0), reference=reference))
    rows = report[report["check"] == "rows"].set_index("series")
    assert set(rows.index) == {"s1", "s3", "s9"}
    assert rows.loc["s1", "since"] == start
    assert rows.loc["s3", "note"] == "no rows at all"
    columns = report[report["check"] == "column"].set_index("column")["note"]
    assert columns.to_dict() == {"wind": "not in the new table", "gust": "not in the table of training"}


def test_months_that_training_did_not_have_are_said_to_be_so_and_stations_are_still_compared():
    train, new = split(make_world(3, 150), 28)  # to the middle of May
    train = train[train.index.get_level_values(1) < "2023-05-01"]
    new = new[new.index.get_level_values(1) >= "2023-05-02"]
    report = drift_report(
        None, change(new, "s3", "wind", 7, lambda values: 2 * values)[0], reference=DriftReference().fit(train)
    )
    levels = report[report["check"] == "level"]
    assert (levels["note"] == "no such season in training").all()
    assert levels["value"].isna().all()
    named = alarms(report)
    assert named[["series", "column", "check"]].to_numpy().tolist() == [["s3", "wind", "beside"]]


def test_a_short_training_table_judges_nothing_and_says_so(known):
    train, new = split(make_world(0, 60), 10)
    report = drift_report(None, new, reference=DriftReference().fit(train))
    judged = report[report["check"].isin(["level", "range", "beside"])]
    assert judged["note"].str.startswith("fewer than 8 blocks").all()
    assert not report["alarm"].any()


def test_a_pipeline_holds_its_reference_and_forecasts_what_it_is_judged_by():
    X, y = make_panel(n_series=3, n_rows=24 * 7 * 18, random_state=0)
    is_new = X.index.get_level_values("time") >= "2024-04-22"
    windower = SlidingWindower(24, horizon=6, known=["wind"])
    pipe = make_pipeline(DriftReference(), HistoryPrepender(24), windower, WindowedRegressor(Ridge()))
    pipe.set_output(transform="pandas")
    promised = backtest(pipe, X[~is_new], y[~is_new], cv=PanelTimeSeriesSplit(10, test_size=24 * 7), refit=False)
    pipe.fit(X[~is_new], y[~is_new])
    assert "error" not in set(drift_report(pipe, X[is_new], y[is_new])["check"])  # nothing was promised
    pipe[0].promise(promised)
    report = drift_report(pipe, X[is_new], y[is_new])
    errors = report[report["check"] == "error"].set_index("series")
    assert errors.index.tolist() == ["station_0", "station_1", "station_2", "all"]
    assert not alarms(report)["check"].eq("error").any()
    weeks = (pipe.predict(X[is_new]) - y[is_new]).abs().xs("station_1").iloc[-14 * 24 :].to_numpy().reshape(2, -1)
    assert np.isclose(
        errors.loc["station_1", "value"], [*weeks.mean(axis=1), np.exp(np.log(weeks.mean(axis=1)).mean())]
    ).any()
    wrong = y[is_new].where(y[is_new].index.get_level_values(0) != "station_1", y[is_new] + 1)
    grown = alarms(drift_report(pipe, X[is_new], wrong))
    assert {"station_1", "all"} >= set(grown["series"]) > set()


@pytest.mark.parametrize("n_series", [1, 2])
def test_few_series_are_judged_by_what_there_is(n_series):
    train, new = split(make_world(1, 365 + 14, n_series), 14)
    reference = DriftReference().fit(train)
    checks = set(drift_report(None, new, reference=reference)["check"])
    assert ("beside" in checks) == (n_series > 1)
    new, _ = change(new, "s0", "temperature", 7, lambda values: values + 8)
    report = alarms(drift_report(None, new, reference=reference))
    assert set(report["series"]) == {"s0"}
    assert set(report["column"]) == {"temperature"}


def test_one_series_without_a_name_and_rows_without_times():
    rng = np.random.default_rng(0)
    reference = DriftReference().fit(rng.normal(size=(168 * 20, 2)))
    new = rng.normal(size=(168 * 3, 2))
    new[400:, 1] += 3
    report = alarms(drift_report(None, new, reference=reference))
    assert set(report["column"]) == {"x1"}
    assert report["since"].between(384, 408).all()
    assert report["series"].isna().all()


def test_what_cannot_be_compared_is_refused(known):
    reference, new = known
    with pytest.raises(ValueError, match="has no DriftReference among its steps"):
        drift_report(Ridge(), new)
    with pytest.raises(ValueError, match="X_new spans 16 times"):
        drift_report(None, new.groupby(level=0).head(16), reference=reference)
    with pytest.raises(ValueError, match="no backtest to compare them with"):
        drift_report(None, new, reference=reference, forecasts=make_forecasts(0, 7))
    with pytest.raises(LostSeriesError):
        drift_report(None, new.reset_index(drop=True), reference=reference)
    with pytest.raises(PanelIndexError):
        drift_report(None, new.tz_localize("UTC", level=1), reference=reference)
