"""Processes that wait for orders, so that contenders take turns and never run at once."""

import json
import os
import subprocess
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from _work import Work

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


class Worker:
    """A process of one contender.

    Parameters
    ----------
    python : str
        The interpreter of the environment with the peers.
    contender : str
    tuned : bool
        Whether it calls `skts.tune_allocator()` first.
    log : Path
        Where its warnings go.
    """

    def __init__(self, python: str, contender: str, tuned: bool, log: Path):
        self.contender, self.tuned = contender, tuned
        with log.open("a") as errors:
            self.process = subprocess.Popen(
                [python, str(HERE / "_worker.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=log.parent,  # where a library leaves its files
                env={**os.environ, **_ONE_THREAD, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"},
            )
        self._tell("imports", contender=contender, tuned=tuned)

    @cached_property
    def imported(self) -> dict[str, Any]:
        """What was held after the imports, which processes may do at once."""
        return self._listen()

    def ask(self, order: str, **arguments: Any) -> dict[str, Any]:
        """Give an order, and wait for the answer."""
        if "error" in self.imported:
            return self.imported
        self._tell(order, **arguments)
        return self._listen()

    def _tell(self, order: str, **arguments: Any) -> None:
        assert self.process.stdin is not None
        print(json.dumps({"do": order, **arguments}), file=self.process.stdin, flush=True)

    def _listen(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            return {"error": f"the process ended with {self.process.wait()}"}
        return json.loads(line)

    def take(self, work: Work) -> dict[str, Any]:
        """Make the table of some work."""
        return self.ask("table", **work.told())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.process.communicate()  # no more orders: it ends
