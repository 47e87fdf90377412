"""Weather as it arrives: from the runs of providers, in files and on grids, to a table with runs."""

from skts.weather._at_stations import at_stations
from skts.weather._clear_sky_index import ClearSkyIndex, clear_sky_index
from skts.weather._deaccumulate import deaccumulate
from skts.weather._ensemble_features import EnsembleFeatures
from skts.weather._grid_features import GridFeatures
from skts.weather._join_runs import join_runs
from skts.weather._read_runs import read_runs
from skts.weather._stamp_offset import StampOffset, find_stamp_offset

__all__ = [
    "ClearSkyIndex",
    "EnsembleFeatures",
    "GridFeatures",
    "StampOffset",
    "at_stations",
    "clear_sky_index",
    "deaccumulate",
    "find_stamp_offset",
    "join_runs",
    "read_runs",
]
