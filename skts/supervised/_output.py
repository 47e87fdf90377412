"""Forecasts by window in the shape and order that `predict` gives."""

import warnings

import numpy as np
from numpy.typing import NDArray

from skts.exceptions import MissingHistoryWarning
from skts.supervised._inputs import Inputs
from skts.windows import Windows


def to_output(forecasts: NDArray[np.float64], inputs: Inputs, y_shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Put forecasts in the shape and order that the caller knows.

    Parameters
    ----------
    forecasts : ndarray of shape (n_windows, horizon, n_targets, ...)
    inputs : Inputs
        What was forecast.
    y_shape : tuple of int
        The shape of what one window (of an array) or one row (beside Windows) forecasts, as `y` had it in `fit`.

    Returns
    -------
    forecasts : ndarray
        For arrays of windows as `y` was, for training windows by window, for forecasting windows by row of the table.
    """
    if inputs.windows is None:
        return forecasts.reshape(len(forecasts), *y_shape, *forecasts.shape[3:])
    if y_shape == ():
        forecasts = forecasts[:, :, 0]
    return forecasts if inputs.windows.is_training else inputs.windows.to_rows(forecasts)


def warn_missing_history(windows: Windows, what_became: str = "") -> None:
    """Warn the caller of `predict` of forecasts that rest on blank or missing inputs."""
    blanks = windows.find_blanks()
    if blanks.n_blank:
        warnings.warn(
            f"{blanks.n_blank} of {blanks.n_forecasts} forecasts rest on blank or missing inputs{what_became}: "
            f"{'; '.join(blanks.causes)}. Forecasting the training table itself, a gap before the new rows and an "
            "unseen series leave history blank.",
            MissingHistoryWarning,
            stacklevel=3,
        )
