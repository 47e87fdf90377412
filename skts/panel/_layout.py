"""What two tables must share to stand beside each other in time."""

from dataclasses import dataclass

from skts.exceptions import LostSeriesError, PanelIndexError
from skts.panel._row_index import RowIndex


@dataclass(frozen=True)
class Layout:
    """The kind of an index and the step of its times.

    Parameters
    ----------
    kind : str
        As `RowIndex.kind` gives it.
    step : int or None
        Ticks from one row to the next; None where no series has two rows.
    """

    kind: str
    step: int | None

    def check(self, index: RowIndex) -> None:
        """Refuse an index of another kind."""
        if index.kind() == self.kind:
            return
        error = LostSeriesError if index.clock is None else PanelIndexError
        raise error(
            f"The table of fit had {self.kind} in its index, and this one has {index.kind()}: its rows cannot be "
            "placed in time. Give the same kind of index; where a step before lost it, call "
            'set_output(transform="pandas") on the pipeline.'
        )
