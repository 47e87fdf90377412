"""What two tables must share to stand beside each other in time."""

from dataclasses import dataclass

from skts.exceptions import LostSeriesError, PanelIndexError
from skts.panel._row_index import RUN, RowIndex


@dataclass(frozen=True)
class Layout:
    """The kind of an index and the step of its times.

    Parameters
    ----------
    kind : str
        As `RowIndex.kind` gives it.
    step : int or None
        Ticks from one row to the next; None where no series has two rows.
    has_runs : bool, default=False
    """

    kind: str
    step: int | None
    has_runs: bool = False

    def check(self, index: RowIndex) -> None:
        """Refuse an index of another kind, and one that lost its runs."""
        if index.kind() == self.kind:
            self._check_runs(index)
            return
        error = LostSeriesError if index.clock is None else PanelIndexError
        raise error(
            f"The table of fit had {self.kind} in its index, and this one has {index.kind()}: its rows cannot be "
            "placed in time. Give the same kind of index; where a step before lost it, call "
            'set_output(transform="pandas") on the pipeline.'
        )

    def _check_runs(self, index: RowIndex) -> None:
        if self.has_runs and index.runs is None:
            raise PanelIndexError(
                f"The table of fit had runs (a level {RUN!r} in its index), and this one has none, so it is unclear "
                "when each of its forecasts was made: give the index (series, run, time)."
            )
