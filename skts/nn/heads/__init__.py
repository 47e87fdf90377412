"""Heads: the last layer of a network, its loss, and what a forecast is."""

from skts.nn.heads._bounds import excuse_beyond
from skts.nn.heads._censored_normal_head import CensoredNormalHead
from skts.nn.heads._distribution_head import DistributionHead
from skts.nn.heads._head import Head
from skts.nn.heads._inflated_beta_head import InflatedBetaHead
from skts.nn.heads._normal_head import NormalHead
from skts.nn.heads._point_head import PointHead
from skts.nn.heads._quantile_head import QuantileHead, interpolate_levels, sort_levels
from skts.nn.heads._student_t_head import StudentTHead

__all__ = [
    "CensoredNormalHead",
    "DistributionHead",
    "Head",
    "InflatedBetaHead",
    "NormalHead",
    "PointHead",
    "QuantileHead",
    "StudentTHead",
    "excuse_beyond",
    "interpolate_levels",
    "sort_levels",
]
