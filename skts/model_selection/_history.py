"""The history of a test block: the rows right before it, whatever the estimator was trained on."""

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from skts._compat import safe_indexing
from skts.panel import RUN, PanelIndex, read_index
from skts.strategies import PerSeriesRegressor
from skts.windows import HistoryPrepender, holder_of_parts, walk

Ints = NDArray[np.int64]


def place_before(estimator: Any, X: Any, panel: PanelIndex, train: Ints, test: Ints) -> Any:
    """Let a fitted estimator remember the rows right before a test block.

    :class:`~skts.HistoryPrepender` remembers the last rows it was fitted on. Where these are not the rows before the
    test block (the estimator was trained for an earlier block, or there is a gap or an embargo between), a copy is
    given all rows before the block, as the fitted steps before it transform them; nothing else changes.

    Parameters
    ----------
    estimator : estimator
        Fitted, and left as it is.
    X : array-like or DataFrame of shape (n_rows, n_features)
    panel : PanelIndex
        Of `X`.
    train, test : ndarray of int64
        The rows that the estimator was fitted on and those of the test block.

    Returns
    -------
    estimator : estimator
        To forecast the test block with.
    """
    if not _has_history(estimator):
        return estimator
    before, in_test = rows_before(panel, test)
    if not any(isinstance(part, FrozenEstimator) for part in walk(estimator)):  # which was fitted on rows of its own
        trained = np.zeros(len(before), dtype=bool)
        trained[train] = True
        if np.array_equal(before & in_test, trained & in_test):
            return estimator
    # without a past, the block itself: a HistoryPrepender puts blank rows before the table that it was fitted on
    rows = np.flatnonzero(before) if before.any() else test
    return _remember(estimator, safe_indexing(X, rows))


def rows_before(panel: PanelIndex, test: Ints) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Find the rows before a test block.

    Returns
    -------
    before : ndarray of bool of shape (n_rows,)
        Rows before the first test row of their series, or of runs before the first test run; for a series without test
        rows, before the first of all.
    in_test : ndarray of bool of shape (n_rows,)
        Rows of a series that has test rows.
    """
    first = panel.first_cuts(test)
    has_test = np.zeros(panel.n_series, dtype=bool)
    has_test[panel.index.series[test]] = True
    first[~has_test] = first.min()
    return panel.row_cuts < first[panel.index.series], has_test[panel.index.series]


def _remember(estimator: Any, X: Any) -> Any:
    """Copy a fitted estimator, its learned parts shared, with the rows of `X` as its history."""
    if isinstance(estimator, HistoryPrepender):
        return _remember_tail(estimator, X)
    if not _has_history(estimator):
        return estimator
    name = holder_of_parts(estimator)
    assert name is not None  # the history is in a part
    held = getattr(estimator, name)
    if name == "steps":
        held = _remember_in_steps(estimator, X)
    elif isinstance(estimator, PerSeriesRegressor):
        held = _remember_by_series(held, X)
    elif isinstance(held, list):
        held = [_remember(part, X) for part in held]
    else:
        held = _remember(held, X)
    changed = copy.copy(estimator)
    setattr(changed, name, held)
    return changed


def _remember_tail(prepender: HistoryPrepender, X: Any) -> HistoryPrepender:
    if read_index(X).ticks is None:
        return clone(prepender).fit(X)
    moved = copy.copy(prepender)
    # rows are taken out by their times, with the step between rows that training had
    moved.tail_ = X.iloc[PanelIndex.read(X).latest.rows] if RUN in X.index.names[:-1] else X
    return moved


def _remember_in_steps(pipeline: Any, X: Any) -> list[tuple[str, Any]]:
    steps = list(pipeline.steps)
    i = next(i for i, (_, step) in enumerate(steps) if _has_history(step))
    name, step = steps[i]
    steps[i] = (name, _remember(step, pipeline[:i].transform(X) if i else X))
    return steps


def _remember_by_series(estimators: dict[Any, Any], X: Any) -> dict[Any, Any]:
    """Let the estimator of each series remember the rows of its own; one without such rows stays as it is."""
    index = read_index(X)
    names = [None] if index.names is None else index.names.tolist()
    rows = {name: np.flatnonzero(index.series == number) for number, name in enumerate(names)}
    return {
        name: _remember(each, safe_indexing(X, rows[name])) if name in rows else each
        for name, each in estimators.items()
    }


def _has_history(estimator: Any) -> bool:
    return any(isinstance(part, HistoryPrepender) for part in walk(estimator))
