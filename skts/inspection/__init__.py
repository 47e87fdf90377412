"""What data are worth, what forecasts rest on and what they must not, and pictures of both."""

from skts.inspection._attention_map import attention_map
from skts.inspection._effective_sample_size import effective_sample_size
from skts.inspection._feature_importance import feature_importance
from skts.inspection._history_curve import history_curve
from skts.inspection._plot import (
    AttentionMapDisplay,
    DriftDisplay,
    ErrorByLeadDisplay,
    FeatureImportanceDisplay,
    ForecastDisplay,
    HistoryCurveDisplay,
    LearningCurveDisplay,
    MemoryDisplay,
    PanelDisplay,
    ReliabilityDisplay,
    ResidualMapDisplay,
    SourceWeightsDisplay,
    SplitDisplay,
)
from skts.inspection._source_weights import source_weights
from skts.inspection.drift import DriftReference, drift_report
from skts.inspection.leakage import LeakReport, check_leakage
from skts.inspection.memory import memory_profile

__all__ = [
    "AttentionMapDisplay",
    "DriftDisplay",
    "DriftReference",
    "ErrorByLeadDisplay",
    "FeatureImportanceDisplay",
    "ForecastDisplay",
    "HistoryCurveDisplay",
    "LeakReport",
    "LearningCurveDisplay",
    "MemoryDisplay",
    "PanelDisplay",
    "ReliabilityDisplay",
    "ResidualMapDisplay",
    "SourceWeightsDisplay",
    "SplitDisplay",
    "attention_map",
    "check_leakage",
    "drift_report",
    "effective_sample_size",
    "feature_importance",
    "history_curve",
    "memory_profile",
    "source_weights",
]
