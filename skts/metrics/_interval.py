"""Scores of prediction intervals."""

from numbers import Real

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import mean_pinball_loss
from sklearn.utils import check_scalar

from skts.metrics._rows import read_rows


def interval_score(
    y_true: ArrayLike,
    y_lower: ArrayLike,
    y_upper: ArrayLike,
    *,
    alpha: float,
    sample_weight: ArrayLike | None = None,
) -> float:
    r"""Mean score of central prediction intervals: their width, and a penalty for every row outside.

    Equation 43 of [1]_: a row with target :math:`y` and interval :math:`[l, u]` scores

    .. math:: (u - l) + \frac{2}{\alpha} \max(l - y, 0) + \frac{2}{\alpha} \max(y - u, 0),

    which is :math:`2 / \alpha` times the sum of the pinball losses of its two ends, and is computed so.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        The target. A row in which it is NaN is left out.
    y_lower, y_upper : array-like of shape (n_rows,)
        The quantiles `alpha / 2` and `1 - alpha / 2`, in the unit of `y_true`; without NaN. Ends that cross are
        scored by the two pinball losses, too.
    alpha : float
        The share of rows that is to lie outside, strictly between 0 and 1: 0.1 for a 90 % interval.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of the rows.

    Returns
    -------
    score : float
        In the unit of `y_true`; smaller is better.

    Raises
    ------
    ValueError
        `alpha` or shapes that are not as above, NaN in the interval, or no row with a target.

    See Also
    --------
    interval_coverage : The share of rows inside, alone.

    References
    ----------
    .. [1] T. Gneiting, A. E. Raftery. "Strictly proper scoring rules, prediction, and estimation". Journal of the
       American Statistical Association 102(477), 2007. :doi:`10.1198/016214506000001437`

    Examples
    --------
    A 50 % interval of width 2, and the second of two rows lies 0.5 below it:

    >>> from skts.metrics import interval_score
    >>> interval_score([3.0, 1.5], [2.0, 2.0], [4.0, 4.0], alpha=0.5)
    3.0
    """
    check_scalar(alpha, "alpha", Real, min_val=0, max_val=1, include_boundaries="neither")
    rows = read_rows(y_true, sample_weight, y_lower=y_lower, y_upper=y_upper)
    loss = sum(
        mean_pinball_loss(rows.y_true, end, alpha=level, sample_weight=rows.sample_weight)
        for end, level in zip(rows.forecasts, (alpha / 2, 1 - alpha / 2), strict=True)
    )
    return float(2 / alpha * loss)


def interval_coverage(
    y_true: ArrayLike, y_lower: ArrayLike, y_upper: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Share of rows whose target lies inside its prediction interval.

    No score to select models by, since an interval without limits covers everything: compare it with the share that
    the interval was made for, and rank by :func:`interval_score`.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        The target. A row in which it is NaN is left out.
    y_lower, y_upper : array-like of shape (n_rows,)
        The ends of the intervals, which belong to them; without NaN. Where they cross, nothing lies inside.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of the rows.

    Returns
    -------
    share : float
        Between 0 and 1.

    Raises
    ------
    ValueError
        Shapes that are not as above, NaN in the interval, or no row with a target.

    Examples
    --------
    >>> from skts.metrics import interval_coverage
    >>> interval_coverage([3.0, 1.5, float("nan")], [2.0, 2.0, 2.0], [4.0, 4.0, 4.0])
    0.5
    """
    rows = read_rows(y_true, sample_weight, y_lower=y_lower, y_upper=y_upper)
    lower, upper = rows.forecasts
    inside = (lower <= rows.y_true) & (rows.y_true <= upper)
    return float(np.average(inside, weights=rows.sample_weight))
