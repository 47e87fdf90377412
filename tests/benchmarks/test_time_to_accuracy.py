"""The race to an accuracy reads what it says, counts what it says, and lets nobody win by a lucky mark."""

import importlib
import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

FOLDER = Path(__file__).parents[2] / "benchmarks" / "speed"


@pytest.fixture
def load_part(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    monkeypatch.setattr(sys, "path", list(sys.path))  # the parts add the accuracy benchmarks
    return lambda name: importlib.import_module(name)


@pytest.fixture
def load_task(load_part):
    def load(name, quick=False):
        task = load_part("contest._tasks").TASKS[name]
        if not task.file.exists():
            pytest.skip(f"{task.file.name} is not here")
        return task.load(task.file, quick)

    return load


def test_wind_trains_before_december_and_validates_on_it(load_task):
    task = load_task("wind")
    times = [part.loc[1].index for part in (task.train, task.valid)]
    assert (times[0][-1], times[1][0]) == (pd.Timestamp("2012-12-01 00:00"), pd.Timestamp("2012-12-01 01:00"))
    assert (times[1][-1], len(task.valid)) == (pd.Timestamp("2013-01-01 00:00"), 10 * 31 * 24)


def test_prices_end_where_the_published_training_does(load_task):
    task = load_task("prices")
    assert len(task.train) + len(task.valid) == int(52_416 * 0.7)
    assert len(task.naive()) == len(task.valid) - 23
    by_hand = np.abs(task.valid["price"] - task.valid["price"].shift(24)).dropna()
    assert task.score(task.naive()) == pytest.approx(by_hand.mean(), rel=0.02)  # the first day and the weights differ


@pytest.mark.parametrize("kind", ["wind", "prices"])
def test_ours_forecasts_what_is_scored(load_part, load_task, kind):
    contender = load_part("contest._contenders").CONTENDERS["skts"]
    task = load_task(kind, quick=True)
    torch.set_num_threads(1)
    clock, forecast = contender.fit(task, kind, 0, {"hidden_size": 4, "max_epochs": 1})
    seconds, weights = clock.marks[-1]
    assert seconds <= clock.seconds
    assert forecast(weights).shape == task.naive().shape
    assert math.isfinite(task.score(forecast(weights)))


def test_the_clock_stands_while_weights_are_copied(load_part):
    clock = load_part("contest._clock").Clock()
    with clock.standing():
        time.sleep(0.05)
    assert clock.seconds < 0.05
    module = torch.nn.Linear(1, 1)
    clock.look(module, is_last=False)
    assert not clock.marks
    clock.look(module, is_last=True)
    with torch.no_grad():
        module.bias += 1
    assert clock.marks[0][1]["bias"] == module.bias - 1


def test_a_level_counts_once_it_is_kept(load_part):
    standing = load_part("contest._standing")
    curve = [(1, 0.5), (2, 0.2), (3, 0.4), (4, 0.3), (5, 0.2)]
    assert standing.seconds_to(curve, 0.3) == 4
    assert standing.seconds_to(curve, 0.1) == math.inf
    assert standing.show([4, 5, math.inf], 9.0) == "5.0 (4.0 to never)"
    assert standing.show([4, math.inf, math.inf], 9.0) == "> 9"


def test_seconds_are_those_of_the_core(load_part):
    standing = load_part("contest._standing")
    record = {"task": "t", "contender": "a", "curve": [(2, 0.5), (8, 0.1)], "cpu_seconds": 4}
    assert standing.curve_of(record) == [(1, 0.5), (4, 0.1)]
    assert standing.times_to([record], "t", 0.2) == {"a": [4]}


def test_levels_follow_from_the_peers_alone(load_part):
    standing = load_part("contest._standing")
    runs = [("skts", 0.01), ("a", 0.4), ("a", 0.5), ("a", 0.6), ("b", 0.1), ("b", 0.9), ("b", 0.9)]
    records = [{"task": "t", "contender": name, "curve": [(1, 1.0), (2, error)]} for name, error in runs]
    assert list(standing.choose_levels(records, "t", 1.5).values()) == pytest.approx([1.0, 0.525, 0.51])


def test_what_is_missing_is_said_in_a_line(load_part, monkeypatch):
    script = load_part("time_to_accuracy")
    monkeypatch.setattr(script.CONTENDERS["LightGBM"].__class__, "missing", lambda self: ["lightgbm"])
    monkeypatch.setattr(sys, "argv", ["time_to_accuracy.py", "--contenders", "LightGBM"])
    with pytest.raises(SystemExit, match=r"Missing: lightgbm \(pip install -r benchmarks"):
        script.main()


def test_the_page_is_what_the_results_say(load_part):
    root = FOLDER.parents[1]
    results = json.loads((root / "benchmarks" / "results" / "time_to_accuracy.json").read_text())
    page = load_part("contest._page").make_page(results)
    assert (root / "docs" / "time_to_accuracy.md").read_text(encoding="utf-8") == page.lstrip()
