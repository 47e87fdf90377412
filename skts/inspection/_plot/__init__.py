"""Pictures, in the manner of scikit-learn's Displays."""

from skts.inspection._plot._feature_importance_display import FeatureImportanceDisplay
from skts.inspection._plot._history_curve_display import HistoryCurveDisplay

__all__ = ["FeatureImportanceDisplay", "HistoryCurveDisplay"]
