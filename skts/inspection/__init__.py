"""What the data are worth, whether forecasts depend on what they must not see, and pictures."""

from skts.inspection._effective_sample_size import effective_sample_size
from skts.inspection._plot import LearningCurveDisplay, PanelDisplay, SplitDisplay
from skts.inspection.leakage import LeakReport, check_leakage

__all__ = [
    "LeakReport",
    "LearningCurveDisplay",
    "PanelDisplay",
    "SplitDisplay",
    "check_leakage",
    "effective_sample_size",
]
