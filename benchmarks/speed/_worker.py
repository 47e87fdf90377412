"""Processes of one contender each, that wait for orders, so that contenders take turns and never run at once.

:class:`Worker` starts this module in the environment of the peers; orders and what they found are lines of JSON.
"""

import json
import logging
import os
import re
import resource
import subprocess
import sys
import time
import traceback
import warnings
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import torch

from benchmarks._report import ROOT
from benchmarks.adapters import Watch, load_adapter
from benchmarks.adapters._counting import ClosureFirst, counted, profiled
from benchmarks.speed._work import CONTENDERS, N_SERIES, Work, make_contender, make_panel
from skts.training import tune_allocator

_LIMIT = 5 * 2**30  # bytes; the machine has others
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


class Worker:
    """A process of one contender.

    Parameters
    ----------
    python : str
        The interpreter of the environment with the peers.
    contender : str
    tuned : bool
        Whether it calls `skts.training.tune_allocator()` first.
    log : Path
        Where its warnings go.
    """

    def __init__(self, python: str, contender: str, tuned: bool, log: Path):
        self.contender, self.tuned = contender, tuned
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        with log.open("a") as errors:
            self.process = subprocess.Popen(
                [python, "-m", "benchmarks.speed._worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=log.parent,  # where a library leaves its files
                env={**os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(paths), "PYTHONWARNINGS": "ignore"},
            )
        self._send("imports", contender=contender, tuned=tuned)

    @cached_property
    def imported(self) -> dict[str, Any]:
        """What was held after the imports, which processes may do at once."""
        return self._receive()

    def ask(self, order: str, **arguments: Any) -> dict[str, Any]:
        """Give an order, and wait for what it found."""
        if "error" in self.imported:
            return self.imported
        self._send(order, **arguments)
        return self._receive()

    def _send(self, order: str, **arguments: Any) -> None:
        assert self.process.stdin is not None
        print(json.dumps({"do": order, **arguments}), file=self.process.stdin, flush=True)

    def _receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"error": f"the process ended with {self.process.wait()}"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.process.communicate()  # no more orders: it ends


class Orders:
    """What the process holds, and the orders that it knows."""

    def imports(self, contender: str, tuned: bool) -> dict[str, Any]:
        """Import what the contender needs; the optimizer's first step, which imports more of torch, counted apart."""
        if tuned:
            tune_allocator()
        self.name = contender
        load_adapter(CONTENDERS[contender][0])
        self.before = resident_mb("VmRSS")
        torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], fused=True).zero_grad()
        return self._memory("imports_of_torch_optim")

    def table(self, **work: Any) -> dict[str, Any]:
        self.work = Work(**work)
        self.X = make_panel(N_SERIES, self.work.n_rows, self.work.n_features)
        return self._memory("table")

    def check(self) -> dict[str, Any]:
        """Do a round untimed, and count."""
        with counted() as found:
            self._fit()
            found["answers"] = len(self.contender.forecast())
        by_pass = found["rows"] > self.work.window
        return found | {"targets": self.contender.n_taught if by_pass else found["windows"]}

    def fit(self) -> dict[str, Any]:
        start = time.perf_counter()
        watch = self._fit()
        end = time.perf_counter()
        seconds = {"setup_s": watch.began - start, "loop_s": watch.ended - watch.began, "fit_s": end - start}
        return {**seconds, **self._memory("fit")}

    def _fit(self, **settings: Any) -> Watch:
        watch = Watch()
        self.contender = make_contender(self.name, self.work, self.X, watch, **settings)
        self.contender.fit()
        return watch

    def profile(self) -> dict[str, Any]:
        """Say what part of a step takes how many milliseconds."""
        with profiled() as spent:
            self._fit(**({"optimizer": ClosureFirst} if self.name == "skorch" else {}))
        return spent

    def forget_peak(self) -> dict[str, Any]:
        """Let the peak start anew from what is held now."""
        Path("/proc/self/clear_refs").write_text("5")
        return {"held_mb": round(resident_mb("VmRSS") - self.before, 1)}

    def forecast(self, rolling: str | None = None, everywhere: bool = False) -> dict[str, Any]:
        """Forecast from the rows of the round, or from every row of the panel."""
        if rolling is not None:
            self.contender.rolling = rolling
        task = self.contender.task
        if everywhere:
            self.contender.task = replace(task, test=self.X)
        start = time.perf_counter()
        n_forecasts = len(self.contender.forecast())
        seconds = time.perf_counter() - start
        self.contender.task = task
        return {"n_forecasts": n_forecasts, "forecast_s": seconds, **self._memory("forecast")}

    def _memory(self, after: str) -> dict[str, float]:
        return {f"peak_mb_{after}": round(resident_mb("VmHWM") - self.before, 1)}


def resident_mb(which: str) -> float:
    """Read "VmRSS", the resident size now, or "VmHWM", its peak, which starts anew with each process (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{which}:\s+(\d+)", status)[1]) / 1024


def main() -> None:
    """Do what the lines of standard input order."""
    results = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints goes with its warnings
    resource.setrlimit(resource.RLIMIT_DATA, (_LIMIT, _LIMIT))
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    orders = Orders()
    for line in sys.stdin:
        order = json.loads(line)
        try:
            found = getattr(orders, order.pop("do"))(**order)
        except Exception as error:
            traceback.print_exc()
            found = {"error": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(found), file=results, flush=True)


if __name__ == "__main__":
    main()
