"""Forecasts that feed on themselves."""

import warnings
from collections.abc import Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from skts._compat import Interval, fit_context, fit_task, fit_within, safe_indexing
from skts.exceptions import MissingHistoryWarning, UnseenSeriesWarning
from skts.panel import PanelIndex, find_columns, has_target
from skts.strategies._base import BaseTableStrategy
from skts.strategies._columns import read_numbers
from skts.strategies._recursion import run_waves, waves
from skts.windows import SlidingWindower, find_known, find_windowers, walk

_EVERYTHING = 2**62


class RecursiveRegressor(BaseTableStrategy):
    """Feed forecasts back as the past of the target, to forecast further than the horizon of the windows.

    Where the observed past of the target is a column of `X`, it ends where the future begins. This strategy fills the
    column with its own forecasts, block by block, all series at once; where the column has the truth, the truth is
    read.

    Parameters
    ----------
    estimator : estimator
        A :class:`~sklearn.pipeline.Pipeline`, or an estimator around one, that forecasts every row of the table: with
        :class:`~skts.HistoryPrepender` and :class:`~skts.SlidingWindower`.
    target : str, int, or list of str or int
        The column of `X` that holds the past of `y`; for several targets one each, in the order of the columns of
        `y`. In the units of `y`. No known column of the windower.
    horizon : int, default=None
        How many rows the estimator forecasts at once; by default that of the windower in it. To be given only where
        there is no windower to be found.
    history : int, default=None
        How many rows before such a block the estimator reads: by default the window of the windower. Give more where a
        step before the windower looks further back.

    Attributes
    ----------
    estimator_ : estimator
        The fitted clone.
    horizon_, history_ : int
        In rows.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` was a DataFrame.

    See Also
    --------
    PerSeriesRegressor : Fits one clone per series.

    Notes
    -----
    Training is that of `estimator`, on the true past. Errors add up from block to block, so a horizon as long as the
    forecasts, without recursion, is often the better choice [1]_. Quantiles are those of the block, given the point
    forecasts before it: they do not widen with the recursion.

    `predict` first fills the column, then calls ``estimator_.predict`` once on the whole table, which is all where
    nothing is missing. A block to be filled is forecast together with the `history` rows before it, which the pipeline
    has to see as rows to forecast too: ``ceil(history / horizon) + 1`` blocks of work for each, however long the table
    is. The last block of a series is not filled, as none reads it. Values missing in the training table stay so.

    Of a table with runs (a level `run` in its index) a block is a run, and what is missing at a time is the forecast of
    the latest run before it that reaches that time.

    A fitted pipeline is used as it is within :class:`~sklearn.frozen.FrozenEstimator`.

    References
    ----------
    .. [1] S. Ben Taieb, G. Bontempi, A. F. Atiya, A. Sorjamaa, "A review and comparison of strategies for multi-step
       ahead time series forecasting based on the NN5 forecasting competition", Expert Systems with Applications
       39(8), 2012, https://doi.org/10.1016/j.eswa.2012.01.039

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from skts import HistoryPrepender, SlidingWindower
    >>> from skts.datasets import make_panel
    >>> from skts.strategies import RecursiveRegressor, WindowedRegressor
    >>> X, y = make_panel(n_series=1, n_rows=240, random_state=0)
    >>> pipe = make_pipeline(HistoryPrepender(24), SlidingWindower(24, 6, known="wind"), WindowedRegressor(Ridge()))
    >>> regressor = RecursiveRegressor(pipe, target="power").fit(X[:200], y[:200])
    >>> future = X[200:].assign(power=np.nan)
    >>> regressor.predict(future).shape
    (40,)
    """

    _parameter_constraints = {
        **BaseTableStrategy._parameter_constraints,
        "target": [str, Integral, list],
        "horizon": [Interval(Integral, 1, None, closed="left"), None],
        "history": [Interval(Integral, 0, None, closed="left"), None],
    }

    def __init__(
        self,
        estimator: Any,
        target: str | int | Sequence[str] | Sequence[int],
        *,
        horizon: int | None = None,
        history: int | None = None,
    ):
        self.estimator = estimator
        self.target = target
        self.horizon = horizon
        self.history = history

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, **params: Any) -> Self:
        """Fit the estimator on the true past.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
            The training table.
        y : array-like of shape (n_rows,) or (n_rows, n_targets)
        **params : dict
            Passed to `fit` of `estimator`. With metadata routing, only what it requests.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            No such column, one that the windower takes for known, or no windower and no `horizon` and `history`.
        """
        X = self._read_table(X, reset=True)
        y = self._read_target(X, y)
        self._columns = find_columns(X, self.target, f"RecursiveRegressor(target={self.target!r})")
        self._layout = PanelIndex.read(X).layout
        params = self._route("fit", params)
        if not any(hasattr(part, "refit") for part in walk(self.estimator)):  # a search may choose other columns
            self._refuse_known_target(self.estimator, X)
        with fit_task(self, X, y, max_subtasks=1) as context:
            task = context.subcontext(task_name="estimator")
            self.estimator_ = fit_within(task, self, clone(self.estimator), X, y, params)
            self._refuse_known_target(self.estimator_, X)
            windowers = find_windowers(self.estimator_)
            self.horizon_ = self._read_horizon(windowers)
            self.history_ = self._read_history(windowers)
        return self

    def predict(self, X: Any, **params: Any) -> NDArray[Any]:
        """Forecast, with forecasts for what is missing of the target's past.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
            The rows to forecast. NaN in the column `target` is filled.
        **params : dict
            Passed to `predict` of the estimator for the result, `quantiles` say; the past is filled with forecasts
            that are made without.

        Returns
        -------
        y_pred : ndarray of shape (n_rows,) or (n_rows, ...)
            In the order of the rows.

        Raises
        ------
        ValueError
            The estimator does not give one forecast per row, or not as many values as `target` names columns.
        """
        check_is_fitted(self)
        params = self._route("predict", params)
        X = self._complete(self._read_table(X, reset=False))
        return self._forecast(X, params)

    def _complete(self, X: Any) -> Any:
        """Fill what is missing of the target's past, as far as a forecast reads it."""
        past = read_numbers(X, self._columns)  # (n_rows, n_targets)
        missing = np.isnan(past)
        if not np.any(missing):
            return X
        panel = PanelIndex.read(X, self._layout, reader=None if self._layout.has_runs else "This RecursiveRegressor")
        if panel.runs is None:
            series, positions = panel.index.series, panel.leads()[0] - 1
            turns = waves(series, positions, ~has_target(past), self.horizon_, self.history_)
            time = np.arange(len(past))
        else:
            time = panel.row_numbers
            past = _measured(past, time)
            missing = np.isnan(past)
            turns = run_waves(panel, ~has_target(past), self.history_)
        with warnings.catch_warnings():
            # of rows that are forecast only because the pipeline has to see them; the forecast itself warns of its own
            warnings.simplefilter("ignore", MissingHistoryWarning)
            warnings.simplefilter("ignore", UnseenSeriesWarning)
            for rows, fill in turns:
                part = _with_columns(safe_indexing(X, rows), self._columns, past[rows])
                forecasts = self._forecast(part, {}).reshape(len(rows), -1)
                self._check_n_targets(forecasts.shape[1])
                said = np.full((int(time.max()) + 1, past.shape[1]), np.nan)
                said[time[rows[fill]]] = forecasts[fill]
                past = np.where(missing & ~np.isnan(said[time]), said[time], past)
        return _with_columns(X, self._columns, past)

    def _forecast(self, X: Any, params: dict[str, Any]) -> NDArray[Any]:
        forecasts = np.asarray(self.estimator_.predict(X, **params))
        if len(forecasts) != len(X):
            raise ValueError(
                f"RecursiveRegressor needs one forecast per row, and the estimator gave {len(forecasts)} for {len(X)} "
                f"rows: put HistoryPrepender({self.history_}) before SlidingWindower."
            )
        return forecasts

    def _check_n_targets(self, n_targets: int) -> None:
        if n_targets != len(self._columns):
            raise ValueError(
                f"RecursiveRegressor(target={self.target!r}) names {len(self._columns)} columns, and the estimator "
                f"forecasts {n_targets} values per row: name one column for each column of y."
            )

    def _read_horizon(self, windowers: list[SlidingWindower]) -> int:
        found = {windower.horizon for windower in windowers}
        if self.horizon is not None and found <= {self.horizon}:
            return self.horizon
        if self.horizon is None and len(found) == 1:
            return found.pop()
        raise ValueError(
            f"RecursiveRegressor(horizon={self.horizon}): the horizon of SlidingWindower is expected, and the horizons "
            f"in the estimator are {sorted(found)}. Leave horizon away for one SlidingWindower, give horizon and "
            "history for an estimator without."
        )

    def _read_history(self, windowers: list[SlidingWindower]) -> int:
        if self.history is not None:
            return self.history
        if not windowers:
            raise ValueError(
                "RecursiveRegressor(history=None) needs a SlidingWindower to take the history of, and the estimator "
                "has none: give history, the rows before a block that its forecast reads."
            )
        # without a window whole series are read: then no table may begin later than its series does
        return max(_EVERYTHING if windower.window is None else windower.window for windower in windowers)

    def _refuse_known_target(self, estimator: Any, X: Any) -> None:
        for windower in find_windowers(estimator):
            known = find_known(windower, X)
            own = self._columns[np.isin(self._columns, [] if known is None else known)]
            if len(own):
                names = [X.columns[column] for column in own] if isinstance(X, pd.DataFrame) else own.tolist()
                raise ValueError(
                    f"RecursiveRegressor(target={self.target!r}): SlidingWindower takes {names} for known over the "
                    "horizon, so every forecast would read the truth of its own rows. Take it out of "
                    "SlidingWindower(known=...)."
                )


def _measured(past: NDArray[np.float64], time: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give every row what was measured at its time, in whatever run that stands."""
    measured = np.full((int(time.max()) + 1, past.shape[1]), np.nan)
    for values, at in zip(past.T, measured.T, strict=True):
        np.fmax.at(at, time, values)
    return np.where(np.isnan(past), measured[time], past)


def _with_columns(X: Any, columns: NDArray[np.int64], values: NDArray[np.float64]) -> Any:
    """Give a table with other values in some columns, of the dtype that these have where it can hold them."""
    X = X.copy()
    for i, column in enumerate(columns):
        if isinstance(X, pd.DataFrame):
            dtype = X.dtypes.iloc[column]
            if pd.api.types.is_bool_dtype(dtype):
                raise ValueError(
                    f"RecursiveRegressor fills the target's past with forecasts, which are numbers, and column "
                    f"{X.columns[column]!r} is of dtype {dtype}: turn it into numbers, for fit and predict alike."
                )
            dtype = dtype if pd.api.types.is_float_dtype(dtype) else np.float64
            X.isetitem(int(column), pd.Series(values[:, i], index=X.index, dtype=dtype))  # type: ignore[arg-type]
        else:
            X[:, column] = values[:, i]
    return X
