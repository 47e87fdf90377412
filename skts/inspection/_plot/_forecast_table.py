"""Forecasts beside the truth, in the table that `backtest` gives: what all pictures of forecasts are drawn from."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from skts.model_selection import find_levels, make_fold_table
from skts.panel import Clock, PanelIndex, check_same_series, commonest_step, first_difference
from skts.windows import find_horizon, unwrap

Floats = NDArray[np.float64]


def forecast_table(estimator: Any, X: Any, y: Any, quantiles: ArrayLike | None = None) -> pd.DataFrame:
    """Forecast every row of `X`, and put the forecasts beside the truth.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    X : array-like or DataFrame of shape (n_rows, n_features)
    y : array-like of shape (n_rows,)
        NaN is missing.
    quantiles : array-like of shape (n_quantiles,), default=None
        Levels to ask `predict` for, too.

    Returns
    -------
    table : DataFrame of shape (n_rows, n_columns)
        As :func:`table_of_predictions` gives it, with leads where the estimator cuts windows.
    """
    check_same_series(X, y)
    y_pred = _one_a_row(estimator.predict(X), X)
    y_quantiles = None
    if quantiles is not None:
        quantiles = np.unique(np.asarray(quantiles, dtype=np.float64))
        y_quantiles = _one_a_row(unwrap(estimator).predict(X, quantiles=quantiles.tolist()), X)
    horizon = find_horizon(estimator)
    panel = PanelIndex.read(X)
    lead = None if horizon is None or panel.runs is not None else panel.leads(horizon)[0]
    if isinstance(X, pd.DataFrame):  # whose index says who and when, whatever that of y is
        y = y.set_axis(X.index) if hasattr(y, "set_axis") else pd.Series(np.asarray(y).ravel(), index=X.index)
    return table_of_predictions(y, y_pred, y_quantiles=y_quantiles, quantiles=quantiles, lead=lead)


def table_of_predictions(
    y_true: Any,
    y_pred: Any,
    *,
    y_quantiles: Any = None,
    quantiles: ArrayLike | None = None,
    lead: ArrayLike | None = None,
) -> pd.DataFrame:
    """Put forecasts beside the truth.

    Parameters
    ----------
    y_true : array-like or Series of shape (n_rows,)
        Its index says who and when. NaN is missing.
    y_pred : array-like of shape (n_rows,) or None
        None is NaN in every row.
    y_quantiles : array-like or DataFrame of shape (n_rows, n_quantiles), default=None
    quantiles : array-like of shape (n_quantiles,), default=None
        The levels of `y_quantiles`; None reads them from the names of its columns, 0.1 or "q0.1".
    lead : array-like of shape (n_rows,), default=None
        How many rows ahead each forecast lies, from 1; of a table with runs its place in its run.

    Returns
    -------
    table : DataFrame of shape (n_rows, n_columns)
        Those of the columns of :func:`~skts.model_selection.backtest` that are known: the series, `time`, where `lead`
        is given or there are runs `origin` and `lead`, then `y_true`, `y_pred`, and the quantiles, increasing.
    """
    truth = _read_column("y_true", y_true, np.shape(y_true)[:1])
    forecast = np.full(truth.shape, np.nan) if y_pred is None else _read_column("y_pred", y_pred, truth.shape, y_true)
    panel = PanelIndex.read(y_true)
    rows = np.arange(len(truth))
    table = make_fold_table(y_true, panel, rows, None)
    if panel.runs is None:
        table = table.drop(columns=["origin", "lead"])
    if lead is not None:
        leads = _read_column("lead", lead, truth.shape, y_true).astype(np.int64)
        origins = panel.row_ticks - (leads - 1) * (panel.step or 1)
        clock = panel.index.clock
        table["origin"], table["lead"] = origins if clock is None else clock.labels(origins), leads
    table = table.assign(y_true=truth, y_pred=forecast)
    if y_quantiles is not None:
        levels = _read_levels(y_quantiles, quantiles)
        values = np.asarray(y_quantiles, dtype=np.float64).reshape(len(y_quantiles), -1)
        if values.shape != (len(truth), len(levels)):
            raise ValueError(
                f"The forecasts of quantiles have shape {np.shape(y_quantiles)}, and {(len(truth), len(levels))} is "
                f"expected: a row for each row of y_true, a column for each of the levels {levels.tolist()}."
            )
        _check_same_rows("The table of quantiles", y_quantiles, y_true)
        for i in np.argsort(levels):
            table[f"q{levels[i]}"] = values[:, i]
    return table


def rows_with_target(table: pd.DataFrame, needed: list[str], caller: str) -> pd.DataFrame:
    """Leave out the rows without a target, and refuse what cannot be scored.

    Raises
    ------
    ValueError
        A column is not there, no row has a target, or a forecast is missing where there is one.
    """
    lacking = [name for name in ["time", "y_true", *needed] if name not in table.columns]
    if lacking:
        raise ValueError(f"{caller}: the table has no column {lacking[0]!r}: give one as backtest makes it.")
    there = table[table["y_true"].notna()]
    if len(there) == 0:
        raise ValueError(f"{caller}: the target is missing (NaN) in all {len(table)} rows: there is nothing to show.")
    bad = np.flatnonzero(~np.isfinite(there[needed].to_numpy(dtype=np.float64)).all(axis=1))
    if len(bad):
        raise ValueError(
            f"{caller}: a forecast of row {there.index[bad[0]]} is NaN or infinite ({len(bad)} of {len(there)} rows "
            "with a target): a number is expected. Fill it, or leave the row out."
        )
    return there


def number_series(table: pd.DataFrame) -> tuple[NDArray[np.int64], list[Any]]:
    """Find each row's series, numbered in the order in which they come, and their names: None where it has none."""
    columns = list(table.columns)[: list(table.columns).index("time")]
    if not columns:
        return np.zeros(len(table), dtype=np.int64), [None]
    names = pd.Index(table[columns[0]]) if len(columns) == 1 else pd.MultiIndex.from_frame(table[columns])
    numbers, found = pd.factorize(names)
    return numbers.astype(np.int64, copy=False), list(found)


def quantile_levels(table: pd.DataFrame, caller: str) -> dict[str, float]:
    """Find the columns of a table that hold quantiles, of which there must be one, and the level of each."""
    levels = find_levels(table)
    if not levels:
        raise ValueError(f"{caller}: no quantiles were forecast. Give quantiles=[0.1, 0.5, 0.9] or the like.")
    return levels


def steps_of(times: Any) -> NDArray[np.int64]:
    """Count the whole steps from the first of some times to each, a step being the commonest one: (n_rows,)."""
    _, ticks = Clock.read(pd.Index(times))
    distinct = np.unique(ticks)
    return (ticks - distinct[0]) // (commonest_step(distinct, np.array([0, len(distinct)])) or 1)


def name_step(table: pd.DataFrame) -> str:
    """Say what a lead counts: hours, or rows of another length."""
    if "origin" not in table or not pd.api.types.is_datetime64_any_dtype(table["time"].dtype):
        return "rows"
    times, origins = table["time"], table["origin"]
    steps = ((times - origins) / (table["lead"] - 1).where(table["lead"] > 1)).dropna()
    step = pd.Timedelta(steps.median()) if len(steps) else None
    for name, length in {"hours": "1h", "days": "1D", "minutes": "1min"}.items():
        if step == pd.Timedelta(length):
            return name
    if step is None:
        return "rows"
    minutes = step / pd.Timedelta("1min")
    return f"rows of {minutes / 60:g} h" if minutes % 60 == 0 else f"rows of {minutes:g} min"


def _one_a_row(forecasts: Any, X: Any) -> Any:
    if len(forecasts) != len(X):
        raise ValueError(
            f"predict gave {len(forecasts)} forecasts for the {len(X)} rows of X, and one for each is expected: put "
            "HistoryPrepender before SlidingWindower."
        )
    return forecasts


def _read_column(name: str, values: Any, shape: tuple[int, ...], y_true: Any = None) -> Floats:
    read = np.asarray(values, dtype=np.float64)
    if read.shape not in (shape, (*shape, 1)):
        raise ValueError(f"{name} has shape {read.shape}, and {shape} is expected: one value for each row.")
    _check_same_rows(name, values, y_true)
    return read.reshape(shape)


def _check_same_rows(name: str, values: Any, y_true: Any) -> None:
    ours, theirs = getattr(y_true, "index", None), getattr(values, "index", None)
    row = first_difference(ours, theirs)
    if row is not None:
        raise ValueError(
            f"{name} and y_true have different rows: row {row} is {theirs[row]} in one and "  # type: ignore[index]
            f"{ours[row]} in the other. The same rows in the same order are expected."  # type: ignore[index]
        )


def _read_levels(y_quantiles: Any, quantiles: ArrayLike | None) -> Floats:
    if quantiles is None:
        names = getattr(y_quantiles, "columns", None)
        if names is None:
            raise ValueError("The levels of the quantiles are not known: give quantiles=[0.1, 0.5, 0.9] or the like.")
        quantiles = [float(str(name).removeprefix("q")) for name in names]
    levels = np.atleast_1d(np.asarray(quantiles, dtype=np.float64))
    if not ((levels > 0) & (levels < 1)).all() or len(np.unique(levels)) < len(levels):
        raise ValueError(f"quantiles={quantiles!r}: distinct levels strictly between 0 and 1 are expected.")
    return levels
