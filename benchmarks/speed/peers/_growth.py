"""Memory above imports on the whole panel, and how time and memory of ours grow with the rows; fresh processes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from _work import HORIZON, N_ROWS, N_SERIES, Work
from _workers import Worker

_STEPS_FOR_MEMORY = 20


def measure_memory(
    python: str, contenders: Sequence[str], log: Path, quick: bool = False
) -> Iterator[tuple[str, dict[str, float]]]:
    """Give the peaks in MB above what each process held after its imports.

    All windows of the panel are there to train on; training stops after 20 steps (after one with ten series a batch).
    Ours forecast every window too.
    """
    n_rows = 500 if quick else N_ROWS
    n_origins = n_rows - 168 - HORIZON + 1
    work = Work(64, 168, 64, 24, 10**6, 1, n_origins, n_rows=n_rows, stop_after=3 if quick else _STEPS_FOR_MEMORY)
    for name in dict.fromkeys(contenders):
        with Worker(python, name, False, log) as worker:
            peaks = {**worker.imported, **worker.take(work), **worker.ask("fit")}
            if name == "skts":
                peaks |= worker.ask("forecast")
        yield name, {key: value for key, value in peaks.items() if "mb" in key or key == "error"}


def measure_growth(python: str, log: Path, quick: bool = False) -> Iterator[tuple[str, dict[str, float]]]:
    """Give seconds and MB of ours on ten series of 8,760 rows, ten and a hundred times as many; 2 features, 16/24/32.

    An epoch takes a window of about every hundredth row.
    """
    once = Work(16, 24, 32, 2, 27, 1, 250, n_rows=500 if quick else N_ROWS)
    for times in (1, 10) if quick else (1, 10, 100):
        work = replace(once, n_rows=once.n_rows * times, n_steps=once.n_steps * times)
        with Worker(python, "skts", False, log) as worker:
            worker.take(replace(once, n_rows=500))
            worker.ask("fit")  # the late imports, and the first calls
            table = worker.take(work)
            held = worker.ask("forget_peak")
            fitted = worker.ask("fit")
        yield (
            f"x {times}",
            {
                "n_rows": N_SERIES * work.n_rows,
                "n_windows": work.n_windows,
                **table,
                **held,
                **fitted,
                "mb_above_table": round(fitted["peak_mb_fit"] - held["held_mb"], 1),
            },
        )
