"""How much better than a reference."""

from collections.abc import Callable

from numpy.typing import ArrayLike
from sklearn.metrics import root_mean_squared_error

from skts.metrics._rows import check_forecast, rows_with_target, take_rows


def skill_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    y_reference: ArrayLike,
    *,
    metric: Callable[..., float] = root_mean_squared_error,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Share of a reference forecast's loss that a forecast saves.

    ``1 - metric(y_true, y_pred) / metric(y_true, y_reference)`` [1]_: 1 is perfect, 0 as good as the reference, and
    below 0 worse. Persistence, climatology or the forecast in use are usual references.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,) or (n_rows, n_targets)
        The target. A row in which it is NaN is left out of both losses.
    y_pred, y_reference : array-like of shape (n_rows,) or (n_rows, ...)
        The forecasts, in the shape that `metric` takes; without NaN.
    metric : callable, default=root_mean_squared_error
        A loss ``metric(y_true, y_pred)``, 0 for the best forecast. Of one with more parameters,
        :func:`functools.partial` makes such: ``partial(mean_quantile_loss, quantiles=[0.1, 0.5, 0.9])``.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of the rows; `metric` must take them where they are given.

    Returns
    -------
    skill : float
        Without unit, at most 1; 1 is best.

    Raises
    ------
    ValueError
        Forecasts that have not the rows of `y_true` or hold NaN, no row with a target, or a reference without any
        loss.

    Notes
    -----
    The reference belongs to the rows, so a scorer needs metadata routing:
    ``make_scorer(skill_score).set_score_request(y_reference=True)`` by :func:`~sklearn.metrics.make_scorer`, and
    ``params={"y_reference": ...}`` in :func:`~sklearn.model_selection.cross_validate`.

    References
    ----------
    .. [1] A. H. Murphy. "Skill scores based on the mean square error and their relationships to the correlation
       coefficient". Monthly Weather Review 116(12), 1988.
       :doi:`10.1175/1520-0493(1988)116<2417:SSBOTM>2.0.CO;2`

    Examples
    --------
    >>> from skts.metrics import skill_score
    >>> power, forecast, persistence = [2.0, 4.0, 6.0], [3.0, 5.0, 5.0], [0.0, 2.0, 4.0]
    >>> skill_score(power, forecast, persistence)
    0.5
    """
    there = rows_with_target(y_true)
    for name, forecast in (("y_pred", y_pred), ("y_reference", y_reference)):
        check_forecast(name, forecast, y_true)
    weights = {} if sample_weight is None else {"sample_weight": take_rows(sample_weight, there)}
    target = take_rows(y_true, there)
    loss, reference = (metric(target, take_rows(forecast, there), **weights) for forecast in (y_pred, y_reference))
    if reference == 0:
        raise ValueError(
            f"The loss of y_reference is 0 in all {there.sum()} rows with a target, and there is no skill over a "
            "perfect forecast: a reference that does not know y_true is expected."
        )
    return float(1 - loss / reference)
