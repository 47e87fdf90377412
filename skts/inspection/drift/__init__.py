"""Whether new tables, and the forecasts for them, are like those of training."""

from skts.inspection.drift._drift_reference import DriftReference
from skts.inspection.drift._drift_report import drift_report

__all__ = ["DriftReference", "drift_report"]
