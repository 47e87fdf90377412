"""`skts backtest`: forecast the past from several origins, and compare with rivals."""

import argparse
import warnings
from typing import Any

import pandas as pd

from skts.commandline._output import check_table_output, write_frame
from skts.commandline._pipeline import build_pipeline, settle_job
from skts.commandline._report import NAIVE, lay_out, score_by, score_by_series, scores, write_reference, write_table
from skts.commandline._rivals import rivals
from skts.commandline._say import tell_table, timed, verbose
from skts.commandline._split import make_folds
from skts.commandline._table import Table, load_table
from skts.exceptions import MissingHistoryWarning, ShortSeriesWarning
from skts.model_selection import PanelTimeSeriesSplit
from skts.model_selection import backtest as run_backtest

_LEADS_SHOWN = 8
_OWN = "skts"


def backtest(options: argparse.Namespace) -> int:
    """Backtest the command's own forecaster and its rivals on the same rows."""
    if options.output is not None:
        check_table_output(options.output, [options.table])
    table = load_table(options)
    tell_table(table)
    table, cv = make_folds(table, options)
    result = forecast_all(table, cv, options)
    levels = result.columns[: list(result.columns).index("time") + 1]
    y = result.set_index(list(levels))["y_true"]
    forecasts = result.drop(columns=["origin", "lead", "fold", "y_true"]).set_index(list(levels))
    points = forecasts[[name for name in forecasts if not str(name).startswith("q0")]]
    total = scores(y, points)
    print(f"\nScores over {int(y.notna().sum()):,} rows with a measured value, {write_reference(total)}:\n")
    print(write_table(total, table.unit))
    shown = points[list(total.index)]
    print(f"\nMAE by series:\n\n{score_by_series(y, shown)}")
    print(f"\nMAE by lead:\n\n{lay_out(_some(score_by(result['lead'], y, shown).sort_index()))}")
    if options.output is not None:
        write_frame(options.output, result)
        print(f"\nSaved {options.output}")
    return 0


def forecast_all(table: Table, cv: PanelTimeSeriesSplit, options: argparse.Namespace) -> pd.DataFrame:
    """Forecast the test sets with all forecasters.

    Returns
    -------
    result : DataFrame of shape (n_forecasts, n_columns)
        As :func:`skts.model_selection.backtest` gives it, with a column for each forecaster in place of `y_pred`.
    """
    (first, test), *_ = cv.split(table.X, table.y)
    job = settle_job(table.job, table.X.iloc[sorted(first)], table.y.iloc[sorted(first)])
    start = table.X.index.get_level_values(-1)[test].min()
    print(f"  test      {cv.n_splits} splits of {cv.test_size} times from {start} on, {job.horizon} rows ahead")
    result = _run(_OWN, build_pipeline(job), table, cv, options, quantiles=list(job.quantiles) or None)
    result = result.rename(columns={"y_pred": _OWN})
    keys = [*result.columns[: list(result.columns).index("time") + 1], "fold"]
    for name, rival in rivals(job).items():
        other = _run(name, rival, table, cv, options)
        result = result.merge(other.rename(columns={"y_pred": name})[[*keys, name]], on=keys, validate="1:1")
    return result


def _run(
    name: str,
    estimator: Any,
    table: Table,
    cv: PanelTimeSeriesSplit,
    options: argparse.Namespace,
    quantiles: list[float] | None = None,
) -> pd.DataFrame:
    refit = options.refit or name in NAIVE  # which learn nothing but the latest values
    with timed(f"Forecasting with {name}"), warnings.catch_warnings():
        for category in (MissingHistoryWarning, ShortSeriesWarning):  # the holes were counted above
            warnings.simplefilter("ignore", category)
        return run_backtest(
            estimator,
            table.X,
            table.y,
            cv=cv,
            refit=refit,
            n_jobs=options.jobs,
            quantiles=quantiles,
            on_error="raise",
            verbose=verbose(),
        )


def _some(by_lead: pd.DataFrame) -> pd.DataFrame:
    """Keep some leads, from the first to the last."""
    step = max(1, -(-len(by_lead) // _LEADS_SHOWN))
    places = sorted({*range(0, len(by_lead), step), len(by_lead) - 1})
    return by_lead.iloc[places].rename(index=lambda lead: f"lead {lead}")
