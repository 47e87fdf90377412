"""Splits by series: tests at stations that training has not seen."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import BaseCrossValidator, GroupKFold, LeaveOneGroupOut

from skts.exceptions import LostSeriesError
from skts.model_selection._splits import check_groups, in_time_order
from skts.panel import Levels, RowIndex, check_same_series, read_index, series_keys


class LeaveSeriesOut(BaseCrossValidator):
    """Test at series that are not trained on, each once.

    Shows how a forecaster will do at a new station, and nothing about the future: training and test rows have the same
    times, and stations share their weather. For that, see :class:`PanelTimeSeriesSplit`.

    Parameters
    ----------
    n_splits : int, default=None
        The number of groups that the series are dealt to, of about as many rows each, at least 2; each group is the
        test set once. By default every series is a group of its own.
    by : str, int, or list of str or int, default=None
        The index levels that name what is left out as one: "farm" leaves all phases of a farm out together, where farm
        and phase name a series. All that name the series by default.

    See Also
    --------
    sklearn.model_selection.LeaveOneGroupOut : The same for groups that are given.
    sklearn.model_selection.GroupKFold : Deals groups to folds, as is done here.

    Notes
    -----
    A series that is not trained on has no history either: after :class:`~skts.HistoryPrepender`, its first forecasts
    rest on blank rows, of which :class:`~skts.exceptions.UnseenSeriesWarning` warns.

    Examples
    --------
    >>> import pandas as pd
    >>> from skts.model_selection import LeaveSeriesOut
    >>> index = pd.MultiIndex.from_product([["a", "b", "c"], range(2)], names=["station", "time"])
    >>> X = pd.DataFrame({"wind": 1.0}, index=index)
    >>> for train, test in LeaveSeriesOut().split(X):
    ...     print(train, test)
    [2 4 3 5] [0 1]
    [0 4 1 5] [2 3]
    [0 2 1 3] [4 5]
    """

    def __init__(self, n_splits: int | None = None, *, by: Levels | None = None):
        if n_splits is not None:
            GroupKFold(n_splits)  # refuses n_splits < 2
        self.n_splits = n_splits
        self.by = by

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Give the rows to train and to test on.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_features)
            The levels of its index before the last name the series.
        y : array-like of shape (n_rows,), default=None
            Read only to notice that `X` has lost its series.
        groups : array-like of shape (n_rows,), default=None
            Ignored where `X` has series in its index: these are the groups.

        Yields
        ------
        train, test : ndarray of int64
            Row numbers: of `train` in the order of their times, whatever the series, so that its first rows are the
            earliest ones (:func:`~sklearn.model_selection.learning_curve` trains on these); of `test` increasing.

        Raises
        ------
        LostSeriesError
            `X` has fewer than two series in its index.
        ValueError
            More splits than series.
        """
        check_same_series(X, y)
        check_groups("LeaveSeriesOut", X, groups)
        index = read_index(X)
        groups = self._number(index)
        n_series = self._count(groups)
        assert index.ticks is not None  # several series are named by an index with times
        splitter = LeaveOneGroupOut() if self.n_splits in (None, n_series) else GroupKFold(self.n_splits)
        for train, test in splitter.split(groups, groups=groups):
            yield in_time_order(train, index.ticks if index.runs is None else index.runs), test

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Give the number of splits.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_features), default=None
            Needed where `n_splits` is None: there are as many splits as series.
        y, groups : object, default=None
            Ignored.

        Returns
        -------
        n_splits : int
        """
        if self.n_splits is not None:
            return self.n_splits
        if X is None:
            raise ValueError("LeaveSeriesOut().get_n_splits() counts the series of X: give X, or LeaveSeriesOut(k).")
        return self._count(self._number(read_index(X)))

    def _number(self, index: RowIndex) -> NDArray[np.int64]:
        """Give each row the number of what it is left out with."""
        if self.by is None or index.names is None:
            return index.series
        keys = series_keys(index.names, self.by, f"LeaveSeriesOut(by={self.by!r})")
        assert keys is not None
        return keys.unique().get_indexer(keys)[index.series]

    def _count(self, series: NDArray[np.int64]) -> int:
        n_series = int(series.max(initial=-1)) + 1
        if n_series < 2:
            raise LostSeriesError(
                f"LeaveSeriesOut: X has {'one' if n_series else 'no'} series, and at least two are expected. Put their "
                "names into the index, X.set_index([series, time]); where a step before lost it, call "
                'set_output(transform="pandas").'
            )
        if self.n_splits is not None and self.n_splits > n_series:
            raise ValueError(
                f"LeaveSeriesOut(n_splits={self.n_splits}): X has {n_series} series, and at least one for each split "
                f"is expected. Give n_splits={n_series} or fewer."
            )
        return n_series
