"""The trials: other values in a table, the procedure run again, the forecasts compared."""

import warnings
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import NDArray

from skts._compat import Progress
from skts.inspection.leakage._leak_report import COLUMNS, LeakReport
from skts.inspection.leakage._perturb import KINDS, perturb
from skts.inspection.leakage._procedure import PreparedSplit, Procedure, change_of
from skts.inspection.leakage._splits import SplitWatcher
from skts.inspection.leakage._visibility import Visibility, find_roles
from skts.panel import Columns, PanelIndex

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Leak = dict[str, Any]

_MAX_REFITS = 3  # for each part of the table: changed training rows are a leak by themselves, and fits cost
_TOLERANCE = 1e-6  # standard deviations: check_leakage says why


@dataclass(frozen=True)
class Trial:
    """What changed.

    Parameters
    ----------
    forecasts : ndarray of shape (n_forecasts,)
        The change of each forecast, 0 where it is within the tolerance or not compared.
    n_compared : int
    n_training : int
        How many training rows changed.
    """

    forecasts: Floats
    n_compared: int
    n_training: int

    @property
    def changed(self) -> bool:
        """Whether anything did."""
        return self.n_training > 0 or bool(self.forecasts.any())


class Experiment:
    """A procedure, what it forecasts from the true table, and trials with other tables.

    Parameters
    ----------
    procedure : Procedure
    X, y : ndarray, Series or DataFrame
        The raw table and its target.
    panel : PanelIndex
        Of `X`.
    advance : Progress
        Told of the first fit, and of every origin and series tried.
    known, target : as in :func:`check_leakage`
    watch_splits : bool
        Whether to judge the splits that the first fit makes.
    rng : RandomState
    """

    def __init__(
        self,
        procedure: Procedure,
        X: Any,
        y: Any,
        panel: PanelIndex,
        advance: Progress,
        *,
        known: Columns | None,
        target: Columns | None,
        watch_splits: bool,
        rng: RandomState,
    ):
        self.procedure, self.X, self.y, self.panel, self.rng = procedure, X, y, panel, rng
        self.advance = advance
        self.ticks, self.cuts = panel.row_ticks, panel.row_cuts
        self.split = procedure.cut(X, y)
        watcher = SplitWatcher(self.ticks[self.split.train])
        self.fitted = procedure.fit(self.split, watcher if watch_splits else None, advance.make())
        self.splits_inside = watcher.not_later
        rows, self.forecasts = procedure.forecast(self.fitted, self.split)
        self._check_repeatable("forecasts", self.fitted)
        self.visible = Visibility.of(self.fitted, X, panel, rows)
        self.roles = find_roles(self.fitted, X, y, known, target)
        self.refused: dict[str, str] = {}
        self._compared = np.zeros(len(rows), dtype=bool)
        self._culprits: dict[str, str] = {}
        self._n_refits: Counter[str] = Counter()
        self.n_origins = 0

    def try_origins(self, n_origins: int) -> list[Leak]:
        """Perturb what no forecast made up to an origin may read, for each of some origins."""
        leaks = []
        for origin in self._draw_origins(n_origins):
            end = self.visible.ends[self.visible.origins == origin].max()
            compared = (self.visible.origins <= origin) & (self.visible.ends <= end)
            parts = {role: self._cells(role, columns, origin, end) for role, columns in self.roles.items()}
            leaks += self._try_parts(parts, origin, compared)
            self._compared |= compared
            self.n_origins += 1
            self.advance()
        return leaks

    def try_series(self, n_series: int) -> list[Leak]:
        """Perturb the test rows of all series but one, for each of some."""
        leaks = []
        series = self.panel.index.series
        begin = self.cuts[self.split.test].min()
        candidates = np.unique(series[self.visible.rows])
        for one in np.sort(self.rng.permutation(candidates)[:n_series]):
            cells = self._no_cells()
            for role, columns in self.roles.items():
                cells |= (series != one)[:, None] & self._cells(role, columns, begin, begin - 1)
            leaks += self._try_parts({"other series": cells}, begin, series[self.visible.rows] == one)
            self.advance()
        return leaks

    def report(self, leaks: list[Leak]) -> LeakReport:
        """Put the leaks, and the splits that validate on the past, in a table."""
        for splitter, (n_not_later, n_valid) in self.splits_inside.items():
            leaks.append(split_leak(splitter, n_not_later, n_valid))
        roles = {role: [self._name(column) for column in columns] for role, columns in self.roles.items()}
        table = pd.DataFrame(leaks, columns=COLUMNS)
        return LeakReport(table, self.n_origins, int(self._compared.sum()), roles, self.refused)

    def _try_parts(self, parts: dict[str, Bools], origin: int, compared: Bools) -> list[Leak]:
        """Perturb all parts at once, and each by itself where that changes anything."""
        parts = {name: cells for name, cells in parts.items() if cells.any()}
        for kind in KINDS if parts else ():
            at_once = self._run(np.logical_or.reduce(list(parts.values())), kind, compared)
            if not at_once.changed:
                continue
            if at_once.n_training and not self._n_refits:
                self._check_repeatable("fits", self.procedure.fit(self.split))
            leaks: list[Leak] = []
            for name, cells in parts.items():
                trial = self._run(cells, kind, compared, refit=self._n_refits[name] < _MAX_REFITS)
                self._n_refits[name] += trial.n_training > 0
                if trial.changed:
                    leaks += self._describe(name, kind, origin, trial, self._blame(name, cells, kind, compared))
            return leaks or self._describe(" and ".join(parts), kind, origin, at_once, "together")
        return []

    def _run(self, cells: Bools, kind: str, compared: Bools, *, refit: bool = False) -> Trial:
        """Run the procedure on a table with other values in some cells."""
        change = np.zeros(len(self.forecasts))
        if kind in self.refused:
            return Trial(change, 0, 0)
        n_columns = self.X.shape[1]
        X = perturb(self.X, cells[:, :n_columns], kind, self.rng, self._alike(n_columns, self.roles["known columns"]))
        y = perturb(self.y, cells[:, n_columns:], kind, self.rng, self._alike(cells.shape[1] - n_columns))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                split = self.procedure.cut(X, y)
                n_training = self._count_training(split)
                # prepare may have dropped every row; forecasts of a model fitted on other rows are no evidence
                if len(split.test) == 0 or (n_training and not refit):
                    return Trial(change, 0, n_training)
                fitted = self.procedure.fit(split) if n_training else self.fitted
                rows, forecasts = self.procedure.forecast(fitted, split)
        except ValueError as error:
            if kind == "plausible":
                raise
            self.refused[kind] = str(error).splitlines()[0]
            return Trial(change, 0, 0)
        there = compared & np.isin(self.visible.rows, rows)  # prepare may have dropped a row that lacks a value now
        after = self.forecasts.copy()
        order = np.argsort(rows)
        after[there] = forecasts[order[np.searchsorted(rows, self.visible.rows[there], sorter=order)]]
        change = change_of(self.forecasts, after)
        return Trial(np.where(change > _TOLERANCE, change, 0.0), int(there.sum()), n_training)

    def _alike(self, n_columns: int, known: Any = ()) -> dict[int, NDArray[np.int64]] | None:
        """Let what is measured be the same in every run that reaches its time."""
        if self.panel.runs is None:
            return None
        return dict.fromkeys(set(range(n_columns)).difference(np.asarray(known).tolist()), self.panel.row_numbers)

    def _count_training(self, split: PreparedSplit) -> int:
        if self.procedure.prepare is None:
            return 0
        if not np.array_equal(split.train, self.split.train):
            return len(np.setxor1d(split.train, self.split.train)) or len(split.train)
        changes = [change_of(getattr(self.split, part), getattr(split, part)) for part in ("X_train", "y_train")]
        return int((np.max(changes, axis=0) > _TOLERANCE).sum())

    def _check_repeatable(self, what: str, fitted: Any) -> None:
        _, again = self.procedure.forecast(fitted, self.split)
        change = change_of(self.forecasts, again)
        if (change > _TOLERANCE).any():
            raise ValueError(
                f"Two {what} of {type(self.procedure.estimator).__name__} on the same rows, with the same numbers for "
                f"every random_state, differ in {(change > _TOLERANCE).sum()} of {len(change)} forecasts by up to "
                f"{change.max():.3g} standard deviations, so a change shows nothing. Make it repeatable: a "
                'random_state for all that draws, device="cpu" for a network.'
            )

    def _blame(self, name: str, cells: Bools, kind: str, compared: Bools) -> str:
        """Name the columns that make a change by themselves, found once."""
        if name not in self._culprits:
            columns = self.roles.get(name, np.arange(self.X.shape[1]))
            culprits = [
                column
                for column in columns
                if len(columns) == 1 or self._run(cells & (np.arange(cells.shape[1]) == column), kind, compared).changed
            ]
            self._culprits[name] = ", ".join(map(self._name, culprits)) or ("y" if name == "target" else "together")
        return self._culprits[name]

    def _describe(self, name: str, kind: str, origin: int, trial: Trial, columns: str) -> list[Leak]:
        clock, index = self.panel.index.clock, self.panel.index
        time = origin if clock is None else clock.labels(np.array([origin]))[0]
        common: Leak = {"perturbed": name, "columns": columns, "values": kind, "origin": time}
        leaks = []
        if trial.n_training:
            sizes = {"n_changed": trial.n_training, "n_compared": len(self.split.train)}
            leaks.append(common | {"changed": "training rows"} | sizes)
        hit = np.flatnonzero(trial.forecasts)
        series: Any = self.panel.index.series[self.visible.rows[hit]]
        hits = pd.DataFrame({"series": series, "lead": self.visible.leads[hit], "change": trial.forecasts[hit]})
        for (one, lead), some in hits.groupby(["series", "lead"]):
            name_of_series = None if index.names is None else index.names[int(one)]  # type: ignore[call-overload]
            leaks.append(
                common
                | {"changed": "forecasts", "series": name_of_series, "lead": lead, "change": some["change"].max()}
                | {"n_changed": len(some), "n_compared": trial.n_compared}
            )
        return leaks

    def _cells(self, role: str, columns: NDArray[np.int64], origin: int, end: int) -> Bools:
        cells = self._no_cells()
        late = self.cuts > end if role == "known columns" else self.ticks >= self._find_unmeasured(origin)
        cells[np.ix_(late, columns)] = True
        if role == "target":
            cells[late, self.X.shape[1] :] = True
        return cells

    def _find_unmeasured(self, origin: int) -> int:
        """Find the tick from which on nothing is measured at an origin."""
        if self.panel.index.runs is None:
            return origin
        return min(origin + 1, int(self.ticks[self.cuts == origin].min()))  # what has the time of the run is measured

    def _no_cells(self) -> Bools:
        n_targets = 1 if self.y.ndim == 1 else self.y.shape[1]
        return np.zeros((len(self.X), self.X.shape[1] + n_targets), dtype=bool)

    def _draw_origins(self, n_origins: int) -> NDArray[np.int64]:
        """Draw the first origin, some right after missing values, and others."""
        origins = np.unique(self.visible.origins)
        first, others = origins[:1], self.rng.permutation(origins[1:])
        times = np.unique(self.ticks)
        holes = np.unique(self.ticks[pd.DataFrame(self.X).isna().to_numpy().any(axis=1)])
        before = times[np.maximum(np.searchsorted(times, others) - 1, 0)]
        after_holes = others[np.isin(before, holes)][: n_origins // 2]
        rest = others[~np.isin(others, after_holes)]
        return np.sort(np.concatenate([first, after_holes, rest])[:n_origins])

    def _name(self, column: int) -> str:
        return str(self.X.columns[column]) if isinstance(self.X, pd.DataFrame) else str(column)


def split_leak(splitter: str, n_not_later: int, n_valid: int) -> Leak:
    """Report a split that validates on rows that are no later than a training row."""
    return {
        "perturbed": "rows of the split",
        "columns": splitter,
        "changed": "validation rows",
        "n_changed": n_not_later,
        "n_compared": n_valid,
    }
