"""The rows that a metric scores, and the checks that all metrics share."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skts.panel import first_difference, has_target

Floats = NDArray[np.float64]

_LARGEST = float(np.sqrt(np.finfo(np.float64).max))


class Rows(NamedTuple):
    """The rows to score: those that have a target and a weight above 0.

    Parameters
    ----------
    there : ndarray of bool of shape (n_rows,)
        Which rows of the table they are.
    y_true : ndarray of shape (n_scored,)
    forecasts : list of ndarray of shape (n_scored,) or (n_scored, n_quantiles)
    sample_weight : ndarray of shape (n_scored,)
        Ones where none was given.
    """

    there: NDArray[np.bool_]
    y_true: Floats
    forecasts: list[Floats]
    sample_weight: Floats


def read_rows(
    y_true: ArrayLike, sample_weight: ArrayLike | None, n_quantiles: int | None = None, **forecasts: ArrayLike
) -> Rows:
    """Check what a metric is given and leave out the rows that it does not score.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        NaN in a row without a target.
    sample_weight : array-like of shape (n_rows,), or None
    n_quantiles : int, default=None
        Columns of each forecast; None for forecasts of shape (n_rows,).
    **forecasts : array-like of shape (n_rows,) or (n_rows, n_quantiles)
        By the names that the metric's parameters have.

    Returns
    -------
    rows : Rows

    Raises
    ------
    ValueError
        Another shape, another index than that of `y_true`, a forecast or a weight that is not finite, a negative
        weight, an infinite target, or no row to score.
    """
    there = rows_with_target(y_true)
    target = read_target("y_true", y_true)
    weight = _read_weight(sample_weight, len(target))
    shape = (len(target),) if n_quantiles is None else (len(target), n_quantiles)
    for name, forecast in forecasts.items():
        check_forecast(name, forecast, y_true)
    read = [_reshape(name, forecast, shape) for name, forecast in forecasts.items()]
    there &= weight > 0
    if not there.any():
        raise ValueError("sample_weight is 0 in every row that has a target: at least one weight above 0 is expected.")
    return Rows(there, target[there], [forecast[there] for forecast in read], weight[there])


def rows_with_target(y_true: ArrayLike) -> NDArray[np.bool_]:
    """Tell which rows have a target, of which there must be one."""
    there = has_target(y_true)
    if not there.any():
        raise ValueError(
            f"y_true has no target in any of its {len(there)} rows: there is nothing to score. Give rows in which "
            "y_true is not NaN."
        )
    return there


def take_rows(values: Any, there: NDArray[np.bool_]) -> Any:
    """Take rows of an array or a pandas object, which stays one."""
    return values[there] if hasattr(values, "iloc") else np.asarray(values)[there]


def read_target(name: str, y: ArrayLike) -> Floats:
    """Read a target as one column, which may hold NaN."""
    read = _reshape(name, y, (len(np.asarray(y)),))
    bad = np.flatnonzero(np.abs(read) > _LARGEST)
    if len(bad):
        what = "infinite" if np.isinf(read[bad[0]]) else f"{read[bad[0]]:g}, whose square is infinite,"
        raise ValueError(f"{name} is {what} in row {bad[0]}: a number is expected, or NaN where the row has no target.")
    return read


def check_forecast(name: str, forecast: ArrayLike, y_true: ArrayLike) -> None:
    """Refuse a forecast that does not have one finite answer for each row of `y_true`."""
    read = np.asarray(forecast, dtype=np.float64)
    n_rows = len(np.asarray(y_true))
    if read.ndim == 0 or len(read) != n_rows:
        raise ValueError(
            f"{name} has shape {read.shape} and y_true has {n_rows} rows: one forecast for each row of y_true is "
            "expected, also where y_true is NaN."
        )
    _check_same_index(name, forecast, y_true)
    bad = np.flatnonzero(~np.isfinite(read).reshape(n_rows, -1).all(axis=1))
    if len(bad):
        raise ValueError(
            f"{name} is NaN or infinite in row {bad[0]} ({len(bad)} of {n_rows} rows): a number is expected in every "
            f"row, and only y_true may hold NaN. Leave such rows out of y_true and {name} alike, or fill {name} there."
        )


def check_quantiles(quantiles: ArrayLike) -> Floats:
    """Read quantile levels: increasing, each strictly between 0 and 1."""
    levels = np.asarray(quantiles, dtype=np.float64)
    if levels.ndim != 1 or len(levels) == 0:
        raise ValueError(f"quantiles={quantiles!r}: a sequence of levels is expected, such as [0.1, 0.5, 0.9].")
    bad = np.flatnonzero(~((levels > 0) & (levels < 1)))
    if len(bad):
        raise ValueError(
            f"quantiles[{bad[0]}] is {levels[bad[0]]:g}: levels strictly between 0 and 1 are expected. Divide per "
            "cents by 100."
        )
    bad = np.flatnonzero(np.diff(levels) <= 0)
    if len(bad):
        raise ValueError(
            f"quantiles[{bad[0] + 1}] is {levels[bad[0] + 1]:g} and comes after {levels[bad[0]]:g}: increasing levels "
            "are expected. Sort them, and the columns of the forecast alike."
        )
    return levels


def _check_same_index(name: str, forecast: Any, y_true: Any) -> None:
    """Refuse two tables that both say who and when, and do not say the same."""
    ours, theirs = (getattr(table, "index", None) for table in (y_true, forecast))
    row = first_difference(ours, theirs)
    if row is not None:
        assert ours is not None
        assert theirs is not None
        raise ValueError(
            f"{name} and y_true have different rows: row {row} is {theirs[row]} in {name} and {ours[row]} in y_true. "
            f"The same rows in the same order are expected: give {name}.loc[y_true.index]."
        )


def _reshape(name: str, values: ArrayLike, shape: tuple[int, ...]) -> Floats:
    read = np.asarray(values, dtype=np.float64)
    column = {(shape[0],), (shape[0], 1)}
    if read.shape != shape and not {read.shape, shape} <= column:
        way_out = "score one target at a time" if len(shape) == 1 else "one column for each quantile"
        raise ValueError(f"{name} has shape {read.shape}, and shape {shape} is expected: {way_out}.")
    return read.reshape(shape)


def _read_weight(sample_weight: ArrayLike | None, n_rows: int) -> Floats:
    if sample_weight is None:
        return np.ones(n_rows)
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (n_rows,):
        raise ValueError(
            f"sample_weight has shape {weight.shape}, and shape {(n_rows,)} is expected: one weight for each row of "
            "y_true."
        )
    bad = np.flatnonzero(~(np.isfinite(weight) & (weight >= 0)))
    if len(bad):
        raise ValueError(
            f"sample_weight is {weight[bad[0]]:g} in row {bad[0]}: a finite number is expected, at least 0. Give 0 to "
            "a row that is not to count."
        )
    return weight
