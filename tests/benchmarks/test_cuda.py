"""The scripts for a CUDA device, where there is none."""

import importlib.util
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from benchmarks._report import ROOT, load_json, results_file
from benchmarks.speed import _cuda_figures, _device, cuda, cuda_probe

FOLDER = ROOT / "benchmarks" / "speed"


@pytest.mark.slow
def test_a_quick_run_fills_every_cell(tmp_path, capsys):
    assert cuda.main(["--quick", "--device", "cpu", "--output", str(tmp_path)]) == 0
    found = load_json(results_file(tmp_path, "cuda"))
    ours = [(row["origins"], row["precision"]) for row in found["training"]]
    assert ours == [(1, "float32"), (1, "bf16"), (4, "float32"), (4, "bf16")]
    rows = [*found["training"], *found["forecasts"], *found["peers"]]
    assert all(row["windows/s"] > 0 for row in rows if "absent" not in row and not lacks_bf16(row))
    assert {row["batch_size"] for row in found["batch_size='auto'"] if not lacks_bf16(row)} == {64}
    assert "## batch_size='auto'\n\n| origins | precision |" in capsys.readouterr().out


def lacks_bf16(row):
    """Tell whether it failed for this processor computes no LSTM in bfloat16, which is no fault of the script."""
    return row.get("precision") == "bf16" and "LSTM" in row.get("failed", "")


def test_windows_of_an_epoch_are_shared_out_among_its_steps(monkeypatch):
    monkeypatch.setattr(_device.CountingWatch, "seconds_of_a_look", lambda self: 2.0)  # an epoch of 158 windows
    found = _device.time_training(_device.QUICK, "cpu", batch=32)
    assert found == {"ms a step": 405.063, "windows/s": 79, "targets/s": 316, "replays": False, "peak MB": None}


def test_a_quick_probe_runs_what_a_cpu_can(tmp_path):
    parts = ["autocast", "gradients", "steps"]
    assert cuda_probe.main(["--quick", "--device", "cpu", "--output", str(tmp_path), "--parts", *parts]) == 0
    found = load_json(results_file(tmp_path, "cuda_probe"))
    exact = [row for row in found["autocast"] if row["mode"] == "float32"]
    assert {row["cell"] for row in exact} == {"LSTM", "GRU"}
    assert all(row["computed in"] == "float32" and row["gradient error"] < 1e-5 for row in exact)
    assert [row["zero gradients"] for row in found["gradients"] if row["precision"] == "float32"] == [0]
    assert all(row["ms a step"] > 0 for row in found["steps"] if not lacks_bf16(row))


@pytest.mark.slow
def test_a_failure_happens_in_a_process_of_its_own_or_is_left_out(tmp_path, capsys):
    assert cuda_probe.main(["--quick", "--device", "cpu", "--output", str(tmp_path), "--parts", "failures"]) == 0
    found = load_json(results_file(tmp_path, "cuda_probe"))["failures"]
    assert {row["case"]: row.get("goes on", row.get("left out")) for row in found} == {
        "capture": True,
        "memory": "needs a CUDA device",
    }
    assert "needs a CUDA device" in capsys.readouterr().out


def test_a_gradient_that_underflows_counts_as_zero(monkeypatch):
    """In float16, which is what a CUDA device computes in, a mean over many forecasts has gradients below its range."""
    sizes = _device.QUICK
    monkeypatch.setattr(torch.nn.functional, "mse_loss", lambda a, b: ((a - b) ** 2).mean() * 1e-45)
    found = cuda_probe.watch_loop(sizes, "cpu", who="loop", precision="float32", scale=1.0)
    assert found["zero gradients"] > 0.9


def test_no_cell_of_a_probe_begins_once_the_time_is_up():
    tried = _device.Trial(_device.QUICK, "cpu", minutes=0)
    assert tried(cuda_probe.time_training, batch=32) == {"batch": 32, "left out": "the time was up"}


def test_parts_of_another_run_on_the_same_device_are_kept():
    about = _device.describe("cpu")
    found = {"with": about, "tests": "all"}
    assert _device.earlier(found, about)["tests"] == "all"
    assert _device.earlier(found, about | {"device": "another"}) == _device.earlier({}, about) == {}


def test_what_is_missing_is_said_in_a_line(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert cuda.main([]) == cuda_probe.main([]) == 1
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "skorch" else name)
    assert cuda.main([]) == 1
    nothing, probe, package = capsys.readouterr().out.splitlines()
    assert "torch sees none" in nothing
    assert "torch sees none" in probe
    assert "not installed: skorch" in package


@pytest.mark.slow
def test_torch_is_imported_beside_it():
    """Torch looks for a package `cuda`, and finds this script from the scripts beside it."""
    code = f"import sys; sys.path.insert(0, {str(FOLDER)!r}); import torch; print(torch.ones(2).sum().item())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "2.0\n"


def test_a_step_that_is_replayed_runs_no_python():
    watch = _device.CountingWatch()
    watch.begin()
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    for steps in (3, 1):
        for _ in range(steps):
            optimizer.step()
        watch.look(None)
        assert watch.n_steps_of_look == steps
    watch.end(None)


def test_time_in_which_several_kernels_run_counts_once():
    on_device, on_host = torch.autograd.DeviceType.CUDA, torch.autograd.DeviceType.CPU
    spans = [(0, 4, on_device, False), (2, 3, on_device, False), (3, 6, on_device, False), (8, 9, on_device, False)]
    others = [(0, 100, on_host, False), (0, 100, on_device, True)]
    events = [
        SimpleNamespace(time_range=SimpleNamespace(start=a, end=b), device_type=kind, is_user_annotation=marks)
        for a, b, kind, marks in spans + others
    ]
    assert _cuda_figures.busy_seconds(events) == pytest.approx(7e-6)
