"""Pictures, in the manner of scikit-learn's Displays."""

from skts.inspection._plot._error_by_lead_display import ErrorByLeadDisplay
from skts.inspection._plot._forecast_display import ForecastDisplay
from skts.inspection._plot._reliability_display import ReliabilityDisplay
from skts.inspection._plot._residual_map_display import ResidualMapDisplay

__all__ = ["ErrorByLeadDisplay", "ForecastDisplay", "ReliabilityDisplay", "ResidualMapDisplay"]
