"""The comparison with other libraries, as far as it needs none of them."""

import json
import re
import sys
from contextlib import ExitStack

import pytest

from benchmarks._report import ROOT, fill, load_json, results_file
from benchmarks.speed import _peers_tables, peers
from benchmarks.speed._work import Work, check_sameness, make_work
from benchmarks.speed._worker import Orders


def counts(work, **changes):
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


def test_orders_of_two_contenders_are_the_same_work():
    work = Work(4, 6, 16, 2, 4, 1, 5, n_rows=60)
    checked = {}
    for name in ("skts", "skts, forking", "loop by hand"):
        orders = Orders(name)
        orders.table(work)
        checked[name] = orders.check()
        assert orders.fit()["loop_s"] > 0
        assert orders.forecast(everywhere=True)["forecasts_per_s"] > 0
    check_sameness(work, checked)
    assert checked["skts"]["windows"] == checked["loop by hand"]["windows"] == work.n_windows


@pytest.mark.slow
def test_contenders_do_the_work_that_is_asked_for(tmp_path):
    work = Work(4, 6, 16, 2, 4, 1, 5, n_rows=60)
    names = ["skts", "skts, forking", "skts, as it comes", "loop by hand"]
    with ExitStack() as stack:
        workers = peers.start([(name, False) for name in names], tmp_path / "log", stack)
        found = peers.measure_speed(workers, work, 1)
    assert {found["checked"][name]["windows"] for name in ("skts", "loop by hand")} == {work.n_windows}
    assert all(_peers_tables.ratio(found, "skts", name, *["targets_per_s"] * 2)["median"] > 0 for name in names)


@pytest.mark.parametrize("change", [{"hidden": 32}, {"windows": 1}, {"rows": 5}, {"answers": 1}, {"clipped": 0}])
def test_other_work_is_refused(change):
    work = make_work("64/168/64", 1, quick=True)
    check_sameness(work, {"skts": counts(work), "skorch": counts(work)})
    with pytest.raises(AssertionError, match="skorch"):
        check_sameness(work, {"skts": counts(work), "skorch": counts(work, **change)})


def test_a_target_is_held_beside_the_median_of_ratios_within_rounds():
    rates = {"skts": [10, 30, 20], "darts": [10, 10, 5]}
    rounds = {name: [{"targets_per_s": rate} for rate in each] for name, each in rates.items()}
    tables = "\n".join(_peers_tables.speed({"64/168/64, 24 features": {"rounds": rounds}}))
    assert "| darts | 3.0 (1.000 to 4.0); target 1.1: reached |" in tables.splitlines()


def test_the_page_is_what_the_results_say():
    found = load_json(results_file(ROOT, "peers"))
    page = (ROOT / "docs" / "speed_peers.md").read_text(encoding="utf-8")
    assert fill(page, _peers_tables.make_blocks(found)) == page


@pytest.mark.slow
def test_a_quick_run_writes_what_was_asked_for(tmp_path, capsys):
    options = ["--quick", "--without-peers", "--rounds", "1", "--only", "growth", "--python", sys.executable]
    peers.main([*options, "--output", str(tmp_path)])
    found = load_json(results_file(tmp_path, "peers"))
    assert re.findall("error.*", json.dumps(found)) == []
    assert found["growth"]["x 10"]["n_rows"] == 50_000
    assert "| x 10 | 50,000 |" in capsys.readouterr().out
