"""One model per series, or per group of them."""

from numbers import Integral
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from skts._compat import check_method_params, fit_context, fit_task, fit_within, safe_indexing
from skts.panel import Layout, Levels, RowIndex, read_index, series_keys
from skts.strategies._base import BaseTableStrategy
from skts.strategies._update import update_part


class PerSeriesRegressor(BaseTableStrategy):
    """Fit one clone of an estimator per series.

    The networks of this package are global models: one for all series, which learns what they share. This is the other
    strategy, local models, around the same pipeline: each clone sees the rows of its series alone.

    Parameters
    ----------
    estimator : estimator
        What a single series would be given: usually a :class:`~sklearn.pipeline.Pipeline` with
        :class:`~skts.HistoryPrepender` and :class:`~skts.SlidingWindower`.
    by : str, int, or list of str or int, default=None
        The index levels that name what gets a clone: "farm" fits one to all phases of a farm, where farm and phase name
        a series. All that name the series by default.
    n_jobs : int, default=None
        How many series are fitted, and forecast, at once; None is 1 unless in a :obj:`joblib.parallel_config`, -1 all
        processors.

    Attributes
    ----------
    estimators_ : dict
        The fitted clone of each series by its name (by `by`): a tuple where several index levels name the series, and
        None for a table of one series without a name.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` was a DataFrame.

    See Also
    --------
    RecursiveRegressor : Forecasts further than a horizon by feeding forecasts back.

    Notes
    -----
    Which of the two forecasts better depends on how alike the series are and how long [1]_.

    A clone is given its rows with the whole index. The steps between rows may differ from series to series.

    References
    ----------
    .. [1] P. Montero-Manso, R. J. Hyndman, "Principles and algorithms for forecasting groups of time series: Locality
       and globality", International Journal of Forecasting 37(4), 2021,
       https://doi.org/10.1016/j.ijforecast.2021.03.004

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from skts.datasets import make_panel
    >>> from skts.strategies import PerSeriesRegressor
    >>> X, y = make_panel(n_series=2, n_rows=100, random_state=0)
    >>> regressor = PerSeriesRegressor(Ridge()).fit(X[["wind"]], y)
    >>> list(regressor.estimators_)
    ['station_0', 'station_1']
    """

    _parameter_constraints = {
        **BaseTableStrategy._parameter_constraints,
        "by": [str, Integral, "array-like", None],
        "n_jobs": [Integral, None],
    }

    def __init__(self, estimator: Any, *, by: Levels | None = None, n_jobs: int | None = None):
        self.estimator = estimator
        self.by = by
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, **params: Any) -> Self:
        """Fit one clone per series.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
            The training table. Only a MultiIndex holds several series.
        y : array-like of shape (n_rows,) or (n_rows, n_targets)
        **params : dict
            Passed to `fit` of every clone; what has one entry per row (`sample_weight`) is cut to the rows of the
            series. With metadata routing, only what `estimator` requests.

        Returns
        -------
        self : object

        Raises
        ------
        LostSeriesError
            `X` has no series in its index while `y` carries several.
        """
        X = self._read_table(X, reset=True)
        y = self._read_target(X, y)
        index, params = read_index(X), self._route("fit", params)
        self._by = self.by  # whatever the parameter becomes
        names, rows = _rows_by_name(index, self._by)
        with fit_task(self, X, y, max_subtasks=len(rows), sequential_subtasks=False) as fit:
            tasks = [fit.subcontext(task_name="series", task_id=i) for i in range(len(rows))]  # none within a worker
            fitted = Parallel(n_jobs=self.n_jobs)(
                delayed(_fit_one)(
                    index.describe(some[0]) if self._by is None else repr(name),
                    task,
                    self,
                    clone(self.estimator),
                    safe_indexing(X, some),
                    safe_indexing(y, some),
                    check_method_params(X, params, some),
                )
                for task, name, some in zip(tasks, names, rows, strict=True)
            )
            self.estimators_ = dict(zip(names, fitted, strict=True))
            self._kind = index.kind()
        return self

    def predict(self, X: Any, **params: Any) -> NDArray[Any]:
        """Forecast each series with its own clone.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
            Rows of series that were in the training table.
        **params : dict
            Passed to `predict` of every clone: `quantiles`, say.

        Returns
        -------
        y_pred : ndarray of shape (n_rows,) or (n_rows, ...)
            In the order of the rows.

        Raises
        ------
        ValueError
            A series that was not in the training table, or a clone that does not forecast every row.
        """
        check_is_fitted(self)
        X = self._read_table(X, reset=False)
        index, params = read_index(X), self._route("predict", params)
        Layout(self._kind, None).check(index)
        names, rows = _rows_by_name(index, self._by)
        self._refuse_unseen(names)
        forecasts = Parallel(n_jobs=self.n_jobs)(
            delayed(_predict_one)(self.estimators_[name], safe_indexing(X, some), params)
            for name, some in zip(names, rows, strict=True)
        )
        for some, forecast in zip(rows, forecasts, strict=True):
            if len(forecast) != len(some):
                raise ValueError(
                    f"PerSeriesRegressor needs one forecast per row, and {index.describe(some[0])} got {len(forecast)} "
                    f"for {len(some)} rows: put HistoryPrepender before SlidingWindower in the estimator, with as "
                    "many rows as its history."
                )
        joined = np.concatenate(forecasts)
        out = np.empty_like(joined)
        out[np.concatenate(rows)] = joined
        return out

    def __skts_update__(self, X: Any, y: Any, epochs: int) -> int:
        """Bring the clone of each series up to date."""
        X = self._read_table(X, reset=False)
        names, rows = _rows_by_name(read_index(X), self._by)
        self._refuse_unseen(names)
        return sum(
            update_part(self.estimators_[name], *_take(X, y, some), epochs)
            for name, some in zip(names, rows, strict=True)
        )

    def _refuse_unseen(self, names: list[Any]) -> None:
        unseen = [name for name in names if name not in self.estimators_]
        if unseen:
            raise ValueError(
                f"PerSeriesRegressor has no estimator for {len(unseen)} of {len(names)} series, which were not in "
                f"the training table: {unseen[:5]}{' ...' if len(unseen) > 5 else ''}. Fit on a table that holds them, "
                "leave them out, or use one estimator for all series, without PerSeriesRegressor."
            )


def _rows_by_name(index: RowIndex, by: Levels | None) -> tuple[list[Any], list[NDArray[np.int64]]]:
    """List what gets a clone, by name, and the rows of each, in the order of the table."""
    keys = series_keys(index.names, by, f"PerSeriesRegressor(by={by!r})")
    names, numbers = ([None], index.series) if keys is None else _number(keys, index.series)
    order = np.argsort(numbers, kind="stable")
    return names, np.split(order, np.cumsum(np.bincount(numbers, minlength=len(names)))[:-1])


def _take(X: Any, y: Any, rows: NDArray[np.int64]) -> tuple[Any, Any]:
    return safe_indexing(X, rows), None if y is None else safe_indexing(y, rows)


def _number(keys: pd.Index, series: NDArray[np.int64]) -> tuple[list[Any], NDArray[np.int64]]:
    names = keys.unique()
    return names.tolist(), names.get_indexer(keys)[series]


def _fit_one(who: str, task: Any, caller: Any, estimator: Any, X: Any, y: Any, params: dict[str, Any]) -> Any:
    try:
        return fit_within(task, caller, estimator, X, y, params)
    except Exception as error:
        error.add_note(f"PerSeriesRegressor was fitting {who}.")
        raise


def _predict_one(estimator: Any, X: Any, params: dict[str, Any]) -> NDArray[Any]:
    return np.asarray(estimator.predict(X, **params))
