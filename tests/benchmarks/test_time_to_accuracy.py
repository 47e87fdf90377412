"""The race to an accuracy reads what it says, counts what it says, and lets nobody win by a lucky mark."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks._report import ROOT, fill, load_json, results_file
from benchmarks.speed import _standing, time_to_accuracy
from benchmarks.speed._racers import RACERS
from benchmarks.speed._races import RACES
from skts.nn import MLP, EncoderDecoder


@pytest.fixture
def load_race():
    def load(name, quick=False):
        try:
            return RACES[name].load(None, quick)
        except SystemExit as reason:
            pytest.skip(str(reason))

    return load


def test_wind_trains_before_december_and_validates_on_it(load_race):
    race = load_race("wind")
    times = [part.loc[1].index for part in (race.train, race.valid)]
    assert (times[0][-1], times[1][0]) == (pd.Timestamp("2012-12-01 00:00"), pd.Timestamp("2012-12-01 01:00"))
    assert (times[1][-1], len(race.valid)) == (pd.Timestamp("2013-01-01 00:00"), 10 * 31 * 24)


def test_prices_end_where_the_published_training_does(load_race):
    race = load_race("prices")
    assert len(race.train) + len(race.valid) == int(52_416 * 0.7)
    assert len(race.naive()) == len(race.valid) - 23
    by_hand = np.abs(race.valid["price"] - race.valid["price"].shift(24)).dropna()
    assert race.score(race.naive()) == pytest.approx(by_hand.mean(), rel=0.02)  # the first day and the weights differ


@pytest.mark.parametrize("kind", ["wind", "prices"])
def test_what_networks_train_on_ends_where_validation_begins(load_race, kind):
    race = load_race(kind, quick=True)
    task = race.for_networks()
    times = [table.index.get_level_values(-1) for table in (task.train, task.recent(0))]
    assert times[0].max() < times[1].min() == race.valid.index.get_level_values(-1).min()


@pytest.mark.parametrize(
    ("name", "kind", "network", "size"),
    [
        ("skts", "wind", EncoderDecoder, {"hidden_size": 4}),
        ("skts", "prices", EncoderDecoder, {"hidden_size": 4}),
        ("skts, MLP", "prices", MLP, {"hidden_sizes": [4]}),
    ],
)
def test_ours_forecasts_what_is_scored(load_race, name, kind, network, size):
    race = load_race(kind, quick=True)
    torch.set_num_threads(1)
    clock, fitted = time_to_accuracy.fit(RACERS[name], race, kind, 0, **size, max_epochs=1)
    assert any(isinstance(module, network) for module in fitted.regressor.net_.module_.modules())
    seconds, weights = clock.marks[-1]
    assert seconds <= clock.seconds
    assert fitted.forecast(weights).shape == race.naive().shape
    assert math.isfinite(race.score(fitted.forecast(weights)))


@pytest.mark.parametrize("kind", ["wind", "prices"])
def test_boostings_have_a_row_for_every_forecast(load_race, kind):
    race = load_race(kind, quick=True)
    task = race.for_boostings()
    columns = np.stack([np.zeros(len(job["rows_test"])) for job in task.jobs], axis=-1)
    assert columns.reshape(task.shape).shape == race.naive().shape


def test_a_level_counts_once_it_is_kept():
    curve = [(1, 0.5), (2, 0.2), (3, 0.4), (4, 0.3), (5, 0.2)]
    assert _standing.seconds_to(curve, 0.3) == 4
    assert _standing.seconds_to(curve, 0.1) == math.inf
    assert _standing.show([4, 5, math.inf], 9.0) == "5.0 (4.0 to never)"
    assert _standing.show([4, math.inf, math.inf], 9.0) == "> 9"


def test_seconds_are_those_of_the_core():
    record = {"task": "t", "contender": "a", "curve": [(2, 0.5), (8, 0.1)], "cpu_seconds": 4}
    assert _standing.curve_of(record) == [(1, 0.5), (4, 0.1)]
    assert _standing.times_to([record], "t", 0.2) == {"a": [4]}


def test_levels_follow_from_the_peers_alone():
    runs = [("skts", 0.01), ("a", 0.4), ("a", 0.5), ("a", 0.6), ("b", 0.1), ("b", 0.9), ("b", 0.9)]
    records = [{"task": "t", "contender": name, "curve": [(1, 1.0), (2, error)]} for name, error in runs]
    assert list(_standing.choose_levels(records, "t", 1.5).values()) == pytest.approx([1.0, 0.525, 0.51])


def test_what_is_missing_is_said_in_a_line(monkeypatch):
    monkeypatch.setattr(time_to_accuracy, "missing_packages", lambda library: ["lightgbm"])
    with pytest.raises(SystemExit, match=r"Missing: lightgbm \(pip install -r benchmarks"):
        time_to_accuracy.main(["--contenders", "LightGBM"])


@pytest.mark.slow
def test_a_quick_race_writes_results_and_page(load_race, tmp_path):
    load_race("prices", quick=True)
    time_to_accuracy.main(
        ["--quick", "--tasks", "prices", "--contenders", "skts", "--seeds", "0", "--output", str(tmp_path)]
    )
    (record,) = load_json(results_file(tmp_path, "time_to_accuracy"))["records"]
    assert record["curve"][-1][1] > 0
    assert "**skts**" in (tmp_path / "docs" / "time_to_accuracy.md").read_text(encoding="utf-8")


def test_the_page_is_what_the_results_say():
    results = load_json(results_file(ROOT, "time_to_accuracy"))
    page = (ROOT / "docs" / "time_to_accuracy.md").read_text(encoding="utf-8")
    assert fill(page, time_to_accuracy.make_blocks(results)) == page
