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
    if not torch.cuda.is_available():
        for item in items:
            if "cuda" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="no CUDA device"))


@pytest.fixture
def exact(monkeypatch):
    """Let no layer round to TF32, which is torch's default in cuDNN."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


@pytest.fixture
def recorded(monkeypatch):
    """Count the recordings of CUDA graphs."""
    graph = find_graph()
    count = []
    original = graph.record

    def record(self, function):
        count.append(self)
        return original(self, function)

    monkeypatch.setattr(graph, "record", record)
    return count


def find_graph():
    """Give the class of CUDA graphs, once a test asks: the others run without it."""
    with suppress(ImportError):
        return importlib.import_module("skts.training.cuda").CudaGraph
    return importlib.import_module("skts.training._cuda_graph").CudaGraph
