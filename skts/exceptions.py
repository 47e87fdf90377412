"""Errors and warnings with names, so that callers can catch or filter them one by one."""

from typing import Any

__all__ = [
    "ExportError",
    "ExportMismatchError",
    "FutureTrainingWarning",
    "GraphCaptureWarning",
    "KilledFitError",
    "LeakError",
    "LostSeriesError",
    "LostSeriesWarning",
    "MissingHistoryWarning",
    "MissingRunsWarning",
    "NonFiniteLossError",
    "PanelIndexError",
    "SavedFileError",
    "ShortSeriesError",
    "ShortSeriesWarning",
    "SuspectUnitsWarning",
    "UnscaledColumnsWarning",
    "UnseenSeriesWarning",
    "UntrustedTypeError",
]


class PanelIndexError(ValueError):
    """The index of a table cannot be read as series and time."""


class LostSeriesError(ValueError):
    """The table lost the index that its target (or the fitted table) still carries."""


class ShortSeriesError(ValueError):
    """A series has too few rows for one window."""


class LeakError(ValueError):
    """Forecasts depend on what they must not see.

    Parameters
    ----------
    report : LeakReport
        Which, and on what.
    """

    def __init__(self, report: Any):
        super().__init__(str(report))
        self.report = report

    def __reduce__(self) -> tuple:
        return type(self), (self.report,)


class SavedFileError(ValueError):
    """A file is not one that `skts.persistence` or `skts.export` wrote, is damaged, or is of a newer format."""


class ExportError(ValueError):
    """A pipeline holds what is not written into a graph."""


class ExportMismatchError(ArithmeticError):
    """A graph does not forecast what the pipeline does that it was made of, and is not written."""


class UntrustedTypeError(TypeError):
    """An estimator or a file holds what is neither ours nor scikit-learn's, nor trusted by the caller."""


class KilledFitError(RuntimeError):
    """The process of a fit ended before the fit did."""


class NonFiniteLossError(ArithmeticError):
    """The training loss became NaN or infinite."""


class FutureTrainingWarning(UserWarning):
    """Rows to forecast lie before rows that the estimator is trained on."""


class GraphCaptureWarning(UserWarning):
    """A training step could not be recorded as a CUDA graph, and runs without one."""


class KnownTargetWarning(UserWarning):
    """A column that is taken for known over the horizon is the target itself."""


class LostSeriesWarning(UserWarning):
    """A table without series in its index looks as if columns of it named several."""


class MissingHistoryWarning(UserWarning):
    """Forecasts rest on inputs that were blank and had to be filled."""


class MissingRunsWarning(UserWarning):
    """A provider of weather forecasts has no run for some origins, or none that reaches all of their rows."""


class ShortSeriesWarning(UserWarning):
    """Some series are too short to give a training window and teach nothing."""


class SuspectUnitsWarning(UserWarning):
    """A column looks as if its unit changed, between runs or since training."""


class UnscaledColumnsWarning(UserWarning):
    """Columns of a table are in units in which a network hardly learns from them."""


class UnseenSeriesWarning(UserWarning):
    """A series was not in the training table, so its history is blank."""
