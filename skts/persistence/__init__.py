"""Estimators as files: weights as safetensors, all else as skops writes it, nothing pickled."""

from skts.persistence._load import load, read_manifest
from skts.persistence._save import save

__all__ = ["load", "read_manifest", "save"]
