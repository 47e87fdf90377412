"""Pictures, in the manner of scikit-learn's Displays."""

from skts.inspection._plot._learning_curve_display import LearningCurveDisplay
from skts.inspection._plot._panel_display import PanelDisplay
from skts.inspection._plot._split_display import SplitDisplay

__all__ = ["LearningCurveDisplay", "PanelDisplay", "SplitDisplay"]
