"""The switches are timed in turn, and left out with a reason where the processor has not what one needs."""

import pytest

from benchmarks._report import load_json, results_file
from benchmarks.speed import levers
from skts import LSTMRegressor


def test_a_ratio_is_taken_within_a_round_and_the_first_round_is_not_counted():
    rates = {"slow": iter([9, 10, 10, 20]), "fast": iter([1, 20, 10, 60])}
    found = levers.in_turn(3, **{name: values.__next__ for name, values in rates.items()})
    assert (found["slow"], found["fast"], found["ratio"]) == (10, 20, 2.0)
    assert found["ratios"] == [2.0, 1.0, 3.0]


def test_what_a_processor_cannot_compute_is_left_out_with_the_reason(monkeypatch):
    def refuse(self, X, y):
        raise ValueError("no bfloat16 here")

    monkeypatch.setattr(LSTMRegressor, "fit", refuse)
    assert levers.measure_precision(None, 1, 1, LSTMRegressor) == {"left out": "no bfloat16 here"}


@pytest.mark.slow
def test_a_quick_run_measures_every_switch(monkeypatch, tmp_path):
    for name in ("undo", "tune_allocator"):
        monkeypatch.setattr(levers, name, lambda: False)  # this process goes on
    levers.main(["--quick", "--output", str(tmp_path)])
    found = load_json(results_file(tmp_path, "levers"))
    assert found["allocator, windows/s of a fit"]["ratio"] > 0
    assert all("ratio" in row or "left out" in row for name, row in found.items() if name.startswith("precision"))
    assert [row["ratio"] > 0 for row in found["rolling, windows/s of predict"].values()] == [True, True]
    assert len(found["error on the bundled turbines"]["float32, rolling=stateful"]["mae_kw"]) == 1
