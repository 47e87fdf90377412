"""The benchmark of joining runs."""

import pytest

from benchmarks._report import load_json, results_file
from benchmarks.speed import join_runs


@pytest.mark.slow
def test_a_quick_run_measures_both_cases(tmp_path, capsys):
    join_runs.main(["--quick", "--output", str(tmp_path)])
    found = load_json(results_file(tmp_path, "join_runs"))
    assert found.keys() == {*join_runs.CASES, "with"}
    assert found["in order"]["rows"] == join_runs.N_STATIONS * 20 * join_runs.RUNS_A_DAY * join_runs.N_LEADS
    assert "| late |" in capsys.readouterr().out


def test_late_runs_are_late_and_some_are_missing():
    in_order, _ = join_runs.make_forecasts(3, "in order", 0)
    late, delay = join_runs.make_forecasts(30, "late", 0)
    assert len(in_order) == join_runs.N_STATIONS * 12 * join_runs.N_LEADS
    assert len(late) < 10 * len(in_order)
    assert delay.nunique() == 2
