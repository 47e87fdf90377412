"""Splits that train on both sides of the period that is tested."""

from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import BaseCrossValidator, KFold
from sklearn.utils import check_scalar

from skts.exceptions import PanelIndexError
from skts.model_selection._splits import check_groups, first_ticks, in_time_order, last_ticks
from skts.panel import PanelIndex, check_same_series, stretch_starts


class PurgedPanelKFold(BaseCrossValidator):
    """Test each period once, train on all others, and let no training window share a row with a test window.

    Every row is tested once, and training sets are as large as they can be, which :class:`PanelTimeSeriesSplit` gives
    up to train on the past alone. Where the windows of training and test overlap, that would flatter: so the rows in
    reach of the test windows are left out (purged), as [1]_ has it for labels that span time.

    Parameters
    ----------
    n_splits : int, default=5
        Number of test blocks, at least 2. They are consecutive, hold about as many times each and are the same for
        all series.
    window : int
        The `window` of the :class:`~skts.SlidingWindower` in the estimator, in rows: as many are purged before each
        test block. Add what columns that were made before the split look back.
    horizon : int
        The `horizon` of the windower, in rows. Nothing is purged for it (see the notes); it serves to refuse a split
        that leaves no room for a training window before anything is trained.
    embargo : int, default=0
        Rows after each test block that are not trained on either, since the series remember the block for a while:
        [1]_ takes about 1 % of all rows.

    See Also
    --------
    PanelTimeSeriesSplit : Trains on the past alone.

    Notes
    -----
    Let a test block reach from time `a` to time `b`. Its forecasting windows read the `window` steps before `a`, as
    history, and the block itself; what their last horizon lacks after `b` is blank, not read. A training window is
    `window + horizon` consecutive rows, all of the training set. Hence none shares a row with a test window exactly
    if the training set has no row from `a - window` to `b`: purging `window` steps before the block is enough and
    each of them is needed, for training windows may end there; and after the block none is needed. A training window
    cannot reach over the cut, because the missing rows are a gap in time, and the windower honours it. For that the
    times must be known, and a table without them is refused.

    Of a table with runs (a level `run` in its index) blocks count distinct runs, and `a` and `b` are the first and the
    last time that the runs of a block have. A run trains where it ends before `a - window`, or starts after `b` and the
    embargo.

    Purging counts steps of time, whatever rows the table has there; the blocks count the times that any series has.

    The rows that are purged are history of the test block that was not in the training table, so after
    :class:`~skts.HistoryPrepender` the first `window` forecasts of each block rest on blank rows in a search or in
    ``cross_val_score``. :func:`backtest` hands them over.

    Rows that are windows themselves (columns of `k` lags, a target `h` steps ahead, made before the split and without
    a windower) overlap with each other as far as `k + h - 1` rows on both sides: give `window` and `embargo` that
    value.

    References
    ----------
    .. [1] M. López de Prado. "Advances in Financial Machine Learning", chapter 7. Wiley, 2018. ISBN 978-1-119-48208-6

    Examples
    --------
    >>> import pandas as pd
    >>> from skts.model_selection import PurgedPanelKFold
    >>> index = pd.date_range("2024-01-01", periods=12, freq="h")
    >>> X = pd.DataFrame({"wind": 1.0}, index=index)
    >>> for train, test in PurgedPanelKFold(3, window=2, horizon=1, embargo=1).split(X):
    ...     print(train, test)
    [ 5  6  7  8  9 10 11] [0 1 2 3]
    [ 0  1  9 10 11] [4 5 6 7]
    [0 1 2 3 4 5] [ 8  9 10 11]
    """

    def __init__(self, n_splits: int = 5, *, window: int, horizon: int, embargo: int = 0):
        KFold(n_splits)  # refuses n_splits < 2
        check_scalar(window, "window", Integral, min_val=1)
        check_scalar(horizon, "horizon", Integral, min_val=1)
        check_scalar(embargo, "embargo", Integral, min_val=0)
        self.n_splits = n_splits
        self.window = window
        self.horizon = horizon
        self.embargo = embargo

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Give the rows to train and to test on.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_features)
            Its index names series and times.
        y : array-like of shape (n_rows,), default=None
            Read only to notice that `X` has lost its series.
        groups : array-like of shape (n_rows,), default=None
            Ignored where `X` has times in its index.

        Yields
        ------
        train, test : ndarray of int64
            Row numbers: of `train` in the order of their times, whatever the series, so that its first rows are the
            earliest ones (:func:`~sklearn.model_selection.learning_curve` trains on these); of `test` increasing.

        Raises
        ------
        LostSeriesError
            `y` or `groups` have several series, and `X` has neither series nor times.
        PanelIndexError
            A table without times.
        ValueError
            A split that leaves no `window + horizon` consecutive rows to train on.
        """
        check_same_series(X, y)
        check_groups("PurgedPanelKFold", X, groups)
        panel = PanelIndex.read(X)
        if panel.index.ticks is None:
            raise PanelIndexError(
                "PurgedPanelKFold trains on both sides of the test block, and without times the windows would run "
                "across it. Give a DataFrame with times in its index: a DatetimeIndex, a PeriodIndex, or series and "
                "time."
            )
        cuts, ticks, last = panel.row_cuts, panel.row_ticks, last_ticks(panel)
        first = first_ticks(panel)
        times = np.unique(cuts)
        step = panel.step or 1
        for fold, (_, block) in enumerate(KFold(self.n_splits).split(times)):
            test = np.flatnonzero((cuts >= times[block[0]]) & (cuts <= times[block[-1]]))
            begin, end = ticks[test].min(), ticks[test].max()
            apart = (last < begin - self.window * step) | (first > end + self.embargo * step)
            self._check_room(panel, apart, fold)
            yield in_time_order(np.flatnonzero(apart), cuts), test

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Give the number of splits.

        Parameters
        ----------
        X, y, groups : object, default=None
            Ignored.

        Returns
        -------
        n_splits : int
        """
        return self.n_splits

    def _check_room(self, panel: PanelIndex, apart: NDArray[np.bool_], fold: int) -> None:
        """Refuse a training set that has no window in it."""
        past = panel.latest
        kept = apart[past.rows]
        indptr = np.unique(np.append(0, np.cumsum(kept))[past.indptr])  # without the series that keep no row
        longest = int(np.diff(stretch_starts(past.ticks[kept], indptr, past.step)).max(initial=0))
        if longest < self.window + self.horizon:
            raise ValueError(
                f"PurgedPanelKFold(n_splits={self.n_splits}, window={self.window}, horizon={self.horizon}, "
                f"embargo={self.embargo}) leaves at most {longest} consecutive rows to train on in split {fold}, and "
                f"a training window takes {self.window + self.horizon}: give more splits, which makes smaller test "
                "blocks, a smaller embargo or a longer table."
            )
