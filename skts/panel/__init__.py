"""The table: who and when of every row, grouping by series, gaps."""

from skts.panel._clock import Clock
from skts.panel._columns import Columns, check_choices, find_columns, refusal, refuse_repeated
from skts.panel._gaps import commonest_step, stretch_starts, within_series
from skts.panel._index_table import find_column, index_table
from skts.panel._knowing import find_knowing
from skts.panel._layout import Layout
from skts.panel._missing import check_squares, has_target
from skts.panel._panel_index import PanelIndex
from skts.panel._panel_report import PanelReport, describe_panel, is_static
from skts.panel._period import write_period, write_step
from skts.panel._row_index import RUN, RowIndex, check_same_series, first_difference, read_index, series_names
from skts.panel._runs import refuse_runs
from skts.panel._series_keys import Levels, series_keys
from skts.panel._stacked import find_stacked
from skts.panel._to_panel import to_panel
from skts.panel._unit_jumps import block_moments
from skts.panel._values import naming_cells, read_values
from skts.panel._words import Words

__all__ = [
    "RUN",
    "Clock",
    "Columns",
    "Layout",
    "Levels",
    "PanelIndex",
    "PanelReport",
    "RowIndex",
    "Words",
    "block_moments",
    "check_choices",
    "check_same_series",
    "check_squares",
    "commonest_step",
    "describe_panel",
    "find_column",
    "find_columns",
    "find_knowing",
    "find_stacked",
    "first_difference",
    "has_target",
    "index_table",
    "is_static",
    "naming_cells",
    "read_index",
    "read_values",
    "refusal",
    "refuse_repeated",
    "refuse_runs",
    "series_keys",
    "series_names",
    "stretch_starts",
    "to_panel",
    "within_series",
    "write_period",
    "write_step",
]
