"""Errors in units of what a station can give."""

from collections.abc import Mapping
from numbers import Real

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from skts.metrics._rows import Floats, Rows, read_rows
from skts.panel import read_index

Capacity = float | Mapping | pd.Series


def capacity_normalized_mae(
    y_true: ArrayLike, y_pred: ArrayLike, *, capacity: Capacity, sample_weight: ArrayLike | None = None
) -> float:
    """Mean absolute error, each row's in units of its station's capacity.

    The usual score of wind and solar power [1]_: 0.1 is an error of 10 % of the installed capacity. Every row weighs
    the same, so a station weighs by its number of rows.

    Parameters
    ----------
    y_true : array-like or Series of shape (n_rows,)
        The power. A row in which it is NaN is left out.
    y_pred : array-like of shape (n_rows,)
        The forecast, in the unit of `y_true`; without NaN.
    capacity : float, mapping or Series
        The capacity in the unit of `y_true`, above 0: one for all rows, or one for each series by its name (a tuple
        where several index levels name it), which the index of `y_true` then tells.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of the rows.

    Returns
    -------
    loss : float
        Share of the capacity; 0 is best.

    Raises
    ------
    ValueError
        A series without a capacity, a capacity that is not above 0, shapes that are not as above, NaN in `y_pred`, or
        no row with a target.
    TypeError
        A capacity that is neither a number nor a mapping.

    See Also
    --------
    capacity_normalized_rmse : The same with squares.

    Notes
    -----
    ``make_scorer(capacity_normalized_mae, greater_is_better=False, capacity=capacity)`` makes a scorer of it by
    :func:`~sklearn.metrics.make_scorer`, which leaves out missing targets, too.

    References
    ----------
    .. [1] H. Madsen, P. Pinson, G. Kariniotakis, H. A. Nielsen, T. S. Nielsen. "Standardizing the performance
       evaluation of short-term wind power prediction models". Wind Engineering 29(6), 2005.
       :doi:`10.1260/030952405776234599`

    Examples
    --------
    >>> import pandas as pd
    >>> from skts.metrics import capacity_normalized_mae
    >>> index = pd.MultiIndex.from_product([["small", "large"], range(2)], names=["station", "time"])
    >>> power = pd.Series([1.0, 2.0, 10.0, 20.0], index=index)
    >>> capacity_normalized_mae(power, [2.0, 1.0, 20.0, 10.0], capacity={"small": 4.0, "large": 40.0})
    0.25
    """
    rows = read_rows(y_true, sample_weight, y_pred=y_pred)
    unit = _capacity_of_rows(y_true, rows, capacity)
    return float(mean_absolute_error(rows.y_true / unit, rows.forecasts[0] / unit, sample_weight=rows.sample_weight))


def capacity_normalized_rmse(
    y_true: ArrayLike, y_pred: ArrayLike, *, capacity: Capacity, sample_weight: ArrayLike | None = None
) -> float:
    """Root mean squared error, each row's in units of its station's capacity.

    The usual score of wind and solar power [1]_: 0.1 is an error of 10 % of the installed capacity. Every row weighs
    the same, so a station weighs by its number of rows.

    Parameters
    ----------
    y_true : array-like or Series of shape (n_rows,)
        The power. A row in which it is NaN is left out.
    y_pred : array-like of shape (n_rows,)
        The forecast, in the unit of `y_true`; without NaN.
    capacity : float, mapping or Series
        The capacity in the unit of `y_true`, above 0: one for all rows, or one for each series by its name (a tuple
        where several index levels name it), which the index of `y_true` then tells.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of the rows.

    Returns
    -------
    loss : float
        Share of the capacity; 0 is best.

    Raises
    ------
    ValueError
        A series without a capacity, a capacity that is not above 0, shapes that are not as above, NaN in `y_pred`, or
        no row with a target.
    TypeError
        A capacity that is neither a number nor a mapping.

    See Also
    --------
    capacity_normalized_mae : The same with absolute errors.

    Notes
    -----
    ``make_scorer(capacity_normalized_rmse, greater_is_better=False, capacity=capacity)`` makes a scorer of it by
    :func:`~sklearn.metrics.make_scorer`, which leaves out missing targets, too.

    References
    ----------
    .. [1] H. Madsen, P. Pinson, G. Kariniotakis, H. A. Nielsen, T. S. Nielsen. "Standardizing the performance
       evaluation of short-term wind power prediction models". Wind Engineering 29(6), 2005.
       :doi:`10.1260/030952405776234599`

    Examples
    --------
    >>> from skts.metrics import capacity_normalized_rmse
    >>> capacity_normalized_rmse([500.0, 1500.0], [900.0, 1100.0], capacity=1600.0)
    0.25
    """
    rows = read_rows(y_true, sample_weight, y_pred=y_pred)
    unit = _capacity_of_rows(y_true, rows, capacity)
    return float(
        root_mean_squared_error(rows.y_true / unit, rows.forecasts[0] / unit, sample_weight=rows.sample_weight)
    )


def _capacity_of_rows(y_true: ArrayLike, rows: Rows, capacity: Capacity) -> Floats:
    """Give the capacity of each scored row."""
    if isinstance(capacity, Real):
        _check_above_zero("capacity", float(capacity))
        return np.full(len(rows.y_true), float(capacity))
    if not isinstance(capacity, Mapping | pd.Series):
        raise TypeError(
            f"capacity is a {type(capacity).__name__}: a number is expected, or a mapping or Series with a capacity "
            "for each series by its name."
        )
    index = read_index(y_true)
    if index.names is None:
        raise ValueError(
            "capacity has one value for each series, and y_true has no series in its index: a Series with the index "
            "(series..., time) is expected. Give it, or one number as capacity."
        )
    scored, number = np.unique(index.series[rows.there], return_inverse=True)
    return _look_up(pd.Series(capacity, dtype=np.float64), index.names[scored])[number]


def _look_up(capacity: pd.Series, names: pd.Index) -> Floats:
    """Give the capacity of each series by its name."""
    if not capacity.index.is_unique:
        twice = capacity.index[capacity.index.duplicated()][0]
        raise ValueError(f"capacity has series {twice!r} twice: one value for each series is expected.")
    found = capacity.index.get_indexer(names)
    if (found < 0).any():
        raise ValueError(
            f"capacity has no series {names[int(np.argmin(found))]!r}, which y_true has: a capacity for each series is "
            "expected. Add it, or leave the series out of y_true and y_pred."
        )
    values = capacity.to_numpy()[found]
    for name, value in zip(names, values, strict=True):
        _check_above_zero(f"capacity[{name!r}]", value)
    return values


def _check_above_zero(name: str, value: float) -> None:
    if not 0 < value < np.inf:
        raise ValueError(f"{name} is {value:g}: a finite number above 0 is expected, in the unit of y_true.")
