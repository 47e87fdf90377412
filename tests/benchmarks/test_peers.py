"""The comparison with other libraries, as far as it needs none of them."""

import importlib
import json
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks" / "speed" / "peers"
OTHERS = ("_rounds", "_work", "_workers", "_page", "_growth")


@pytest.fixture
def peers(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(FOLDER), *sys.path])
    yield importlib.import_module
    for name in OTHERS:
        sys.modules.pop(name, None)


def counted(work, **changes):
    facts = {
        "features": 1,
        "hidden": 64,
        "layers": 1,
        "dtype": "float32",
        "optimizer": "AdamW",
        "fused": True,
        "clip": 1,
    }
    n_steps = {"steps": work.n_batches, "clipped": work.n_batches, "windows": work.n_windows}
    return facts | n_steps | {"rows": work.window, "answers": 50, "targets": work.n_windows} | changes


@pytest.mark.slow
def test_ours_and_the_loop_do_the_work_that_is_asked_for(peers, tmp_path):
    rounds, work = peers("_rounds"), peers("_work").Work(4, 6, 8, 2, 4, 1, 5, n_rows=60)
    sides = [("skts", False), ("loop by hand", False)]
    with ExitStack() as stack:
        workers = rounds.start(sys.executable, sides, tmp_path / "log", stack)
        found = rounds.measure(workers, work, 1)
    assert found["checked"]["skts"]["windows"] == found["checked"]["loop by hand"]["windows"] == work.n_windows
    assert rounds.ratio(found, "skts", "loop by hand")["median"] > 0


@pytest.mark.parametrize("change", [{"hidden": 32}, {"windows": 1}, {"rows": 5}, {"answers": 1}, {"clipped": 0}])
def test_other_work_is_refused(peers, change):
    work = peers("_work").make_work("64/168/64", 1, quick=True)
    check = peers("_rounds").check_sameness
    check(work, {"skts": counted(work), "skorch": counted(work)})
    with pytest.raises(AssertionError, match="skorch"):
        check(work, {"skts": counted(work), "skorch": counted(work, **change)})


def test_a_target_is_held_beside_the_median_of_ratios_within_rounds(peers):
    rates = {"skts": [10, 30, 20], "darts": [10, 10, 5]}
    found = {
        "64/168/64, 24 features": {
            "rounds": {name: [{"targets_per_s": rate} for rate in each] for name, each in rates.items()}
        }
    }
    lines = list(peers("_page").speed(found))
    assert "| darts | 3.0 (1.000 to 4.0); target 1.1: reached |" in lines


def test_what_is_written_by_hand_stays_when_the_page_is_written_anew(peers, tmp_path):
    page = peers("_page")
    found = json.loads((FOLDER.parents[1] / "results" / "peers.json").read_text())
    path = tmp_path / "page.md"
    page.write_page(found, path)
    path.write_text(path.read_text() + "mine\n")
    page.write_page(found, path)
    assert path.read_text().endswith("-->\nmine\n")
