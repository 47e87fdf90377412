"""What is in a table, as text for who looks at it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from skts._html import write_count, write_facts, write_names, write_share
from skts.panel._columns import refusal
from skts.panel._gaps import Ints, within_series
from skts.panel._knowing import find_knowing
from skts.panel._panel_index import PanelIndex
from skts.panel._period import write_period
from skts.panel._unit_jumps import UnitJump, find_unit_jumps

_N_SHOWN = 5


@dataclass(frozen=True)
class PanelReport:
    """What was found in a table; its text and its box in a notebook say so.

    Parameters
    ----------
    facts : dict of str to str
        By name, for who reads: series, rows, period, step, holes and whatever is to be said of the columns.
    columns : DataFrame of shape (n_columns, 4)
        By column `missing`, the share of rows without a value; `constant`, whether it has one value in the whole
        table; `static`, whether it has one in each series; and `repeats`, the first column with the same values in all
        rows, or None.
    series : DataFrame of shape (n_series, 4)
        By series `rows`; `first` and `last`, its times (row numbers where the table has none); and `holes`, the times
        between these that have no row.
    jumps : DataFrame of shape (n_jumps, 4)
        A row for each `column` and `series` whose unit seems to change: `time`, about when, and `what` it looks like.
    knowing : dict of hashable to str
        Columns that hold the target, of the same row or of one to come, and which; empty where no target was named.
    """

    facts: dict[str, str]
    columns: pd.DataFrame
    series: pd.DataFrame
    jumps: pd.DataFrame
    knowing: dict[Any, str]

    def __str__(self) -> str:
        width = max(map(len, self.facts))
        return "\n".join(["Panel", *(f"  {name:{width}}  {text}" for name, text in self.facts.items())])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return write_facts("Panel", self.facts)


def describe_panel(X: Any, *, target: Any = None) -> PanelReport:
    """Say who and when is in a table, what is missing, and which columns tell nothing.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_features)
        With series and time in its index, as :func:`to_panel` makes it.
    target : hashable, default=None
        The column to be forecast. Others that hold it, whatever their unit, of the same row or of up to 24 rows later,
        are named: the former must not be taken for known ahead, the latter must not be there at all.

    Returns
    -------
    report : PanelReport
        Print it. Its tables `columns`, `series` and `jumps` hold the same as numbers.

    Raises
    ------
    PanelIndexError
        An index that tells no series and times, as in `fit`.
    ValueError
        No rows, or no such target.

    See Also
    --------
    to_panel : Makes such a table.

    Notes
    -----
    Of a table with runs, holes are times that no run has.

    A unit is taken to change where the spread of a column in blocks of rows (a day of hours, or more) jumps by about
    100 or 1,000 once and stays there, with nothing between the two levels, or its level by 273.15. Two whole blocks
    after the jump are needed, and a column that changes as much by itself, as rain does, tells nothing.

    What it cannot tell: whether a value that is there is right. A meter that stands still for a week is no hole.

    Examples
    --------
    >>> from skts import describe_panel
    >>> from skts.datasets import make_panel
    >>> X, _ = make_panel(n_series=2, n_rows=48, random_state=0)
    >>> print(describe_panel(X.assign(zone=1.0).drop(X.index[[10, 11, 30]])))
    Panel
      series    2 series: station_0, station_1
      rows      93 in all, 45 to 48 in a series
      period    2024-01-01 00:00 to 2024-01-02 23:00
      step      1 h
      holes     3 rows missing (3.1 %), the longest 2 rows: station_0, 2024-01-01 10:00 to 2024-01-01 11:00
      columns   3: power, wind, zone
      constant  zone
    """
    if not isinstance(X, pd.DataFrame):
        raise TypeError(f"describe_panel takes a DataFrame, and this is a {type(X).__name__}: to_panel makes one.")
    if len(X) == 0:
        raise ValueError("describe_panel: the table has no rows.")
    panel = PanelIndex.read(X)
    if target is not None and target not in X.columns:
        raise ValueError(f"describe_panel(target=...): {refusal([target], list(map(str, X.columns)), 'column')}")
    knowing = {} if target is None else find_knowing(X, X[target])
    jumps = _describe_jumps(find_unit_jumps(X, panel), panel)
    columns, series = _describe_columns(X, panel), _describe_series(panel)
    facts = {**panel.facts, "holes": _write_holes(panel), "ends": _write_ends(series, panel)}
    missing = columns["missing"][columns["missing"] > 0].sort_values(ascending=False, kind="stable")
    constant, static = columns["constant"], columns["static"] & ~columns["constant"]
    repeats = columns["repeats"].dropna()
    facts |= {
        "columns": f"{len(columns):,}: {_shorten([str(name) for name in columns.index])}" if len(columns) else "none",
        "missing": _shorten([f"{name} {write_share(share, 1)}" for name, share in missing.items()]),
        "constant": _shorten([str(name) for name in columns.index[constant]]),
        "static": _shorten([str(name) for name in columns.index[static]]) if panel.n_series > 1 else None,
        "repeated": _shorten([f"{name} is {first} once more" for name, first in repeats.items()]),
        "text": _shorten([str(name) for name in columns.index if X[name].dtype.kind not in "biuf"]),
        "units": _write_jumps(jumps),
        "target": _shorten([f"{name} {what}" for name, what in knowing.items()]),
    }
    return PanelReport({name: text for name, text in facts.items() if text}, columns, series, jumps, knowing)


def is_static(column: pd.Series, series: Ints) -> bool:
    """Tell whether a column has at most one value in each series, missing ones left out."""
    first = column.groupby(series).transform("first")
    return bool((column.isna() | (column == first)).all())


def find_repeats(X: pd.DataFrame) -> list[Any]:
    """Name for every column the first one before it that holds the same values, NaN included; None where none does."""
    first: dict[bytes, list[int]] = {}
    found: list[Any] = []
    for i in range(X.shape[1]):
        column = X.iloc[:, i]
        codes = pd.util.hash_array(
            np.asarray(column.astype(object) if column.dtype.kind not in "biuf" else column + 0.0)
        )
        alike = first.setdefault(codes.tobytes(), [])
        found.append(X.columns[alike[0]] if alike else None)
        alike.append(i)
    return found


def _describe_columns(X: pd.DataFrame, panel: PanelIndex) -> pd.DataFrame:
    series, whole = panel.index.series, np.zeros(len(X), dtype=np.int64)
    table = {
        "missing": X.isna().mean().to_numpy(dtype=np.float64),
        "constant": np.array([is_static(X.iloc[:, i], whole) for i in range(X.shape[1])], dtype=bool),
        "static": np.array([is_static(X.iloc[:, i], series) for i in range(X.shape[1])], dtype=bool),
        "repeats": pd.Series(find_repeats(X), dtype=object).to_numpy(),
    }
    return pd.DataFrame(table, index=X.columns.rename("column"))


def _describe_series(panel: PanelIndex) -> pd.DataFrame:
    past, clock = panel.latest, panel.index.clock
    first, last = past.ticks[past.indptr[:-1]], past.ticks[past.indptr[1:] - 1]
    rows = np.diff(past.indptr)
    table = {
        "rows": np.diff(panel.indptr),
        "first": first if clock is None else clock.labels(first),
        "last": last if clock is None else clock.labels(last),
        "holes": (last - first) // (panel.step or 1) + 1 - rows,
    }
    return pd.DataFrame(table, index=panel.index.names)


def _describe_jumps(jumps: list[UnitJump], panel: PanelIndex) -> pd.DataFrame:
    past, names = panel.latest, panel.index.names
    at = past.ticks[[jump.position for jump in jumps]]
    table = {
        "column": [jump.column for jump in jumps],
        "series": [None if names is None else names[jump.series] for jump in jumps],
        "time": at if panel.index.clock is None else panel.index.clock.labels(at),
        "what": [jump.what for jump in jumps],
    }
    return pd.DataFrame(table)


def _write_jumps(jumps: pd.DataFrame) -> str | None:
    """Say which columns seem to change their unit, of each the first series."""
    said = []
    for name, rows in jumps.groupby("column", sort=False):
        first = rows.iloc[0]
        who = (
            ""
            if first["series"] is None
            else f" ({_name(first['series'])}" + (f" and {len(rows) - 1:,} more)" if len(rows) > 1 else ")")
        )
        said.append(f"{name} jumps {first['what']} about {first['time']}{who}")
    return _shorten(said)


def _write_holes(panel: PanelIndex) -> str | None:
    """Say how many rows are missing, and where most of them in a row."""
    written, past, step = panel.facts["holes"], panel.latest, panel.step
    if step is None or panel.index.clock is None:
        return None
    gaps: Ints = np.where(within_series(past.indptr), np.diff(past.ticks), step)
    if not len(gaps) or gaps.max() == step:
        return written
    before = int(np.argmax(gaps))
    when = write_period(panel.index.clock, int(past.ticks[before]) + step, int(past.ticks[before + 1]) - step)
    who = "" if panel.index.names is None else f"{_name(panel.index.names[past.series_of(np.array([before]))[0]])}, "
    return f"{written}, the longest {write_count(int(gaps[before]) // step - 1, 'row')}: {who}{when}"


def _write_ends(series: pd.DataFrame, panel: PanelIndex) -> str | None:
    """Say which series end before the last one does."""
    early = series[series["last"] < series["last"].max()]
    if len(early) == 0 or panel.index.clock is None:
        return None
    return f"before the last: {write_names(early.index)}"


def _shorten(parts: list[str]) -> str:
    more = len(parts) - _N_SHOWN
    return ", ".join(parts[:_N_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def _name(name: Any) -> str:
    return " ".join(map(str, name)) if isinstance(name, tuple) else str(name)
