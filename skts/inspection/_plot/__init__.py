"""Pictures, in the manner of scikit-learn's Displays."""

from skts.inspection._plot._memory_display import MemoryDisplay

__all__ = ["MemoryDisplay"]
