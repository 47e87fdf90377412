"""The examples run."""

import argparse
import json
import re
import runpy
import sys
import warnings
from pathlib import Path

import pandas as pd
import pytest

import skts.inspection
import skts.training
from skts.exceptions import MissingHistoryWarning, MissingRunsWarning

EXAMPLES = Path(__file__).parents[1] / "examples"
STUDIES = sorted(path.stem for path in (EXAMPLES / "studies").glob("[a-z]*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_a_study_trains_every_arm_with_every_seed_and_draws(name, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", [str(EXAMPLES / "studies"), *sys.path])
    monkeypatch.setattr(sys, "argv", [name, "--quick", "--seeds", "0", "1", "--output", str(tmp_path)])
    monkeypatch.setattr(skts.training, "tune_allocator", lambda: False)  # this process goes on
    with warnings.catch_warnings():
        found = runpy.run_path(str(EXAMPLES / "studies" / f"{name}.py"), run_name="__main__")
    records = json.loads((tmp_path / "benchmarks" / "results" / f"study_{name}.json").read_text())["records"]
    seeds = [record["seed"] for record in records]
    assert seeds.count(0) == seeds.count(1) > 0
    assert {record["arm"] for record in records} == set(found.get("ARMS", found.get("STEP_OF")))
    assert all(record["mae"] > 0 for record in records)
    assert (tmp_path / "docs" / "images" / f"study_{name}.png").stat().st_size > 10_000


@pytest.mark.parametrize("name", STUDIES)
def test_the_table_of_a_page_is_that_of_its_results(name, monkeypatch, tmp_path):
    page = EXAMPLES.parent / "docs" / "studies" / f"{name}.md"
    for path in (page, EXAMPLES.parent / "benchmarks" / "results" / f"study_{name}.json"):
        copy = tmp_path / path.relative_to(EXAMPLES.parent)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text())
    monkeypatch.setattr(sys, "path", [str(EXAMPLES / "studies"), *sys.path])
    monkeypatch.setattr(sys, "argv", [name, "--redraw", "--output", str(tmp_path)])
    monkeypatch.setattr(skts.training, "tune_allocator", lambda: False)
    with warnings.catch_warnings():
        runpy.run_path(str(EXAMPLES / "studies" / f"{name}.py"), run_name="__main__")
    assert (tmp_path / "docs" / "studies" / f"{name}.md").read_text() == page.read_text()


@pytest.mark.slow
def test_a_year_is_backtested_by_lead(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["backtest_year.py", "--quick"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        runpy.run_path(str(EXAMPLES / "backtest_year.py"), run_name="__main__")
    out = capsys.readouterr().out
    assert "34,944 forecasts, 52 folds" in out
    assert [line.split()[0] for line in out.splitlines()[-24:]] == [str(lead) for lead in range(1, 25)]


def test_a_station_never_seen_is_forecast_in_every_way(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(sys, "argv", ["cold_start.py", "--quick", "--seeds", "0", "--output", str(tmp_path)])
    with warnings.catch_warnings():
        found = runpy.run_path(str(EXAMPLES / "cold_start.py"), run_name="__main__")
    records = json.loads((tmp_path / "benchmarks" / "results" / "cold_start.json").read_text())["records"]
    assert [record["told apart by"] for record in records] == [*found["ARMS"]] * len(found["PASTS"])
    assert all(record["rmse"] > 0 for record in records)
    assert "seeds better than the mean vector" in capsys.readouterr().out


@pytest.mark.slow
def test_going_on_after_fit_is_measured(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["going_on.py", "--quick"])
    with warnings.catch_warnings():
        found = runpy.run_path(str(EXAMPLES / "going_on.py"), run_name="__main__")
    out = capsys.readouterr().out
    assert [line for line in found["ARMS"] if f"\n{line}" not in out] == []


@pytest.mark.slow
def test_what_is_inside_is_measured_and_drawn(monkeypatch, tmp_path):
    pytest.importorskip("matplotlib").use("Agg")
    monkeypatch.setattr(sys, "argv", ["look_inside.py", "--quick", "--output", str(tmp_path)])
    with warnings.catch_warnings():
        found = runpy.run_path(str(EXAMPLES / "look_inside.py"), run_name="__main__")
    parts = json.loads((tmp_path / "benchmarks" / "results" / "look_inside.json").read_text())["parts"]
    pictures = {path.stem.removeprefix("display_") for path in (tmp_path / "docs" / "images").glob("display_*.png")}
    assert pictures == set(parts) == set(found["PARTS"])


@pytest.mark.slow
def test_whom_to_trust_is_measured_and_drawn(monkeypatch, tmp_path):
    pytest.importorskip("matplotlib").use("Agg")
    monkeypatch.setattr(sys, "argv", ["whom_to_trust.py", "--quick", "--pictures", "--output", str(tmp_path)])
    with warnings.catch_warnings():
        found = runpy.run_path(str(EXAMPLES / "whom_to_trust.py"), run_name="__main__")
    parts = json.loads((tmp_path / "benchmarks" / "results" / "whom_to_trust.json").read_text())["parts"]
    assert set(parts) == set(found["PARTS"])
    assert len(list((tmp_path / "docs" / "images").glob("display_source_weights_*.png"))) == 2


@pytest.mark.slow
def test_ten_stations_are_forecast_from_their_files(tmp_path):
    pytest.importorskip("matplotlib").use("Agg")
    for package in ("lightgbm", "pvlib", "xarray"):
        pytest.importorskip(package)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingHistoryWarning)
        warnings.simplefilter("ignore", MissingRunsWarning)
        found = runpy.run_path(str(EXAMPLES / "ten_stations.py"))
        jobs, parts = found["do_job"](argparse.Namespace(quick=True, data=None))
        found["draw"](tmp_path, jobs, parts)
        forecasts = [job.forecast(found["ATTENTION"]) for job in jobs]
    for job, y_pred in zip(jobs, forecasts, strict=True):
        station, run, time = (y_pred.index.get_level_values(name) for name in ("station", "run", "time"))
        assert (
            station.value_counts().to_dict() == parts[job.kind]["forecasts"] == dict.fromkeys(job.stations.index, 240)
        )
        assert not y_pred.index.droplevel("run").has_duplicates  # each hour once,
        assert set(run.hour) == {20}  # made the evening before
        assert set((time - run).unique() / pd.Timedelta("1h")) == set(range(5, 29))
        assert not y_pred.isna().any()
        assert job.times(~job.is_new)[job.y_train.notna()].max() == run.min()  # no truth that nobody had yet
        rmse = {name: one["rmse"][0] for name, one in parts[job.kind]["arms"].items()}
        rivals = [rmse[name] for name in ("persistence", "climatology")]
        rivals.append(max(rmse[f"{name} alone"] for name in found["PROVIDERS"]))
        assert max(rmse[found["ATTENTION"]], rmse[found["BOOSTING"]]) < min(rivals)
    assert any(job.y.isna().any() for job in jobs)  # outages are not filled
    assert len(list(tmp_path.glob("ten_stations_*.png"))) == 3


def test_the_tables_of_ten_stations_are_those_of_the_results(monkeypatch, tmp_path):
    pytest.importorskip("lightgbm")
    page = EXAMPLES.parent / "docs" / "studies" / "ten_stations.md"
    for path in (page, EXAMPLES.parent / "benchmarks" / "results" / "ten_stations.json"):
        copy = tmp_path / path.relative_to(EXAMPLES.parent)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text())
    monkeypatch.setattr(sys, "argv", ["ten_stations.py", "--tables", "--output", str(tmp_path)])
    with warnings.catch_warnings():
        runpy.run_path(str(EXAMPLES / "ten_stations.py"), run_name="__main__")
    assert (tmp_path / "docs" / "studies" / "ten_stations.md").read_text() == page.read_text()


def test_every_picture_of_the_page_is_there_and_its_tables_are_those_of_the_results(monkeypatch, tmp_path):
    page = EXAMPLES.parent / "docs" / "inspection.md"
    for path in (page, EXAMPLES.parent / "benchmarks" / "results" / "look_inside.json"):
        copy = tmp_path / path.relative_to(EXAMPLES.parent)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text())
    monkeypatch.setattr(sys, "argv", ["look_inside.py", "--tables", "--output", str(tmp_path)])
    with warnings.catch_warnings():
        found = runpy.run_path(str(EXAMPLES / "look_inside.py"), run_name="__main__")
    assert (tmp_path / "docs" / "inspection.md").read_text() == page.read_text()
    assert set(re.findall(r"images/display_(\w+)\.png", page.read_text())) == set(found["PARTS"])


def test_every_display_is_drawn_for_a_page():
    code = "".join((EXAMPLES / name).read_text() for name in ("look_inside.py", "watch_year.py", "whom_to_trust.py"))
    displays = [name for name in skts.inspection.__all__ if name.endswith("Display")]
    assert len(displays) > 10
    assert [name for name in displays if f"{name}(" not in code and f"{name}.from_" not in code] == []
