"""Errors of each series in units of what a naive forecast errs in its training values."""

from collections.abc import Callable
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_scalar

from skts.metrics._rows import Floats, read_rows, read_target
from skts.panel import PanelIndex, RowIndex, read_index

Ints = NDArray[np.int64]


def mean_absolute_scaled_error(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    y_train: ArrayLike,
    seasonality: int = 1,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Mean absolute error of each series in units of its seasonal naive error in training, averaged over series.

    Below 1, the forecast errs less than the value of `seasonality` rows ago did, on average, in the training values
    [1]_. Stations of any size weigh the same.

    Parameters
    ----------
    y_true : array-like or Series of shape (n_rows,)
        The target. The index of a Series tells the series: all levels but the last. A row in which it is NaN is left
        out, and so is a series that has no other rows.
    y_pred : array-like of shape (n_rows,)
        The forecast, in the unit of `y_true`; without NaN.
    y_train : array-like or Series of shape (n_train_rows,)
        The values that the forecaster was fitted to, indexed like `y_true`; an array is one series in time order. It
        may hold NaN, gaps, and series that `y_true` has not.
    seasonality : int, default=1
        Rows from a value to the one that the naive forecast repeats; 24 for the day before in hourly values. Counted
        on the regular grid of times, across gaps: a pair counts where both its values are there.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of the rows within their series. Series weigh the same all the while.

    Returns
    -------
    loss : float
        Without unit; 0 is best.

    Raises
    ------
    ValueError
        A series of `y_true` that `y_train` lacks, that has no two training values `seasonality` rows apart, or whose
        training values repeat themselves without any error; shapes that are not as above, NaN in `y_pred`, or no row
        with a target.
    PanelIndexError
        An index that cannot be read as series and time.

    See Also
    --------
    root_mean_squared_scaled_error : The same with squares.

    Notes
    -----
    ``make_scorer(mean_absolute_scaled_error, greater_is_better=False, y_train=y, seasonality=24)`` makes a scorer of
    it by :func:`~sklearn.metrics.make_scorer`, which leaves out missing targets, too. Give it the `y` that the search
    is fitted to, as a Series: all splits then have the same scales.

    References
    ----------
    .. [1] R. J. Hyndman, A. B. Koehler. "Another look at measures of forecast accuracy". International Journal of
       Forecasting 22(4), 2006. :doi:`10.1016/j.ijforecast.2006.03.001`

    Examples
    --------
    Station b is ten times as large as a, and its error, too:

    >>> import pandas as pd
    >>> from skts.metrics import mean_absolute_scaled_error
    >>> index = pd.MultiIndex.from_product([["a", "b"], range(4)], names=["station", "time"])
    >>> power = pd.Series([1.0, 3.0, 1.0, 3.0, 10.0, 30.0, 10.0, 30.0], index=index)
    >>> y_train, y_true = power.drop(3, level="time"), power.xs(3, level="time", drop_level=False)
    >>> mean_absolute_scaled_error(y_true, [4.0, 40.0], y_train=y_train)
    0.5
    """
    errors, scales = _errors_and_scales(np.abs, y_true, y_pred, y_train, seasonality, sample_weight)
    return float(np.mean(errors / scales))


def root_mean_squared_scaled_error(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    y_train: ArrayLike,
    seasonality: int = 1,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Root mean squared error of each series in units of its seasonal naive one in training, averaged over series.

    The root of the ratio of the mean squared error to the mean squared seasonal naive error, for each series, as in
    the M5 competition [1]_. There the series were weighted by their sales; here they weigh the same.

    Parameters
    ----------
    y_true : array-like or Series of shape (n_rows,)
        The target. The index of a Series tells the series: all levels but the last. A row in which it is NaN is left
        out, and so is a series that has no other rows.
    y_pred : array-like of shape (n_rows,)
        The forecast, in the unit of `y_true`; without NaN.
    y_train : array-like or Series of shape (n_train_rows,)
        The values that the forecaster was fitted to, indexed like `y_true`; an array is one series in time order. It
        may hold NaN, gaps, and series that `y_true` has not.
    seasonality : int, default=1
        Rows from a value to the one that the naive forecast repeats; 24 for the day before in hourly values. Counted
        on the regular grid of times, across gaps: a pair counts where both its values are there.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of the rows within their series. Series weigh the same all the while.

    Returns
    -------
    loss : float
        Without unit; 0 is best.

    Raises
    ------
    ValueError
        A series of `y_true` that `y_train` lacks, that has no two training values `seasonality` rows apart, or whose
        training values repeat themselves without any error; shapes that are not as above, NaN in `y_pred`, or no row
        with a target.
    PanelIndexError
        An index that cannot be read as series and time.

    See Also
    --------
    mean_absolute_scaled_error : The same with absolute errors.

    Notes
    -----
    ``make_scorer(root_mean_squared_scaled_error, greater_is_better=False, y_train=y, seasonality=24)`` makes a scorer
    of it by :func:`~sklearn.metrics.make_scorer`, which leaves out missing targets, too. Give it the `y` that the
    search is fitted to, as a Series: all splits then have the same scales.

    References
    ----------
    .. [1] S. Makridakis, E. Spiliotis, V. Assimakopoulos. "M5 accuracy competition: Results, findings, and
       conclusions". International Journal of Forecasting 38(4), 2022. :doi:`10.1016/j.ijforecast.2021.11.013`

    Examples
    --------
    >>> from skts.metrics import root_mean_squared_scaled_error
    >>> root_mean_squared_scaled_error([3.0, 1.0], [4.0, 2.0], y_train=[1.0, 3.0, 1.0])
    0.5
    """
    errors, scales = _errors_and_scales(np.square, y_true, y_pred, y_train, seasonality, sample_weight)
    return float(np.mean(np.sqrt(errors / scales)))


def seasonal_pairs(ticks: Ints, indptr: Ints, step: int | None, seasonality: int) -> tuple[Ints, Ints]:
    """Find the rows that lie exactly `seasonality` steps apart in one series.

    Parameters
    ----------
    ticks : ndarray of shape (n_rows,)
        Increasing within each series, by whole steps.
    indptr : ndarray of shape (n_series + 1,)
        Series `i` is rows `indptr[i]` to `indptr[i + 1]`, of which there is at least one.
    step : int or None
        Ticks from one row of the grid to the next; None where no series has two rows.
    seasonality : int

    Returns
    -------
    later, earlier : ndarray of shape (n_pairs,)
        The two rows of each pair.
    """
    if step is None:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    series = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    grid = (ticks - ticks[indptr[:-1]][series]) // step
    # one increasing number for each row; series so far apart that no pair reaches from one into the next
    place = series * (grid.max() + seasonality + 1) + grid
    earlier = np.searchsorted(place, place - seasonality)
    found = place[earlier] == place - seasonality
    return np.flatnonzero(found), earlier[found]


def _errors_and_scales(
    loss: Callable[[Floats], Floats],
    y_true: ArrayLike,
    y_pred: ArrayLike,
    y_train: ArrayLike,
    seasonality: int,
    sample_weight: ArrayLike | None,
) -> tuple[Floats, Floats]:
    """Give the mean loss of the forecast and of the naive forecast in training, for each series that has targets."""
    check_scalar(seasonality, "seasonality", Integral, min_val=1)
    rows = read_rows(y_true, sample_weight, y_pred=y_pred)
    index = read_index(y_true)
    series = index.series[rows.there]
    weight = np.bincount(series, rows.sample_weight, minlength=index.n_series)
    total = np.bincount(series, rows.sample_weight * loss(rows.y_true - rows.forecasts[0]), minlength=index.n_series)
    scored = np.flatnonzero(weight)
    return total[scored] / weight[scored], _scales(loss, y_train, seasonality, index, scored)


def _scales(
    loss: Callable[[Floats], Floats], y_train: ArrayLike, seasonality: int, index: RowIndex, scored: Ints
) -> Floats:
    """Give the mean loss of the seasonal naive forecast in training, for each of the scored series of an index."""
    values = read_target("y_train", y_train)
    if len(values) == 0:
        raise ValueError("y_train has no rows: the values that the forecaster was fitted to are expected.")
    panel = PanelIndex.read(y_train).latest
    values = values[panel.rows]
    later, earlier = seasonal_pairs(panel.ticks, panel.indptr, panel.step, seasonality)
    change = values[later] - values[earlier]
    there = ~np.isnan(change)
    series = panel.series_of(later[there])
    wanted = _find_series(index, scored, panel.index)
    n_pairs = np.bincount(series, minlength=panel.n_series)[wanted]
    if not n_pairs.all():
        raise ValueError(
            f"y_train: {panel.name(wanted[np.argmin(n_pairs)])} has no two values {seasonality} rows apart, and such "
            "pairs are expected to scale its errors by. Give more of its training values or a smaller seasonality, or "
            "leave it out of y_true and y_pred."
        )
    scales = np.bincount(series, loss(change[there]), minlength=panel.n_series)[wanted] / n_pairs
    if not scales.all():
        raise ValueError(
            f"y_train: {panel.name(wanted[np.argmin(scales)])} repeats itself every {seasonality} rows, and values "
            "that change are expected to scale its errors by. Leave it out of y_true and y_pred, or give training "
            "values that change."
        )
    return scales


def _find_series(index: RowIndex, scored: Ints, train: RowIndex) -> Ints:
    """Give the number that each scored series has in training."""
    if index.names is None and train.names is None:
        return scored
    if index.names is None or train.names is None:
        bare, panel = ("y_true", "y_train") if index.names is None else ("y_train", "y_true")
        raise ValueError(
            f"{bare} has no series in its index while {panel} has: both are expected to have the index "
            "(series..., time), or none. Give a Series indexed like the other."
        )
    wanted = train.names.get_indexer(index.names[scored])
    if (wanted < 0).any():
        raise ValueError(
            f"y_train has no series {index.names[scored[np.argmin(wanted)]]!r}, which y_true has: training values of "
            "every series are expected to scale its errors by. Add them, or leave it out of y_true and y_pred."
        )
    return wanted.astype(np.int64, copy=False)
