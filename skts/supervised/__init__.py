"""Pairs: what a regressor is given and gives back."""

from skts.supervised._holdout import split_holdout, split_latest
from skts.supervised._inputs import Inputs, check_sizes, read_inputs, read_sizes, warn_unscaled
from skts.supervised._limits import Limits
from skts.supervised._output import to_output, warn_missing_history
from skts.supervised._score_mixin import ScoreMixin
from skts.supervised._summary_mixin import SummaryMixin
from skts.supervised._target_column import find_target_columns
from skts.supervised._targets import Targets, read_targets
from skts.supervised._trained_on import TrainedOn

__all__ = [
    "Inputs",
    "Limits",
    "ScoreMixin",
    "SummaryMixin",
    "Targets",
    "TrainedOn",
    "check_sizes",
    "find_target_columns",
    "read_inputs",
    "read_sizes",
    "read_targets",
    "split_holdout",
    "split_latest",
    "to_output",
    "warn_missing_history",
    "warn_unscaled",
]
