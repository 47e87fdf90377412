"""The benchmark of passes that teach several windows."""

import pytest

from benchmarks._report import load_json, results_file
from benchmarks.speed import forking


@pytest.mark.slow
def test_a_quick_run_compares_every_arm_with_ordinary_training(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(forking, "tune_allocator", lambda: False)  # this process goes on
    forking.main(["--quick", "--sets", "turbines", "--seeds", "0", "--output", str(tmp_path)])
    found = load_json(results_file(tmp_path, "forking"))["turbines"]
    assert found["arms"].keys() == forking.ARMS.keys()
    assert found["arms"][forking.ORDINARY]["lengths"]["2"]["difference"]["mean"] == 0
    assert capsys.readouterr().out.count("| turbines |") == len(forking.ARMS)


def test_an_arm_is_compared_with_ordinary_training_at_each_length():
    runs = {forking.ORDINARY: {1: [(2.0, 5.0), (4.0, 7.0)], 3: [(6.0, 4.0)]}, "another": {1: [(1.0, 6.0), (1.0, 7.0)]}}
    rows = forking.summarise(runs)
    assert rows["another"]["lengths"][1]["difference"]["mean"] == 0.5
    assert rows["another"]["times as fast"] is None  # it never has the best error, 4
    assert rows[forking.ORDINARY]["times as fast"] == 1


def test_an_error_is_reached_between_two_lengths():
    points = [(1.0, 5.0), (3.0, 3.0), (4.0, 4.0), (6.0, 2.0)]
    seconds = [forking.seconds_until(points, error) for error in (5.0, 4.0, 3.0, 2.5, 1.0)]
    assert seconds == [1.0, 2.0, 3.0, 5.5, None]
