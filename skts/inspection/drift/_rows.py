"""The rows of a drift report."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from skts.panel import Clock

COLUMNS = ("series", "column", "check", "value", "low", "high", "p_value", "alarm", "since", "note")


@dataclass
class Rows:
    """Rows as they are found.

    Parameters
    ----------
    clock : Clock or None
        Of the new table.
    """

    clock: Clock | None
    found: list[tuple] = field(default_factory=list)

    def add(
        self,
        series: Any,
        column: Any,
        check: str,
        value: float = np.nan,
        low: float = -np.inf,
        high: float = np.inf,
        p_value: float = np.nan,
        alarm: bool = False,
        since: int | None = None,
        note: str = "",
    ) -> None:
        """Add a row; `since` is a tick."""
        since = since if alarm else None
        self.found.append((series, column, check, value, low, high, p_value, bool(alarm), since, note))

    def table(self) -> pd.DataFrame:
        """Give all rows as a table."""
        by_name: Any = dict(zip(COLUMNS, zip(*self.found, strict=True), strict=True))
        table = pd.DataFrame({name: pd.Series(list(values), dtype=_dtype(name)) for name, values in by_name.items()})
        table["since"] = self._labels(by_name["since"])
        return table

    def _labels(self, ticks: Sequence[int | None]) -> Any:
        there = np.array([tick is not None for tick in ticks])
        known = np.array([tick or 0 for tick in ticks], dtype=np.int64)
        if self.clock is None:
            return pd.Series(known, dtype="Int64").where(there)
        return pd.Series(self.clock.labels(known)).where(there)


def _dtype(name: str) -> Any:
    return {"alarm": bool, "since": object, "series": object, "column": object, "check": str, "note": str}.get(
        name, np.float64
    )
