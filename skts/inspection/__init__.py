"""What the data are worth, what forecasts owe to them, and whether they depend on what they must not see."""

from skts.inspection._effective_sample_size import effective_sample_size
from skts.inspection._feature_importance import feature_importance
from skts.inspection._history_curve import history_curve
from skts.inspection._plot import FeatureImportanceDisplay, HistoryCurveDisplay
from skts.inspection.leakage import LeakReport, check_leakage

__all__ = [
    "FeatureImportanceDisplay",
    "HistoryCurveDisplay",
    "LeakReport",
    "check_leakage",
    "effective_sample_size",
    "feature_importance",
    "history_curve",
]
