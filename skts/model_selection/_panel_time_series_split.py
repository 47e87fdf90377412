"""Time-ordered splits of many series at once."""

from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import BaseCrossValidator, TimeSeriesSplit
from sklearn.utils import check_scalar

from skts.model_selection._splits import check_groups, in_time_order, last_ticks
from skts.panel import PanelIndex, check_same_series


class PanelTimeSeriesSplit(BaseCrossValidator):
    """Train on the past of all series, test on the next period of all of them.

    :class:`~sklearn.model_selection.TimeSeriesSplit` cuts a table by row numbers, and so trains on some stations to
    test on others when the table holds several. This cuts by time, the same for all.

    Parameters
    ----------
    n_splits : int, default=5
        Number of splits, at least 2.
    test_size : int, default=None
        Times in each test set; `n_times // (n_splits + 1)` by default.
    gap : int, default=0
        Times left out between training and test set.
    max_train_size : int, default=None
        The most times in a training set, the latest ones: training slides along instead of growing.
    step : int, default=None
        Times from the start of one test set to the start of the next, which is the rolling origin of [1]_;
        `test_size` by default. Test sets overlap where it is smaller, and leave times out where it is larger. The last
        test set ends the table.

    See Also
    --------
    PurgedPanelKFold : Trains on both sides of the test set.
    LeaveSeriesOut : Tests at series that are not trained on.
    backtest : The forecasts of every test set in one table.

    Notes
    -----
    Sizes count distinct times, whatever the number of series that have them, so series may be of any length, start or
    end anywhere and have gaps. For one series the splits equal those of scikit-learn's ``TimeSeriesSplit``.

    Of a table with runs (a level `run` in its index) sizes count distinct runs, and the cut lies between two of them. A
    run before the cut is left out of training where it reaches into the times of the test set, or beyond the first
    test run: its last targets are not there yet when that is made. So of runs that are made on the day before the one
    that they forecast, the last before the cut does not train.

    References
    ----------
    .. [1] L. J. Tashman. "Out-of-sample tests of forecasting accuracy: an analysis and review". International Journal
       of Forecasting 16(4), 2000. :doi:`10.1016/S0169-2070(00)00065-0`

    Examples
    --------
    >>> import pandas as pd
    >>> from skts.model_selection import PanelTimeSeriesSplit
    >>> index = pd.MultiIndex.from_product([["a", "b"], range(4)], names=["station", "time"])
    >>> X = pd.DataFrame({"wind": 1.0}, index=index)
    >>> for train, test in PanelTimeSeriesSplit(2, test_size=1).split(X):
    ...     print(train, test)
    [0 4 1 5] [2 6]
    [0 4 1 5 2 6] [3 7]

    Test sets of two times from origins one time apart:

    >>> for train, test in PanelTimeSeriesSplit(2, test_size=2, step=1).split(X.loc[["a"]]):
    ...     print(train, test)
    [0] [1 2]
    [0 1] [2 3]
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
        test_size: int | None = None,
        gap: int = 0,
        max_train_size: int | None = None,
        step: int | None = None,
    ):
        TimeSeriesSplit(n_splits, test_size=test_size, gap=gap, max_train_size=max_train_size)  # refuses n_splits < 2
        for name, value in (("test_size", test_size), ("step", step)):
            if value is not None:
                check_scalar(value, name, Integral, min_val=1)
        self.n_splits = n_splits
        self.test_size = test_size
        self.gap = gap
        self.max_train_size = max_train_size
        self.step = step

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Give the rows to train and to test on.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
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
        """
        check_same_series(X, y)
        check_groups("PanelTimeSeriesSplit", X, groups)
        panel = PanelIndex.read(X)
        cuts, ticks, last = panel.row_cuts, panel.row_ticks, last_ticks(panel)
        times, time_of_row = np.unique(cuts, return_inverse=True)
        for split in self._split_times(len(times)):
            train, test = (np.flatnonzero((time_of_row >= some[0]) & (time_of_row <= some[-1])) for some in split)
            # no run that reaches into what is tested, or beyond when that is forecast, as runs of the day ahead do
            train = train[(last[train] < ticks[test].min()) & (last[train] <= cuts[test].min())]
            if len(train) == 0:
                raise ValueError(
                    f"PanelTimeSeriesSplit(n_splits={self.n_splits}): all runs before a test set reach into its times, "
                    "or beyond its first run, and none is left to train on. Give fewer splits, smaller test sets or a "
                    "longer table."
                )
            yield in_time_order(train, cuts), test

    def _split_times(self, n_times: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Split the times as scikit-learn does, which has no step: its test sets of `step` times start as ours."""
        size = self.test_size or max(n_times // (self.n_splits + 1), 1)
        step = self.step or size
        if self.step is not None and n_times - self.gap - size - step * (self.n_splits - 1) < 1:
            raise ValueError(
                f"PanelTimeSeriesSplit(n_splits={self.n_splits}, test_size={size}, step={step}, gap={self.gap}) needs "
                f"{size + step * (self.n_splits - 1) + self.gap + 1} times, and X has {n_times}: give fewer splits, a "
                "smaller step or smaller test sets."
            )
        by_time = TimeSeriesSplit(
            self.n_splits,
            test_size=self.test_size if self.step is None else step,
            gap=self.gap,
            max_train_size=self.max_train_size,
        )
        for train, test in by_time.split(np.empty(n_times - size + step)):
            yield train, test[0] + np.arange(size)

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
