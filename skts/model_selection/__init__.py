"""Splits in time."""

from skts.model_selection._panel_time_series_split import PanelTimeSeriesSplit

__all__ = ["PanelTimeSeriesSplit"]
