"""The columns of new rows beside those of training."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skts.inspection.drift._blocks import Floats, Grid, block_means, longest_runs
from skts.inspection.drift._broken import find_unit
from skts.inspection.drift._drift_reference import DriftReference, sizes_of_blocks
from skts.inspection.drift._judge import Judgement, find_change, judge
from skts.inspection.drift._null import FEWEST
from skts.inspection.drift._rows import Rows
from skts.inspection.drift._seasons import beside_others, borrow_seasons, seasons_of, standardise

COLUMN_CHECKS = ("level", "range", "beside")  # in the order of `block_means_`
FEW = f"fewer than {FEWEST} blocks to compare with"


class NewColumns:
    """New rows as grids, and their means in blocks that end with the last row.

    Parameters
    ----------
    reference : DriftReference
    grid : Grid
        With the series of training in front.
    values : ndarray of shape (n_rows, n_features)
        A column that is not there is NaN.
    """

    def __init__(self, reference: DriftReference, grid: Grid, values: Floats):
        self.reference, self.grid, self.values = reference, grid, values
        self.length = reference.block_length_
        self.n_blocks = grid.n_times // self.length
        self.begin = grid.n_times - self.n_blocks * self.length
        self.unit = self.length // reference._n_units  # of a day, where there are days
        self.n_known = reference.bands_.shape[3]
        self.seasons = seasons_of(grid.panel.index.clock, grid.ticks)
        scores, outside, borrowed = zip(*map(self._standardise, range(values.shape[1])), strict=True)
        self.scores, self.outside = list(scores), list(outside)  # of each column (T, S)
        self.borrowed = list(borrowed)  # as scores, of months that training did not have by the nearest ones

    def spread(self, column: int) -> Floats:
        """Give a column as a grid of the series of training: (n_times, n_series)."""
        return self.grid.spread(self.values[:, column])[:, : self.n_known]

    def _standardise(self, column: int) -> tuple[Floats, Floats, Floats]:
        bands, smallest = self.reference.bands_[column].astype(np.float64), self.reference._smallest[column]
        values = self.spread(column)
        scores, outside = standardise(values, bands, *self.seasons, smallest)
        if np.array_equal(np.isnan(scores), np.isnan(values)):
            return scores, outside, scores
        return scores, outside, standardise(values, borrow_seasons(bands), *self.seasons, smallest)[0]

    def means(self, values: list[Floats]) -> Floats:
        """Average by block: of each column (T, S), to (n_blocks, S, C)."""
        return np.stack([block_means(each, self.length, self.begin) for each in values], axis=-1)

    def tick(self, time: int) -> int:
        """Give the tick of a time, by its number."""
        return self.grid.first + self.grid.step * time

    def since(self, values: Floats, usual: float, block: int) -> int:
        """Find the tick since which values, (T,), differ, of which a block is known to."""
        return self.since_day(block_means(values[:, None], self.unit, self.begin)[:, 0], usual, block)

    def since_day(self, days: Floats, usual: float, block: int) -> int:
        """Find the same from the means of days, (n_days,)."""
        per_block = self.length // self.unit
        day = find_change(days, usual, (block + 1) * per_block, per_block)
        return self.tick(self.begin + day * self.unit)


def compare_columns(
    new: NewColumns, names: list[Any], columns: list[Any], rows: Rows, level: float, n_checks: int
) -> None:
    """Add a row for each series, column and check: its level, its values outside of the band, the series beside it."""
    known = new.reference.block_means_.astype(np.float64)
    beside = [beside_others(each) for each in new.borrowed]
    judged = {}
    for number, (check, values) in enumerate(zip(COLUMN_CHECKS, (new.scores, new.outside, beside), strict=True)):
        if check == "beside" and new.n_known < 2:
            continue
        judged[check] = _judge(check, known[number], new.means(values), level, n_checks)
    if "beside" in judged:
        strength = np.abs(judged["level"].score)
        judged["beside"] = _name_the_odd(new, known[2], judged["beside"], strength, beside, level, n_checks)
    for check, found in judged.items():
        of_column = {"level": new.scores, "range": new.outside, "beside": beside}[check]
        for unit in range(len(found.value)):
            series, column = divmod(unit, len(columns))
            since = None
            if found.alarm[unit]:
                since = new.since(of_column[column][:, series], found.usual[unit], int(found.block[unit]))
            note = _why_not(new, check, known[0], series, column) if np.isnan(found.p_value[unit]) else ""
            rows.add(
                names[series], columns[column], check, found.value[unit], found.low[unit], found.high[unit],
                found.p_value[unit], bool(found.alarm[unit]), since, note,
            )  # fmt: skip


def _judge(check: str, known: Floats, new: Floats, level: float, n_checks: int) -> Judgement:
    return judge(check, known.reshape(len(known), -1), new.reshape(len(new), -1), level, n_checks)


def _name_the_odd(
    new: NewColumns,
    known: Floats,
    found: Judgement,
    strength: Floats,
    beside: list[Floats],
    level: float,
    n_checks: int,
) -> Judgement:
    """Take the series that is farthest from the others away from these, one by one: then only it is far from them."""
    n_columns = len(new.scores)
    for column in range(n_columns):
        units = np.arange(new.n_known) * n_columns + column
        others, kept = new.borrowed[column].copy(), np.zeros(new.n_known, dtype=bool)
        while (found.alarm[units] & ~kept).any() and (~kept).sum() > 1:
            order = np.round(np.where(kept | ~found.alarm[units], -1.0, np.abs(found.score[units])), 4)
            odd = int(np.lexsort((strength[units], order))[-1])
            kept[odd] = True
            others[:, odd] = np.nan
            beside[column][:, ~kept] = beside_others(others)[:, ~kept]
            again = _judge("beside", known, new.means(beside), level, n_checks)
            for name in ("value", "low", "high", "p_value", "alarm", "block", "score", "usual"):
                getattr(found, name)[units[~kept]] = getattr(again, name)[units[~kept]]
    return found


def _why_not(new: NewColumns, check: str, known: Floats, series: int, column: int) -> str:
    """Say why a column could not be judged."""
    if np.isfinite(known[:, series, column]).sum() < FEWEST:
        return FEW
    n_values = np.isfinite(new.spread(column)[:, series]).sum()
    if 2 * n_values < len(new.scores[column]):
        return "too few values"
    return "no other series" if check == "beside" else "no such season in training"


def find_broken(new: NewColumns, names: list[Any], columns: list[Any], rows: Rows) -> None:
    """Add a row for each series and column that says what share is missing, how long it stood still, and its unit."""
    reference = new.reference
    present = new.grid.spread(np.ones(len(new.values)))[:, : new.n_known]
    for column, name in enumerate(columns):
        values = new.spread(column)
        lacking = np.where(present == 1, np.isnan(values), np.nan)
        _add_missing(new, lacking, reference._most_missing[column], names, name, rows)
        lengths, begins = longest_runs(values)
        limits = np.maximum(2 * reference._longest_runs[column], max(new.unit, 6))
        sizes, medians = sizes_of_blocks(values, new.length, new.begin)
        ratios, notes, first = find_unit(sizes, medians, reference._sizes[column])
        for series, who in enumerate(names):
            long, limit = float(lengths[series]), float(limits[series])
            rows.add(who, name, "stuck", long, 0, limit, alarm=long > limit, since=new.tick(int(begins[series])),
                     note="the longest stretch without a change, in rows")  # fmt: skip
            since = new.tick(new.begin + int(first[series]) * new.length)
            low, high = _usual_sizes(reference._sizes[column][:, series])
            rows.add(who, name, "unit", ratios[series], low, high, alarm=bool(notes[series]), since=since,
                     note=notes[series])  # fmt: skip


def _usual_sizes(sizes: Floats) -> tuple[float, float]:
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(sizes[1] / sizes[0] / 2), float(2 * sizes[2] / sizes[0])


def _add_missing(
    new: NewColumns, lacking: Floats, most: NDArray[Any], names: list[Any], column: Any, rows: Rows
) -> None:
    shares = block_means(lacking, new.length, new.begin)
    for series, who in enumerate(names):
        limit = max(0.5, float(most[series]))
        share = shares[:, series]
        worst = np.nanmax(share) if np.isfinite(share).any() else np.nan
        alarm = bool(worst > limit) or bool(worst == 1 and most[series] < 1)
        since = new.begin + int(np.nanargmax(share)) * new.length if alarm else 0
        rows.add(who, column, "missing", worst, 0, limit, alarm=alarm, since=new.tick(_back(lacking[:, series], since)),
                 note="the share of the rows that lack it, in the worst block")  # fmt: skip


def _back(lacking: Floats, begin: int) -> int:
    """Find the time from which on a value lacks in every row, about the beginning of a block."""
    there = np.flatnonzero(lacking[begin:] == 1)
    first = begin + (int(there[0]) if len(there) else 0)
    before = np.flatnonzero(lacking[:first] == 0)
    return int(before[-1]) + 1 if len(before) else 0


def find_gone(new: NewColumns, names: list[Any], others: list[Any], rows: Rows) -> None:
    """Add a row for each series, with the share of times without a row in the worst block, and for each new one."""
    absent = np.isnan(new.grid.spread(np.ones(len(new.values)))).astype(np.float64)[:, : new.n_known]
    _add_gone(new, block_means(absent, new.length, new.begin), absent, names, rows)
    for who in others:
        rows.add(who, None, "rows", np.nan, alarm=True, since=new.tick(0), note="a series that training did not have")


def _add_gone(new: NewColumns, shares: Floats, absent: Floats, names: list[Any], rows: Rows) -> None:
    for series, who in enumerate(names):
        most = float(new.reference._most_absent[series])
        worst, limit = float(shares[:, series].max()), max(0.5, most)
        alarm = worst > limit or (worst == 1 and most < 1)
        note = (
            "no rows at all" if absent[:, series].all() else "the share of the times without a row, in the worst block"
        )
        block = int(shares[:, series].argmax())
        since = new.tick(_back(absent[:, series], new.begin + block * new.length))
        rows.add(who, None, "rows", worst, 0, limit, alarm=alarm, since=since, note=note)
