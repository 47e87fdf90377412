"""Steps of scikit-learn that move and scale columns, as what they come down to; all others are refused by name."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from skts._compat import get_column_indices
from skts.exceptions import ExportError
from skts.export._affine import Affine

Floats = NDArray[np.float64]


def fold(step: Any, n_columns: int, name: str) -> Affine:
    """Say what a fitted step does to each column.

    Parameters
    ----------
    step : transformer, "passthrough" or None
    n_columns : int
        Of the table that it is given.
    name : str
        For the message.

    Raises
    ------
    ExportError
        It is none that moves and scales columns one by one.
    """
    if isinstance(step, FrozenEstimator):
        return fold(step.estimator, n_columns, name)
    if step is None or step == "passthrough" or (type(step) is FunctionTransformer and step.func is None):
        return Affine.identity(n_columns)
    if type(step) is ColumnTransformer:
        return _fold_columns(step, n_columns, name)
    if type(step) is Pipeline:
        folded = Affine.identity(n_columns)
        for own, part in step.steps:
            folded = folded.then(fold(part, len(folded), f"{name}.{own}"))
        return folded
    if type(step) not in _SCALERS:
        raise ExportError(
            f"Step {name!r} is a {type(step).__name__}, and a graph takes columns that StandardScaler, MinMaxScaler, "
            "MaxAbsScaler, RobustScaler or a ColumnTransformer of these has moved and scaled one by one. Do that step "
            "before, and export the steps after it: to_onnx(pipe[1:], path), for tables that have been through it."
        )
    if getattr(step, "clip", False):
        raise ExportError(
            f"Step {name!r} is a {type(step).__name__}(clip=True), which does more than to move and scale."
        )
    scale, shift = _SCALERS[type(step)](step, n_columns)
    return Affine(n_columns, np.arange(n_columns), scale, shift)


def _fold_columns(step: ColumnTransformer, n_columns: int, name: str) -> Affine:
    """Say what a ColumnTransformer does; the columns that it drops are gone."""
    names = getattr(step, "feature_names_in_", None)
    table = pd.DataFrame(np.empty((0, n_columns)), columns=None if names is None else pd.Index(names))
    order = np.zeros(0, dtype=np.int64)
    parts: list[Affine] = []
    for own, part, columns in step.transformers_:
        if isinstance(part, str) and part == "drop":
            continue
        sources = np.asarray(get_column_indices(table, columns), dtype=np.int64)
        if not len(sources):
            continue
        folded = fold(part, len(sources), f"{name}.{own}")
        parts.append(Affine(n_columns, sources[folded.sources], folded.scale, folded.shift))
        place = step.output_indices_[own]
        order = np.append(order, np.arange(place.start, place.stop))
    if not parts:
        raise ExportError(f"Step {name!r} leaves no column.")
    joined = (np.concatenate([getattr(part, field) for part in parts]) for field in ("sources", "scale", "shift"))
    return Affine(n_columns, *joined).take(np.argsort(order))


def _of_standard(step: StandardScaler, n_columns: int) -> tuple[Floats, Floats]:
    scale = np.ones(n_columns) if step.scale_ is None else 1 / np.asarray(step.scale_)
    return scale, -scale * step.mean_ if step.with_mean else np.zeros(n_columns)


def _of_min_max(step: MinMaxScaler, n_columns: int) -> tuple[Floats, Floats]:
    return np.asarray(step.scale_, dtype=np.float64), np.asarray(step.min_, dtype=np.float64)


def _of_max_abs(step: MaxAbsScaler, n_columns: int) -> tuple[Floats, Floats]:
    return 1 / np.asarray(step.scale_, dtype=np.float64), np.zeros(n_columns)


def _of_robust(step: RobustScaler, n_columns: int) -> tuple[Floats, Floats]:
    scale = 1 / np.asarray(step.scale_) if step.with_scaling else np.ones(n_columns)
    return scale, -scale * step.center_ if step.with_centering else np.zeros(n_columns)


_SCALERS: dict[type, Callable[[Any, int], tuple[Floats, Floats]]] = {
    StandardScaler: _of_standard,
    MinMaxScaler: _of_min_max,
    MaxAbsScaler: _of_max_abs,
    RobustScaler: _of_robust,
}
