"""The cut: history in front of new rows, windows as addresses into one table."""

from skts.windows._history_prepender import HistoryPrepender
from skts.windows._sliding_windower import SlidingWindower
from skts.windows._windows import Windows

__all__ = ["HistoryPrepender", "SlidingWindower", "Windows"]
