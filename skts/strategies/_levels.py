"""Which levels a forecaster answers."""

from collections.abc import Iterable
from typing import Any

from skts.nn import sort_levels
from skts.windows import walk


def choose_levels(estimator: Any, given: Iterable[float] | None) -> tuple[float, ...] | None:
    """Find the levels to work with: those that are given, or the first that a part of an estimator names.

    Parameters
    ----------
    estimator : estimator
        Fitted or not.
    given : iterable of float or None

    Returns
    -------
    levels : tuple of float or None
        Increasing, the median among them. None where nobody names any.
    """
    found = given
    for part in walk(estimator):
        found = next((each for each in (found, *_levels_of(part)) if each is not None), None)
    return None if found is None else sort_levels(found)


def _levels_of(part: Any) -> Iterable[Any]:
    yield getattr(part, "levels_", None)
    yield getattr(part, "quantiles", None) if hasattr(part, "predict") else None
