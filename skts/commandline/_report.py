"""Scores as a table, forecasts as a file and a picture."""

from pathlib import Path

import numpy as np
import pandas as pd

from skts.commandline._table import Table
from skts.panel import has_target, series_names

_COLOURS = {"LSTM": "#c2410c", "Ridge": "#0369a1", "persistence": "#78716c", "climatology": "#a8a29e"}


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
    import matplotlib as mpl
    from matplotlib.figure import Figure

    _, y = table.test
    names = series_names(y.index)
    series = np.zeros(len(y), dtype=np.int64) if names is None else pd.factorize(names)[0]
    one, horizon = series == 0, int(leads.max())
    times = pd.DatetimeIndex(y.index.get_level_values(-1)[one]).tz_localize(None)
    shown = slice(0, min(14 * horizon, len(times)))
    with mpl.rc_context({"axes.spines.top": False, "axes.spines.right": False, "font.size": 9}):
        figure = Figure(figsize=(9, 5.4), layout="constrained")
        above, below = figure.subplots(2, 1, height_ratios=[1.4, 1])
        above.fill_between(times[shown], y[one].iloc[shown], color="#e7e5e4", label="measured", linewidth=0)
        for name in ("Ridge", "LSTM"):
            above.plot(times[shown], forecasts[name][one].iloc[shown], color=_COLOURS[name], label=name, linewidth=1.3)
        label = table.target if names is None else names[0]
        above.set_title(f"{label}: {horizon} rows ahead, each block forecast at its start", loc="left")
        above.set_ylabel(table.target)
        above.margins(x=0)
        above.tick_params(axis="x", labelrotation=0)
        squared = forecasts.sub(y, axis=0) ** 2
        for name, colour in _COLOURS.items():
            rmse = np.sqrt(squared[name].groupby(leads).mean())
            below.plot(rmse.index, rmse, color=colour, label=name, linewidth=1.6)
        below.set_xlabel("lead (rows from the origin)")
        below.set_ylabel(f"RMSE{table.unit}")
        below.set_ylim(bottom=0)
        below.margins(x=0)
        for axes in (above, below):
            axes.legend(frameon=False, ncols=4, loc="lower right", bbox_to_anchor=(1, 0.98))
        figure.savefig(path, dpi=140)
