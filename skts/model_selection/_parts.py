"""What an estimator is made of: the steps of pipelines, and what searches and other meta-estimators hold."""

import inspect
from collections.abc import Iterator
from typing import Any

from sklearn.frozen import FrozenEstimator

from skts.windows import SlidingWindower

# what forecasts comes before what it was cloned from
_HOLDERS = ("best_estimator_", "estimator_", "regressor_", "estimators_", "estimator", "regressor", "estimators")


def holder_of_parts(estimator: Any) -> str | None:
    """Name the attribute in which an estimator holds others, the fitted ones where it is fitted."""
    # a frozen estimator answers for the one in it, attributes included
    names = ("estimator",) if isinstance(estimator, FrozenEstimator) else ("steps", *_HOLDERS)
    return next((name for name in names if getattr(estimator, name, None) is not None), None)


def walk(estimator: Any) -> Iterator[Any]:
    """Go through an estimator and all that it is made of, from the outside in."""
    yield estimator
    name = holder_of_parts(estimator)
    if name is None:
        return
    held = getattr(estimator, name)
    for part in held if isinstance(held, list | tuple) else held.values() if isinstance(held, dict) else [held]:
        yield from walk(part[-1] if isinstance(part, tuple) else part)


def find_horizon(estimator: Any) -> int | None:
    """Find how many rows one window of an estimator forecasts.

    Returns
    -------
    horizon : int or None
        None where it cuts no windows.

    Raises
    ------
    ValueError
        Windowers of different horizons in one estimator.
    """
    horizons = {part.horizon for part in walk(estimator) if isinstance(part, SlidingWindower)}
    if len(horizons) > 1:
        raise ValueError(
            f"{type(estimator).__name__} holds SlidingWindowers of the horizons {sorted(horizons)}, so that its "
            "forecasts have no one lead: backtest one horizon at a time."
        )
    return horizons.pop() if horizons else None


def check_forecasts_quantiles(estimator: Any) -> None:
    """Refuse an estimator whose `predict` takes no quantiles, before anything is trained."""
    forecasters = list(_forecasters(estimator))
    parameters = [list(inspect.signature(each.predict).parameters.values()) for each in forecasters]
    takes = any(each.name == "quantiles" for some in parameters for each in some)
    if not takes and not any(each.kind == each.VAR_KEYWORD for each in parameters[-1]):
        raise TypeError(
            f"backtest(quantiles=...): {type(forecasters[-1]).__name__}.predict takes no quantiles. Give an estimator "
            "with predict(X, quantiles=...), such as LSTMRegressor(quantiles=(0.1, 0.5, 0.9)), or quantiles=None."
        )


def _forecasters(estimator: Any) -> Iterator[Any]:
    """Go from an estimator to what forecasts in it: the last step of a pipeline, the one that a search tunes."""
    yield estimator
    if hasattr(estimator, "steps"):
        yield from _forecasters(estimator.steps[-1][1])
    elif hasattr(estimator, "estimator"):
        yield from _forecasters(estimator.estimator)
