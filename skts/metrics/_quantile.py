"""Scores of forecasts that consist of several quantiles."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import mean_pinball_loss

from skts.metrics._rows import Floats, check_quantiles, read_rows


def mean_quantile_loss(
    y_true: ArrayLike, y_pred: ArrayLike, *, quantiles: ArrayLike, sample_weight: ArrayLike | None = None
) -> float:
    """Mean pinball loss over a set of quantiles.

    :func:`~sklearn.metrics.mean_pinball_loss` of each level, and the mean of them: the score of the Global Energy
    Forecasting Competition 2014 [1]_, whose levels were 0.01, 0.02, ... 0.99.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        The target. A row in which it is NaN is left out.
    y_pred : array-like of shape (n_rows, n_quantiles)
        The forecast of each quantile, in the unit of `y_true`; without NaN.
    quantiles : array-like of shape (n_quantiles,)
        The level of each column of `y_pred`, increasing and strictly between 0 and 1.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of the rows.

    Returns
    -------
    loss : float
        In the unit of `y_true`; 0 is best.

    Raises
    ------
    ValueError
        Levels or shapes that are not as above, NaN in `y_pred`, or no row with a target.

    See Also
    --------
    crps_from_quantiles : The same losses as an integral over all levels.
    make_quantile_scorer : Makes a scorer of this metric.

    References
    ----------
    .. [1] T. Hong, P. Pinson, S. Fan, H. Zareipour, A. Troccoli, R. J. Hyndman. "Probabilistic energy forecasting:
       Global Energy Forecasting Competition 2014 and beyond". International Journal of Forecasting 32(3), 2016.
       :doi:`10.1016/j.ijforecast.2016.02.001`

    Examples
    --------
    >>> from skts.metrics import mean_quantile_loss
    >>> mean_quantile_loss([5.0, 1.0], [[2.0, 4.0], [2.0, 4.0]], quantiles=[0.25, 0.75])
    0.75
    """
    return float(np.mean(_quantile_losses(y_true, y_pred, check_quantiles(quantiles), sample_weight)))


def crps_from_quantiles(
    y_true: ArrayLike, y_pred: ArrayLike, *, quantiles: ArrayLike, sample_weight: ArrayLike | None = None
) -> float:
    r"""Continuous ranked probability score, approximated from quantiles.

    The score of a forecast distribution is twice the integral of its pinball loss :math:`\rho_\tau` over all levels
    :math:`\tau` [1]_ [2]_,

    .. math:: \mathrm{CRPS}(F, y) = 2 \int_0^1 \rho_\tau\bigl(y, F^{-1}(\tau)\bigr)\, d\tau .

    Of the loss only its values at `quantiles` are known. It is taken to be linear between neighbouring levels
    (trapezoids) and constant outside: below the lowest level it has the value there, above the highest level the value
    there. So each level weighs as much as the part of (0, 1) that lies nearer to it than to any other, and the
    weights sum to 1.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        The target. A row in which it is NaN is left out.
    y_pred : array-like of shape (n_rows, n_quantiles)
        The forecast of each quantile, in the unit of `y_true`; without NaN.
    quantiles : array-like of shape (n_quantiles,)
        The level of each column of `y_pred`, increasing and strictly between 0 and 1, at any distances.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of the rows.

    Returns
    -------
    score : float
        The mean over rows, in the unit of `y_true`; 0 is best.

    Raises
    ------
    ValueError
        Levels or shapes that are not as above, NaN in `y_pred`, or no row with a target.

    See Also
    --------
    mean_quantile_loss : Every level weighs the same, and nothing is doubled.
    make_quantile_scorer : Makes a scorer of this metric.

    Notes
    -----
    A point forecast in every column scores its absolute error, as it does by the exact score, where the levels lie
    symmetrically about 0.5. Compare models by the same levels only: with few of them, the score tells nothing about
    the tails.

    References
    ----------
    .. [1] T. Gneiting, R. Ranjan. "Comparing density forecasts using threshold- and quantile-weighted scoring rules".
       Journal of Business & Economic Statistics 29(3), 2011. :doi:`10.1198/jbes.2010.08110`
    .. [2] F. Laio, S. Tamea. "Verification tools for probabilistic forecasts of continuous hydrological variables".
       Hydrology and Earth System Sciences 11, 2007. :doi:`10.5194/hess-11-1267-2007`

    Examples
    --------
    >>> from skts.metrics import crps_from_quantiles
    >>> crps_from_quantiles([5.0, 1.0], [[2.0, 4.0], [2.0, 4.0]], quantiles=[0.25, 0.75])
    1.5
    """
    levels = check_quantiles(quantiles)
    return float(2 * _quantile_losses(y_true, y_pred, levels, sample_weight) @ _shares(levels))


def _quantile_losses(y_true: ArrayLike, y_pred: ArrayLike, levels: Floats, sample_weight: ArrayLike | None) -> Floats:
    """Give the mean pinball loss of each level."""
    rows = read_rows(y_true, sample_weight, len(levels), y_pred=y_pred)
    columns = rows.forecasts[0].T  # (n_quantiles, n_scored)
    losses = [
        mean_pinball_loss(rows.y_true, column, alpha=level, sample_weight=rows.sample_weight)
        for level, column in zip(levels, columns, strict=True)
    ]
    return np.array(losses)


def _shares(levels: Floats) -> Floats:
    """Give the length of (0, 1) that lies nearest to each level: what trapezoids with constant ends make of it."""
    middles = (levels[1:] + levels[:-1]) / 2
    return np.diff(np.concatenate([[0.0], middles, [1.0]]))
