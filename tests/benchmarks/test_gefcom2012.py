"""The contest of 2012 hides its blocks from all models, and asks for what its rules ask for."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.accuracy import _gefcom2012_data as data
from benchmarks.accuracy import gefcom2012
from benchmarks.accuracy._gefcom2012_by_hand import make_features
from skts.inspection import check_leakage

HOUR = pd.Timedelta(hours=1)
START = pd.Timestamp("2010-01-01")


@pytest.fixture
def tables():
    """Power and wind of two farms over twelve days."""
    rng = np.random.default_rng(0)
    times = pd.date_range(START, periods=12 * 24, freq="h")
    power = pd.DataFrame(rng.random((len(times), 2)), times, pd.Index([1, 2], name="farm"))
    rows = [
        (farm, run, run + lead * HOUR)
        for farm in power
        for run in pd.date_range(times[0], times[-1], freq="12h")
        for lead in range(1, 49)
        if run + lead * HOUR <= times[-1]
    ]
    index = pd.MultiIndex.from_tuples(rows, names=["farm", "run", "time"])
    return power, pd.DataFrame(rng.normal(size=(len(index), 2)), index, ["u", "v"])


def test_blocks_are_two_days_with_36_known_hours_between_them_at_midnight_and_noon_in_turn():
    runs = data.contest_runs(START, START + pd.Timedelta(days=12))
    assert runs.tolist() == [START + hours * HOUR for hours in (0, 84, 168)]
    assert runs.hour.tolist() == [0, 12, 0]
    assert data.contest_runs(START, START + 48 * HOUR).tolist() == [START]
    assert len(data.contest_runs(START, START + 47 * HOUR)) == 0


def test_hidden_hours_are_the_48_after_each_run_of_all_farms(tables):
    power, _ = tables
    runs = data.contest_runs(START, power.index[-1])
    hidden = data.hide(power, runs)
    expected = [any(run < time <= run + 48 * HOUR for run in runs) for time in power.index]
    assert (hidden.isna().to_numpy() == np.array(expected)[:, None]).all()
    assert power.notna().all(axis=None)


@pytest.mark.parametrize("features", [None, make_features], ids=["table", "by hand"])
def test_the_power_of_the_blocks_is_nowhere_in_what_models_are_given(tables, features):
    power, weather = tables
    runs = data.contest_runs(START + 36 * HOUR, power.index[-1])
    changed = power.copy()
    for run in runs:
        changed.loc[run + HOUR : run + 48 * HOUR] += 1000.0
    given = [data.make_table(each, weather, runs) for each in (power, changed)]
    if features is not None:
        given = [features(X) for X in given]
    pd.testing.assert_frame_equal(*given)


def test_features_by_hand_hold_no_power_after_the_run(tables):
    power, weather = tables
    none = pd.DatetimeIndex([])
    cut = START + pd.Timedelta(days=6)
    changed = power.copy()
    changed.loc[cut + HOUR :] += 1000.0
    one, other = (make_features(data.make_table(each, weather, none)) for each in (power, changed))
    is_early = one.index.get_level_values("run") <= cut
    pd.testing.assert_frame_equal(one[is_early], other[is_early])
    assert not one[~is_early].equals(other[~is_early])


def test_older_runs_are_those_made_before_that_reach_the_hour(tables):
    power, weather = tables
    X = data.make_table(power, weather, pd.DatetimeIndex([]))
    run = START + 96 * HOUR
    wind = np.hypot(weather["u"], weather["v"])
    for lead, hours in [(1, 12), (36, 12), (24, 24)]:
        older = wind.loc[2, run - hours * HOUR, run + lead * HOUR]
        assert X[f"speed_{hours}h"].loc[2, run, run + lead * HOUR] == older
    last = X.loc[(2, run, run + 48 * HOUR)]  # which no older run reaches: the run's own
    assert last["speed_12h"] == last["speed_24h"] == wind.loc[2, run, run + 48 * HOUR]


def test_the_newest_forecast_is_that_of_the_shortest_lead(tables):
    power, weather = tables
    flat = data.newest(data.make_table(power, weather, pd.DatetimeIndex([])))
    assert flat.index.is_unique
    assert flat["lead"].max() == 12.0


def test_blocks_are_read_by_their_run_or_by_their_first_hour(tmp_path):
    runs = data.contest_runs(START, START + pd.Timedelta(days=12))
    for name, times in [("run", runs), ("start", runs + HOUR)]:
        pd.DataFrame({name: times}).to_csv(tmp_path / "blocks.csv", index=False)
        assert data.read_runs(tmp_path / "blocks.csv").equals(runs)


def test_a_block_without_its_run_is_refused(tables):
    power, weather = tables
    with pytest.raises(SystemExit, match="2010-02-01"):
        data.take_runs(data.make_table(power, weather, pd.DatetimeIndex([])), pd.DatetimeIndex(["2010-02-01"]))


def test_the_error_of_a_farm_is_taken_before_the_mean_and_leaves_out_what_was_not_measured():
    scores = data.rmse(np.array([0.0, 0.0, 0.0, np.nan]), np.array([3.0, 4.0, 2.0, 9.0]), [1, 1, 2, 2])
    assert scores == {"mean": pytest.approx((12.5**0.5 + 2) / 2), "farm 1": pytest.approx(12.5**0.5), "farm 2": 2.0}


def test_no_forecast_of_the_pipeline_sees_power_or_runs_after_its_own(tables):
    power, weather = tables
    weather = weather[weather.index.get_level_values("time") <= START + 8 * 24 * HOUR]
    X = data.make_table(power, weather, pd.DatetimeIndex([]))
    pipe = gefcom2012.make_pipeline("lstm", 0, quick=True)
    report = check_leakage(pipe, X, X["power"], n_origins=2, random_state=0)
    assert report.ok, report


@pytest.mark.parametrize("model", ["lstm", gefcom2012.WITHOUT_RUNS, "lightgbm by hand", "persistence"])
def test_no_model_learns_or_forecasts_from_the_power_of_the_blocks(tables, model, monkeypatch):
    power, weather = tables
    runs = data.contest_runs(START + 36 * HOUR, power.index[-1])
    forecasts = []
    monkeypatch.setattr(gefcom2012, "rmse", lambda truth, forecast, farms: forecasts.append(forecast) or {"mean": 0.0})
    for shift in (0.0, 1000.0):
        shifted = power.copy()
        for run in runs:
            shifted.loc[run + HOUR : run + 48 * HOUR] += shift
        gefcom2012.fit_and_score(model, "", 0, shifted, weather, runs, quick=True)
    half = len(forecasts) // 2
    assert half == (2 if model == gefcom2012.WITHOUT_RUNS else 1)
    for one, other in zip(forecasts[:half], forecasts[half:], strict=True):
        assert np.isfinite(one).all()
        np.testing.assert_allclose(one, other)


def test_runs_that_the_contest_withheld_may_be_missing(tables):
    power, weather = tables
    runs = data.contest_runs(START + 36 * HOUR, power.index[-1])
    made = weather.index.get_level_values("run")
    withheld = [any(run < one < run + 48 * HOUR for run in runs) for one in made]
    scores = gefcom2012.fit_and_score("lstm", "", 0, power, weather[~np.array(withheld)], runs, quick=True)
    assert np.isfinite(list(scores.values())).all()
