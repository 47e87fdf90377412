"""The accuracy benchmarks read the files and reproduce the figures that prove their protocols."""

import numpy as np
import pandas as pd
import pytest

from benchmarks._report import ROOT, Parser, data_file, fill
from benchmarks.accuracy import epf, epf_fev, epf_lago, etth1, gefcom2012, gefcom2014, la_haute_borne, transformer
from benchmarks.accuracy._by_hand import BY_HAND, ON_WINDOWS, load_rows, price_rows, turbine_rows
from benchmarks.accuracy._epf_day_ahead import (
    EXOGENOUS,
    KINDS,
    WIND_ALONE,
    Scale,
    add_markets,
    make_pipeline,
    read_markets,
)
from benchmarks.accuracy._fits import PUBLISHED, Results


@pytest.fixture
def load():
    def load(script):
        try:
            return script.load(data_file(None, script.FILE))
        except SystemExit:
            pytest.skip(f"{script.FILE} is not here")

    return load


def test_climatology_of_a_month_is_the_benchmark_of_the_organisers(load):
    scores = gefcom2014.fit_and_score("climatology", "T4", None, load(gefcom2014), quick=False)
    assert [round(scores["loss"], 5)] == PUBLISHED["gefcom2014"]["checked"]["climatology"]["T4"]


def test_a_month_goes_from_its_second_hour_to_the_first_of_the_next(load):
    table = load(gefcom2014)
    train, test = (part.loc[1].index for part in gefcom2014.split(table, 9))
    assert (test[0], test[-1], len(test)) == (pd.Timestamp("2013-06-01 01:00"), pd.Timestamp("2013-07-01"), 720)
    assert train[-1] == pd.Timestamp("2013-06-01")
    with pytest.raises(SystemExit, match="2013-07"):
        gefcom2014.split(table, 10)


@pytest.mark.parametrize("model", ["last day", "last week", "last value"])
def test_the_naive_prices_are_those_of_the_published_protocol(load, model):
    scores = epf.fit_and_score(model, "PJM", None, load(epf)["PJM"], quick=False)
    assert np.round([scores["mse"], scores["mae"]], 4).tolist() == PUBLISHED["epf"]["checked"][model]["PJM"]


@pytest.mark.parametrize("market", epf.MARKETS)
def test_the_seasonal_naive_quantiles_are_those_of_fev_bench(load, market):
    scores = epf_fev.fit_and_score(epf_fev.NAIVE, market, None, load(epf)[market], quick=False)
    assert [round(scores["sql"], 6)] == PUBLISHED["epf_fev"]["checked"][epf_fev.NAIVE][market]


@pytest.mark.parametrize("market", epf.MARKETS)
def test_the_728_days_are_those_that_were_published(load, market):
    table, path = load(epf)[market], data_file(None, epf.FILE)
    scores = epf_lago.fit_and_score(epf_lago.NAIVE, market, None, table, None, quick=False)
    assert [round(scores["mae"], 3)] == PUBLISHED["epf_lago"]["checked"][epf_lago.NAIVE][market]
    published, test = epf_lago.read_published(path, market), epf_lago.split(table)[1]
    assert published.index.equals(test.index)
    errors = published.sub(test["price"], axis=0).abs().mean().round(3).tolist()
    rows = PUBLISHED["epf_lago"]["rows"]
    assert errors == [rows[name][epf.MARKETS.index(market)] for name in ("DNN ensemble", "LEAR ensemble")]


def test_prices_come_back_from_the_units_of_the_training(load):
    train, test = epf_lago.split(load(epf)["DE"])
    scale = Scale.fit(train)
    np.testing.assert_allclose(scale.inverse(scale.transform(test)["price"]), test["price"], atol=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_the_day_ahead_is_told_with_the_exogenous_columns_and_one_network_reads_three_of_the_window(load, kind):
    table = load(epf)["NP"][: 10 * 24]
    rows = Scale.fit(table).transform(table[table.columns[::-1]])
    pipe = make_pipeline(kind, 0)
    windows = pipe[:-1].fit_transform(rows, rows["price"])
    columns = pipe[-1].estimator.network_params.get("columns")
    if kind == "mlp, levels kept":
        assert [windows.feature_names[column] for column in columns] == [*EXOGENOUS, "price"]
        assert pipe["windows"].known == ["weekday_sin", "weekday_cos", *EXOGENOUS]
    else:
        assert columns is None
        assert pipe["windows"].known == [*epf.CALENDAR, *EXOGENOUS]


def test_de_has_the_sun_where_its_file_is_given(load, tmp_path):
    table = load(epf)["DE"]
    file, parser = tmp_path / "DE.csv", Parser("", data=True)
    add_markets(parser)

    def read(*options):
        return read_markets(parser.parse_args([*options, "--output", str(tmp_path)]))

    original = table.rename(columns={"price": "Price", "exog1": " PV+Wind Forecast"})
    original.add([1.0, 0.0, 0.0]).to_csv(file)
    markets = read("--german", str(file))
    assert list(markets) == [*epf.MARKETS, WIND_ALONE]
    pd.testing.assert_frame_equal(markets[WIND_ALONE], table)
    np.testing.assert_array_equal(markets["DE"] - table, np.broadcast_to([1.0, 0.0, 0.0], table.shape))
    assert "DE" not in read()
    with pytest.raises(SystemExit, match=r"--german DE\.csv"):
        read("--markets", "NP", "DE")
    original.assign(Price=0.0).to_csv(file)
    with pytest.raises(SystemExit, match="its prices are not those"):
        read("--german", str(file))


class LastPrice:
    """Forecasts the last price that it was trained on."""

    def fit(self, X, y):
        self.last = y.iloc[-1]
        return self

    def predict(self, X):
        return np.full(len(X), self.last)


@pytest.mark.parametrize("n_days", sorted(set(epf_lago.DAYS_BETWEEN.values())))
def test_whoever_is_trained_anew_has_seen_all_hours_so_far_and_none_after(load, n_days):
    train, test = epf_lago.split(load(epf)["NP"])
    length = n_days * 24
    once = epf_lago.forecast(LastPrice(), train, test)
    anew = epf_lago.forecast_anew(LastPrice, train, test, once, n_days)
    last = pd.concat([train, test])["price"].to_numpy()[len(train) - 1 + np.arange(0, len(test), length)]
    np.testing.assert_allclose(once, last[0])
    np.testing.assert_allclose(anew, np.repeat(last, length))


def test_a_combination_begins_with_the_mean_and_learns_from_days_before_alone(load):
    price = load(epf)["NP"]["price"][-10 * 24 :]
    forecasts = pd.DataFrame({"good": price + 1.0, "bad": price - 9.0})[-8 * 24 :]
    combined = epf_lago.combine_online(forecasts, price)
    np.testing.assert_allclose(combined[:24], forecasts.mean(axis=1)[:24])
    assert np.abs(combined - price[-8 * 24 :])[-24:].mean() < 1.5
    changed = epf_lago.combine_online(forecasts, price.where(price.index < price.index[-24], 0.0))
    np.testing.assert_array_equal(changed, combined)


@pytest.mark.parametrize("lookback", [96, 336])
def test_the_seasonal_naive_forecast_is_that_of_the_published_protocol(load, lookback):
    part = f"{lookback} to 96"
    scores = etth1.fit_and_score("last day", part, None, load(etth1), quick=False)
    assert np.round([scores["mse"], scores["mae"]], 4).tolist() == PUBLISHED["etth1"]["checked"]["last day"][part]


def test_persistence_knows_only_what_was_before_midnight():
    X, y = la_haute_borne.load(None)
    splits = la_haute_borne.make_splits(X.index.get_level_values("time"), "last 59 days")
    assert [len(rows) for rows in splits[0]] == [64_416, 5_664]
    changed = y.copy()
    changed.iloc[splits[0][1][-24:]] = 0.0  # the last day of the last turbine
    assert np.array_equal(la_haute_borne.persistence(y, splits), la_haute_borne.persistence(changed, splits))


def test_the_last_year_is_forecast_once():
    times = la_haute_borne.load(None)[0].index.get_level_values("time")
    splits = la_haute_borne.make_splits(times, "last year")
    rows = np.concatenate([test for _, test in splits])
    assert sorted(rows) == np.flatnonzero(times.year == 2015).tolist()
    assert all(times[train].max() < times[test].min() for train, test in splits)


ORIGINS = np.array([168, 250, 331])


@pytest.mark.parametrize("ahead", [False, True])
def test_prices_by_hand_read_nothing_from_the_origin_on_but_what_is_known(ahead):
    times = pd.date_range("2024-01-01", periods=400, freq="h")
    table = pd.DataFrame(np.random.default_rng(0).random((400, 3)), times, columns=["exog1", "exog2", "price"])
    rows, level = price_rows(table, ORIGINS, 24, ahead=ahead)
    for number, origin in enumerate(ORIGINS):
        changed = table.copy()
        changed.loc[times[origin] :, "price"] = 99.0
        changed.loc[times[origin + 24 if ahead else origin] :, ["exog1", "exog2"]] = 99.0
        again, level_again = price_rows(changed, ORIGINS[[number]], 24, ahead=ahead)
        own = slice(24 * number, 24 * number + 24)
        pd.testing.assert_frame_equal(again, rows[own].reset_index(drop=True))
        np.testing.assert_array_equal(level_again, level[own])
    told = rows["price 1 days before"] + level
    np.testing.assert_allclose(
        told, table["price"].to_numpy()[ORIGINS[:, None] - 24 + np.arange(24)].ravel(), rtol=1e-5
    )


def test_loads_by_hand_read_nothing_from_the_origin_on():
    values = np.random.default_rng(0).random(400)
    rows, level = load_rows(values, ORIGINS, 48, days=4)
    for number, origin in enumerate(ORIGINS):
        changed = np.where(np.arange(400) < origin, values, 99.0)
        again, _ = load_rows(changed, ORIGINS[[number]], 48, days=4)
        pd.testing.assert_frame_equal(again, rows[48 * number : 48 * number + 48].reset_index(drop=True))
    last_day = values[ORIGINS[:, None] - 24 + np.arange(48) % 24]
    np.testing.assert_allclose(rows["1 days before"] + level, last_day.ravel(), rtol=1e-5)


def test_turbines_by_hand_read_no_power_from_the_origin_on():
    X, y = la_haute_borne.load(None)
    first = X.index.get_level_values("time") < "2014-01-20"
    X, y = X[first].assign(speed_u100=1.0).drop(columns="power_kw"), y[first]
    time = X.index.get_level_values("time")
    rows, midnight = turbine_rows(X, y, time.floor("D")), pd.Timestamp("2014-01-10", tz="UTC")
    again = turbine_rows(X, y.mask(time >= midnight, 9.0), time.floor("D"))
    pd.testing.assert_frame_equal(
        again[time < midnight + pd.Timedelta("1D")], rows[time < midnight + pd.Timedelta("1D")]
    )
    at = (X.index[0][0], midnight)
    assert rows.loc[at, "power"] == pytest.approx(y[X.index[0][0], midnight - pd.Timedelta("1h")])
    assert rows.loc[at, "lead"] == 1


def test_results_are_kept_after_each_fit_and_added_to(tmp_path):
    options = la_haute_borne.make_parser("", la_haute_borne.MODELS).parse_args(
        ["--output", str(tmp_path), "--add", "--n-jobs", "1"]
    )
    for models in (["a", "b"], ["b", "c"]):
        results = Results.start("example", options, {})
        options.models = models
        results.run(make_scores, {"p": {}}, [], options)
    kept = Results.read("example", tmp_path).records
    assert [record["model"] for record in kept] == ["a", "c", "b"]
    assert results.cell("a", "p", ["loss"]) == ".5000"


def make_scores(**job):
    return {"loss": 0.5}


@pytest.mark.parametrize(
    "script", [etth1, epf, epf_fev, epf_lago, gefcom2012, gefcom2014, la_haute_borne], ids=lambda script: script.NAME
)
def test_the_page_is_what_the_results_say(script):
    results = Results.read(script.NAME)
    page = (ROOT / "docs" / "accuracy" / f"{script.NAME}.md").read_text(encoding="utf-8")
    assert fill(page, script.make_blocks(results) | {"the run": results.about_the_run()}) == page


@pytest.mark.parametrize(
    ("script", "options"),
    [
        (etth1, ["--lookbacks", "96", "--horizons", "96", "--models", "gru"]),
        (epf, ["--markets", "NP", "--models", "lstm"]),
        (epf, ["--markets", "NP", "--models", f"{BY_HAND}, ahead"]),
        (epf, ["--markets", "NP", "--models", ON_WINDOWS]),
        (epf_fev, ["--markets", "NP", "--models", epf_fev.ALL]),
        (epf_lago, ["--markets", WIND_ALONE, "--models", epf_lago.NETWORKS]),
        (etth1, ["--lookbacks", "96", "--horizons", "96", "--models", BY_HAND]),
        (la_haute_borne, ["--parts", "last 59 days", "--models", BY_HAND]),
        (la_haute_borne, ["--parts", "last 59 days", "--models", ON_WINDOWS]),
    ],
    ids=lambda each: each.NAME if hasattr(each, "NAME") else each[-1],
)
@pytest.mark.slow
def test_a_quick_run_writes_results_and_page(load, script, options, monkeypatch, tmp_path):
    if script is not la_haute_borne:
        load(epf if script in (epf_fev, epf_lago) else script)
    quick = ["--quick", "--seeds", "0", "--n-jobs", "1", "--output", str(tmp_path)]
    monkeypatch.setattr("sys.argv", [f"{script.NAME}.py", *quick, *options])
    script.main()
    assert (tmp_path / "docs" / "accuracy" / f"{script.NAME}.md").exists()
    assert len(Results.read(script.NAME, tmp_path).records) == 1


def test_networks_are_compared_over_the_parts_that_both_have(tmp_path, monkeypatch):
    scores = {("lstm", "NP"): (1.0, 3.0), ("lstm", "PJM"): (4.0, 4.0), ("transformer", "PJM"): (5.0, 5.0)}
    records = [
        {"model": model, "part": part, "seed": seed, "seconds": 1.0, "mae": mae}
        for (model, part), maes in scores.items()
        for seed, mae in enumerate(maes)
    ]
    Results("epf", tmp_path, records).save()
    monkeypatch.setattr(transformer, "ROWS", [("epf", "MAE", None, "lstm", ("mae", "mae"), 4)])
    row = transformer.make_table(tmp_path).splitlines()[-1].strip("| ").split(" | ")
    assert row == ["[epf](epf.md)", "MAE", "PJM", "lstm", "4.0000", "5.0000", "+25.0%", "2 and 2"]
