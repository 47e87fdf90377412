"""The script that measures on a CUDA device, where there is none."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

FOLDER = Path(__file__).parents[2] / "benchmarks" / "speed"


@pytest.fixture
def script(monkeypatch):
    """Load it under another name, since `cuda` is a package of NVIDIA's."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(FOLDER)])
    spec = importlib.util.spec_from_file_location("cuda_script", FOLDER / "cuda.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


@pytest.mark.slow
def test_a_quick_run_fills_every_cell(script, tmp_path, capsys):
    assert script.main(["--quick", "--device", "cpu", "--output", str(tmp_path)]) == 0
    found = json.loads((tmp_path / "cuda.json").read_text())
    rows = [*found["figures"]["train"], *found["figures"]["forecast"], *found["peers"]]
    assert [(row["origins"], row["precision"]) for row in rows[:4]] == [
        (1, "float32"),
        (1, "bf16"),
        (4, "float32"),
        (4, "bf16"),
    ]
    assert all(row["windows_per_s"] > 0 for row in rows if "absent" not in row)
    assert {row["batch_size"] for row in found["figures"]["auto"]} == {64}
    assert capsys.readouterr().out.count("\n| skts") == 4


def test_parts_of_another_run_on_the_same_device_are_kept(script, tmp_path):
    path, about = tmp_path / "cuda.json", script.describe("cpu")
    path.write_text(json.dumps({"with": about, "tests": "all"}))
    assert script.earlier(path, about)["tests"] == "all"
    assert script.earlier(path, about | {"device": "another"}) == script.earlier(tmp_path / "none", about) == {}


def test_what_is_missing_is_told_in_a_line(script, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert script.main([]) == 1
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "skorch" else name)
    assert script.main([]) == 1
    nothing, package = capsys.readouterr().out.splitlines()
    assert "torch sees none" in nothing
    assert "not installed: skorch" in package


@pytest.mark.slow
def test_torch_is_imported_beside_it(tmp_path):
    """Torch looks for a package `cuda`, and finds this script from the scripts beside it."""
    code = f"import sys; sys.path.insert(0, {str(FOLDER)!r}); import torch; print(torch.ones(2).sum().item())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "2.0\n"


def test_time_in_which_several_kernels_run_counts_once(script):
    import _cuda_figures

    cuda, cpu = torch.autograd.DeviceType.CUDA, torch.autograd.DeviceType.CPU
    spans = [(0, 4, cuda, False), (2, 3, cuda, False), (3, 6, cuda, False), (8, 9, cuda, False)]
    others = [(0, 100, cpu, False), (0, 100, cuda, True)]
    events = [
        SimpleNamespace(time_range=SimpleNamespace(start=a, end=b), device_type=kind, is_user_annotation=marks)
        for a, b, kind, marks in spans + others
    ]
    assert _cuda_figures.busy_seconds(events) == pytest.approx(7e-6)
