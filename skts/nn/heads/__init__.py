"""Heads: the last layer of a network, its loss, and what a forecast is."""

from skts.nn.heads._head import Head
from skts.nn.heads._point_head import PointHead
from skts.nn.heads._quantile_head import QuantileHead, interpolate_levels, sort_levels

__all__ = ["Head", "PointHead", "QuantileHead", "interpolate_levels", "sort_levels"]
