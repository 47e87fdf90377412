from ._attention_map import attention_map
from ._effective_sample_size import effective_sample_size
from ._feature_importance import feature_importance
from ._history_curve import history_curve
from ._plot import (
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
from ._source_weights import source_weights
from .drift import DriftReference, drift_report
from .leakage import LeakReport, check_leakage
from .memory import memory_profile

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
