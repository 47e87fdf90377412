"""What the command tells of a table and of its own work."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import pandas as pd

from skts.commandline._table import Table
from skts.panel import series_names


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Say what is done, and how long it took."""
    print(f"{what} ...", flush=True)
    began = time.perf_counter()
    yield
    print(f"  {time.perf_counter() - began:.1f} s", flush=True)


def verbose() -> int:
    """Tell whether functions may draw progress bars: 1 on a terminal, else 0."""
    return int(sys.stdout.isatty() and find_spec("rich") is not None)


@contextmanager
def with_bar(estimator: Any) -> Iterator[Any]:
    """Let an estimator show its progress, on a terminal, as long as the block lasts."""
    if not verbose():
        yield estimator
        return
    from sklearn.callback import ProgressBar

    estimator.set_callbacks(ProgressBar())
    try:
        yield estimator
    finally:
        estimator.set_callbacks()


def tell_rows(X: pd.DataFrame) -> str:
    """Say how many rows of whom and when there are."""
    times, names = X.index.get_level_values(-1), series_names(X.index)
    n_series = 1 if names is None else names.nunique()
    return f"{len(X):,} rows of {n_series} series, {times.min()} to {times.max()}"


def tell_table(table: Table) -> None:
    """Say what was read, and what was left out."""
    job, X = table.job, table.X
    print(tell_rows(X))
    print(f"  target    {job.target}, missing in {int(table.y.isna().sum()):,} rows")
    print(f"  observed  {', '.join(job.observed)}")
    print(f"  known     {', '.join(job.known) or 'nothing'}")
    if job.static:
        print(f"  static    {', '.join(job.static)}")
    for why, names in table.left_out.items():
        print(f"  left out  {', '.join(map(str, names))} ({why})")
