"""Fits in a process of their own, so that one that is killed takes nothing else with it."""

import pickle
from multiprocessing.connection import Connection, wait
from typing import Any, Self

import numpy as np
from joblib.externals.loky.backend import get_context
from joblib.externals.loky.backend.reduction import dumps
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from skts._compat import fit_context, fit_task
from skts.exceptions import KilledFitError
from skts.strategies._base import BaseTableStrategy


class FitInProcess(BaseTableStrategy):
    """Fit an estimator in a process of its own.

    Where the system kills a process that asks for more memory than there is, joblib cannot tell what became of its
    work, and a search with ``n_jobs=2`` loses the scores of all candidates. With this around the estimator, the
    process that grows is the one that fits: where it dies, `fit` raises an error, which a search counts as the failure
    of that candidate (its `error_score`, NaN by default, and a warning), and goes on.

    Parameters
    ----------
    estimator : estimator
        Usually a :class:`~sklearn.pipeline.Pipeline`.

    Attributes
    ----------
    estimator_ : estimator
        The fitted clone, which forecasts in the process that called.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` was a DataFrame.

    Notes
    -----
    A process takes some seconds to start, as it imports anew what the estimator needs, and the table is copied to it:
    for fits that take longer than that. Callbacks that are set on the estimator by `set_callbacks` stay behind.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from skts.strategies import FitInProcess
    >>> FitInProcess(Ridge()).fit([[0.0], [1.0]], [0.0, 1.0]).predict([[0.5]])
    array([0.5])
    """

    def __init__(self, estimator: Any):
        self.estimator = estimator

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, **params: Any) -> Self:
        """Fit a clone of the estimator in another process.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
        y : array-like of shape (n_rows,) or (n_rows, n_targets)
        **params : dict
            Passed to `fit` of `estimator`. With metadata routing, only what it requests.

        Returns
        -------
        self : object

        Raises
        ------
        KilledFitError
            The process ended before the fit did.
        """
        X = self._read_table(X, reset=True)
        y = self._read_target(X, y)
        params = self._route("fit", params)
        with fit_task(self, X, y):
            self.estimator_ = _fit_apart(clone(self.estimator), X, y, params)
        return self

    def predict(self, X: Any, **params: Any) -> NDArray[Any]:
        """Forecast with the fitted estimator.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
        **params : dict
            Passed to `predict` of the estimator: `quantiles`, say.

        Returns
        -------
        y_pred : ndarray of shape (n_rows,) or (n_rows, ...)
        """
        check_is_fitted(self)
        return np.asarray(self.estimator_.predict(self._read_table(X, reset=False), **self._route("predict", params)))


def _fit_apart(estimator: Any, X: Any, y: Any, params: dict[str, Any]) -> Any:
    """Fit in another process, and raise here what it raises there."""
    context = get_context("loky")  # which takes any estimator, also one of a notebook, and starts from any worker
    ours, theirs = context.Pipe()
    worker = context.Process(target=_serve, args=(theirs,))
    worker.start()
    theirs.close()
    try:
        ours.send_bytes(dumps((estimator, X, y, params)))
        wait([ours, worker.sentinel])  # a dead process may leave the connection open
        if not ours.poll():
            raise EOFError
        fitted, error = pickle.loads(ours.recv_bytes())
    except (EOFError, OSError) as ended:
        worker.join()
        raise KilledFitError(
            f"The process that was fitting {type(estimator).__name__} ended with exit code {worker.exitcode} and "
            "without an answer. -9 is what is left where the memory was full: give it less to hold (a smaller "
            "batch_size, fewer jobs at once) or more memory."
        ) from ended
    finally:
        ours.close()
        worker.terminate()
        worker.join()
    if error is not None:
        raise error
    return fitted


def _serve(connection: Connection) -> None:
    """Fit what comes over a connection, and send it back, or the error that it raises."""
    estimator, X, y, params = pickle.loads(connection.recv_bytes())
    answer: tuple[Any, Exception | None]
    try:
        answer = estimator.fit(X, y, **params), None
    except Exception as error:
        answer = None, error
    connection.send_bytes(dumps(answer))
