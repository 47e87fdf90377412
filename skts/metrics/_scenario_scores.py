"""Scores of scenarios: forecasts of many rows at once."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist, pdist

from skts.metrics._rows import Floats, read_target, rows_with_target

Ints = NDArray[np.int64]


def energy_score(y_true: ArrayLike, samples: ArrayLike, *, groups: Any = None, fair: bool = True) -> float:
    r"""Energy score of scenarios: how far the truth lies from them, less half of how far they lie from each other.

    The continuous ranked probability score of many rows at once [1]_,

    .. math:: \mathrm{ES}(F, y) = E \lVert X - y \rVert - \tfrac{1}{2} E \lVert X - X' \rVert ,

    with independent scenarios :math:`X` and :math:`X'` and the Euclidean distance over the rows of a group, such as a
    day of all stations.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        The target. A row in which it is NaN is left out.
    samples : array-like of shape (n_samples, n_rows)
        Scenarios, in the unit of `y_true`, at least two; without NaN.
    groups : array-like of shape (n_rows,), default=None
        What is scored together, such as the day of each row, ``X.index.get_level_values("time").floor("D")``. None
        scores all rows together.
    fair : bool, default=True
        Whether :math:`E \lVert X - X' \rVert` is the mean over pairs of different scenarios, which few scenarios
        estimate without bias [2]_. Otherwise it is that over all pairs, as if the scenarios were the whole
        distribution; then more scenarios score better.

    Returns
    -------
    score : float
        The mean over groups, in the unit of `y_true`; less is better.

    Raises
    ------
    ValueError
        Shapes that are not as above, NaN in `samples`, or no row with a target.

    See Also
    --------
    variogram_score : Tells more of how rows go together.
    crps_from_quantiles : Of each row on its own.

    Notes
    -----
    Proper, but it tells little of correlations: margins outweigh them, so that a hundredth between two sets of
    scenarios with the same margins is much. Distances grow with the number of rows, so groups with holes score less;
    compare forecasts by the same rows only. Stations of unlike size are to be divided by their capacity before.

    References
    ----------
    .. [1] T. Gneiting, A. E. Raftery. "Strictly proper scoring rules, prediction, and estimation". Journal of the
       American Statistical Association 102(477), 2007. :doi:`10.1198/016214506000001437`
    .. [2] C. A. T. Ferro. "Fair scores for ensemble forecasts". Quarterly Journal of the Royal Meteorological Society
       140(683), 2014. :doi:`10.1002/qj.2270`

    Examples
    --------
    >>> from skts.metrics import energy_score
    >>> energy_score([3.0, 4.0], [[0.0, 0.0], [6.0, 8.0]], fair=False)
    2.5
    """
    scores = []
    for truth, drawn, _ in _read_groups(y_true, samples, groups):
        n = len(drawn)
        between = 2 * pdist(drawn).sum() / (n * (n - 1) if fair else n**2)
        scores.append(cdist(drawn, truth[None]).mean() - between / 2)
    return float(np.mean(scores))


def variogram_score(
    y_true: ArrayLike, samples: ArrayLike, *, p: float = 0.5, weights: ArrayLike | None = None, groups: Any = None
) -> float:
    r"""Variogram score of scenarios: whether rows differ from each other as much as they do in the scenarios.

    Over all pairs of rows of a group [1]_,

    .. math:: \mathrm{VS}_p(F, y) = \sum_{i, j} w_{ij}
       \bigl(\lvert y_i - y_j \rvert^p - E \lvert X_i - X_j \rvert^p\bigr)^2 .

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        The target. A row in which it is NaN is left out, with all its pairs.
    samples : array-like of shape (n_samples, n_rows)
        Scenarios, in the unit of `y_true`, at least two; without NaN.
    p : float, default=0.5
        The order, above 0. With 0.5 a few large differences count less than with 1.
    weights : array-like of shape (n_in_group, n_in_group), default=None
        Weight of each pair of rows of a group, in their order; none negative. All groups then have as many rows. Pairs
        that are close to each other tell most of how rows go together, so that weights may fall with distance. None
        weighs all pairs alike, by 1.
    groups : array-like of shape (n_rows,), default=None
        What is scored together, as in :func:`energy_score`.

    Returns
    -------
    score : float
        The mean over groups, in the unit of `y_true` to the power of 2 `p`; less is better.

    Raises
    ------
    ValueError
        Shapes that are not as above, NaN in `samples`, `p` that is not above 0, negative weights, or no row with a
        target.

    See Also
    --------
    energy_score : Tells of all that a distribution is, and less of correlations.

    Notes
    -----
    Proper, not strictly so: scenarios that are all too high by the same score as well as those that are not. Read it
    beside a score of the margins. The estimate of :math:`E` by n scenarios adds its variance to the score, so compare
    forecasts by as many. All pairs of rows: seconds and memory grow with the square of the rows of a group.

    References
    ----------
    .. [1] M. Scheuerer, T. M. Hamill. "Variogram-based proper scoring rules for probabilistic forecasts of multivariate
       quantities". Monthly Weather Review 143(4), 2015. :doi:`10.1175/MWR-D-14-00269.1`

    Examples
    --------
    Two stations that always differ by 1, and scenarios that let them agree:

    >>> from skts.metrics import variogram_score
    >>> variogram_score([1.0, 2.0], [[1.0, 2.0], [4.0, 5.0]])
    0.0
    >>> variogram_score([1.0, 2.0], [[1.0, 1.0], [4.0, 4.0]])
    2.0
    """
    if not p > 0:
        raise ValueError(f"variogram_score(p={p!r}): an order above 0 is expected, such as 0.5.")
    matrix = None if weights is None else np.asarray(weights, dtype=np.float64)
    scores = []
    for truth, drawn, pairs in _read_groups(y_true, samples, groups, matrix):
        scores.append(float((pairs * _variogram_errors(truth, drawn, p) ** 2).sum()))
    return float(np.mean(scores))


def _variogram_errors(truth: Floats, drawn: Floats, p: float) -> Floats:
    """Give, for all pairs of rows, the difference of the truth to that of the scenarios, each to the power of p."""
    errors = np.empty((len(truth), len(truth)))
    columns = np.ascontiguousarray(drawn.T)  # (n_rows, n_samples)
    for row in range(len(truth)):
        apart = np.abs(columns[row:] - columns[row])
        expected = (np.sqrt(apart) if p == 0.5 else apart**p).mean(axis=1)
        errors[row, row:] = np.abs(truth[row:] - truth[row]) ** p - expected
        errors[row:, row] = errors[row, row:]
    return errors


def _read_groups(
    y_true: ArrayLike, samples: ArrayLike, groups: Any, weights: Floats | None = None
) -> Iterator[tuple[Floats, Floats, Any]]:
    """Go through the groups that have a target: their truths, scenarios, and weights of pairs."""
    there, truth = rows_with_target(y_true), read_target("y_true", y_true)
    drawn, n_rows = np.asarray(samples, dtype=np.float64), len(truth)
    if drawn.ndim != 2 or drawn.shape[1] != n_rows or len(drawn) < 2:
        raise ValueError(
            f"samples has shape {drawn.shape}, and (n_samples, {n_rows}) is expected: two scenarios or more, a column "
            "for each row of y_true."
        )
    bad = np.flatnonzero(~np.isfinite(drawn).all(axis=0))
    if len(bad):
        raise ValueError(
            f"samples is NaN or infinite in row {bad[0]} of y_true ({len(bad)} of {n_rows} rows): numbers are "
            "expected, and only y_true may hold NaN. Leave such rows out of both."
        )
    number = _read_numbers(groups, n_rows)
    for rows in np.split(np.argsort(number, kind="stable"), np.cumsum(np.bincount(number))[:-1]):
        kept = there[rows]
        if kept.any():
            pairs = 1.0 if weights is None else _check_weights(weights, len(rows))[np.ix_(kept, kept)]
            yield truth[rows[kept]], drawn[:, rows[kept]], pairs


def _read_numbers(groups: Any, n_rows: int) -> Ints:
    """Give each row the number of its group."""
    if groups is None:
        return np.zeros(n_rows, dtype=np.int64)
    labels = np.asarray(groups)
    if labels.shape != (n_rows,):
        raise ValueError(f"groups has shape {labels.shape}, and {(n_rows,)} is expected: one for each row of y_true.")
    return np.unique(labels, return_inverse=True)[1]


def _check_weights(weights: Floats, n_rows: int) -> Floats:
    if weights.shape != (n_rows, n_rows):
        raise ValueError(
            f"weights has shape {weights.shape}, and a group of {n_rows} rows needs {(n_rows, n_rows)}: give all "
            "groups as many rows, those without a target too."
        )
    if not (weights >= 0).all():
        raise ValueError("weights holds a negative number or NaN: weights of at least 0 are expected.")
    return weights
