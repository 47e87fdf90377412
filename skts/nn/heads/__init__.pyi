from ._bounds import excuse_beyond
from ._censored_normal_head import CensoredNormalHead
from ._distribution_head import DistributionHead
from ._head import Head
from ._inflated_beta_head import InflatedBetaHead
from ._levels import interpolate_levels, sort_levels
from ._normal_head import NormalHead
from ._point_head import PointHead
from ._quantile_head import QuantileHead
from ._student_t_head import StudentTHead

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
