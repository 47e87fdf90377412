"""The page of saved files says what was measured, and nothing of an attack got through."""

import pytest

from benchmarks._report import ROOT, load_json, results_file
from benchmarks.robustness import saved_files
from tests.persistence._attacks import ATTACKS


def test_the_tables_of_the_page_are_those_of_the_results(tmp_path):
    for path in (ROOT / "docs" / saved_files.PAGE, results_file(ROOT, saved_files.NAME)):
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    saved_files.main(["--tables", "--output", str(tmp_path)])
    page = "docs/" + saved_files.PAGE
    assert (tmp_path / page).read_text(encoding="utf-8") == (ROOT / page).read_text(encoding="utf-8")


def test_of_the_attacks_that_were_tried_none_ran_anything_or_gave_an_error_of_others():
    found = load_json(results_file(ROOT, saved_files.NAME))["attacks"]
    assert found.keys() == ATTACKS.keys()
    assert sum(counts["files"] for counts in found.values()) > 1900
    assert [name for name, counts in found.items() if counts["ran"] or counts["another error"]] == []
    assert [name for name, counts in found.items() if counts["loaded"]] in (
        [],
        ["changed at random, with a digest that fits"],
    )


@pytest.mark.slow
def test_a_quick_run_tries_some_of_each_and_measures_both_models(tmp_path):
    saved_files.main(["--quick", "--output", str(tmp_path)])
    found = load_json(results_file(tmp_path, saved_files.NAME))
    assert found["attacks"].keys() == ATTACKS.keys()
    assert found["sizes"].keys() == {*saved_files.MODELS, "import skts"}
    assert all(counts["ran"] == counts["another error"] == 0 for counts in found["attacks"].values())
