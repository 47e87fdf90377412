"""Times as integers: every kind of time index becomes int64 ticks, and ticks become labels again."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.exceptions import PanelIndexError


@dataclass(frozen=True)
class Clock:
    """How the ticks of a table translate to the labels of its time index.

    Parameters
    ----------
    dtype : dtype
        The dtype of the time labels, as pandas has it.
    name : hashable
        The name of the time level.

    Notes
    -----
    A tick is a nanosecond for date-times and time differences, a period's ordinal for periods, and the number itself
    for integers. Date-times with a zone count in UTC, so days with a clock change stay regular.
    """

    dtype: Any
    name: Any

    @classmethod
    def read(cls, labels: pd.Index) -> tuple["Clock", NDArray[np.int64]]:
        """Give the clock of an index and the tick of each of its labels."""
        clock = cls(labels.dtype, labels.name)
        if isinstance(labels, pd.DatetimeIndex | pd.TimedeltaIndex):
            try:
                return clock, labels.as_unit("ns").asi8
            except (pd.errors.OutOfBoundsDatetime, pd.errors.OutOfBoundsTimedelta) as error:
                raise PanelIndexError(
                    f"The last level of the index, {labels.name!r}, reaches from {labels.min()} to {labels.max()}, and "
                    f"times are counted in nanoseconds, which go from {pd.Timestamp.min:%Y-%m-%d} to "
                    f"{pd.Timestamp.max:%Y-%m-%d}: drop rows with a wrong time, or give such times as periods "
                    "(DatetimeIndex.to_period)."
                ) from error
        if isinstance(labels, pd.PeriodIndex):
            return clock, labels.asi8
        if pd.api.types.is_integer_dtype(labels.dtype):
            if len(labels) and labels.max() > np.iinfo(np.int64).max:
                raise PanelIndexError(
                    f"The last level of the index, {labels.name!r}, holds {labels.max()}, and times are counted in "
                    f"int64, to {np.iinfo(np.int64).max}: subtract a number from all of them."
                )
            return clock, labels.to_numpy(dtype=np.int64)
        raise PanelIndexError(
            f"The last level of the index, {labels.name!r}, must hold times (date-times, periods or integers) and has "
            f"dtype {labels.dtype}: convert it with pandas.to_datetime, and put the level with the times last, as "
            "skts.to_panel does."
        )

    @property
    def kind(self) -> str:
        """What two tables must share to be compared in time; the resolution may differ."""
        if isinstance(self.dtype, pd.DatetimeTZDtype):
            return "date-times with a time zone"
        if isinstance(self.dtype, pd.PeriodDtype):
            return str(self.dtype)
        return {"M": "date-times without a time zone", "m": "time differences"}.get(self.dtype.kind, "integers")

    def labels(self, ticks: NDArray[np.int64]) -> pd.Index:
        """Turn ticks back into labels of the index's own dtype; int64 where integers do not fit into that."""
        if isinstance(self.dtype, pd.DatetimeTZDtype):
            utc = pd.DatetimeIndex(ticks.view("datetime64[ns]"), tz="UTC")
            return utc.tz_convert(self.dtype.tz).as_unit(self.dtype.unit).rename(self.name)
        if isinstance(self.dtype, pd.PeriodDtype):
            return pd.PeriodIndex.from_ordinals(  # type: ignore[attr-defined]
                ticks, freq=self.dtype.freq
            ).rename(self.name)
        if self.dtype.kind in "mM":
            return pd.Index(ticks.view(f"{self.dtype.kind}8[ns]").astype(self.dtype), name=self.name)
        index = pd.Index(ticks, name=self.name)
        bounds = np.iinfo(getattr(self.dtype, "numpy_dtype", self.dtype))  # of nullable integers too
        # the rows before the first may count beyond a small dtype, where they would wrap around to late times
        beyond = len(ticks) > 0 and not bounds.min <= ticks.min() <= ticks.max() <= bounds.max
        return index if beyond else index.astype(self.dtype)

    def label(self, tick: int) -> str:
        """Name one tick in a message."""
        return str(self.labels(np.array([tick], dtype=np.int64))[0])

    def span(self, ticks: int) -> str:
        """Name a number of ticks in a message."""
        if self.kind.startswith(("date", "time")):
            return str(pd.Timedelta(ticks, unit="ns"))
        return str(ticks)
