"""Rounds in which the contenders take turns, and the ratios within them."""

import os
import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from _work import Work
from _workers import Worker

Side = tuple[str, bool]  # a contender, and whether its process is tuned
OURS = ("skts", "skts, forking", "skts, stateful")
_SAME = ("features", "hidden", "layers", "dtype", "optimizer", "fused", "clip")


def measure(python: str, work: Work, sides: Sequence[Side], n_rounds: int, log: Path) -> dict[str, Any]:
    """Let every side train and forecast, in turn, `n_rounds` times.

    Returns
    -------
    found : dict
        "checked" what each did, counted; "rounds" the rates of each round (targets per second of the training loop,
        forecasts per second, seconds of set-up), by side; "load" of the machine before each round.
    """
    load: list[list[float]] = []
    rounds: dict[str, list[dict[str, float]]] = {label(side): [] for side in sides}
    with ExitStack() as stack:
        workers = {side: stack.enter_context(Worker(python, *side, log)) for side in sides}
        for worker in workers.values():
            worker.take(work)
        checked = {label(side): worker.ask("check") for side, worker in workers.items()}
        check_sameness(work, checked)
        for number in range(n_rounds):
            load.append([round(each, 2) for each in os.getloadavg()])
            turn = number % len(sides)
            for side in [*sides[turn:], *sides[:turn]]:  # nobody always comes first
                rounds[label(side)].append(one_round(workers[side], checked[label(side)]))
    return {"work": work.told(), "checked": checked, "rounds": rounds, "load": load}


def one_round(worker: Worker, checked: dict[str, Any]) -> dict[str, float]:
    trained, forecast = worker.ask("fit"), worker.ask("forecast")
    return {
        "targets_per_s": round(checked["targets"] / trained["loop_s"], 1),
        "setup_s": round(trained["setup_s"], 4),
        "forecasts_per_s": round(forecast["n_forecasts"] / forecast["forecast_s"], 1),
    }


def check_sameness(work: Work, checked: dict[str, dict[str, Any]]) -> None:
    """Refuse to compare what did not do the same work."""
    for name, found in checked.items():
        assert "error" not in found, f"{name}: {found['error']}"
        first = next(iter(checked.values()))
        for fact in _SAME:
            assert found[fact] == first[fact], f"{name} has {fact} {found[fact]}, not {first[fact]}"
        contender = name.removesuffix(" (tuned)")
        assert found["clipped"] == found["steps"], name
        assert found["answers"] == 10 * work.n_origins, name
        if contender == "skts, forking":
            assert (found["rows"], found["targets"] >= work.n_all) == (work.window + 23, True), name
            found["targets"] = work.n_all  # the last passes of a series are not full
            continue
        n_steps = work.n_big_steps if "ten" in contender else work.n_batches
        assert (found["rows"], found["steps"]) == (work.window, n_steps), name
        drawn = "neuralforecast" in contender  # whose last batch is as large as the others
        assert found["windows"] == (n_steps * work.batch if drawn else work.n_windows), name


def label(side: Side) -> str:
    return f"{side[0]} (tuned)" if side[1] else side[0]


def spread(values: Sequence[float]) -> dict[str, float]:
    """Give the median, the least and the most."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def ratio(found: dict[str, Any], ours: str, other: str, rate: str = "targets_per_s") -> dict[str, float]:
    """Compare two sides within each round."""
    pairs = zip(found["rounds"][ours], found["rounds"][other], strict=True)
    return spread([mine[rate] / theirs[rate] for mine, theirs in pairs])
