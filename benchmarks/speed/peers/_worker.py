"""A process of one contender: it does what it is told by lines of JSON, and answers so.

Run by `_workers.py`, in the environment of the peers.
"""

import importlib
import json
import logging
import os
import re
import resource
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

import torch
from _contenders import CONTENDERS
from _marks import MARKS, counted
from _profile import profiled
from _work import Work, make_table

import skts

_LIMIT = 5 * 2**30  # bytes; the machine has others


class Hand:
    """What the process holds, and the orders that it knows."""

    def imports(self, contender: str, tuned: bool) -> dict[str, Any]:
        """Import what the contender needs; the optimizer's first step, which imports more of torch, told apart."""
        if tuned:
            skts.tune_allocator()
        self.kind = CONTENDERS[contender]
        for name in self.kind.needs:
            importlib.import_module(name)
        self.before = resident_mb("VmRSS")
        torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], fused=True).zero_grad()
        return self._memory("imports_of_torch_optim")

    def table(self, **work: Any) -> dict[str, Any]:
        self.work = Work(**work)
        X, y = make_table(self.work)
        self.contender = self.kind(self.work, X, y)
        return self._memory("table")

    def check(self) -> dict[str, Any]:
        """Do a round untimed, and count."""
        with counted() as found:
            self.contender.fit()
            found["answers"] = self.contender.forecast()
        found["targets"] = self.contender.n_taught or found["windows"]
        return found

    def fit(self) -> dict[str, Any]:
        start = time.perf_counter()
        self.contender.fit()
        end = time.perf_counter()
        return {
            "setup_s": MARKS["begin"] - start,
            "loop_s": MARKS["end"] - MARKS["begin"],
            "fit_s": end - start,
            **self._memory("fit"),
        }

    def profile(self) -> dict[str, Any]:
        """Say what part of a step takes how many milliseconds."""
        with profiled() as spent:
            self.contender.fit()
        return spent

    def forget_peak(self) -> dict[str, Any]:
        """Let the peak start anew from what is held now."""
        Path("/proc/self/clear_refs").write_text("5")
        return {"held_mb": round(resident_mb("VmRSS") - self.before, 1)}

    def forecast(self, rolling: str | None = None) -> dict[str, Any]:
        if rolling is not None:
            self.contender.rolling = rolling
        start = time.perf_counter()
        n_forecasts = self.contender.forecast()
        seconds = time.perf_counter() - start
        return {"n_forecasts": n_forecasts, "forecast_s": seconds, **self._memory("forecast")}

    def _memory(self, after: str) -> dict[str, float]:
        return {f"peak_mb_{after}": round(resident_mb("VmHWM") - self.before, 1)}


def resident_mb(which: str) -> float:
    """Read "VmRSS", the resident size now, or "VmHWM", its peak, which starts anew with each process (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{which}:\s+(\d+)", status)[1]) / 1024


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints goes with its warnings
    resource.setrlimit(resource.RLIMIT_DATA, (_LIMIT, _LIMIT))
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    hand = Hand()
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = getattr(hand, order.pop("do"))(**order)
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
