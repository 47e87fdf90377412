"""The columns of a backtest that hold series, time and lead."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from skts.panel import RUN, PanelIndex, series_names

RESERVED = ("time", "origin", "lead", "fold", "y_true", "y_pred")


def level_names(X: Any) -> list[str]:
    """Name the columns that hold the series of a table: one for each level of its index that names them."""
    names = [name for name in getattr(getattr(X, "index", None), "names", [None])[:-1] if name != RUN]
    unnamed = "series" if len(names) == 1 else "series_{}"
    return [unnamed.format(i) if name is None else str(name) for i, name in enumerate(names)]


def check_level_names(X: Any) -> None:
    """Refuse a table whose series would take the name of another column."""
    names = level_names(X)
    taken = [name for i, name in enumerate(names) if name in (*RESERVED, *names[:i])]
    if taken:
        raise ValueError(
            f"The level {taken[0]!r} of the index of X names a series, and a table of forecasts has another column of "
            "that name: rename the level, X.index.set_names(...)."
        )


def make_fold_table(X: Any, panel: PanelIndex, rows: NDArray[np.int64], horizon: int | None) -> pd.DataFrame:
    """Say who, when, from when and how far ahead, for every row to forecast.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_test, n_features)
        The rows to forecast.
    panel : PanelIndex
        Of `X`.
    rows : ndarray of int64 of shape (n_test,)
        Where they stand in the whole table.
    horizon : int or None

    Returns
    -------
    table : DataFrame of shape (n_test, n_levels + 3)

    Raises
    ------
    ValueError
        A series would take the name of another column.
    """
    check_level_names(X)
    origins, leads = find_origins(X, panel, rows, horizon)
    names: Any = series_names(X.index) if level_names(X) else None
    columns = {name: names.get_level_values(i) for i, name in enumerate(level_names(X))}
    times = rows if panel.index.clock is None else X.index.get_level_values(-1)
    return pd.DataFrame(columns | {"time": times, "origin": origins, "lead": leads})


def find_origins(
    X: Any, panel: PanelIndex, rows: NDArray[np.int64], horizon: int | None
) -> tuple[Any, NDArray[np.int64]]:
    """Say of every row from when and how far ahead it is forecast.

    Parameters
    ----------
    X, panel, rows, horizon
        As :func:`make_fold_table` has them.

    Returns
    -------
    origins : Index or ndarray of shape (n_test,)
        The time of lead 1; the run where the table has runs, the row's place where it has no times.
    leads : ndarray of int64 of shape (n_test,)
    """
    leads, origins = panel.leads(horizon)
    clock = panel.index.clock
    if clock is None:
        return rows[origins], leads
    return clock.labels(origins) if panel.index.runs is None else X.index.get_level_values(RUN), leads


def read_forecasts(call: str, forecasts: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Read forecasts, of which there must be one for each row."""
    read = np.asarray(forecasts, dtype=np.float64)
    if read.shape != shape and read.shape != (*shape, 1):
        raise ValueError(
            f"{call} gave the shape {read.shape}, and {shape} is expected, one forecast for each row to forecast: put "
            "HistoryPrepender before SlidingWindower."
        )
    return read.reshape(shape)


def read_levels(quantiles: ArrayLike, caller: str = "backtest") -> NDArray[np.float64]:
    """Read quantile levels in increasing order."""
    levels = np.unique(np.asarray(quantiles, dtype=np.float64))
    if len(levels) == 0 or not ((levels > 0) & (levels < 1)).all():
        raise ValueError(
            f"{caller}(quantiles={quantiles!r}): levels strictly between 0 and 1 are expected, such as [0.1, 0.9]."
        )
    return levels


def find_levels(result: pd.DataFrame) -> dict[str, float]:
    """Find the quantiles in a backtest, which stand after `y_pred`: each column and its level."""
    names = [str(name) for name in result.columns]
    after = names[names.index("y_pred") + 1 :]
    levels = {name: float(name[1:]) for name in after if name[:1] == "q" and _is_number(name[1:])}
    return dict(sorted(levels.items(), key=lambda item: item[1]))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
