"""What the data are worth, what forecasts rest on, and whether they depend on what they must not see."""

from skts.inspection._effective_sample_size import effective_sample_size
from skts.inspection._plot import MemoryDisplay
from skts.inspection.leakage import LeakReport, check_leakage
from skts.inspection.memory import memory_profile

__all__ = ["LeakReport", "MemoryDisplay", "check_leakage", "effective_sample_size", "memory_profile"]
