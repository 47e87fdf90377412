"""The cut: history in front of new rows, windows as addresses into one table, and the way to both in any pipeline."""

from skts.windows._forecast_blocks import forecast_blocks
from skts.windows._future_rows import future_rows
from skts.windows._history_prepender import HistoryPrepender

# inside the package only, for `export`: what steps have learned, without objects
from skts.windows._plain import plain_of as plain_of
from skts.windows._plain import prepender_from as prepender_from
from skts.windows._plain import windower_from as windower_from
from skts.windows._sliding_windower import SlidingWindower

# inside the package only, for `strategies`: which rows were learned from, and the numbers of their series
from skts.windows._tail import number_series as number_series
from skts.windows._trained_times import TrainedTimes as TrainedTimes
from skts.windows._walk import (
    find_horizon,
    find_known,
    find_lookahead,
    find_static,
    find_windowers,
    holder_of_parts,
    unwrap,
    walk,
)
from skts.windows._windows import Windows

__all__ = [
    "HistoryPrepender",
    "SlidingWindower",
    "Windows",
    "find_horizon",
    "find_known",
    "find_lookahead",
    "find_static",
    "find_windowers",
    "forecast_blocks",
    "future_rows",
    "holder_of_parts",
    "unwrap",
    "walk",
]
