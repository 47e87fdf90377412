"""Pictures, in the manner of scikit-learn's Displays."""

from skts.inspection._plot._attention_map_display import AttentionMapDisplay
from skts.inspection._plot._drift_display import DriftDisplay
from skts.inspection._plot._error_by_lead_display import ErrorByLeadDisplay
from skts.inspection._plot._feature_importance_display import FeatureImportanceDisplay
from skts.inspection._plot._forecast_display import ForecastDisplay
from skts.inspection._plot._history_curve_display import HistoryCurveDisplay
from skts.inspection._plot._learning_curve_display import LearningCurveDisplay
from skts.inspection._plot._memory_display import MemoryDisplay
from skts.inspection._plot._panel_display import PanelDisplay
from skts.inspection._plot._reliability_display import ReliabilityDisplay
from skts.inspection._plot._residual_map_display import ResidualMapDisplay
from skts.inspection._plot._source_weights_display import SourceWeightsDisplay
from skts.inspection._plot._split_display import SplitDisplay

__all__ = [
    "AttentionMapDisplay",
    "DriftDisplay",
    "ErrorByLeadDisplay",
    "FeatureImportanceDisplay",
    "ForecastDisplay",
    "HistoryCurveDisplay",
    "LearningCurveDisplay",
    "MemoryDisplay",
    "PanelDisplay",
    "ReliabilityDisplay",
    "ResidualMapDisplay",
    "SourceWeightsDisplay",
    "SplitDisplay",
]
