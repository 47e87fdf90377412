"""What data are worth, what forecasts rest on and must not, and pictures of both."""

from skts.inspection._effective_sample_size import effective_sample_size
from skts.inspection._plot import (
    ErrorByLeadDisplay,
    ForecastDisplay,
    LearningCurveDisplay,
    PanelDisplay,
    ReliabilityDisplay,
    ResidualMapDisplay,
    SplitDisplay,
)
from skts.inspection.leakage import LeakReport, check_leakage

__all__ = [
    "ErrorByLeadDisplay",
    "ForecastDisplay",
    "LeakReport",
    "LearningCurveDisplay",
    "PanelDisplay",
    "ReliabilityDisplay",
    "ResidualMapDisplay",
    "SplitDisplay",
    "check_leakage",
    "effective_sample_size",
]
