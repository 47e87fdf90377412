"""Clones of one estimator for several outputs and levels."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.multioutput import MultiOutputRegressor
from sklearn.utils import get_tags


def clone_for(estimator: Any, n_outputs: int, parameter: str, level: float | None) -> Any:
    """Clone an estimator for a number of outputs, and for a level of quantiles.

    Parameters
    ----------
    estimator : estimator
    n_outputs : int
        Where the tags say that the estimator has only one, as many clones are put into a MultiOutputRegressor.
    parameter : str
        The parameter that takes the level.
    level : float or None

    Raises
    ------
    ValueError
        The estimator has no such parameter.
    """
    copy = clone(estimator)
    if level is not None:
        try:  # asking get_params would refuse LightGBM, which takes more parameters than it lists
            copy.set_params(**{parameter: level})
        except ValueError as error:
            raise ValueError(
                f"WindowedRegressor(quantile_parameter={parameter!r}): {estimator!r} has no such parameter. Give the "
                "name of the one that takes the level, and an estimator that forecasts a quantile, such as "
                'HistGradientBoostingRegressor(loss="quantile").'
            ) from error
    if n_outputs > 1 and not get_tags(copy).target_tags.multi_output:
        return MultiOutputRegressor(copy)
    return copy


def warn_if_alike(estimators: list[Any], levels: Sequence[float], parameter: str, rows: NDArray[np.floating]) -> None:
    """Warn where the lowest and the highest level forecast the same: their parameter was not read."""
    if len(levels) == 1 or not np.array_equal(estimators[0].predict(rows), estimators[-1].predict(rows)):
        return
    warnings.warn(
        f"WindowedRegressor(quantile_parameter={parameter!r}): the estimator forecasts the same for the levels "
        f'{levels[0]} and {levels[-1]}. Give it the loss that reads this parameter: loss="quantile" of '
        'HistGradientBoostingRegressor, objective="quantile" of LGBMRegressor.',
        UserWarning,
        stacklevel=5,
    )
