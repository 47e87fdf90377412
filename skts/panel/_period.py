"""Times and steps as text, for who looks at a panel."""

import re
from typing import Any

import pandas as pd

from skts.panel._clock import Clock

_PERIODS = {"Y": "year", "Q": "quarter", "M": "month", "W": "week", "D": "day"}
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_SECOND = 10**9  # ticks of date-times and time differences


def write_step(clock: Clock | None, step: int) -> str:
    """Write the time from one row to the next.

    Parameters
    ----------
    clock : Clock or None
        None where the table has no times.
    step : int
        In ticks.

    Examples
    --------
    >>> hours = Clock(pd.DatetimeIndex([]).dtype, "time")
    >>> write_step(hours, 3_600 * 10**9), write_step(hours, 90 * 60 * 10**9), write_step(None, 1)
    ('1 h', '1 h 30 min', '1 row')
    """
    if clock is None:
        return f"{step} row{'s' if step > 1 else ''}"
    if isinstance(clock.dtype, pd.PeriodDtype):
        freq: Any = clock.dtype.freq
        code = freq.base.freqstr
        unit = _PERIODS.get(code.split("-")[0].removesuffix("E"), code)
        return f"{step} {unit}"  # ordinals count in the unit, however many of it a period has
    if not clock.kind.startswith(("date", "time")) or step % _SECOND:
        return clock.span(step)
    left, parts = step // _SECOND, []
    for unit, size in _UNITS:
        n, left = divmod(left, size)
        parts += [f"{n} {unit}"] * (n > 0)
    return " ".join(parts)


def write_period(clock: Clock | None, first: int, last: int) -> str | None:
    """Write from when to when, ticks included; None where the table has no times."""
    return None if clock is None else f"{_write_time(clock, first)} to {_write_time(clock, last)}"


def _write_time(clock: Clock, tick: int) -> str:
    text = re.sub(r"(\d\d:\d\d):00(?=$|[+-])", r"\1", clock.label(tick))  # whole minutes need no seconds
    return text.replace("+00:00", " UTC")
