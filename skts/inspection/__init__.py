"""What the data are worth, whether forecasts depend on what they must not see, and pictures of forecasts."""

from skts.inspection._effective_sample_size import effective_sample_size
from skts.inspection._plot import ErrorByLeadDisplay, ForecastDisplay, ReliabilityDisplay, ResidualMapDisplay
from skts.inspection.leakage import LeakReport, check_leakage

__all__ = [
    "ErrorByLeadDisplay",
    "ForecastDisplay",
    "LeakReport",
    "ReliabilityDisplay",
    "ResidualMapDisplay",
    "check_leakage",
    "effective_sample_size",
]
