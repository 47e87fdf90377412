"""What stands around a recording, with stand-ins for CUDA."""

import warnings
from contextlib import contextmanager, nullcontext, suppress

import pytest
import torch

from skts.training.cuda import CudaGraph, _cuda_graph
from skts.training.cuda._cuda_graph import waiting_is_an_error


@pytest.fixture
def cuda(monkeypatch):
    """Put a record of streams and modes in the place of torch.cuda."""
    cuda = type("Cuda", (), {"current": "main", "mode": 0, "warned": False})

    @contextmanager
    def graph(graph, stream, capture_error_mode):
        before, cuda.current = cuda.current, stream
        yield
        cuda.current = before  # as in torch, not where the end of a recording fails

    @contextmanager
    def stream(new):
        before, cuda.current = cuda.current, new
        try:
            yield
        finally:
            cuda.current = before

    def set_mode(mode):
        if not cuda.warned:  # once, as torch does
            cuda.warned = True
            warnings.warn("Synchronization debug mode is a prototype feature", UserWarning, stacklevel=2)
        cuda.mode = mode

    for name, value in {
        "graph": graph,
        "stream": stream,
        "device": nullcontext,
        "current_stream": lambda device: cuda.current,
        "current_device": lambda: 0,
        "CUDAGraph": lambda: type("Graph", (), {"replay": "replay"}),
        "get_sync_debug_mode": lambda: cuda.mode,
        "set_sync_debug_mode": set_mode,
    }.items():
        monkeypatch.setattr(torch.cuda, name, value)
    monkeypatch.setattr(_cuda_graph, "_side_stream", lambda device: "side")
    monkeypatch.setattr(CudaGraph, "failed", [])
    monkeypatch.setattr(CudaGraph, "kept", [])
    return cuda


def fail():
    raise RuntimeError("operation not permitted when stream is capturing")


def exhaust():
    raise torch.OutOfMemoryError("no memory")


def test_a_recording_that_fails_leaves_the_stream_as_it_was(cuda):
    with pytest.raises(RuntimeError, match="not permitted"):
        CudaGraph(torch.device("cuda")).record(fail)
    assert cuda.current == "main"
    assert [str(error) for error in CudaGraph.failed] == ["operation not permitted when stream is capturing"]
    assert len(CudaGraph.kept) == 1


def test_a_lack_of_memory_ends_one_recording_and_no_other(cuda):
    with pytest.raises(torch.OutOfMemoryError):
        CudaGraph(torch.device("cuda")).record(exhaust)
    assert cuda.current == "main"
    assert CudaGraph.failed == []
    assert len(CudaGraph.kept) == 1  # torch's allocator may refer to it
    assert CudaGraph(torch.device("cuda")).record(lambda: None) == "replay"


def test_torch_does_not_warn_of_the_mode_that_finds_what_waits(cuda):
    with suppress(KeyError), waiting_is_an_error():
        assert cuda.mode == "error"
        raise KeyError
    assert cuda.mode == 0


def test_a_rehearsal_says_why_a_step_cannot_be_recorded_and_lets_a_lack_of_memory_pass(cuda):
    graph = CudaGraph(torch.device("cuda"))
    graph.warm_up = lambda function: function()
    assert graph.rehearse(lambda: None) is None
    assert "not permitted" in graph.rehearse(fail)

    with pytest.raises(torch.OutOfMemoryError):
        graph.rehearse(exhaust)


def test_a_device_without_a_number_is_the_current_one(cuda):
    assert CudaGraph(torch.device("cuda")).device == torch.device("cuda:0")
    assert CudaGraph(torch.device("cuda:1")).device == torch.device("cuda:1")
