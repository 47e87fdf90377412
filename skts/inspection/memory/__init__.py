"""What each lag of the window contributes to forecasts."""

from skts.inspection.memory._memory_profile import memory_profile

__all__ = ["memory_profile"]
