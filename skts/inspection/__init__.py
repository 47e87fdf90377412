"""What the data are worth, and whether forecasts depend on what they must not see."""

from skts.inspection._effective_sample_size import effective_sample_size
from skts.inspection._history_curve import history_curve
from skts.inspection.leakage import LeakReport, check_leakage

__all__ = ["LeakReport", "check_leakage", "effective_sample_size", "history_curve"]
