"""What a regressor learns from: targets and weights by address."""

from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_array, check_consistent_length

from skts._compat import check_sample_weight
from skts.supervised._inputs import Inputs
from skts.windows import Windows

_ROUNDING = 1e-6  # by how much one target may differ from run to run
_ON_BOUND = 1e-6  # likewise from a bound that it lies on: static columns are float32


@dataclass(frozen=True)
class Targets:
    """Targets in one table, and where each window's horizon starts in it.

    Parameters
    ----------
    values : ndarray of float64 of shape (n_target_rows, n_targets)
        NaN is missing.
    weights : ndarray of float64 of shape (n_target_rows, n_targets)
        0 where a target is missing, and 1 on average elsewhere.
    starts : ndarray of int64 of shape (n_windows,)
    horizon : int
    shape : tuple of int
        The shape of what one window forecasts, as `y` had it.
    bounds : (lower, upper), or None
        ndarrays of float64 of shape (n_target_rows, 1), in units of the target; None where it has no bounds.
    """

    values: NDArray[np.float64]
    weights: NDArray[np.float64]
    starts: NDArray[np.int64]
    horizon: int
    shape: tuple[int, ...]
    bounds: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None

    @property
    def n_targets(self) -> int:
        """Columns of `y`."""
        return self.values.shape[1]

    def moments(self, items: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give the weighted mean and standard deviation of each target over the horizons of some windows.

        Each row counts once, however many windows forecast it. A constant target has the deviation 1.
        """
        covered = self._covered(items)
        weights = self.weights[covered]
        values = np.where(weights > 0, self.values[covered], 0.0)
        total = weights.sum(axis=0)
        total[total == 0] = 1.0
        mean = (weights * values).sum(axis=0) / total
        scale = np.sqrt((weights * (values - mean) ** 2).sum(axis=0) / total)
        if not np.isfinite(scale).all():
            raise ValueError(f"y reaches {np.abs(values).max():g}, whose square is infinite: give it in a larger unit.")
        return mean, np.where(scale > 10 * np.finfo(np.float64).eps * np.abs(mean), scale, 1.0)

    def moments_by(
        self, items: NDArray[np.int64], numbers: NDArray[np.int64], n_numbers: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give the weighted mean and standard deviation of each target by the number that its windows have.

        Parameters
        ----------
        items : ndarray of int64 of shape (n_items,)
        numbers : ndarray of int64 of shape (n_items,)
            From 0 to `n_numbers` - 1; windows with different ones have no row in common.
        n_numbers : int

        Returns
        -------
        mean, scale : ndarray of shape (n_numbers, n_targets)
            NaN where a number has no target.
        """
        order = np.argsort(self.starts[items], kind="stable")
        rows = np.flatnonzero(self._covered(items))
        number = numbers[order][np.searchsorted(self.starts[items][order], rows, side="right") - 1]
        mean, scale = np.empty((2, n_numbers, self.n_targets))
        for target, (values, weights) in enumerate(zip(self.values[rows].T, self.weights[rows].T, strict=True)):
            values = np.where(weights > 0, values, 0.0)
            with np.errstate(invalid="ignore", divide="ignore"):
                total = np.bincount(number, weights, n_numbers)
                mean[:, target] = np.bincount(number, weights * values, n_numbers) / total
                squares = weights * (values - mean[number, target]) ** 2
                scale[:, target] = np.sqrt(np.bincount(number, squares, n_numbers) / total)
        return mean, scale

    def _covered(self, items: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which rows lie in the horizons of some windows."""
        begin, end = self.starts[items], self.starts[items] + self.horizon
        n = len(self.values) + 1
        return np.cumsum(np.bincount(begin, minlength=n) - np.bincount(end, minlength=n))[:-1] > 0

    def teaching(self) -> NDArray[np.int64]:
        """List the windows that have at least one target."""
        total = np.append(0, np.cumsum((self.weights > 0).any(axis=1)))
        return np.flatnonzero(total[self.starts + self.horizon] > total[self.starts])

    def standardised(
        self, mean: NDArray[np.float64], scale: NDArray[np.float64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Give the values in standard units, without a NaN, and the weights; None where all weigh alike.

        Where there are bounds, the values lie within them, and each row goes on with its lower and its upper ones.
        """
        values = np.where(self.weights > 0, (self.values - mean) / scale, 0.0).astype(np.float32)
        if self.bounds is not None:
            low, high = self.bounds
            lower, upper = (((bound - mean) / scale).astype(np.float32) for bound in self.bounds)
            values = np.where(self.values <= low + _ON_BOUND * _size(low), lower, values)
            values = np.where(self.values >= high - _ON_BOUND * _size(high), upper, values)
            values = np.concatenate([values, lower, upper], axis=1)
        return values, None if (self.weights == 1).all() else self.weights.astype(np.float32)


def _size(bounds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the absolute value of bounds, 0 of infinite ones."""
    return np.where(np.isfinite(bounds), np.abs(bounds), 0.0)


def read_targets(owner: str, inputs: Inputs, y: Any, sample_weight: ArrayLike | None) -> Targets:
    """Validate `y` and put it beside the windows.

    Parameters
    ----------
    owner : str
        The estimator, for messages.
    inputs : Inputs
    y : array-like of shape (n_rows,) or (n_rows, n_targets)
        For windows: one value for every row that entered the windower. For arrays of windows: (n_windows,),
        (n_windows, n_targets) or (n_windows, horizon, n_targets).
    sample_weight : array-like of shape (n_rows,) or None
        As long as `y`.
    """
    if y is None:
        raise ValueError(f"{owner} requires y to be passed, but the target y is None.")
    if isinstance(y, Number) or getattr(y, "ndim", 1) == 0:
        raise ValueError(f"{owner}: y must have one value per row, and is the single value {y}.")
    y = check_array(y, dtype=np.float64, ensure_2d=False, allow_nd=True, ensure_all_finite="allow-nan", input_name="y")
    weights = None
    if sample_weight is not None:
        weights = check_sample_weight(sample_weight, y, dtype=np.float64, ensure_non_negative=True)
    if inputs.windows is not None:
        table, row_weights, starts = _of_rows(owner, inputs, y, weights)
        horizon, shape = inputs.windows.horizon, y.shape[1:]
    else:
        check_consistent_length(inputs.starts, y)
        horizon, shape = (y.shape[1], y.shape[1:]) if y.ndim == 3 else (1, y.shape[1:])
        table = y.reshape(len(y) * horizon, -1)
        row_weights = np.repeat(np.ones(len(y)) if weights is None else weights, horizon)
        starts = horizon * np.arange(len(y), dtype=np.int64)
    table_weights = np.where(np.isnan(table), 0.0, row_weights[:, None])
    if not table_weights.any():
        raise ValueError(
            f"{owner}: y is missing (NaN) in every row of positive weight: there is nothing to learn from."
        )
    table_weights /= table_weights[table_weights > 0].mean()
    return Targets(table, table_weights, starts, horizon, shape)


def _of_rows(
    owner: str, inputs: Inputs, y: NDArray[np.float64], weights: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    windows = inputs.windows
    assert windows is not None
    if y.ndim > 2:
        raise ValueError(f"{owner}: y must be (n_rows,) or (n_rows, n_targets) beside Windows, and is {y.shape}.")
    if inputs.has_runs:
        _check_truths(owner, windows, y.reshape(len(y), -1))
    row_weights = windows.to_panel(np.ones(len(y)) if weights is None else weights, fill=0.0)
    return windows.to_panel(y.reshape(len(y), -1)), row_weights, windows.horizon_starts


def _check_truths(owner: str, windows: Windows, y: NDArray[np.float64]) -> None:
    """Refuse runs that have different targets for one series and time."""
    places = (windows.origins[:, None] + np.arange(windows.horizon)).ravel()
    rows = windows.rows[windows.horizon_positions()].ravel()
    places, rows = places[rows >= 0], rows[rows >= 0]
    order = np.argsort(places, kind="stable")
    rows, begins = rows[order], np.flatnonzero(np.diff(places[order], prepend=-1))
    for column in range(y.shape[1]):
        said = y[rows, column]
        low, high = np.fmin.reduceat(said, begins), np.fmax.reduceat(said, begins)
        bad = np.flatnonzero(high - low > _ROUNDING * np.maximum(np.abs(low), np.abs(high)))
        if len(bad):
            those = rows[begins[bad[0]] : np.append(begins, len(rows))[bad[0] + 1]]
            one, other = those[np.nanargmin(y[those, column])], those[np.nanargmax(y[those, column])]
            raise ValueError(
                f"{owner}: y is {y[one, column]:g} in row {one} and {y[other, column]:g} in row {other}, which are of "
                "one series and time in two runs. The target is what was measured then, the same in every run: join "
                "it to the table by series and time."
            )
