"""Which columns of new rows left the range of training, and whether forecasts are what was promised."""

from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted

from skts._compat import HasMethods, Interval, validate_params
from skts.inspection._plot._forecast_table import forecast_table
from skts.inspection.drift._blocks import Floats, Grid
from skts.inspection.drift._compare_columns import COLUMN_CHECKS, NewColumns, compare_columns, find_broken, find_gone
from skts.inspection.drift._compare_errors import compare_errors, error_checks
from skts.inspection.drift._drift_reference import DriftReference
from skts.inspection.drift._promise import Promise
from skts.inspection.drift._rows import Rows
from skts.panel import PanelIndex, check_same_series, naming_cells
from skts.windows import unwrap, walk


@validate_params(
    {
        "pipe": [HasMethods(["predict"]), None],
        "X_new": ["array-like"],
        "y_new": ["array-like", None],
        "reference": [DriftReference, None],
        "backtest": [pd.DataFrame, None],
        "forecasts": [pd.DataFrame, None],
        "level": [Interval(Real, 0, 1, closed="neither")],
    },
    prefer_skip_nested_validation=True,
)
def drift_report(
    pipe: Any,
    X_new: Any,
    y_new: Any = None,
    *,
    reference: DriftReference | None = None,
    backtest: pd.DataFrame | None = None,
    forecasts: pd.DataFrame | None = None,
    level: float = 0.05,
) -> pd.DataFrame:
    """DOC"""
    reference, X_new = _find_reference(pipe, reference, X_new)
    if y_new is not None:
        check_consistent_length(X_new, y_new)
        check_same_series(X_new, y_new)
    promise = reference.promise_ if backtest is None else Promise.of(backtest, reference.block_length_)
    values, columns, lacking, added = _read(reference, X_new)
    panel = PanelIndex.read(X_new, reference._layout)
    _check_long_enough(reference, panel)
    grid = Grid.of(panel, reference.series_)
    table = _forecasts(pipe, X_new, y_new, promise, forecasts, lacking)
    names = [None] if reference.series_ is None else list(reference.series_)
    others = [] if reference.series_ is None else [each for each in panel.index.names if each not in reference.series_]
    new, rows = NewColumns(reference, grid, values), Rows(panel.index.clock)
    n_checks = len(COLUMN_CHECKS) - (len(names) < 2) + len(error_checks(promise) if table is not None else [])
    for column in lacking:
        rows.add(None, column, "column", alarm=True, since=grid.first, note="not in the new table")
    for column in added:
        rows.add(None, column, "column", alarm=True, since=grid.first, note="not in the table of training")
    find_gone(new, names, others, rows)
    find_broken(new, names, columns, rows)
    compare_columns(new, names, columns, rows, level, n_checks)
    if promise is not None and table is not None:
        compare_errors(new, promise, table, rows, level, n_checks)
    return rows.table()


def _find_reference(pipe: Any, reference: DriftReference | None, X_new: Any) -> tuple[DriftReference, Any]:
    """Find what to compare with, and the table as it came there."""
    if reference is not None:
        check_is_fitted(reference)
        return reference, X_new
    own = unwrap(pipe)
    if isinstance(own, Pipeline):
        for number, (_, step) in enumerate(own.steps):
            if isinstance(step, DriftReference):
                check_is_fitted(step)
                return step, own[:number].transform(X_new) if number else X_new
    inside = next((part for part in walk(own) if isinstance(part, DriftReference)), None) if own is not None else None
    if inside is not None:
        check_is_fitted(inside)
        return inside, X_new
    raise ValueError(
        f"drift_report: {type(own).__name__} has no DriftReference among its steps, and keeps nothing of its training "
        "table that new rows could be compared with: give reference=DriftReference().fit(X_train), or put a "
        "DriftReference() first in the pipeline."
    )


def _read(reference: DriftReference, X_new: Any) -> tuple[Floats, list[Any], list[Any], list[Any]]:
    """Give the columns of training, NaN where the new table lacks them, and what is lacking and what is added."""
    names = getattr(reference, "feature_names_in_", None)
    if names is None or not isinstance(X_new, pd.DataFrame):
        with naming_cells(X_new):
            values = np.asarray(X_new, dtype=np.float64)
        if values.shape[1] != reference.n_features_in_:
            raise ValueError(
                f"drift_report: X_new has {values.shape[1]} columns, and the table of training had "
                f"{reference.n_features_in_}."
            )
        columns = [f"x{i}" for i in range(values.shape[1])] if names is None else list(names)
        return values, columns, [], []
    lacking = [name for name in names if name not in X_new.columns]
    added = [name for name in X_new.columns if name not in names]
    there = X_new[[name for name in names if name in X_new.columns]]
    with naming_cells(there):
        values = there.astype(np.float64).reindex(columns=list(names)).to_numpy()
    return values, list(names), lacking, added


def _check_long_enough(reference: DriftReference, panel: PanelIndex) -> None:
    past = panel.latest
    n_times = (int(past.ticks.max()) - int(past.ticks.min())) // (past.step or 1) + 1
    if n_times < reference.block_length_:
        raise ValueError(
            f"drift_report: X_new spans {n_times} times, and DriftReference(block={reference.block}) compares blocks of "
            f"{reference.block_length_}: give the rows before them, too, or fit a DriftReference with a shorter block."
        )


def _forecasts(
    pipe: Any, X_new: Any, y_new: Any, promise: Promise | None, forecasts: pd.DataFrame | None, lacking: list[Any]
) -> pd.DataFrame | None:
    """Give new forecasts beside the truth, where there are such and something to compare them with."""
    if promise is None and forecasts is not None:
        raise ValueError(
            "drift_report(forecasts=...): there is no backtest to compare them with: give backtest=..., or keep it by "
            "DriftReference.promise(backtest)."
        )
    if promise is None or forecasts is not None:
        return forecasts
    if y_new is None or lacking:
        return None
    return forecast_table(pipe, X_new, y_new, list(promise.levels.values()) or None)
