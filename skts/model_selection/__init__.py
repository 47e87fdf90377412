"""Splits in time and by series, rolling backtests, and tables of their scores."""

from skts.model_selection._backtest import backtest

# inside the package only, for `inspection`: what makes and reads tables of forecasts, and sets the history of a fold
from skts.model_selection._fold_table import find_levels as find_levels
from skts.model_selection._fold_table import make_fold_table as make_fold_table
from skts.model_selection._forecast import forecast
from skts.model_selection._history import place_before as place_before
from skts.model_selection._leave_series_out import LeaveSeriesOut
from skts.model_selection._panel_time_series_split import PanelTimeSeriesSplit
from skts.model_selection._purged_panel_k_fold import PurgedPanelKFold
from skts.model_selection._score_table import score_table

__all__ = ["LeaveSeriesOut", "PanelTimeSeriesSplit", "PurgedPanelKFold", "backtest", "forecast", "score_table"]
