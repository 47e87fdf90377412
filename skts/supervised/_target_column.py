"""The column of the windows that holds the past of the target."""

import numpy as np
from numpy.typing import NDArray

from skts.supervised._inputs import Inputs
from skts.supervised._targets import Targets

_UNEXPLAINED = 1e-5  # share of the variance: less than any other quantity leaves
_UNEXPLAINED_AT_MOST = 0.01  # where float32 has rounded much of a small swing on a high level away


def find_target_columns(
    owner: str,
    inputs: Inputs,
    targets: Targets,
    mean: NDArray[np.float64],
    scale: NDArray[np.float64],
    needed_by: str = "instance_norm",
) -> dict[str, list]:
    """Find the column that holds the past of each target, whatever scale a step before gave it.

    Parameters
    ----------
    owner : str
        The estimator, for messages.
    inputs : Inputs
    targets : Targets
    mean, scale : ndarray of shape (n_targets,)
        By which the targets are standardised.
    needed_by : str
        What the column is looked for, for messages.

    Returns
    -------
    own : dict
        For each target its column of `columns`, and `slope` and `offset` of
        standardised target = slope * column + offset.

    Raises
    ------
    ValueError
        A target is no column of the windows.
    """
    if inputs.windows is None:
        raise ValueError(
            f"{owner}: arrays of windows do not tell which column is the target's own past, which "
            f"{needed_by} needs: give Windows of a SlidingWindower."
        )
    own: dict[str, list] = {"columns": [], "slope": [], "offset": []}
    for number, values in enumerate(((targets.values - mean) / scale).T):
        column, slope, offset = affine_column(inputs.panel, values)
        if column is None:
            raise ValueError(
                f"{owner}: no column of X is target {number} itself, in whatever units, which "
                f"{needed_by} needs: add the observed target to X, as in X.assign(power=y), and scale it alike for "
                "all series."
            )
        for key, value in zip(own, (column, slope, offset), strict=True):
            own[key].append(value)
    return own


def affine_column(table: NDArray[np.float32], values: NDArray[np.float64]) -> tuple[int | None, float, float]:
    """Find the column with values = slope * column + offset: (column, slope, offset), or (None, 0, 0)."""
    finite = np.isfinite(values)
    fewest = max(3, finite.sum() / 2)  # any two points lie on a line
    for column in range(table.shape[1]):
        there = np.isfinite(table[:, column]) & finite
        if there.sum() < fewest:
            continue
        x, y = table[there, column].astype(np.float64), values[there]
        x_mean, y_mean, x_largest = x.mean(), y.mean(), np.abs(x).max()
        x, y = x - x_mean, y - y_mean
        xx, yy, xy = x @ x, y @ y, x @ y
        if xx == 0 and yy == 0:
            return column, 1.0, float(y_mean - x_mean)
        if xx == 0 or yy == 0:
            continue
        rounded = len(x) * (np.finfo(np.float32).eps * x_largest) ** 2 / xx
        if xx * yy - xy**2 < min(_UNEXPLAINED + rounded, _UNEXPLAINED_AT_MOST) * xx * yy:
            slope = xy / xx
            return column, float(slope), float(y_mean - slope * x_mean)
    return None, 0.0, 0.0
