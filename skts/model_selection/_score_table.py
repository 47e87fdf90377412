"""Scores of a backtest, by whatever its rows have in common."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import (
    max_error,
    mean_absolute_error,
    mean_pinball_loss,
    median_absolute_error,
    r2_score,
    root_mean_squared_error,
)

from skts._compat import validate_params
from skts.model_selection._fold_table import RESERVED, find_levels

Metric = Callable[[NDArray[np.float64], NDArray[np.float64]], float]


def _bias(y_true: NDArray[np.float64], y_pred: NDArray[np.float64]) -> float:
    return float(np.mean(y_pred - y_true))


_METRICS: dict[str, Metric] = {
    "bias": _bias,
    "mae": mean_absolute_error,
    "max_error": max_error,
    "medae": median_absolute_error,
    "r2": r2_score,
    "rmse": root_mean_squared_error,
}


@validate_params(
    {"result": [pd.DataFrame], "by": [str, list, tuple, None], "metrics": [list, tuple]},
    prefer_skip_nested_validation=True,
)
def score_table(
    result: pd.DataFrame,
    by: str | Sequence[str] | None = "lead",
    *,
    metrics: Sequence[str | Metric] = ("mae", "rmse", "bias"),
) -> pd.DataFrame:
    """Score the forecasts of a backtest, group by group.

    Parameters
    ----------
    result : DataFrame of shape (n_forecasts, n_columns)
        What :func:`backtest` gave, or some of its rows. A row whose `y_true` is NaN is left out, and a group of such
        rows alone has no score.
    by : str, list of str or None, default="lead"
        What the rows of a group share: a column of `result`, such as "lead" or "fold"; "series" for all the columns
        before `time`; "hour" (0 to 23) or "month" (1 to 12) of `time`, in its own time zone; or a list of such. None
        scores all rows together.
    metrics : sequence of str or callable, default=("mae", "rmse", "bias")
        The scores: "mae", "rmse", "bias" (mean of forecast minus target: above 0 forecasts too much), "medae" (median
        absolute error), "max_error" and "r2", or functions ``f(y_true, y_pred)`` such as those of
        :mod:`sklearn.metrics`, which name their columns.

    Returns
    -------
    scores : DataFrame of shape (n_groups, n_scores)
        A row for each group, in order; the columns are `n`, the number of forecasts scored, then `metrics`. Where
        `result` has quantiles: `pinball`, the mean of :func:`~sklearn.metrics.mean_pinball_loss` over them, and where
        it has two or more, `coverage`, the share of targets within the lowest and the highest one, ends included.
        Errors have the unit of the target.

    Raises
    ------
    ValueError
        Columns that `result` does not have, unknown metrics, no target in any row, or a forecast that is NaN.

    See Also
    --------
    backtest : Makes the forecasts.

    Examples
    --------
    >>> import pandas as pd
    >>> from skts.model_selection import score_table
    >>> result = pd.DataFrame({"time": [0, 1, 2, 3], "origin": [0, 0, 2, 2], "lead": [1, 2, 1, 2], "fold": 0})
    >>> result["y_true"], result["y_pred"] = [1.0, 2.0, 3.0, None], [2.0, 2.0, 5.0, 7.0]
    >>> score_table(result, by="lead", metrics=["mae", "bias"]).reset_index()
       lead  n  mae  bias
    0     1  2  1.5   1.5
    1     2  1  0.0   0.0
    """
    _check_columns(result)
    functions = dict(map(_read_metric, metrics))
    levels = find_levels(result)
    scored = result[result["y_true"].notna()]
    if len(scored) == 0:
        raise ValueError(f"score_table: y_true is missing (NaN) in all {len(result)} rows: there is nothing to score.")
    _check_finite(scored, ["y_true", "y_pred", *levels])
    names = [by] if isinstance(by, str) else list(by or [])
    keys = [key for name in names for key in _read_key(scored, name)] or [np.full(len(scored), "all")]
    groups = scored.groupby(keys, observed=True)
    return pd.DataFrame([_score(group, functions, levels) for _, group in groups], index=groups.size().index)


def _score(group: pd.DataFrame, functions: dict[str, Metric], levels: dict[str, float]) -> dict[str, float]:
    """Score one group."""
    y_true, y_pred = (group[name].to_numpy(dtype=np.float64) for name in ("y_true", "y_pred"))
    scores = {"n": len(group)} | {name: float(metric(y_true, y_pred)) for name, metric in functions.items()}
    if levels:
        losses = [mean_pinball_loss(y_true, group[name], alpha=level) for name, level in levels.items()]
        scores["pinball"] = float(np.mean(losses))
    if len(levels) > 1:
        lowest, *_, highest = levels
        scores["coverage"] = float(np.mean((group[lowest] <= y_true) & (y_true <= group[highest])))
    return scores


def _read_metric(metric: str | Metric) -> tuple[str, Metric]:
    if callable(metric):
        return getattr(metric, "__name__", repr(metric)), metric
    if metric not in _METRICS:
        raise ValueError(
            f"score_table(metrics=...): {metric!r} is unknown. Expected are {', '.join(map(repr, _METRICS))} or a "
            "function f(y_true, y_pred)."
        )
    return metric, _METRICS[metric]


def _read_key(result: pd.DataFrame, name: str) -> list[Any]:
    """Give the columns that a name in `by` stands for."""
    if name in result.columns:
        return [result[name]]
    series = list(result.columns)[: list(result.columns).index("time")]
    if name == "series" and series:
        return [result[each] for each in series]
    if name in ("hour", "month"):
        if not hasattr(result["time"], "dt") or not hasattr(result["time"].dt, name):
            raise ValueError(
                f"score_table(by={name!r}): the times are of dtype {result['time'].dtype}, and date-times or periods "
                "are expected: backtest a table with such times in its index."
            )
        return [getattr(result["time"].dt, name).rename(name)]
    raise ValueError(
        f"score_table(by={name!r}): expected is one of {[*map(str, result.columns), 'hour', 'month']}"
        f"{', or series' if series else '; the table has one series without a name'}."
    )


def _check_columns(result: pd.DataFrame) -> None:
    lacking = [name for name in RESERVED if name not in result.columns]
    if lacking:
        raise ValueError(
            f"score_table: result has no column {lacking[0]!r}. The table that backtest gives is expected."
        )


def _check_finite(scored: pd.DataFrame, names: list[str]) -> None:
    values = scored[names].to_numpy(dtype=np.float64, na_value=np.nan)
    bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if len(bad):
        name, value = next(each for each in zip(names, values[bad[0]], strict=True) if not np.isfinite(each[1]))
        raise ValueError(
            f"score_table: {'the target' if name == 'y_true' else 'the forecast'} of row {scored.index[bad[0]]} is "
            f"{'NaN' if np.isnan(value) else value} ({len(bad)} of {len(scored)} rows with a target): a number is "
            "expected. Fill it, or leave the row out of result."
        )
