"""Splits in time and by series, rolling backtests, tables of their scores, and proof that nothing leaks."""

from skts.model_selection._backtest import backtest
from skts.model_selection._leak_report import LeakReport
from skts.model_selection._leave_series_out import LeaveSeriesOut
from skts.model_selection._panel_time_series_split import PanelTimeSeriesSplit
from skts.model_selection._prove_no_leak import prove_no_leak
from skts.model_selection._purged_panel_k_fold import PurgedPanelKFold
from skts.model_selection._score_table import score_table

__all__ = [
    "LeakReport",
    "LeaveSeriesOut",
    "PanelTimeSeriesSplit",
    "PurgedPanelKFold",
    "backtest",
    "prove_no_leak",
    "score_table",
]
