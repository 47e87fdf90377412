"""What windows say of themselves in a notebook."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skts._html import write_count, write_facts, write_names, write_share
from skts.panel import write_period, write_step

_N_CELLS = 2**17  # that are looked at for missing values
_WHY = {
    "incomplete": "too near an end of the series",
    "gap": "across a gap",
    "stride": "passed over by the stride",
    "similarity": "too similar to the one before",
}


def write_windows(windows: Any) -> str:
    """Write facts about windows.

    Parameters
    ----------
    windows : Windows

    Returns
    -------
    html : str

    Notes
    -----
    Where values are many, missing ones are counted among rows drawn at random, always the same, and rounded.
    """
    kind = "training" if windows.is_training else "forecasting"
    names, size = windows.series_names, windows.window
    facts = {
        "series": "1 series" if names is None else write_names(names),
        "period": write_period(windows.clock, *windows.period),
        "step": write_step(windows.clock, windows.step),
        "window": "all rows before the origin" if size is None else write_count(size, "row"),
        "horizon": write_count(windows.horizon, "row"),
        "columns": f"{windows.panel.shape[1]:,}, {len(windows.known):,} of them known over the horizon"
        + (f", and {windows.n_static:,} static" if windows.n_static else ""),
        "holes": write_holes(windows),
        "dropped": None if windows.dropped is None else write_dropped(windows.dropped, windows.n_rows),
        "worth": None,
    }
    if windows.is_training:
        facts["worth"] = f"about {windows.n_independent:,.0f} independent windows"
    return write_facts(f"{write_count(len(windows), kind + ' window')}", facts)


def write_holes(windows: Any) -> str:
    """Say how many rows and values are missing, between the first and the last row of each series."""
    n_missing = count_missing(windows)
    n_nan, n_cells = count_nan(windows.panel, windows.rows)
    about = "about " if n_cells < windows.n_rows * windows.panel.shape[1] and 0 < n_nan < n_cells else ""
    values = f"{about}{write_share(n_nan, n_cells)} of the values"
    if not n_missing:
        return f"no row missing, {values}"
    share = write_share(n_missing, n_missing + windows.n_rows)
    return f"{write_count(n_missing, 'row')} missing ({share}), {values} in the others"


def count_missing(windows: Any) -> int:
    """Count the rows that are missing between the first and the last row of each series, laid out as blanks or not."""
    begins, ends = windows.spans.T
    times, series = windows.span_ticks // windows.step, windows.span_series
    there = np.flatnonzero(windows.rows[: ends[-1]] >= 0)
    if not windows.is_training:  # blanks stand for missing rows, and at the ends of a span
        first = there[np.searchsorted(there, begins)]
        times, begins, ends = times + first - begins, first, there[np.searchsorted(there, ends) - 1] + 1
    between = (times[1:] - (times + ends - begins)[:-1])[series[1:] == series[:-1]]
    return int(between.sum() + (ends - begins).sum()) - len(there)


def count_nan(panel: NDArray[np.float32], rows: NDArray[Any]) -> tuple[int, int]:
    """Count missing values among rows that are no blanks, some of them where they are many.

    Returns
    -------
    n_nan, n_cells : int
        The second says how many were looked at.
    """
    n_looked_at = max(_N_CELLS // max(panel.shape[1], 1), 1)
    if len(panel) > n_looked_at:  # evenly spaced ones could all be of one hour of the day
        chosen = np.sort(np.random.RandomState(0).randint(len(panel), size=n_looked_at))
        panel, rows = panel[chosen], rows[chosen]
    some = panel[rows >= 0]
    return int(np.count_nonzero(np.isnan(some))), int(some.size)


def write_dropped(dropped: dict[str, int], n_rows: int) -> str:
    """Say how many rows start no window, and why."""
    if not any(dropped.values()):
        return "none: a window starts at every row"
    counts = [f"{count:,} {_WHY.get(reason, reason)}" for reason, count in dropped.items() if count]
    return f"{sum(dropped.values()):,} of {n_rows:,} rows start no window: {', '.join(counts)}"
