"""Data sets are found or asked for, and pages are filled where they say so."""

import pytest

from benchmarks import _report


def test_a_data_set_that_is_not_there_is_asked_for_by_its_option(tmp_path):
    with pytest.raises(SystemExit, match=r"epf\.parquet is not here: give .* by --data"):
        _report.data_file(tmp_path, "epf/epf.parquet")


def test_a_data_set_is_found_below_its_folder_or_given_itself(tmp_path):
    path = tmp_path / "epf" / "epf.parquet"
    path.parent.mkdir()
    path.touch()
    assert _report.data_file(tmp_path, "epf/epf.parquet") == _report.data_file(path, "epf/epf.parquet") == path


def test_a_smoke_test_leaves_the_repository_alone(tmp_path):
    def output(*arguments):
        return _report.Parser("").parse_args(arguments).output

    assert output() == _report.ROOT
    assert output("--quick", "--output", str(tmp_path)) == tmp_path
    assert _report.ROOT not in [output("--quick"), *output("--quick").parents]


def test_what_is_written_by_hand_stays_when_a_page_is_filled():
    page = "mine\n<!-- a: written by the benchmark -->\nold\n<!-- end of a -->\nmine too\n"
    filled = _report.fill(page, {"a": "new"})
    assert filled.splitlines()[0] == "mine"
    assert filled.endswith("\nnew\n\n<!-- end of a -->\nmine too\n")
    assert _report.fill(filled, {"a": "new"}) == filled
    with pytest.raises(ValueError, match="no block 'b'"):
        _report.fill(page, {"b": "new"})
