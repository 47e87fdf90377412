"""Cut a panel into windows."""

import warnings
from dataclasses import replace
from functools import partial
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
from skts.exceptions import KnownTargetWarning, LostSeriesWarning, PanelIndexError
from skts.panel import RUN, Columns, PanelIndex, check_same_series, find_columns, find_stacked, read_values
from skts.windows._cut import Sizes, cut_runs, cut_series, find_target, lay_out_runs, lay_out_series
from skts.windows._static import check_static, read_static
from skts.windows._windows import Windows


class SlidingWindower(  # type: ignore[call-arg]
    CallbackSupportMixin, OneToOneFeatureMixin, TransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Cut every series of a panel into windows.

    `fit_transform` gives the training windows: all complete ones, every `stride` rows, none across a gap or from one
    series into another. `transform` gives the forecasting windows: the first `history` rows of each series are
    history, and every later row is forecast once, in consecutive blocks of `horizon` rows.

    Parameters
    ----------
    window : int or None
        How many rows before a forecast are read. None reads whole series: a network goes through each in chunks of
        `history` rows, carries its state from one to the next, and forecasts from every row on; needs `history`.
    horizon : int, default=1
        How many rows one window forecasts.
    stride : int, default=1
        Rows from one training window to the next.
    known : str, int, slice, list of str or int, or callable, default=None
        The columns whose values over the horizon are known when the forecast is made (a weather forecast, the
        calendar), by name, by position, or a callable that is given `X` and returns them, such as
        :func:`~sklearn.compose.make_column_selector`. Every other column is observed: read up to the row before the
        origin only.
    static : str, int, slice, list of str or int, or callable, default=None
        The columns that have one value per series (capacity, hub height, latitude, tilt), given as those of `known`.
        They describe the series and are no columns of its windows: a network reads them beside the vector of the
        series, so that one that training has not seen starts from its description. Every row of a series holds the
        same value, or NaN; a series of NaN alone has none.
    history : int, default=None
        How many rows at the start of each series get no forecast at `transform`; `window` by default. Set it to the
        `length` of the :class:`~skts.HistoryPrepender` before it in order to search `window` alone.
    max_similarity : float, default=None
        Keep a training window only if its cosine similarity to the last one kept before it, in the same series and
        without a gap between them, is below this bound in [0, 1]. 1 drops mere repetitions; None keeps all.

    Attributes
    ----------
    known_ : ndarray of int64 of shape (n_known,)
        The positions of the known columns in `X`.
    static_ : ndarray of int64 of shape (n_static,)
        The positions of the static columns in `X`.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` was a DataFrame.

    See Also
    --------
    HistoryPrepender : Keeps the first rows from being lost.
    Windows : What comes out.

    Notes
    -----
    Of a table with runs (a level `run` in its index: a row is what was known about its time when the forecast of its
    run was made) each run gives one window. Its horizon are the run's rows, and its origin is the first of them. Its
    window are the times before: known columns as the latest earlier run has them, observed columns as they were
    measured, up to the time of the run, which the stamp of a measurement may equal. Runs whose rows or times before are
    not all there train nothing; a run shorter than the horizon is forecast as far as it goes, a longer one is refused.
    `stride` counts complete runs of a series. At `transform`, runs that start less than `history` times after the
    first time of their series are history.

    A series of n rows without a gap gives `(n - window - horizon) // stride + 1` training windows. A missing time
    stamp is a gap: nothing trains across it, and at forecasting its rows are blank (NaN).

    The output is :class:`~skts.Windows`, not an array: memory grows with rows, not with rows x window. So
    `set_output` changes nothing here.

    What a static column says is learned from as many examples as there are series: of few, a new one outside of what
    these are like may be forecast worse with its description than without.
    :class:`~skts.model_selection.LeaveSeriesOut` tells; `examples/cold_start.py` compares.

    Similarity is taken between the windows as vectors of all their values, after the mean of each column in the window
    is taken off: two windows of one shape are similar whatever their level and size. A missing value counts as the mean
    of its column in its window. Flat windows have similarity 1 to each other and 0 to the rest. Columns count by their
    scale, so put a scaler before. The horizon is not compared: a window is dropped whatever came after it. It takes
    time in proportion to windows x window x columns, and holds 64 windows at a time.

    Examples
    --------
    >>> import numpy as np
    >>> from skts import SlidingWindower
    >>> windows = SlidingWindower(168, horizon=24).fit_transform(np.zeros((8760, 3)))
    >>> windows.shape
    (8569, 168, 3)

    Of a daily cycle, windows that repeat the last one kept add nothing new:

    >>> day = np.sin(2 * np.pi * np.arange(24 * 30) / 24).reshape(-1, 1)
    >>> windows = SlidingWindower(24, horizon=6, stride=24, max_similarity=0.99).fit_transform(day)
    >>> len(windows), windows.dropped
    (1, {'incomplete': 29, 'gap': 0, 'stride': 662, 'similarity': 28})
    """

    _parameter_constraints = {
        "window": [Interval(Integral, 1, None, closed="left"), None],
        "horizon": [Interval(Integral, 1, None, closed="left")],
        "stride": [Interval(Integral, 1, None, closed="left")],
        "known": [str, Integral, slice, "array-like", callable, None],
        "static": [str, Integral, slice, "array-like", callable, None],
        "history": [Interval(Integral, 1, None, closed="left"), None],
        "max_similarity": [Interval(Real, 0, 1, closed="both"), None],
    }

    def __init__(
        self,
        window: int | None,
        horizon: int = 1,
        *,
        stride: int = 1,
        known: Columns | None = None,
        static: Columns | None = None,
        history: int | None = None,
        max_similarity: float | None = None,
    ):
        self.window = window
        self.horizon = horizon
        self.stride = stride
        self.known = known
        self.static = static
        self.history = history
        self.max_similarity = max_similarity

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the columns and the time from one row to the next.

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
        LostSeriesError
            `y` holds several series, and `X` none.

        Warns
        -----
        KnownTargetWarning
            A column in `known` is the target itself.
        LostSeriesWarning
            The index tells no series, and two columns of `X` look like the series and the time of each row.
        """
        self._take_static(X, *self._fit(X, y))
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X: Any, y: Any = None) -> Windows:
        """Fit, and cut the training windows.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
        y : array-like of shape (n_rows,), default=None

        Returns
        -------
        windows : Windows of shape (n_windows, window, n_features)

        Raises
        ------
        LostSeriesError
            `y` holds several series, and `X` none.
        PanelIndexError
            A run is longer than the horizon, or an observed column differs from run to run.
        ShortSeriesError
            No series is long enough for one window.

        Warns
        -----
        KnownTargetWarning
            A column in `known` is the target itself.
        LostSeriesWarning
            The index tells no series, and two columns of `X` look like the series and the time of each row.
        ShortSeriesWarning
            Some series are too short, and others are not.
        """
        values, panel = self._fit(X, y)
        static, values = self._take_static(X, values, panel)
        cut = cut_series if panel.runs is None else cut_runs
        return replace(cut(values, panel, self._sizes), static=static, static_names=self._static_names)

    def transform(self, X: Any) -> Windows:
        """Cut the forecasting windows.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
            History in front of every series, then the rows to forecast.

        Returns
        -------
        windows : Windows of shape (n_blocks, window, n_features)

        Raises
        ------
        ShortSeriesError
            A series has no row after its history.
        """
        check_is_fitted(self)
        values = read_values(self, X, reset=False, dtype=np.float32)
        panel = PanelIndex.read(X if isinstance(X, pd.DataFrame) else values, self._layout)
        static, values = self._take_static(X, values, panel)
        lay_out = lay_out_series if panel.runs is None else partial(lay_out_runs, several=not self._layout.has_runs)
        return replace(lay_out(values, panel, self._sizes), static=static, static_names=self._static_names)

    def __skts_go_on__(self, X: Any, y: Any, epochs: int) -> tuple[Windows, Any]:
        """Cut training windows of new rows, with history in front, as they were cut in `fit`."""
        values = read_values(self, X, reset=False, dtype=np.float32)
        panel = PanelIndex.read(X if isinstance(X, pd.DataFrame) else values, self._layout)
        if panel.runs is not None:  # one window for each run, those of the history apart
            return self.transform(X), y
        static, values = self._take_static(X, values, panel)
        windows = cut_series(values, panel, self._sizes)
        return replace(windows, static=static, static_names=self._static_names), y

    def set_output(self, *, transform: str | None = None) -> Self:
        """Change nothing: windows are no table, whatever container is asked for.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            Ignored; taken so that `Pipeline.set_output` reaches the other steps.

        Returns
        -------
        self : object
        """
        return self

    def _fit(self, X: Any, y: Any) -> tuple[NDArray[Any], PanelIndex]:
        with fit_task(self, X, y):
            values = read_values(self, X, reset=True, dtype=np.float32)
            check_same_series(X, y)
            table = X if isinstance(X, pd.DataFrame) else values
            self.known_, self.static_ = self._find("known", table), self._find("static", table)
            check_static(f"SlidingWindower(static={self.static!r})", table, self.known_, self.static_)
            names = X.columns.tolist() if isinstance(X, pd.DataFrame) else list(range(values.shape[1]))
            described = [names[column] for column in self.static_]
            named = bool(described) and all(isinstance(name, str) for name in described)
            self._static_names = tuple(described) if named else None
            self._sizes = Sizes(  # whatever the parameters become
                window=self.window,
                horizon=self.horizon,
                history=self._history(),
                stride=self.stride,
                known=np.searchsorted(self._windowed, self.known_),
                max_similarity=self.max_similarity,
                names=[names[column] for column in self._windowed],
            )
            panel = PanelIndex.read(X if isinstance(X, pd.DataFrame) else values)
            if self.window is None:
                self._check_whole_series(panel)
            self._layout = panel.layout
            self._warn_known_target(values, y)
            if panel.index.ticks is None:
                self._warn_stacked(X if isinstance(X, pd.DataFrame) else np.asarray(X))  # not rounded to float32
        return values, panel

    def _check_whole_series(self, panel: PanelIndex) -> None:
        """Refuse what cannot be done with whole series."""
        if self.max_similarity is not None:
            raise ValueError(
                f"SlidingWindower(window=None, max_similarity={self.max_similarity}) reads whole series and has "
                "no windows to compare: give max_similarity=None, or the rows of a window."
            )
        if panel.runs is not None:
            raise PanelIndexError(
                f"SlidingWindower(window=None) reads whole series from row to row, and this table has runs (a level "
                f"{RUN!r} in its index), each a forecast of its own: give window a number of rows."
            )

    def _warn_known_target(self, values: NDArray[np.float32], y: Any) -> None:
        if y is None or len(self.known_) == 0:
            return
        position = find_target(values[:, self.known_], y)
        if position is not None:
            name = self._sizes.names[int(self._sizes.known[position])]
            warnings.warn(
                f"SlidingWindower(known={self.known!r}): column {name!r} is y itself, whatever its unit, in every row "
                "that has both, so that every forecast reads the truth of its own rows. What was measured is not "
                "known: take it out of known.",
                KnownTargetWarning,
                stacklevel=5,
            )

    def _find(self, parameter: str, table: Any) -> NDArray[np.int64]:
        """Find the columns that a parameter names."""
        columns = getattr(self, parameter)
        if columns is None:
            return np.empty(0, dtype=np.int64)
        return find_columns(table, columns, f"SlidingWindower({parameter}={columns!r})")

    @property
    def _windowed(self) -> NDArray[np.int64]:
        """The positions in `X` of the columns of a window."""
        return np.setdiff1d(np.arange(self.n_features_in_), self.static_)

    def _take_static(
        self, X: Any, values: NDArray[Any], panel: PanelIndex
    ) -> tuple[NDArray[np.float32] | None, NDArray[Any]]:
        """Take the static columns out of a table: their values by series, and the other columns."""
        if len(self.static_) == 0:
            return None, values
        static = read_static(f"SlidingWindower(static={self.static!r})", X, values, self.static_, panel)
        return static, values[:, self._windowed]

    def _warn_stacked(self, X: Any) -> None:
        found = find_stacked(X)
        if found is None:
            return
        names = X.columns if isinstance(X, pd.DataFrame) else np.arange(X.shape[1])
        series, time = (repr(name) for name in names[list(found)].tolist())
        table = "X" if isinstance(X, pd.DataFrame) else "pandas.DataFrame(X)"
        warnings.warn(
            f"The index tells no series and no times, but column {series} stays the same over many rows, and "
            f"column {time} counts on in each and starts anew in the next, as series and times do. All rows are taken "
            "for one series, and windows run across them. Where they are series, put both into the index: "
            f"skts.to_panel({table}, series={series}, time={time}).",
            LostSeriesWarning,
            stacklevel=5,
        )

    def _history(self) -> int:
        if self.window is None:
            if self.history is None:
                raise ValueError(
                    "SlidingWindower(window=None) reads whole series, and needs history=... to know how many rows at "
                    "the start of each get no forecast, such as the length of the HistoryPrepender before it."
                )
            return self.history
        if self.history is not None and self.history < self.window:
            raise ValueError(
                f"SlidingWindower(window={self.window}, history={self.history}): the first forecast needs "
                f"{self.window} rows before it. Give history={self.window} or more."
            )
        return self.window if self.history is None else self.history

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
