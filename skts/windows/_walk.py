"""One way through an estimator and all that it is made of: steps of pipelines, what searches and others hold."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator

from skts.windows._sliding_windower import SlidingWindower

# what forecasts comes before what it was cloned from
_HOLDERS = ("best_estimator_", "estimator_", "regressor_", "estimators_", "estimator", "regressor", "estimators")


def holder_of_parts(estimator: Any) -> str | None:
    """Name the attribute in which an estimator holds others, the fitted ones where it is fitted.

    Parameters
    ----------
    estimator : object

    Returns
    -------
    name : str or None
        None where it holds no others. Estimators that stand side by side in a ColumnTransformer or a FeatureUnion do
        not count: they give one table of as many rows as they are given, so none of them prepends history or cuts
        windows.
    """
    if isinstance(estimator, FrozenEstimator):  # every other attribute is that of the estimator in it
        return "estimator"
    names = ("steps", *_HOLDERS, *_estimators_among_parameters(estimator))
    return next((name for name in names if getattr(estimator, name, None) is not None), None)


def walk(estimator: Any) -> Iterator[Any]:
    """Go through an estimator and all that it is made of, from the outside in.

    Parameters
    ----------
    estimator : estimator
        Fitted or not.

    Yields
    ------
    part : object
        The estimator itself, then its parts: of a pipeline its steps, of a search the best estimator, of any other
        the fitted clones rather than what they were cloned from.
    """
    yield estimator
    name = holder_of_parts(estimator)
    if name is None:
        return
    held = getattr(estimator, name)
    for part in held if isinstance(held, list | tuple) else held.values() if isinstance(held, dict) else [held]:
        yield from walk(part[-1] if isinstance(part, tuple) else part)


def unwrap(estimator: Any) -> Any:
    """Give the fitted estimator that searches and frozen ones hold, whose `predict` takes what theirs does not."""
    while isinstance(estimator, FrozenEstimator) or hasattr(estimator, "best_estimator_"):
        estimator = estimator.estimator if isinstance(estimator, FrozenEstimator) else estimator.best_estimator_
    return estimator


def find_windowers(estimator: Any) -> list[SlidingWindower]:
    """Find the windowers in an estimator, as :func:`walk` comes to them."""
    return [part for part in walk(estimator) if isinstance(part, SlidingWindower)]


def find_horizon(estimator: Any) -> int | None:
    """Find how many rows one window of an estimator forecasts.

    Returns
    -------
    horizon : int or None
        In rows; None where it cuts no windows.

    Raises
    ------
    ValueError
        Windowers of different horizons in one estimator.
    """
    horizons = {windower.horizon for windower in find_windowers(estimator)}
    if len(horizons) > 1:
        raise ValueError(
            f"{type(estimator).__name__} holds SlidingWindowers of the horizons {sorted(horizons)}, so that its "
            "forecasts have no one lead: give all of them one horizon."
        )
    return horizons.pop() if horizons else None


def find_lookahead(estimator: Any) -> int:
    """Find how many rows after the horizon a fitted estimator declares to read known columns of.

    A part of it declares that by its attribute `lookahead_`.
    """
    return max(getattr(part, "lookahead_", 0) for part in walk(estimator))


def find_known(windower: SlidingWindower, X: Any) -> NDArray[np.int64] | None:
    """Find the columns of a table that a windower in a pipeline takes for known over the horizon.

    Parameters
    ----------
    windower : SlidingWindower
        Of one that is not fitted, only names in its `known` count.
    X : array-like or DataFrame of shape (n_rows, n_features)
        What the pipeline is given.

    Returns
    -------
    columns : ndarray of int64 of shape (n_columns,) or None
        Positions in `X`. None where that is not clear: the windower was given another number of columns, without names.
    """
    return _find_given(windower, "known", X)


def find_static(windower: SlidingWindower, X: Any) -> NDArray[np.int64] | None:
    """Find the columns of a table that a windower in a pipeline takes for static, as :func:`find_known` does."""
    return _find_given(windower, "static", X)


def _find_given(windower: SlidingWindower, parameter: str, X: Any) -> NDArray[np.int64] | None:
    """Find the columns of a table that a parameter of a windower names."""
    n_columns = np.shape(X)[1]
    found = getattr(windower, f"{parameter}_", None)
    if found is None:
        named = np.atleast_1d(np.asarray(getattr(windower, parameter), dtype=object))
        return _positions_of([name for name in named if isinstance(name, str)], X)
    if windower.n_features_in_ == n_columns and not (hasattr(windower, "feature_names_in_") and _is_named(X)):
        return found
    if not hasattr(windower, "feature_names_in_"):
        return None
    return _positions_of(windower.feature_names_in_[found], X)


def _positions_of(names: Any, X: Any) -> NDArray[np.int64]:
    columns = X.columns if _is_named(X) else [f"x{i}" for i in range(np.shape(X)[1])]
    return np.flatnonzero(np.isin(np.asarray(columns, dtype=str), np.asarray(names, dtype=str)))


def _is_named(X: Any) -> bool:
    """Whether the columns have names for scikit-learn, which calls others `x0`, `x1` and so on."""
    return isinstance(X, pd.DataFrame) and all(isinstance(name, str) for name in X.columns)


def _estimators_among_parameters(estimator: Any) -> Iterator[str]:
    """Name the parameters that are estimators, whatever their names, each after its fitted clone."""
    if isinstance(estimator, type) or not hasattr(estimator, "get_params"):
        return
    for name, value in estimator.get_params(deep=False).items():
        if hasattr(value, "fit") and not isinstance(value, type):
            yield from (f"{name}_", name)
