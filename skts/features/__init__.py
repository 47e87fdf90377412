"""Columns: transformers that read the index, add columns to the table and keep its rows."""

from skts.features._base_column_adder import BaseColumnAdder
from skts.features._calendar_features import CalendarFeatures
from skts.features._neighbour_features import NeighbourFeatures
from skts.features._solar_features import SolarFeatures
from skts.features._wind_features import WindFeatures

__all__ = ["BaseColumnAdder", "CalendarFeatures", "NeighbourFeatures", "SolarFeatures", "WindFeatures"]
