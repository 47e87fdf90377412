"""Scores as a table, forecasts as a file and a picture."""

from pathlib import Path

import numpy as np
import pandas as pd

from skts.inspection import ErrorByLeadDisplay, ForecastDisplay
from skts.panel import has_target, series_names

NAIVE = ("climatology", "last week", "yesterday", "persistence")
_N_SERIES_SHOWN = 20


def scores(y: pd.Series, forecasts: pd.DataFrame) -> pd.DataFrame:
    """Score every column of forecasts over the rows that have a target.

    Parameters
    ----------
    y : Series of shape (n_rows,)
    forecasts : DataFrame of shape (n_rows, n_forecasters)

    Returns
    -------
    table : DataFrame of shape (n_forecasters, 3)
        MAE, RMSE and skill, the best first. The skill is 1 - MAE / MAE of the best of the naive forecasters, which has
        none; NaN where there is no naive one.
    """
    there = has_target(y)
    errors = forecasts[there].sub(y[there], axis=0)
    table = pd.DataFrame({"MAE": errors.abs().mean(), "RMSE": np.sqrt((errors**2).mean())})
    naive = table["MAE"].reindex([name for name in NAIVE if name in table.index])
    table["skill"] = 1 - table["MAE"] / naive.min()
    return table.sort_values("MAE")


def best_naive(table: pd.DataFrame) -> str | None:
    """Name the naive forecaster of a table of scores that the skill is taken against."""
    return next((str(name) for name in table.index if name in NAIVE), None)


def write_reference(table: pd.DataFrame) -> str:
    """Say what the skill is taken against."""
    return f"skill (of the MAE) against {best_naive(table)}, the best naive"


def write_table(table: pd.DataFrame, unit: str) -> str:
    """Lay the scores out as text."""
    width = max(14, *(len(str(name)) + 2 for name in table.index))
    lines = [f"{'':{width}}{'MAE' + unit:>12}{'RMSE' + unit:>12}{'skill':>9}"]
    for name, row in table.iterrows():
        lines.append(f"{name!s:{width}}{row['MAE']:12.4g}{row['RMSE']:12.4g}{row['skill']:8.1%}")
    return "\n".join(lines)


def score_by(keys: pd.Series | pd.Index | np.ndarray, y: pd.Series, forecasts: pd.DataFrame) -> pd.DataFrame:
    """Give the mean absolute error of every forecaster by group, over the rows that have a target."""
    there = has_target(y)
    errors = forecasts[there].sub(y[there], axis=0).abs()
    return errors.groupby(np.asarray(keys)[there], sort=False).mean()


def score_by_series(y: pd.Series, forecasts: pd.DataFrame) -> str:
    """Lay the mean absolute error by series out as text, of at most 20 series."""
    names = series_names(y.index)
    labels = np.full(len(y), "all", dtype=object)
    if names is not None:
        labels = np.array([write_name(name) for name in names], dtype=object)
    table = score_by(labels, y, forecasts)
    return lay_out(table.head(_N_SERIES_SHOWN), more=len(table) - _N_SERIES_SHOWN)


def write_name(name: object) -> str:
    """Write the name of a series, of one level or several."""
    return " ".join(map(str, name)) if isinstance(name, tuple) else str(name)


def lay_out(table: pd.DataFrame, more: int = 0) -> str:
    """Lay numbers out as text, a column for each forecaster."""
    width = max(10, *(len(str(name)) + 2 for name in table.index))
    columns = [max(10, len(str(name)) + 2) for name in table.columns]
    lines = [" " * width + "".join(f"{name!s:>{n}}" for name, n in zip(table.columns, columns, strict=True))]
    for name, row in table.iterrows():
        numbers = "".join(f"{value:{n}.4g}" for value, n in zip(row, columns, strict=True))
        lines.append(f"{name!s:{width}}{numbers}")
    return "\n".join([*lines, *([f"... and {more:,} more"] if more > 0 else [])])


def choose_drawn(table: pd.DataFrame) -> list[str]:
    """Choose of a table of scores whom to draw, in few colours: the best three, and the best naive one."""
    best, naive = [str(name) for name in table.index[:3]], best_naive(table)
    return best if naive is None or naive in best else [*best, naive]


def draw(path: Path, y: pd.Series, forecasts: pd.DataFrame, leads: np.ndarray, unit: str) -> None:
    """Draw two weeks of one series by the best two, and the error by lead of the best three and the best naive one.

    Parameters
    ----------
    path : Path
        Of the picture.
    y : Series of shape (n_test_rows,)
    forecasts : DataFrame of shape (n_test_rows, n_forecasters)
    leads : ndarray of int of shape (n_test_rows,)
        How many rows after the last one seen each forecast lies.
    unit : str
        Of the target.
    """
    from matplotlib.figure import Figure

    names, said = series_names(y.index), unit.strip(" ()") or None
    figure = Figure(figsize=(9, 6), layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=[1.2, 1])
    shown = {"series": None if names is None else names[:1], "n_rows": 14 * int(leads.max()), "unit": said, "ax": above}
    best = choose_drawn(scores(y, forecasts))
    for name in best[:2]:
        ForecastDisplay.from_predictions(y, forecasts[name], lead=leads, name=name, **shown)
    for name in best:
        ErrorByLeadDisplay.from_predictions(
            y, forecasts[name], lead=leads, metric="mae", name=name, unit=said, ax=below
        )
    figure.savefig(path, dpi=140)
