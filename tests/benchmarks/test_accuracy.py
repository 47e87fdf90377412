"""The accuracy benchmarks read the files and reproduce the figures that prove their protocols."""

import importlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks" / "accuracy"


@pytest.fixture
def load_script(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)

    def load(name):
        script = importlib.import_module(name)
        if hasattr(script, "FILE") and not script.FILE.exists():
            pytest.skip(f"{script.FILE.name} is not here")
        return script

    return load


def test_climatology_of_a_month_is_the_benchmark_of_the_organisers(load_script):
    script = load_script("gefcom2014")
    scores = script.fit_and_score("climatology", "T4", None, script.load(script.FILE), quick=False)
    assert round(scores["loss"], 5) == script.CLIMATOLOGY[4]


def test_a_month_goes_from_its_second_hour_to_the_first_of_the_next(load_script):
    script = load_script("gefcom2014")
    train, test = (table.loc[1].index for table in script.split(script.load(script.FILE), 9))
    assert (test[0], test[-1], len(test)) == (pd.Timestamp("2013-06-01 01:00"), pd.Timestamp("2013-07-01"), 720)
    assert train[-1] == pd.Timestamp("2013-06-01")
    with pytest.raises(SystemExit, match="2013-07"):
        script.split(script.load(script.FILE), 10)


@pytest.mark.parametrize("model", ["last day", "last week", "last value"])
def test_the_naive_prices_are_those_of_the_published_protocol(load_script, model):
    script = load_script("epf")
    scores = script.fit_and_score(model, "PJM", None, script.load(script.FILE)["PJM"], quick=False)
    assert tuple(np.round([scores["mse"], scores["mae"]], 4)) == script.CHECKED[model][1]


@pytest.mark.parametrize("lookback", [96, 336])
def test_the_seasonal_naive_forecast_is_that_of_the_published_protocol(load_script, lookback):
    script = load_script("etth1")
    scores = script.fit_and_score("last day", f"{lookback} to 96", None, script.load(script.FILE), quick=False)
    assert tuple(np.round([scores["mse"], scores["mae"]], 4)) == script.CHECKED[96]


def test_persistence_knows_only_what_was_before_midnight(load_script):
    script = load_script("la_haute_borne")
    X, y = script.load(None)
    splits = script.make_splits(X.index.get_level_values("time"), "last 59 days")
    assert [len(rows) for rows in splits[0]] == [64_416, 5_664]
    changed = y.copy()
    changed.iloc[splits[0][1][-24:]] = 0.0  # the last day of the last turbine
    assert np.array_equal(script.persistence(y, splits), script.persistence(changed, splits))


def test_the_last_year_is_forecast_once(load_script):
    script = load_script("la_haute_borne")
    times = script.load(None)[0].index.get_level_values("time")
    splits = script.make_splits(times, "last year")
    rows = np.concatenate([test for _, test in splits])
    assert sorted(rows) == np.flatnonzero(times.year == 2015).tolist()
    assert all(times[train].max() < times[test].min() for train, test in splits)


def test_results_are_kept_after_each_fit_and_added_to(load_script, tmp_path):
    load_script("_report")
    script = load_script("la_haute_borne")
    options = script.make_parser("", script.MODELS).parse_args(["--output", str(tmp_path), "--add"])
    for models in (["a", "b"], ["b", "c"]):
        results = script.Results.start("example", options)
        results.run(make_scores, [{"model": model, "part": "p", "seed": 0} for model in models], n_jobs=1)
    kept = json.loads(results.path.read_text())["records"]
    assert [record["model"] for record in kept] == ["a", "b", "c"]
    assert results.cell("a", "p", ["loss"]) == ".5000"


def make_scores(**job):
    return {"loss": 0.5}
