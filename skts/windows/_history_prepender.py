"""Past rows in front of new ones, so that every new row has a full window before it."""

import copy
import warnings
from dataclasses import replace
from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skts._compat import Interval, StrOptions, fit_context, fit_task
from skts.exceptions import FutureTrainingWarning, PanelIndexError, SuspectUnitsWarning, UnseenSeriesWarning
from skts.panel import RUN, PanelIndex, check_same_series, read_index, read_values, stretch_starts
from skts.windows._digest import Digest, is_made_of
from skts.windows._origins import ranges
from skts.windows._tail import find_tail, join_tail, make_index, take_rows
from skts.windows._trained_times import TrainedTimes
from skts.windows._units_seen import UnitsSeen, number_of_series, warn_of_other_units


class HistoryPrepender(CallbackSupportMixin, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Put the training rows that come right before new rows in front of them.

    A window needs a past. In training, the table's own first rows serve; at forecasting, the past of the first new
    rows lies in the training table. This step remembers the tail of every series and puts `length` rows in front of
    each at `transform`, so that no new row is lost: with :class:`~skts.SlidingWindower` after it, n rows in give n
    forecasts out.

    Parameters
    ----------
    length : int
        How many rows to put in front of every series. At least the windower's `history`, which is its `window` by
        default.
    remember : {"tail", "all"}, default="tail"
        "tail" remembers the last `length` rows of every series, for new rows that follow the training table. "all"
        remembers every row, looked up by its time: for blocks of new rows that lie between training rows, each
        forecast from where it starts.

    Attributes
    ----------
    tail_ : DataFrame or ndarray of shape (n_remembered, n_features)
        The remembered rows: the last `length` of every series, or all; of a table with runs the latest run's row for
        each time.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` was a DataFrame.

    See Also
    --------
    SlidingWindower : Cuts the windows.
    skts.update : Brings a whole pipeline up to date.

    Notes
    -----
    `fit_transform` returns the table as it is: training has no past. A row that is not remembered is blank (NaN): where
    the new table is the training table itself, where rows are missing between the two, and for an unseen series.

    Of a table with runs (a level `run` in its index), the past of every time is the row of the latest run that has it.
    It is put in front as a run of its own, which starts `length` times before the first new run and is labelled earlier
    than all others.

    With ``remember="all"`` new rows are blocks: a block starts at the first new row of its series and after every gap,
    and is forecast from there, whatever the gap, once a window has been read from the rows before it, remembered or
    new. So that the windower knows what to forecast, the table comes back with runs: each block is one, named by its
    first time, and what is remembered of the times before the last of them is the run before them. Forecasts of blocks
    that lie before training rows are better than they would be in use, since training has seen what came after.

    A table without times (an array, or a DataFrame with a plain index) is taken to follow the training rows directly,
    unless it is the training table itself, which is recognised by its values.

    `partial_fit` goes on where `fit` ended: two tables, one after the other, leave what a fit on both at once leaves.
    Of a row that was there before the newer value counts, as where a measurement is corrected. Not learned anew are the
    step from one time to the next and, of more than eight gaps of a series, the shorter ones.

    Examples
    --------
    >>> import numpy as np
    >>> from skts import HistoryPrepender
    >>> X = np.arange(6.0).reshape(-1, 1)
    >>> prepender = HistoryPrepender(2).fit(X[:4])
    >>> prepender.transform(X[4:]).ravel()
    array([2., 3., 4., 5.])
    >>> prepender.partial_fit(X[4:5]).transform(X[5:]).ravel()
    array([3., 4., 5.])
    """

    _parameter_constraints = {
        "length": [Interval(Integral, 1, None, closed="left")],
        "remember": [StrOptions({"tail", "all"})],
    }

    def __init__(self, length: int, *, remember: Literal["tail", "all"] = "tail"):
        self.length = length
        self.remember = remember

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Remember the last rows of every series, or all.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
            The training table. NaN is allowed.
        y : array-like of shape (n_rows,), default=None
            Not learned from; read only to notice that `X` has lost its series.

        Returns
        -------
        self : object

        Raises
        ------
        PanelIndexError
            ``remember="all"`` and a table without times.
        """
        with fit_task(self, X, y):
            values = read_values(self, X, reset=True)
            check_same_series(X, y)
            panel = PanelIndex.read(X if isinstance(X, pd.DataFrame) else values)
            past = panel.latest
            if self.remember == "all" and past.index.ticks is None:
                raise PanelIndexError(
                    "HistoryPrepender(remember='all') looks rows up by their times, and this table has none: give a "
                    "DataFrame with times in its index, or remember='tail'."
                )
            tail = past.rows if self.remember == "all" else past.rows[find_tail(panel, self.length)]
            self.tail_: Any = take_rows(X, np.sort(tail)) if isinstance(X, pd.DataFrame) else values[tail]
            # whatever the parameters become
            self._layout, self._n_before, self._has_blocks = panel.layout, self.length, self.remember == "all"
            self._trained = TrainedTimes.read(panel)
            self._units = None if panel.index.ticks is None else UnitsSeen.read(values, panel)
            self._digests: tuple[Digest, ...] = (Digest.read(values),) if panel.index.ticks is None else ()
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Remember new rows after those that are remembered; the first call is `fit`.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
            Rows with times may lie anywhere, of series that are new too; a row that was given before is replaced.
            Others follow the rows before.
        y : array-like of shape (n_rows,), default=None
            As in `fit`.

        Returns
        -------
        self : object

        Raises
        ------
        PanelIndexError
            An index unlike that of the first table, or times between its steps.

        Warns
        -----
        SuspectUnitsWarning
            As in `transform`.
        """
        if not self.__sklearn_is_fitted__():
            return self.fit(X, y)
        with fit_task(self, X, y):
            values = read_values(self, X, reset=False)
            check_same_series(X, y)
            panel = PanelIndex.read(X if isinstance(X, pd.DataFrame) else values, self._layout)
            if panel.runs is not None and not self._layout.has_runs:
                raise PanelIndexError(
                    f"HistoryPrepender.partial_fit: this table has runs (a level {RUN!r} in its index), and that of "
                    "fit had none: give the same kind of table."
                )
            if panel.index.ticks is None:
                self.tail_ = _follow(self.tail_, X, values, self._n_before)
                self._digests = (*self._digests, Digest.read(values))
            else:
                self._warn_units(values, X, panel)
                length = None if self._has_blocks else self._n_before
                self.tail_, step = join_tail(self.tail_, X, panel, self._layout, length)
                self._layout = replace(self._layout, step=step)
                self._trained = self._trained.join(panel)
        return self

    def __skts_go_on__(self, X: Any, y: Any, epochs: int) -> tuple[Any, Any]:
        """Remember new rows, and give what a network after this step may learn from: history in front, without target.

        Blank rows are left out where that leaves a gap, which no window crosses.
        """
        table, target = X, y
        if epochs:
            before = copy.copy(self)
            before._has_blocks = False  # the rows are no block to forecast
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UnseenSeriesWarning)
                warnings.simplefilter("ignore", SuspectUnitsWarning)  # which partial_fit says
                table = before.transform(X)
            n_history = len(table) - len(X)
            is_blank = pd.DataFrame(table[:n_history]).isna().all(axis=1).to_numpy()
            keep = np.append(~is_blank | self._layout.has_runs, np.ones(len(X), dtype=bool))
            table, values = table[keep], np.asarray(y, dtype=np.float64)
            target = np.concatenate([np.full((len(table) - len(X), *values.shape[1:]), np.nan), values])
        self.partial_fit(X)
        return table, target

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "tail_")

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Remember the last rows of every series and give the table back as it is.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
        y : array-like of shape (n_rows,), default=None

        Returns
        -------
        X : ndarray or DataFrame of shape (n_rows, n_features)
        """
        self.fit(X, y)
        if isinstance(X, pd.DataFrame):
            return X.copy(deep=False)  # where names are no strings, set_output renames the columns of what it is given
        return read_values(self, X, reset=False)

    def transform(self, X: Any) -> Any:
        """Put `length` rows in front of every series.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
            The rows to forecast.

        Returns
        -------
        X : ndarray or DataFrame of shape (n_series * length + n_rows, n_features)
            All history first, then the rows of `X` in their order. A DataFrame stays a DataFrame. With
            ``remember="all"`` more rows of history, as many as there are times up to the last block of each series.

        Warns
        -----
        UnseenSeriesWarning
            A series of `X` was not in the training table.
        FutureTrainingWarning
            Rows of `X` lie before or between the training rows of their series, and are none of them.
        SuspectUnitsWarning
            A column lies far outside of its range in training, or varies about 1,000 times less than it did there (and
            less than at its stillest) in three blocks of 24 rows or more: as power in MW does where it was in kW.
        """
        check_is_fitted(self)
        values = read_values(self, X, reset=False)
        panel = PanelIndex.read(X if isinstance(X, pd.DataFrame) else values, self._layout)
        if panel.index.ticks is not None:
            if panel.step is None:
                raise PanelIndexError(
                    "The time between rows is unknown: no series has two rows, neither here nor in training. Fit "
                    "HistoryPrepender on a longer table."
                )
            self._warn_unseen(panel.index.names)
            self._warn_units(values, X, panel)
            if self._has_blocks and panel.runs is None:
                X = name_blocks(X, panel)
                panel = PanelIndex.read(X, self._layout)
            if not self._has_blocks:
                self._warn_future(panel)
            return self._prepend_by_time(X, panel)
        follows = not is_made_of(values, self._digests)
        if isinstance(X, pd.DataFrame):
            tail = pd.DataFrame(self.tail_, columns=X.columns) if isinstance(self.tail_, np.ndarray) else self.tail_
            return _prepend_frame(X, tail, self._n_before, follows)
        tail = np.asarray(self.tail_)
        return np.concatenate([_blank_before(tail if follows else tail[:0], self._n_before), values])

    def _prepend_by_time(self, X: pd.DataFrame, panel: PanelIndex) -> pd.DataFrame:
        clock, step, length = panel.index.clock, panel.step, self._n_before
        assert clock is not None
        assert step is not None
        first = panel.ticks[panel.indptr[:-1]]
        kept, counts = self._remembered(), np.full(panel.n_series, length)
        if panel.runs is not None:
            counts += np.maximum(_end_of_use(self.tail_, panel) - first, 0) // step
        ticks = ranges(first - length * step, counts, step)
        series, times = np.repeat(np.arange(panel.n_series), counts), clock.labels(ticks)
        runs = None
        if panel.runs is not None:  # one before all others, and not after its own times
            earliest = panel.runs.ticks[np.append(0, panel.runs.last_of(panel.n_series)[:-1] + 1)]
            runs = clock.labels(np.minimum(first - length * step, earliest - step)[series])
        names = None if panel.index.names is None else panel.index.names[series]
        history = kept.reindex(make_index(kept.index, names, times)).set_axis(make_index(X.index, names, times, runs))
        return _join(history, _with_times_like(X, times))

    def _remembered(self) -> pd.DataFrame:
        """Give the remembered rows by series and time."""
        return self.tail_.droplevel(RUN) if RUN in self.tail_.index.names[:-1] else self.tail_

    def _warn_future(self, panel: PanelIndex) -> None:
        what = "runs" if self._layout.has_runs else "rows"
        panel = panel.made if self._layout.has_runs else panel.latest
        passed = np.flatnonzero(self._trained.passed(panel))
        if len(passed) == 0:
            return
        row, clock = int(panel.rows[passed[0]]), panel.index.clock
        assert clock is not None
        warnings.warn(
            f"{len(passed)} of {len(panel.rows)} {what} to forecast lie before training {what} of their series, such "
            f"as {clock.label(panel.ticks[passed[0]])} of {panel.index.describe(row)}, and are none themselves: "
            "training has seen what came after them, so that a score of these forecasts is better than it will be in "
            "use. Test after training: PanelTimeSeriesSplit. Where both sides are meant to train, as with "
            "PurgedPanelKFold, filter FutureTrainingWarning.",
            FutureTrainingWarning,
            stacklevel=4,
        )

    def _warn_unseen(self, names: pd.Index | None) -> None:
        trained, remembered = self._trained.names, read_index(self.tail_).names  # a backtest moves the tail
        if names is None or trained is None or remembered is None:
            return
        unseen = names.difference(trained, sort=False).difference(remembered, sort=False)
        if len(unseen):
            warnings.warn(
                f"{len(unseen)} of {len(names)} series were not in the training table and have no history: "
                f"{list(unseen[:5])}{' ...' if len(unseen) > 5 else ''}. Their first forecasts rest on blank rows.",
                UnseenSeriesWarning,
                stacklevel=4,
            )

    def _warn_units(self, values: NDArray[Any], X: Any, panel: PanelIndex) -> None:
        units = getattr(self, "_units", None)  # which files of earlier versions do not have
        if units is None:
            return
        numbers = number_of_series(panel.index.names, self._trained.names, panel.n_series)
        names = list(X.columns) if isinstance(X, pd.DataFrame) else list(range(values.shape[1]))
        warn_of_other_units(units.find_other(values, panel, numbers), names, stacklevel=5)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _end_of_use(tail: pd.DataFrame, panel: PanelIndex) -> NDArray[np.int64]:
    """Find up to which tick the runs of each series read times that are remembered, and that no new run has."""
    index, past, runs = read_index(tail), panel.latest, panel.runs
    assert index.ticks is not None
    assert runs is not None
    names = panel.index.names
    numbers = np.zeros(1, np.int64) if names is None or index.names is None else names.get_indexer(index.names)
    series, ticks = numbers[index.series], index.ticks
    times = np.unique(np.concatenate([past.ticks, ticks]))
    new = past.series_of(np.arange(len(past.ticks))) * len(times) + np.searchsorted(times, past.ticks)
    last = panel.ticks[runs.indptr[runs.last_of(panel.n_series)]]  # where the last run starts
    is_used = (series >= 0) & (ticks < last[series])
    is_used &= ~np.isin(series * len(times) + np.searchsorted(times, ticks), new)
    end = np.full(panel.n_series, np.iinfo(np.int64).min // 2)
    np.maximum.at(end, series[is_used], ticks[is_used] + (panel.step or 1))
    return end


def name_blocks(X: pd.DataFrame, panel: PanelIndex) -> pd.DataFrame:
    """Make a run of every stretch of rows without a gap, named by its first time."""
    clock = panel.index.clock
    assert clock is not None
    starts = stretch_starts(panel.ticks, panel.indptr, panel.step)
    first = np.empty_like(panel.ticks)
    first[panel.rows] = np.repeat(panel.ticks[starts[:-1]], np.diff(starts))
    *series, times = [X.index.get_level_values(level) for level in range(X.index.nlevels)]
    return X.set_axis(pd.MultiIndex.from_arrays([*series, clock.labels(first).rename(RUN), times]))


def _follow(tail: Any, X: Any, values: NDArray[Any], length: int) -> Any:
    """Put the rows of a table without times after the tail, and keep the last of all."""
    if isinstance(tail, pd.DataFrame) and isinstance(X, pd.DataFrame):
        return pd.concat([tail, X.set_axis(tail.columns, axis=1)]).iloc[-length:]
    return np.concatenate([np.asarray(tail), values])[-length:]


def _blank_before(tail: NDArray[Any], length: int) -> NDArray[Any]:
    """Fill a tail up to `length` rows with blank ones in front."""
    n_blank = length - len(tail)
    if n_blank <= 0:
        return tail
    dtype = np.result_type(tail.dtype, np.float32)
    return np.concatenate([np.full((n_blank, tail.shape[1]), np.nan, dtype=dtype), tail])


def _prepend_frame(X: pd.DataFrame, tail: pd.DataFrame, length: int, follows: bool) -> pd.DataFrame:
    """Put the tail, or blank rows, in front of a table without times; the labels of blank rows are made up."""
    tail = tail if follows else tail.iloc[:0]
    n_blank = length - len(tail)
    if n_blank > 0:
        whole = pd.api.types.is_integer_dtype(X.index.dtype)
        after = (tail if len(tail) else X).index[0]
        labels = after - np.arange(n_blank, 0, -1) if whole else [None] * n_blank
        blank = X.iloc[:0].reset_index(drop=True).reindex(range(n_blank)).set_axis(pd.Index(labels))
        return _join(blank, pd.concat([tail, X]) if len(tail) else X)
    return pd.concat([tail, X])


def _with_times_like(X: pd.DataFrame, times: pd.Index) -> pd.DataFrame:
    """Bring unsigned times of a table to the signed ones that history needs, as pandas makes objects of both."""
    own = X.index.get_level_values(-1)
    if not (pd.api.types.is_unsigned_integer_dtype(own.dtype) and times.dtype == np.int64):
        return X
    levels = [X.index.get_level_values(i) for i in range(X.index.nlevels - 1)]
    return X.set_axis(pd.MultiIndex.from_arrays([*levels, own.astype(np.int64)], names=X.index.names))


def _join(history: pd.DataFrame, X: pd.DataFrame) -> pd.DataFrame:
    """Put history in front; beside blank rows, columns of bool become numbers, which NaN is one of."""
    positions = range(X.shape[1])
    mixed = [i for i in positions if X.dtypes.iloc[i] == np.bool_ and history.dtypes.iloc[i] == np.object_]
    tables = []
    for table in (history, X):
        changed = table.copy(deep=False) if mixed else table
        for i in mixed:
            changed.isetitem(i, table.iloc[:, i].to_numpy(dtype=np.float64))
        tables.append(changed)
    return pd.concat(tables)
