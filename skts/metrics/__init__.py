"""Scores for data with holes."""

from skts.metrics._ignore_missing import ignore_missing

__all__ = ["ignore_missing"]
