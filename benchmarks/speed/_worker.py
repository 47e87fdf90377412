"""Processes of one contender each, that wait for orders, so that contenders take turns and never run at once."""

import logging
import os
import re
import resource
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Self

import torch

from benchmarks.adapters import Watch, load_adapter
from benchmarks.adapters._counting import ClosureFirst, counted, profiled
from benchmarks.speed._work import CONTENDERS, N_SERIES, Work, make_contender, make_panel
from skts.training import tune_allocator

_LIMIT = 5 * 2**30  # bytes; the machine has others


def start_process() -> ProcessPoolExecutor:
    """Start a process that inherits nothing but one thread, and the allocator as it comes."""
    for name in [name for name in os.environ if name.startswith("MALLOC_")]:
        del os.environ[name]
    os.environ |= {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")} | {"PYTHONWARNINGS": "ignore"}
    return ProcessPoolExecutor(1, get_context("spawn"))


class Worker:
    """A process of one contender, that has called `tune_allocator()` if it is tuned; its warnings go to a log."""

    def __init__(self, contender: str, tuned: bool, log: Path):
        self.contender = contender
        self.process = start_process()
        self.imported = self.process.submit(_begin, contender, tuned, log)  # which processes may do at once

    def ask(self, order: str, *arguments: Any, **named: Any) -> dict[str, Any]:
        """Give an order, a method of `Orders`, and wait for what it found."""
        self.imported.result()
        return self.process.submit(_obey, order, arguments, named).result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.process.shutdown()


def _begin(contender: str, tuned: bool, log: Path) -> dict[str, float]:
    global _orders  # what the process holds between two orders
    with log.open("a") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir(log.parent)  # where a library leaves its files
    resource.setrlimit(resource.RLIMIT_DATA, (_LIMIT, _LIMIT))
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    if tuned:
        tune_allocator()
    _orders = Orders(contender)
    return _orders.memory("imports_of_torch_optim")


def _obey(order: str, arguments: tuple, named: dict[str, Any]) -> dict[str, Any]:
    return getattr(_orders, order)(*arguments, **named)


class Orders:
    """What the process of a contender holds, and the orders that it knows."""

    def __init__(self, name: str):
        """Import what the contender needs; the optimizer's first step, which imports more of torch, counted apart."""
        self.name = name
        load_adapter(CONTENDERS[name][0])
        self.before = resident_mb("VmRSS")
        torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], fused=True).zero_grad()

    def table(self, work: Work) -> dict[str, float]:
        self.work = work
        self.X = make_panel(N_SERIES, work.n_rows, work.n_features)
        return self.memory("table")

    def check(self) -> dict[str, Any]:
        """Do a round untimed, and count."""
        with counted() as found:
            self._fit()
            found["answers"] = len(self.contender.forecast())
        by_pass = found["rows"] > self.work.window
        return found | {"targets": self.contender.n_taught if by_pass else found["windows"]}

    def fit(self) -> dict[str, float]:
        start = time.perf_counter()
        watch = self._fit()
        end = time.perf_counter()
        seconds = {"setup_s": watch.began - start, "loop_s": watch.ended - watch.began, "fit_s": end - start}
        return {**seconds, **self.memory("fit")}

    def _fit(self, **settings: Any) -> Watch:
        watch = Watch()
        self.contender = make_contender(self.name, self.work, self.X, watch, **settings)
        self.contender.fit()
        return watch

    def profile(self) -> dict[str, float]:
        """Say what part of a step takes how many milliseconds."""
        with profiled() as spent:
            self._fit(**({"optimizer": ClosureFirst} if self.name == "skorch" else {}))
        return spent

    def forget_peak(self) -> dict[str, float]:
        """Let the peak start anew from what is held now."""
        Path("/proc/self/clear_refs").write_text("5")
        return {"held_mb": round(resident_mb("VmRSS") - self.before, 1)}

    def forecast(self, rolling: str | None = None, everywhere: bool = False) -> dict[str, float]:
        """Forecast from the rows of the round, or from every row of the panel."""
        if rolling is not None:
            self.contender.rolling = rolling
        task = self.contender.task
        if everywhere:
            self.contender.task = replace(task, test=self.X)
        start = time.perf_counter()
        n_forecasts = len(self.contender.forecast())
        rate = n_forecasts / (time.perf_counter() - start)
        self.contender.task = task
        return {"forecasts_per_s": round(rate, 1), **self.memory("forecast")}

    def memory(self, after: str) -> dict[str, float]:
        return {f"peak_mb_{after}": round(resident_mb("VmHWM") - self.before, 1)}


def resident_mb(which: str) -> float:
    """Read "VmRSS", the resident size now, or "VmHWM", its peak, which starts anew with each process (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{which}:\s+(\d+)", status)[1]) / 1024
