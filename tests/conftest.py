import importlib
from contextlib import suppress

import pytest
import torch

torch.set_num_threads(1)  # networks of a few units only wait for each other's threads, all the more on a busy machine
with suppress(ImportError):  # the tests of CUDA go without
    from hypothesis import HealthCheck, settings

    settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("busy")


def pytest_collection_modifyitems(items):
    """Skip what the machine cannot do: each mark is tried once, where a test asks for it."""
    for mark, why_not in (("cuda", no_cuda), ("bf16", no_bf16)):
        asking = [item for item in items if item.get_closest_marker(mark) is not None]
        reason = why_not() if asking else None
        if reason is not None:
            for item in asking:
                item.add_marker(pytest.mark.skip(reason=reason))


def no_cuda():
    return None if torch.cuda.is_available() else "no CUDA device"


def no_bf16():
    """Say why an LSTM cannot be trained in bfloat16 on this processor; None where it can."""
    with torch.random.fork_rng(devices=[]):
        layer = torch.nn.LSTM(3, 4, batch_first=True)
        try:
            with torch.autocast("cpu", torch.bfloat16):
                outputs, _ = layer(torch.zeros(2, 3, 3))
            outputs.float().sum().backward()
        except RuntimeError as error:
            return f"no LSTM in bfloat16 on this processor: {error}"
    return None


@pytest.fixture
def exact(monkeypatch):
    """Let no layer round to TF32, which is torch's default in cuDNN."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


@pytest.fixture
def recorded(monkeypatch):
    """Count the recordings of CUDA graphs."""
    graph = importlib.import_module("skts.training.cuda").CudaGraph  # once a test asks: the others run without it
    count = []
    original = graph.record

    def record(self, function):
        count.append(self)
        return original(self, function)

    monkeypatch.setattr(graph, "record", record)
    return count
