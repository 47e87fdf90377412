import pytest
import torch

from skts.training import resolve_device, seeded


def test_auto_takes_cuda_where_it_is(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto").type == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto").type == "cpu"


def test_cuda_without_cuda_says_what_to_do(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match=r"device='cuda:0'.*sees no CUDA.*device='auto'"):
        resolve_device("cuda:0")


def test_an_unknown_device_is_refused():
    with pytest.raises(ValueError, match=r"device='gpu' is no device that torch knows"):
        resolve_device("gpu")


def test_seeded_repeats_itself_and_leaves_the_world_alone():
    before = torch.get_rng_state()
    with seeded(1, torch.device("cpu")):
        first = torch.rand(3)
    with seeded(1, torch.device("cpu")):
        assert torch.equal(torch.rand(3), first)
    with seeded(2, torch.device("cpu")):
        assert not torch.equal(torch.rand(3), first)
    assert torch.equal(torch.get_rng_state(), before)
