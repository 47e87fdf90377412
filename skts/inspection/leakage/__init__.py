"""An experiment: other values where forecasts must not look, and which forecasts change."""

from skts.inspection.leakage._check_leakage import check_leakage
from skts.inspection.leakage._leak_report import LeakReport

__all__ = ["LeakReport", "check_leakage"]
