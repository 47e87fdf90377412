"""Scores for many series: of quantiles, intervals and scenarios, in scales of their own, and for data with holes."""

from skts.metrics._capacity_normalized import capacity_normalized_mae, capacity_normalized_rmse
from skts.metrics._ignore_missing import ignore_missing
from skts.metrics._interval import interval_coverage, interval_score
from skts.metrics._make_quantile_scorer import make_quantile_scorer
from skts.metrics._quantile import crps_from_quantiles, mean_quantile_loss
from skts.metrics._scaled_error import mean_absolute_scaled_error, root_mean_squared_scaled_error
from skts.metrics._scenario_scores import energy_score, variogram_score
from skts.metrics._skill_score import skill_score

__all__ = [
    "capacity_normalized_mae",
    "capacity_normalized_rmse",
    "crps_from_quantiles",
    "energy_score",
    "ignore_missing",
    "interval_coverage",
    "interval_score",
    "make_quantile_scorer",
    "mean_absolute_scaled_error",
    "mean_quantile_loss",
    "root_mean_squared_scaled_error",
    "skill_score",
    "variogram_score",
]
