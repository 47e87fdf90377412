"""What the data are worth."""

from skts.inspection._effective_sample_size import effective_sample_size

__all__ = ["effective_sample_size"]
