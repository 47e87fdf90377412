"""Whether a graph forecasts what the pipeline does that it was made of: on rows that were measured, and with holes."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.exceptions import ExportError, ExportMismatchError
from skts.export._parts import Parts
from skts.windows import find_horizon, future_rows

TOLERANCE = 1e-5  # of the deviation of the target
_MOST_SERIES = 20
_SHARE_OF_HOLES = 0.1
Answer = Callable[[Any], list[NDArray[np.float64]]]


def compare(estimator: Any, parts: Parts, X: Any, levels: tuple[float, ...], answer: Answer) -> float:
    """Compare the forecasts of a graph with those of the pipeline.

    Parameters
    ----------
    estimator : estimator
    parts : Parts
        Of it.
    X : array-like or DataFrame of shape (n_rows, n_features)
        The rows to forecast. They are forecast twice, the second time with a tenth of their values missing.
    levels : tuple of float
    answer : callable
        Gives the point and, with levels, the quantiles that the graph has for the rows of a table.

    Returns
    -------
    difference : float
        The largest, in standard deviations of the target in training.

    Raises
    ------
    ExportMismatchError
        It is above 1e-5.
    """
    largest = 0.0
    deviation = np.max([member.deviation for member in parts.members], axis=0)
    for table, which in ((X, "rows"), (with_holes(X), "rows with holes")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = [np.asarray(estimator.predict(table), dtype=np.float64)]
            if levels:
                expected.append(_quantiles(parts, table, levels))
            found = answer(table)
        for what, one, other in zip(("point", "quantiles"), expected, found, strict=False):
            scale = deviation if parts.learned.y_shape else deviation[0]
            scale = scale[:, None] if what == "quantiles" and parts.learned.y_shape else scale
            apart = np.abs(one - other) / scale
            worst = float(apart.max()) if apart.size else 0.0
            if not worst <= TOLERANCE:  # nor NaN
                raise ExportMismatchError(
                    f"The graph's {what} of {len(one)} {which} differs from that of predict by up to {worst:.2g} "
                    f"standard deviations of the target, and {TOLERANCE:g} are allowed; nothing was written. A network "
                    "of one's own may do in `forward` what depends on the batch or on Python; columns far from 0 "
                    "beside their deviation want a scaler."
                )
            largest = max(largest, worst)
    return largest


def _quantiles(parts: Parts, X: Any, levels: tuple[float, ...]) -> NDArray[np.float64]:
    """Forecast quantiles in units of the target; a TransformedTargetRegressor passes none on."""
    windows = parts.windows(X)
    answers = []
    for member in parts.members:
        own = np.asarray(member.regressor.predict(windows, quantiles=list(levels)))
        scale, shift = member.scale, member.shift
        answers.append(own * scale[:, None] + shift[:, None] if parts.learned.y_shape else own * scale[0] + shift[0])
    return np.mean(answers, axis=0)


def find_rows(parts: Parts, X: Any) -> Any:
    """Give rows to compare on: those that were given, or the remembered ones again, at the times that come next.

    Raises
    ------
    ExportError
        None were given, and none of that kind are remembered.
    """
    if X is not None:
        return X
    prepender, horizon = parts.prepender, find_horizon(parts.windower)
    assert horizon is not None
    n_rows = 2 * horizon + 1  # two whole blocks, and one that is not
    if prepender is None or prepender._layout.has_runs:
        raise ExportError(
            "to_onnx compares the graph with predict on real rows, and the pipeline "
            f"{'has no HistoryPrepender that remembers some' if prepender is None else 'was fitted to runs'}: give it "
            "some, to_onnx(pipe, path, X=X_test)."
        )
    tail = prepender.tail_
    index: Any = None
    if isinstance(tail, pd.DataFrame) and prepender._layout.kind != "no series and no times":
        index, values = _go_on(tail, n_rows)
    else:
        values = np.resize(np.asarray(tail, dtype=np.float64), (n_rows, np.shape(tail)[1]))
    raw = values if parts.before is None else parts.before.undo(values)
    names = getattr(parts.first, "feature_names_in_", None)
    if index is None and names is None:
        return raw
    if names is None:
        names = tail.columns if parts.before is None else range(raw.shape[1])
    return pd.DataFrame(raw, index=index, columns=pd.Index(names))


def _go_on(tail: pd.DataFrame, n_rows: int) -> tuple[pd.Index, NDArray[np.float64]]:
    """Let the remembered rows of up to 20 series come again at the next times."""
    if tail.index.nlevels > 1:
        who = _names(tail.index)
        tail = tail[who.isin(who.unique()[:_MOST_SERIES])]
    index = future_rows(tail, n_rows).index
    if tail.index.nlevels == 1:
        return index, np.resize(tail.to_numpy(dtype=np.float64), (n_rows, tail.shape[1]))
    who, ahead = _names(tail.index), _names(index)
    values = np.empty((len(index), tail.shape[1]))
    for name in ahead.unique():
        own = tail.to_numpy(dtype=np.float64)[who == name]
        values[ahead == name] = np.resize(own, (n_rows, tail.shape[1]))
    return index, values


def _names(index: Any) -> pd.Index:
    """Give the series of each row of a table with times."""
    return index.droplevel(-1)


def with_holes(X: Any) -> Any:
    """Give a table of which a tenth of the values is missing, always the same."""
    table = pd.DataFrame(X).copy()
    holes = np.random.RandomState(0).random_sample(table.shape) < _SHARE_OF_HOLES
    for column in range(table.shape[1]):
        values = pd.to_numeric(table.iloc[:, column], errors="coerce").to_numpy(dtype=np.float64, copy=True)
        values[holes[:, column]] = np.nan
        table.isetitem(column, values)
    return table if isinstance(X, pd.DataFrame) else table.to_numpy()
