from contextlib import suppress

import pytest
import torch

from skts.training.cuda import CudaGraph

torch.set_num_threads(1)  # networks of a few units only wait for each other's threads, all the more on a busy machine
with suppress(ImportError):  # the tests of CUDA go without
    from hypothesis import HealthCheck, settings

    settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("busy")


def pytest_collection_modifyitems(items):
    if not torch.cuda.is_available():
        for item in items:
            if "cuda" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="no CUDA device"))
    if any("bf16" in item.keywords for item in items) and not runs_bf16():
        for item in items:
            if "bf16" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="no recurrent layers in bfloat16"))


def runs_bf16():
    """Tell whether this processor runs an LSTM in bfloat16."""
    try:
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            torch.nn.LSTM(1, 1, device="meta").to_empty(device="cpu")(torch.zeros(1, 1, 1))
    except RuntimeError:
        return False
    return True


@pytest.fixture
def exact(monkeypatch):
    """Let no layer round to TF32, which is torch's default in cuDNN."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


@pytest.fixture
def recorded(monkeypatch):
    """Count the recordings of CUDA graphs."""
    count = []
    original = CudaGraph.record

    def record(self, function):
        count.append(self)
        return original(self, function)

    monkeypatch.setattr(CudaGraph, "record", record)
    return count
