"""What is usual in a training table and in a backtest, kept for comparison."""

from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skts._compat import Interval, fit_context, fit_task
from skts.inspection.drift._blocks import Floats, Grid, block_length, block_means, longest_runs
from skts.inspection.drift._promise import Promise
from skts.inspection.drift._seasons import (
    LEVELS,
    beside_others,
    learn_bands,
    seasons_of,
    smallest_deviations,
    standardise,
)
from skts.panel import PanelIndex, check_same_series, read_values

_N_FOLDS = 5  # of weeks, each judged by bands without it


class DriftReference(CallbackSupportMixin, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Remember what is usual in a training table, by series and season, so that later tables can be compared with it.

    A transformer that leaves the table as it is: as the first step of a pipeline it learns when the pipeline does and
    is saved with it, and :func:`drift_report` finds it there. Fitted alone on the training table, it is given to the
    report as `reference`.

    Parameters
    ----------
    block : int, default=7
        The days of a block of time, the unit that is compared. A drift is found in the first whole block that it is in,
        so a shorter one finds large drifts sooner and small ones not at all. Where a table has no dates, a day is 24
        rows.
    band : float, default=0.98
        The share of the training values of a season within its band.

    Attributes
    ----------
    n_features_in_ : int
    feature_names_in_ : ndarray of str of shape (n_features,)
        Where the table has such names.
    series_ : Index or None
        The names of the series; None where the table has one without a name.
    block_length_ : int
        The rows of a series in a block.
    bands_ : ndarray of float32 of shape (n_features, 12, 4, n_series, 5)
        By month and six hours of the day, from 0: the ends of the band, and between them the quantiles .16, .5 and .84.
        A month counts with its neighbours. NaN where there was less than a block of the month.
    block_means_ : ndarray of float32 of shape (3, n_blocks, n_series, n_features)
        Of each block: the mean distance from the middle of its season, in deviations; the share outside of the band;
        and the mean distance from the median of the other series. Each block is judged by bands that were learned
        without it and every fifth other one.
    promise_ : Promise or None
        The errors and the coverage of a backtest, by block: see :meth:`promise`.

    See Also
    --------
    drift_report : Compares.

    Notes
    -----
    What it keeps grows with blocks, not with rows: no value of the training table but quantiles, means and lengths.

    Of a table with runs, each time counts once, as the latest run has it.

    Examples
    --------
    >>> from skts.datasets import make_panel
    >>> from skts.inspection import DriftReference
    >>> X, y = make_panel(n_series=2, n_rows=24 * 7 * 12, random_state=0)
    >>> reference = DriftReference().fit(X)
    >>> reference.block_length_, reference.block_means_.shape
    (168, (3, 12, 2, 2))
    """

    _parameter_constraints = {
        "block": [Interval(Integral, 1, None, closed="left")],
        "band": [Interval(Real, 0, 1, closed="neither")],
    }

    def __init__(self, block: int = 7, *, band: float = 0.98):
        self.block = block
        self.band = band

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn what is usual.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
            The training table. NaN is allowed.
        y : array-like of shape (n_rows,), default=None
            Not learned from.

        Returns
        -------
        self : object
        """
        with fit_task(self, X, y):
            values = read_values(self, X, reset=True)
            check_same_series(X, y)
            panel = PanelIndex.read(X if isinstance(X, pd.DataFrame) else values)
            grid = Grid.of(panel)
            self.series_ = grid.panel.index.names
            self.block_length_ = block_length(grid.panel, self.block)
            self._n_units = self.block if self.block_length_ % self.block == 0 else 1  # days of a block
            self._layout = panel.layout
            self._levels = np.array([(1 - self.band) / 2, *LEVELS, (1 + self.band) / 2])
            self.promise_: Promise | None = None
            self._learn(grid, values)
        return self

    def _learn(self, grid: Grid, values: NDArray[Any]) -> None:
        length = self.block_length_
        months, parts = seasons_of(grid.panel.index.clock, grid.ticks)
        bands, means, smallest, runs, missing, sizes = [], [], [], [], [], []
        present = grid.spread(np.ones(len(values)))
        for column in range(values.shape[1]):
            spread = grid.spread(values[:, column])
            smallest.append(smallest_deviations(spread))
            bands.append(learn_bands(spread, months, parts, self._levels, length))
            means.append(self._cross(spread, months, parts, smallest[-1]))
            runs.append(longest_runs(spread)[0])
            missing.append(np.where(present == 1, np.isnan(spread), np.nan))
            sizes.append(describe_sizes(spread, length))
        self.bands_ = np.stack(bands).astype(np.float32)
        self.block_means_ = np.stack(means, axis=-1).astype(np.float32)
        self._smallest = np.stack(smallest)  # (C, S)
        self._longest_runs = np.stack(runs)  # (C, S)
        worst = [np.nan_to_num(block_means(each, length)).max(axis=0, initial=0.0) for each in missing]
        self._most_missing = np.stack(worst)  # (C, S)
        self._sizes = np.stack(sizes)  # (C, 6, S)
        absent = block_means(np.where(np.isnan(present), 1.0, 0.0), length)
        self._most_absent = absent.max(axis=0, initial=0.0)  # (S,)

    def _cross(self, values: Floats, months: NDArray, parts: NDArray, smallest: Floats) -> Floats:
        """Average each block, judged by bands that were learned without it: (3, n_blocks, n_series)."""
        length = self.block_length_
        block = np.arange(len(values)) // length
        n_blocks = len(values) // length
        scores, outside = np.full((2, *values.shape), np.nan)
        for fold in range(min(_N_FOLDS, n_blocks)):
            is_out = block % _N_FOLDS == fold
            bands = learn_bands(values[~is_out], months[~is_out], parts[~is_out], self._levels, length // 2)
            scores[is_out], outside[is_out] = standardise(
                values[is_out], bands, months[is_out], parts[is_out], smallest
            )
        return np.stack([block_means(each, length) for each in (scores, outside, beside_others(scores))])

    def transform(self, X: Any) -> Any:
        """Give the table as it is.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)

        Returns
        -------
        X : array-like or DataFrame of shape (n_rows, n_features)
        """
        check_is_fitted(self)
        values = read_values(self, X, reset=False)
        return X if isinstance(X, pd.DataFrame) else values

    def promise(self, result: pd.DataFrame) -> Self:
        """Remember the errors and the coverage of a backtest, so that later ones can be compared with them.

        Parameters
        ----------
        result : DataFrame of shape (n_forecasts, n_columns)
            What :func:`~skts.model_selection.backtest` gave of the same estimator.

        Returns
        -------
        self : object
        """
        check_is_fitted(self)
        self.promise_ = Promise.of(result, self.block_length_)
        return self

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def describe_sizes(values: Floats, length: int) -> Floats:
    """Tell how large the values of each series are: that most do not exceed, and their median.

    Parameters
    ----------
    values : ndarray of shape (n_times, n_series)
    length : int
        Times of a block.

    Returns
    -------
    sizes : ndarray of shape (6, n_series)
        The quantile 0.9 of the absolute values: of all, and of the blocks with the smallest and the largest; and the
        median of all, and the smallest and the largest of a block.
    """
    sizes, medians = sizes_of_blocks(values, length)
    all_sizes, all_medians = sizes_of_blocks(values, max(len(values), 1))
    out = np.full((6, values.shape[1]), np.nan)
    for row, (whole, each) in enumerate([(all_sizes, sizes), (all_medians, medians)]):
        out[3 * row] = whole[0] if len(whole) else np.nan
        there = np.isfinite(each).any(axis=0)
        if there.any():
            out[3 * row + 1, there] = np.nanmin(each[:, there], axis=0)
            out[3 * row + 2, there] = np.nanmax(each[:, there], axis=0)
    return out


def sizes_of_blocks(values: Floats, length: int, begin: int = 0) -> tuple[Floats, Floats]:
    """Give the quantile 0.9 of the absolute values and the median, of each block and series: (n_blocks, n_series)."""
    n_blocks = (len(values) - begin) // length
    blocks = values[begin : begin + n_blocks * length].reshape(n_blocks, length, values.shape[1])
    each: Floats = blocks.transpose(1, 0, 2).reshape(length, n_blocks * values.shape[1])
    enough = 2 * np.isfinite(each).sum(axis=0) >= length
    sizes, medians = np.full((2, each.shape[1]), np.nan)
    if enough.any():
        ordered = np.sort(np.abs(each[:, enough]), axis=0), np.sort(each[:, enough], axis=0)
        n_there = np.isfinite(each[:, enough]).sum(axis=0)
        column = np.arange(len(n_there))
        sizes[enough] = ordered[0][(0.9 * (n_there - 1)).astype(np.int64), column]
        medians[enough] = ordered[1][(n_there - 1) // 2, column]
    return sizes.reshape(n_blocks, values.shape[1]), medians.reshape(n_blocks, values.shape[1])
