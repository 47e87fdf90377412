"""The benchmark of exported files."""

import pytest

from benchmarks._report import load_json, results_file
from benchmarks.speed import export


@pytest.mark.slow
def test_a_quick_run_measures_all_parts(tmp_path):
    export.main(["--quick", "--output", str(tmp_path)])
    found = load_json(results_file(tmp_path, "export"))
    assert found.keys() == {"imports", "apart", "seconds", "with"}
    assert all(each < 1e-5 for both in found["apart"].values() for each in both)
    assert found["seconds"].keys() == export.REGRESSORS.keys()
    assert "| LSTM | one |" in (tmp_path / "docs" / "export.md").read_text()


def test_the_tables_hold_one_block_and_as_many_as_are_asked_for():
    X, y, tables = export.make_tables(100)
    assert len(X) == len(y)
    assert [len(table) for table in tables.values()] == [export.HORIZON, 100 * export.HORIZON]
