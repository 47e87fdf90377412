import os
import runpy
import subprocess
import sys

import pytest
import torch

import skts.training
from skts import LSTMRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.training import _tune_allocator, mention_allocator

glibc = pytest.mark.skipif(not _tune_allocator._has_glibc(), reason="another C library")
NAMES = list(_tune_allocator._ENVIRONMENT)
COUNT = """
import os, resource, subprocess, sys
def count_pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        b'x' * (40 * 2**20)  # more than glibc ever keeps by itself
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
"""


@pytest.fixture
def untuned(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    _tune_allocator._mention.cache_clear()
    yield
    _tune_allocator._mention.cache_clear()


def run(code):
    environment = {name: value for name, value in os.environ.items() if name not in NAMES}
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", COUNT + code], env=environment, check=True, capture_output=True, text=True
    )
    return [int(number) for number in answer.stdout.split()]


@glibc
def test_memory_is_mapped_once_afterwards_and_in_workers_too():
    plain, tuned, worker = run(
        "import runpy; count_pages(); print(count_pages())\n"
        f"assert runpy.run_path({_tune_allocator.__file__!r})['tune_allocator']() is True\n"
        "count_pages(); print(count_pages(), flush=True)\n"
        f"code = {COUNT + 'count_pages(); print(count_pages())'!r}\n"
        "subprocess.run([sys.executable, '-c', code], check=True)"
    )
    assert plain >= 20
    assert max(tuned, worker) < plain / 10


@pytest.mark.parametrize("answer", [ValueError("unrecognized configuration name"), None, "musl 1.2", "missing"])
def test_where_there_is_no_glibc_it_says_so_and_does_nothing(monkeypatch, untuned, answer):
    def confstr(name):
        if isinstance(answer, Exception):
            raise answer
        return answer

    if answer == "missing":
        monkeypatch.delattr(os, "confstr")
    else:
        monkeypatch.setattr(os, "confstr", confstr)
    monkeypatch.setattr("ctypes.CDLL", lambda name: pytest.fail("loaded"))
    before = dict(os.environ)
    with pytest.warns(RuntimeWarning, match="did nothing"):
        assert skts.training.tune_allocator() is False
    assert dict(os.environ) == before


def fit(verbose):
    X, y = make_panel(n_series=1, n_rows=40, random_state=0)
    LSTMRegressor(2, max_epochs=1, verbose=verbose, device="cpu").fit(SlidingWindower(4).fit_transform(X), y)


@glibc
def test_a_verbose_fit_mentions_it_once_per_process(untuned, capsys):
    fit(verbose=0)
    assert capsys.readouterr().out == ""
    fit(verbose=1)
    fit(verbose=1)
    assert capsys.readouterr().out.count("skts.training.tune_allocator()") == 1


@glibc
def test_it_is_not_mentioned_where_it_was_called_or_would_not_help(untuned, capsys, monkeypatch):
    mention_allocator(torch.device("cuda"))
    with monkeypatch.context() as patch:
        patch.setattr(_tune_allocator, "_has_glibc", lambda: False)
        mention_allocator(torch.device("cpu"))
    monkeypatch.setattr(os, "environ", os.environ | _tune_allocator._ENVIRONMENT)
    mention_allocator(torch.device("cpu"))
    assert capsys.readouterr().out == ""


@glibc
def test_a_refusal_is_told(untuned, monkeypatch):
    class Libc:
        def mallopt(self, parameter, value):
            return 0

    monkeypatch.setattr("ctypes.CDLL", lambda name: Libc())
    with pytest.warns(RuntimeWarning, match="mallopt refused"):
        assert skts.training.tune_allocator() is False
    assert not set(NAMES) & set(os.environ)


def test_the_command_asks_for_it_before_it_starts(monkeypatch):
    calls = []
    monkeypatch.setattr("skts.training.tune_allocator", lambda: calls.append("tuned"))
    monkeypatch.setattr("skts.commandline.main", lambda: calls.append("started"))
    with pytest.raises(SystemExit):
        runpy.run_module("skts", run_name="__main__")
    assert calls == ["tuned", "started"]
