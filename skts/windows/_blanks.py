"""Forecasts that rest on what nobody has: how many, and the first of them by its cause."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Blanks:
    """Forecasts that rest on a blank or missing input.

    Parameters
    ----------
    n_blank, n_forecasts : int
        How many do, and how many there are.
    causes : list of str
        For each cause the number of forecasts and the first place, in words; a forecast counts for its first cause.
    """

    n_blank: int
    n_forecasts: int
    causes: list[str]


def find_blanks(windows: Any) -> Blanks:
    """Find the forecasts whose window, known columns over the horizon, or static columns lack a value.

    Parameters
    ----------
    windows : Windows
        Forecasting windows.
    """
    is_row = windows.rows >= 0
    missing: Bools = np.isnan(windows.panel)
    is_blank = np.logical_and.reduce(missing, axis=1)
    holes = {"all": missing & ~is_blank[:, None], "known": missing[:, windows.known] & ~is_blank[:, None]}
    origins, starts = windows.origins.astype(np.int64), windows.horizon_starts.astype(np.int64)
    begins = windows.own_spans[:, 0]
    first = begins if windows.window is None else origins - windows.window
    begin = np.maximum(first, begins)
    measured = origins if windows.measured is None else np.maximum(windows.measured, begin)
    lacks_ahead = missing[:, windows.known] & is_row[:, None]
    touched = {
        "history": (first < begins) | _any_between(is_blank, begin, origins),
        "hole": _any_between(holes["all"].any(axis=1), begin, measured)
        | _any_between(holes["known"].any(axis=1), measured, origins),
        "ahead": _any_between(lacks_ahead.any(axis=1), starts, starts + windows.horizon),
        "static": np.zeros(len(origins), dtype=bool),
    }
    if windows.static is not None:
        lacks_static: Bools = np.isnan(windows.static)
        touched["static"] = np.logical_or.reduce(lacks_static, axis=1)[windows.series]
    n_rows = np.append(0, np.cumsum(is_row))
    sizes = n_rows[starts + windows.horizon] - n_rows[starts]
    any_cause = np.logical_or.reduce(list(touched.values()))
    describe = _Description(windows, is_blank, holes["all"], lacks_ahead, begin)
    causes, told = [], np.zeros(len(origins), dtype=bool)
    for cause, those in touched.items():
        new = np.flatnonzero(those & ~told & (sizes > 0))
        told |= those
        if len(new):
            one = new[np.argmin(windows.origin_ticks[new])]
            causes.append(f"{int(sizes[new].sum())} on {describe(cause, int(one))}")
    return Blanks(int(sizes[any_cause].sum()), int(sizes.sum()), causes)


@dataclass(frozen=True)
class _Description:
    """Says what one window lacks first."""

    windows: Any
    is_blank: Bools
    holes: Bools
    lacks_ahead: Bools
    begin: Ints

    def __call__(self, cause: str, i: int) -> str:
        return getattr(self, f"_of_{cause}")(i)

    def _of_history(self, i: int) -> str:
        windows, origin = self.windows, int(self.windows.origins[i])
        blank = np.flatnonzero(self.is_blank[self.begin[i] : origin])
        before = windows.window is not None and origin - windows.window < self.begin[i]
        place = origin - windows.window if before else int(self.begin[i]) + int(blank[0])
        return (
            f"blank history, the first {self._who(i)}, where rows are missing from {self._when(i, place - origin)} on"
        )

    def _of_hole(self, i: int) -> str:
        origin = int(self.windows.origins[i])
        place, column = np.argwhere(self.holes[self.begin[i] : origin])[0]
        when = self._when(i, int(self.begin[i] + place) - origin)
        return f"a hole, the first in column {self._name(int(column))} {self._who(i)} at {when}"

    def _of_ahead(self, i: int) -> str:
        windows, start = self.windows, int(self.windows.horizon_starts[i])
        is_row = windows.rows[start : start + windows.horizon] >= 0
        lacks = self.lacks_ahead[start : start + windows.horizon]
        place, number = np.argwhere(lacks)[0]
        ends = bool(lacks[place:, number][is_row[place:]].all())
        column = self._name(int(windows.known[number]))
        what = "ends before" if ends else "has a hole at"
        return f"known columns, the first where {column} {self._who(i)} {what} {self._when(i, int(place))}"

    def _of_static(self, i: int) -> str:
        return f"static columns, the first where one {self._who(i)} is missing"

    def _who(self, i: int) -> str:
        names = self.windows.series_names
        if names is None:
            return "of the table"
        name = names[int(self.windows.series[i])]
        plain = tuple(map(_plain, name)) if isinstance(name, tuple) else _plain(name)
        return f"of series {plain!r}"

    def _when(self, i: int, rows: int) -> str:
        """Write the time so many rows after the origin of a window; of a table without times its row."""
        tick = int(self.windows.origin_ticks[i]) + rows * self.windows.step
        return f"row {tick}" if self.windows.clock is None else self.windows.clock.label(tick)

    def _name(self, column: int) -> str:
        names = self.windows.feature_names
        return str(column) if names is None else repr(str(names[column]))


def _plain(name: Any) -> Any:
    return name.item() if isinstance(name, np.generic) else name


def _any_between(flags: Bools, start: Ints, stop: Ints) -> Bools:
    """Tell for each `start[i]:stop[i]` whether any flag is set, by one cumulative sum."""
    total = np.append(0, np.cumsum(flags))
    return total[stop] > total[start]
