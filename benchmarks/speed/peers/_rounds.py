"""Rounds in which the contenders take turns, and the ratios within them."""

import os
import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from _work import HORIZON, N_SERIES, Work
from _workers import Worker

Side = tuple[str, bool]  # a contender, and whether its process is tuned
OURS = ("skts", "skts, forking", "skts, as it comes")
_SAME = ("features", "hidden", "layers", "dtype", "optimizer", "fused", "clip")


def measure(workers: dict[Side, Worker], work: Work, n_rounds: int) -> dict[str, Any]:
    """Let every side train and forecast, in turn, `n_rounds` times.

    Returns
    -------
    found : dict
        "checked" what each did, counted; "rounds" the rates of each round (targets per second of the training loop,
        forecasts per second, seconds of set-up), by side; "load" of the machine before each round.
    """
    load: list[list[float]] = []
    sides = list(workers)
    rounds: dict[str, list[dict[str, float]]] = {label(side): [] for side in sides}
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


def profile(workers: dict[Side, Worker], work: Work, n_rounds: int) -> dict[str, Any]:
    """Let sides tell where the time of a step goes: the medians of some rounds, in milliseconds."""
    found: dict[str, list[dict[str, float]]] = {label(side): [] for side in workers}
    for worker in workers.values():
        worker.take(work)
    for number in range(n_rounds + 1):
        for side, worker in workers.items():
            spent = worker.ask("profile")
            if number:  # the first warms up
                found[label(side)].append(spent)
    return {
        name: {part: round(statistics.median([each[part] for each in rounds]), 4) for part in rounds[0]}
        for name, rounds in found.items()
    }


def start(python: str, sides: Sequence[Side], log: Path, stack: ExitStack) -> dict[Side, Worker]:
    """Start a process for each side, which ends with the stack."""
    workers = {side: stack.enter_context(Worker(python, *side, log)) for side in sides}
    for side, worker in workers.items():
        assert "error" not in worker.imported, f"{label(side)}: {worker.imported['error']}"
    return workers


def one_round(worker: Worker, checked: dict[str, Any]) -> dict[str, float]:
    trained = worker.ask("fit")
    found = {
        "targets_per_s": round(checked["targets"] / trained["loop_s"], 1),
        "setup_s": round(trained["setup_s"], 4),
    }
    if worker.contender in OURS[1:]:  # which forecast as the first of ours
        return found
    if worker.contender != OURS[0]:
        return found | {"forecasts_per_s": rate(worker.ask("forecast"))}
    windowed, stateful = (rate(worker.ask("forecast", rolling=rolling)) for rolling in ("windows", "stateful"))
    return found | {"forecasts_per_s": windowed, "stateful_per_s": stateful}


def rate(forecast: dict[str, Any]) -> float:
    return round(forecast["n_forecasts"] / forecast["forecast_s"], 1)


def check_sameness(work: Work, checked: dict[str, dict[str, Any]]) -> None:
    """Refuse to compare what did not do the same work."""
    for name, found in checked.items():
        assert "error" not in found, f"{name}: {found['error']}"
        first = next(iter(checked.values()))
        for fact in _SAME:
            assert found[fact] == first[fact], f"{name} has {fact} {found[fact]}, not {first[fact]}"
        assert found["clipped"] == found["steps"], name
        assert found["answers"] == N_SERIES * work.n_origins, name
        contender = name.removesuffix(" (tuned)")
        n_origins = {"skts, forking": HORIZON, "skts, as it comes": 4}.get(contender, 1)
        assert found["rows"] == work.window + n_origins - 1, name
        if n_origins > 1:  # windows of the network are passes
            passes_a_step = work.batch if n_origins == HORIZON else work.batch // n_origins
            assert found["steps"] == -(-found["windows"] // passes_a_step), name
            assert found["targets"] == n_origins * found["windows"], name
            continue
        n_steps = work.n_big_steps if "ten" in contender else work.n_batches
        drawn = "neuralforecast" in contender  # whose last batch is as large as the others
        n_windows = n_steps * work.batch if drawn else work.n_windows
        assert (found["steps"], found["windows"]) == (n_steps, n_windows), name


def label(side: Side) -> str:
    return f"{side[0]} (tuned)" if side[1] else side[0]


def spread(values: Sequence[float]) -> dict[str, float]:
    """Give the median, the least and the most."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def ratio(
    found: dict[str, Any], ours: str, other: str, what: str = "targets_per_s", theirs: str | None = None
) -> dict[str, float]:
    """Compare two sides within each round, `what` of the first with `theirs` (by default the same) of the other."""
    pairs = zip(found["rounds"][ours], found["rounds"][other], strict=True)
    return spread([one[what] / other[theirs or what] for one, other in pairs])
