"""Scores as a table, forecasts as a file and a picture."""

from pathlib import Path

import numpy as np
import pandas as pd

from skts.commandline._table import Table
from skts.inspection import ErrorByLeadDisplay, ForecastDisplay
from skts.panel import has_target, series_names


def scores(y: pd.Series, forecasts: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Score every column of forecasts over the rows that have a target.

    Parameters
    ----------
    y : Series of shape (n_rows,)
    forecasts : DataFrame of shape (n_rows, n_forecasters)
    reference : str
        The column against which the skill is taken: 1 - RMSE / RMSE of the reference.

    Returns
    -------
    table : DataFrame of shape (n_forecasters, 3)
        MAE, RMSE and skill, the best first.
    """
    there = has_target(y)
    errors = forecasts[there].sub(y[there], axis=0)
    table = pd.DataFrame({"MAE": errors.abs().mean(), "RMSE": np.sqrt((errors**2).mean())})
    table["skill"] = 1 - table["RMSE"] / table["RMSE"][reference]
    return table.sort_values("RMSE")


def write_table(table: pd.DataFrame, unit: str) -> str:
    """Lay the scores out as text."""
    lines = [f"{'':14}{'MAE' + unit:>12}{'RMSE' + unit:>12}{'skill':>9}"]
    for name, row in table.iterrows():
        lines.append(f"{name!s:14}{row['MAE']:12.4g}{row['RMSE']:12.4g}{row['skill']:8.1%}")
    return "\n".join(lines)


def draw(path: Path, table: Table, forecasts: pd.DataFrame, leads: np.ndarray) -> None:
    """Draw two weeks of one series, and the error of all by lead.

    Parameters
    ----------
    path : Path
        Of the picture.
    table : Table
    forecasts : DataFrame of shape (n_test_rows, n_forecasters)
    leads : ndarray of int of shape (n_test_rows,)
        How many rows after the last one seen each forecast lies.
    """
    from matplotlib.figure import Figure

    _, y = table.test
    names, unit = series_names(y.index), table.unit.strip(" ()") or None
    figure = Figure(figsize=(9, 6), layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=[1.2, 1])
    shown = {"series": None if names is None else names[:1], "n_rows": 14 * int(leads.max()), "unit": unit, "ax": above}
    for drawn in ("LSTM", "Ridge"):
        ForecastDisplay.from_predictions(y, forecasts[drawn], lead=leads, name=drawn, **shown)
    for name, y_pred in forecasts.items():
        ErrorByLeadDisplay.from_predictions(y, y_pred, lead=leads, metric="rmse", name=str(name), unit=unit, ax=below)
    figure.savefig(path, dpi=140)
