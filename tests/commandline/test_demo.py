import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from skts import HistoryPrepender, SlidingWindower
from skts.commandline import main
from skts.commandline._arguments import parse_arguments
from skts.commandline._demo import run
from skts.commandline._report import best_naive, scores
from skts.commandline._rivals import LastValue, TimeOfDay
from skts.commandline._split import hold_out
from skts.commandline._table import load_table, match_columns
from skts.datasets import make_panel

SMALL = ["--window", "24", "--horizon", "6", "--test", "50", "--splits", "2", "--quick", "--jobs", "1"]


@pytest.fixture
def table():
    X, _ = make_panel(n_series=2, n_rows=400, missing=0.02, random_state=0)
    return X.assign(note="ok").reset_index()


def arguments(path, *more):
    return ["demo", str(path), "--time", "time", "--series", "station", "--target", "power", "--known", "wi*", *more]


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "parquet"])
def test_a_file_is_forecast_whole_and_scored(table, tmp_path, capsys, suffix):
    path = tmp_path / f"power.{suffix}"
    table.to_parquet(path) if suffix == "parquet" else table.to_csv(path, index=False)
    assert main(arguments(path, *SMALL, "--output", str(tmp_path / "out"))) == 0
    said = capsys.readouterr().out
    forecasts = pd.read_csv(tmp_path / "out" / "forecasts.csv", parse_dates=["time"])
    assert len(forecasts) == 2 * 50
    assert forecasts[["LSTM", "Ridge", "climatology", "persistence"]].notna().all(axis=None)
    assert forecasts["time"].min() == table["time"].sort_values().unique()[-50]
    assert (tmp_path / "out" / "forecast.png").stat().st_size > 10_000
    for phrase in (
        "left out  note (not numeric)",
        "observed  power",
        "known     wind",
        "Searching 2 settings on 2 splits",
        "skill",
    ):
        assert phrase in said


def test_one_series_needs_no_name(table, tmp_path):
    path = tmp_path / "one.csv"
    table[table["station"] == "station_0"].drop(columns=["station"]).to_csv(path, index=False)
    options = ["--time", "time", "--target", "power", "--known", "wind", *SMALL, "--output", str(tmp_path)]
    assert main(["demo", str(path), *options]) == 0
    assert len(pd.read_csv(tmp_path / "forecasts.csv")) == 50


def test_the_bundled_table_holds_out_59_days():
    options = parse_arguments(["demo"])
    split = hold_out(load_table(options), options)
    assert split.is_test.sum() == 4 * 1416
    assert split.table.job.known == ("era5_u100", "era5_v100", "era5_t2m", "era5_sp")
    assert split.test[0].index.get_level_values("time").min() == pd.Timestamp("2015-11-03", tz="UTC")


def test_the_test_rows_begin_at_the_hour_of_the_origin():
    options = parse_arguments(["demo", "--test", "50", "--origin", "06:00"])
    start = hold_out(load_table(options), options).test[0].index.get_level_values("time").min()
    assert start == pd.Timestamp("2015-12-30 06:00", tz="UTC")


def test_patterns_keep_the_order_of_the_table():
    X = pd.DataFrame(columns=["era5_v", "power", "era5_u"])
    assert match_columns(X, ["era5_u", "era5_*"]) == ["era5_v", "era5_u"]


def test_the_skill_is_against_the_best_naive_by_hand():
    y = pd.Series([1.0, 2.0, np.nan])
    forecasts = pd.DataFrame({"a": [1.0, 4.0, 9.0], "yesterday": [4.0, 6.0, 0.0], "persistence": [9.0, 9.0, 9.0]})
    table = scores(y, forecasts)
    np.testing.assert_allclose(table.loc["a"], [1.0, np.sqrt(2), 1 - 1 / 3.5])
    assert list(table.index) == ["a", "yesterday", "persistence"]
    assert best_naive(table) == "yesterday"


@pytest.fixture
def panel():
    X, y = make_panel(n_series=2, n_rows=200, missing=0.05, random_state=0)
    new = X.index.get_level_values("time") >= X.index.get_level_values("time").unique()[160]
    return X[~new], X[new], y[~new], y[new]


def test_last_value_equals_the_obvious_loop(panel):
    X_train, X_test, y_train, _ = panel
    pipe = make_pipeline(HistoryPrepender(24), SlidingWindower(24, 8), LastValue(0))
    forecast = pd.Series(pipe.fit(X_train, y_train).predict(X_test), X_test.index)
    whole = pd.concat([y_train, X_test["power"]]).sort_index().groupby("station").ffill()
    for (station, time), value in forecast.items():
        block = (time - pd.Timestamp("2024-01-01")) // pd.Timedelta(hours=1) - 160
        origin = pd.Timestamp("2024-01-01") + pd.Timedelta(hours=160 + block // 8 * 8)
        assert value == pytest.approx(whole[station, origin - pd.Timedelta(hours=1)], rel=1e-6)


def test_time_of_day_equals_the_mean(panel):
    X_train, X_test, y_train, _ = panel
    forecast = pd.Series(TimeOfDay().fit(X_train, y_train).predict(X_test), X_test.index)
    hour = X_train.index.get_level_values("time").hour
    assert forecast["station_1", pd.Timestamp("2024-01-08 05:00")] == pytest.approx(
        y_train[hour == 5]["station_1"].mean()
    )


def test_run_gives_its_table(table, tmp_path):
    path = tmp_path / "power.csv"
    table.to_csv(path, index=False)
    result = run(parse_arguments(arguments(path, *SMALL, "--output", str(tmp_path))))
    assert set(result.index) == {
        "LSTM",
        "boosting",
        "boosting (median)",
        "Ridge",
        "climatology",
        "last week",
        "yesterday",
        "persistence",
    }
    assert result.loc[best_naive(result), "skill"] == 0
    assert (result.loc[["climatology", "last week", "yesterday", "persistence"], "skill"] <= 0).all()
