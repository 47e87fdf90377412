"""Windows as addresses into one float32 panel."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, DTypeLike, NDArray

from skts.panel import Clock
from skts.windows._blanks import Blanks, find_blanks
from skts.windows._overlap import independent_by_series, sample_windows
from skts.windows._windows_html import write_windows

_N_JUDGED = 2**14  # windows that a `repr` looks at, so that it is quick


@dataclass(frozen=True, repr=False, eq=False)
class Windows:
    """Windows of a panel, held as the panel once and an integer address each.

    Made by :class:`~skts.SlidingWindower`. Indexing gathers windows in one vectorised take, `numpy.asarray` makes the
    whole 3-D array.

    Parameters
    ----------
    panel : ndarray of float32 of shape (n_panel_rows, n_features)
        The table, series after series, each in time order. For forecasting it is regular in time within a span: rows
        of NaN stand for the missing ones, and after the last row of a span where its last block is short.
    origins : ndarray of int32 or int64 of shape (n_windows,)
        The panel row of the first forecast value of each window; the window ends one row before it. What a window
        reads before the first row of its span is blank.
    horizons : ndarray of int32 or int64 of shape (n_windows,) or None
        The panel row of the first row of each horizon, where that is not the origin: of a table with runs, the panel
        is the stitched past of all, then the rows of each window's run. None where it is the origin.
    measured : ndarray of int32 or int64 of shape (n_windows,) or None
        The panel row from which on observed columns were not measured yet when a forecast was made, where that lies
        before its origin: blank for that window. None where all are measured up to the origin.
    spans : ndarray of int64 of shape (n_spans, 2)
        The first panel row of every stretch that windows lie in, and the row after its last: a run without a gap in
        training; for forecasting, a series, or what lies between gaps of more than `window + horizon` rows.
    span_series : ndarray of int64 of shape (n_spans,)
        The number of the series of each span, a position in `series_names`.
    span_ticks : ndarray of int64 of shape (n_spans,)
        The time of the first panel row of each span as an increasing integer.
    step : int
        By how much that integer increases from one panel row to the next.
    rows : ndarray of int32 or int64 of shape (n_panel_rows,)
        The row of the table that each panel row came from, -1 for a blank.
    window : int or None
        In rows; None where each forecast reads its whole span up to the origin.
    horizon : int
        In rows.
    known : ndarray of int64 of shape (n_known,)
        The columns whose values over the horizon are known at the origin.
    n_rows : int
        How many rows the table had.
    history_rows : ndarray of int64 or None
        The rows of the table that get no forecast. None marks training windows, which overlap and forecast no row.
    series_names : Index or None
        The names of the series; None where the table has one series without a name.
    chunk : int or None
        Where `window` is None: how many rows are read at a time.
    clock : Clock or None
        What the ticks mean; None where the table has no times.
    feature_names : ndarray of str of shape (n_features,), or None
        The names of the columns; None where the table had none.
    dropped : dict of str to int, or None
        How many rows of the table are the origin of no training window, by the first reason that holds: with `len`,
        they make up all rows. None for forecasting windows, which drop none. Of a table with runs, runs are counted,
        not rows. A row is

        - "incomplete" if fewer than `window` time steps (1 where `window` is None) lie between the first row of its
          series and it, or fewer than `horizon` from it to the last row of its series, itself and missing rows counted;
        - "gap" if its window or its horizon reaches over a missing row;
        - "stride" if the stride passes over it;
        - "similarity" if its window is too similar to the last one kept.
    static : ndarray of float32 of shape (n_series, n_static), or None
        What is the same in every row of a series, and no column of `panel`; NaN is missing. None without static
        columns.
    static_names : tuple of str, or None
        The names of the static columns; None without such columns, or where the table had no names.

    Notes
    -----
    `str` gives the number and the size of the windows. `repr` adds, for training windows, what was dropped and the
    approximate :func:`~skts.inspection.effective_sample_size`, judged by one column and, of many windows, by some.
    """

    panel: NDArray[np.float32]
    origins: NDArray[Any]
    spans: NDArray[np.int64]
    span_series: NDArray[np.int64]
    span_ticks: NDArray[np.int64]
    step: int
    rows: NDArray[Any]
    window: int | None
    horizon: int
    known: NDArray[np.int64]
    n_rows: int
    history_rows: NDArray[np.int64] | None = None
    series_names: pd.Index | None = None
    chunk: int | None = None
    clock: Clock | None = None
    dropped: dict[str, int] | None = None
    horizons: NDArray[Any] | None = None
    measured: NDArray[Any] | None = None
    feature_names: NDArray[Any] | None = None
    static: NDArray[np.float32] | None = None
    static_names: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.origins)

    @property
    def shape(self) -> tuple[int, int | None, int]:
        """Shape of the 3-D array that the windows stand for: (n_windows, window, n_features)."""
        return len(self.origins), self.window, self.panel.shape[1]

    @property
    def n_static(self) -> int:
        """The number of static columns."""
        return 0 if self.static is None else self.static.shape[1]

    @property
    def own_spans(self) -> NDArray[np.int64]:
        """The span of each window: ndarray of shape (n_windows, 2), made on request."""
        return self.spans[self._span_numbers(self.origins)]

    @property
    def series(self) -> NDArray[np.int64]:
        """The number of the series of each window: ndarray of shape (n_windows,), made on request."""
        return self.span_series[self._span_numbers(self.origins)]

    @property
    def ticks(self) -> NDArray[np.int64]:
        """The time of each panel row as an integer: ndarray of shape (n_panel_rows,), made on request."""
        lengths = np.diff(self.spans, axis=1)[:, 0]
        first = self.span_ticks - self.step * self.spans[:, 0]
        ticks = np.repeat(first, lengths) + self.step * np.arange(int(lengths.sum()), dtype=np.int64)
        if self.horizons is None:
            return ticks
        ahead = np.empty(len(self.panel) - len(ticks), dtype=np.int64)  # the rows of the runs
        ahead[self.horizon_positions() - len(ticks)] = self.origin_ticks[:, None] + self.step * np.arange(self.horizon)
        return np.concatenate([ticks, ahead])

    @property
    def origin_ticks(self) -> NDArray[np.int64]:
        """The time of each origin as an integer: ndarray of shape (n_windows,), made on request."""
        span = self._span_numbers(self.origins)
        return self.span_ticks[span] + self.step * (self.origins - self.spans[span, 0])

    @property
    def period(self) -> tuple[int, int]:
        """The ticks of the first and of the last row of the panel."""
        lengths = np.diff(self.spans, axis=1)[:, 0]
        return int(self.span_ticks.min()), int((self.span_ticks + (lengths - 1) * self.step).max())

    def _span_numbers(self, origins: NDArray[Any]) -> NDArray[np.int64]:
        return np.searchsorted(self.spans[:, 0], origins, side="right") - 1

    @property
    def ndim(self) -> int:
        """Always 3."""
        return 3

    @property
    def dtype(self) -> np.dtype:
        """Always float32."""
        return self.panel.dtype

    def __getitem__(self, key: Any) -> NDArray[np.float32]:
        """Gather windows: an int gives (window, n_features), anything else (n, window, n_features)."""
        if self.window is None:
            raise TypeError("These windows are whole series of different lengths: there is no array of them.")
        origins = self.origins[key]
        places = np.asarray(origins)[..., None] + np.arange(-self.window, 0)
        begins = self.spans[self._span_numbers(origins), 0]
        if (origins - self.window >= begins).all():
            gathered = self.panel[places]
        else:
            gathered = self.panel[np.maximum(places, 0)]
            gathered[places < np.asarray(begins)[..., None]] = np.nan
        if self.measured is not None:
            unmeasured = places >= np.asarray(self.measured[key])[..., None]
            gathered[unmeasured[..., None] & self.is_observed] = np.nan
        return gathered

    @property
    def is_observed(self) -> NDArray[np.bool_]:
        """Which columns are not known ahead: ndarray of shape (n_features,), made on request."""
        observed = np.ones(self.panel.shape[1], dtype=bool)
        observed[self.known] = False
        return observed

    def take(self, items: NDArray[np.integer]) -> "Windows":
        """Give some of the windows, on the same panel."""
        addresses = {name: getattr(self, name) for name in ("origins", "horizons", "measured")}
        return replace(self, **{name: each[items] for name, each in addresses.items() if each is not None})

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("Windows are addresses: their 3-D array is made on request, which copies.")
        return self[:].astype(dtype or np.float32, copy=False)

    def __str__(self) -> str:
        kind = "training" if self.is_training else "forecasting"
        names = self.series_names
        rows = "all rows before" if self.window is None else f"{self.window} rows"
        return (
            f"<Windows: {len(self)} {kind} windows of {rows} x {self.panel.shape[1]} features, "
            f"horizon {self.horizon}, {len(self.known)} known, {f'{self.n_static} static, ' * (self.n_static > 0)}"
            f"{1 if names is None else len(names)} series>"
        )

    def __repr__(self) -> str:
        if self.dropped is None:
            return str(self)
        counts = ", ".join(f"{count} {reason}" for reason, count in self.dropped.items() if count)
        worth = f"worth about {self.n_independent:.0f} independent"
        return f"{str(self)[:-1]}; dropped: {counts or 'none'}; {worth}>"

    def _repr_html_(self) -> str:
        """Say, in a notebook, what these are; quick, however many there are."""
        return write_windows(self)

    @property
    def is_training(self) -> bool:
        """Whether these are training windows, which overlap, or blocks that forecast each row once."""
        return self.history_rows is None

    @property
    def ahead(self) -> NDArray[np.float32]:
        """The known columns over the horizon: ndarray of shape (n_windows, horizon, n_known), made on request."""
        return self.panel[self.horizon_positions()[..., None], self.known]

    def horizon_positions(self) -> NDArray[np.int64]:
        """Give the panel row of every forecast value: ndarray of shape (n_windows, horizon)."""
        return self.horizon_starts[:, None] + np.arange(self.horizon)

    @property
    def horizon_starts(self) -> NDArray[Any]:
        """The panel row of the first forecast value of each window: ndarray of shape (n_windows,)."""
        return self.origins if self.horizons is None else self.horizons

    def to_panel(self, values: ArrayLike, fill: float = np.nan) -> NDArray[Any]:
        """Put one value per row of the table in the order of the panel.

        Parameters
        ----------
        values : array-like of shape (n_rows,) or (n_rows, n_targets)
            One value for every row that entered the windower, in that order.
        fill : float
            What a blank row gets.

        Returns
        -------
        values : ndarray of shape (n_panel_rows,) or (n_panel_rows, n_targets)
        """
        values = np.asarray(values)
        if values.ndim == 0:
            raise ValueError(f"y is {values}: one value for each row is expected.")
        if len(values) != self.n_rows:
            raise ValueError(
                f"y has {len(values)} values and the table that entered SlidingWindower had {self.n_rows} rows: "
                "give one value for each of its rows."
            )
        blank = self.rows < 0
        if not blank.any():
            return values[self.rows]
        out = values[np.maximum(self.rows, 0)].astype(np.result_type(values.dtype, np.float32))
        out[blank] = fill
        return out

    def targets(self, y: ArrayLike) -> NDArray[Any]:
        """Cut the targets of every window out of `y`.

        Parameters
        ----------
        y : array-like of shape (n_rows,) or (n_rows, n_targets)
            One value for every row that entered the windower, in that order.

        Returns
        -------
        targets : ndarray of shape (n_windows, horizon) or (n_windows, horizon, n_targets)
            NaN where a block reaches past the rows of the table.
        """
        return self.to_panel(y)[self.horizon_positions()]

    def count_independent(self, y: ArrayLike | None = None) -> NDArray[np.float64]:
        """Count the independent windows that those of each series are worth.

        See :func:`~skts.inspection.effective_sample_size`, which defines it.

        Parameters
        ----------
        y : array-like of shape (n_rows,) or (n_rows, n_targets), default=None
            What is forecast. None takes the first observed column, or the first of all where every column is known.

        Returns
        -------
        n_independent : ndarray of shape (n_series,)
            The mean over the targets; 0 for a series without windows.
        """
        if y is None:
            values = self.panel[:, [self._stand_in]]
        else:
            values = self.to_panel(np.asarray(y, dtype=np.float64)).reshape(len(self.panel), -1)
        out = np.zeros(1 if self.series_names is None else len(self.series_names))
        for column in values.T:
            numbers, counts = self._independent(column, self.origins, self.spans)
            out[numbers] += counts / values.shape[1]
        return out

    @property
    def _stand_in(self) -> int:
        """The column that stands in for the target: the first observed one, or the first of all."""
        observed = np.flatnonzero(self.is_observed)
        return int(observed[0]) if len(observed) else 0

    def _independent(
        self, values: NDArray[Any], origins: NDArray[Any], spans: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        series = self.span_series[self._span_numbers(origins)]
        sizes = {"horizon": self.horizon, "longest_gap": self.horizon + (self.window or 1)}
        times = self.span_ticks // self.step
        return independent_by_series(values, origins, series, spans, times, **sizes)

    @property
    def _series_bounds(self) -> NDArray[np.int64]:
        """The windows of series `i` are those from `bounds[i]` to `bounds[i + 1]`: found without a look at each."""
        first = np.searchsorted(self.origins, self.spans[:, 0].astype(self.origins.dtype))
        n_series = 1 if self.series_names is None else len(self.series_names)
        spans = np.searchsorted(self.span_series, np.arange(n_series + 1))
        return np.append(first, len(self))[spans]

    @cached_property
    def n_independent(self) -> float:
        """What all windows are worth, by one column; of many by a sample, and then rounded to two digits."""
        chosen = sample_windows(self._series_bounds, _N_JUDGED)
        origins, spans = self.origins[chosen], self.spans
        if len(chosen) < len(self):  # and no row after the last window chosen of its span
            spans = spans.copy()
            spans[self._span_numbers(origins), 1] = origins + self.horizon
        worth = float(self._independent(self.panel[:, self._stand_in], origins, spans)[1].sum())
        return worth if len(chosen) == len(self) else float(f"{worth * len(self) / len(chosen):.2g}")

    def to_rows(self, forecasts: NDArray[Any]) -> NDArray[Any]:
        """Put the forecasts of forecasting windows in the order of the table's rows.

        Parameters
        ----------
        forecasts : ndarray of shape (n_windows, horizon, ...)

        Returns
        -------
        forecasts : ndarray of shape (n_rows - n_history_rows, ...)
            One per row that is no history.
        """
        if self.history_rows is None:
            raise ValueError("Training windows overlap: a row has many forecasts. Transform the table instead.")
        rows = self.rows[self.horizon_positions()]
        is_row = rows >= 0
        rank = np.ones(self.n_rows, dtype=np.int64)
        rank[self.history_rows] = 0
        n_forecasts = int(rank.sum())
        rank = np.cumsum(rank) - 1
        out = np.empty((n_forecasts, *forecasts.shape[2:]), dtype=forecasts.dtype)
        out[rank[rows[is_row]]] = forecasts[is_row]
        return out

    def find_blanks(self) -> Blanks:
        """Find the forecasts that rest on a blank or missing input.

        Returns
        -------
        blanks : Blanks
            `n_blank`: forecast values whose window, or whose known columns over the horizon, hold a NaN, or whose
            series lacks the value of a static column; `n_forecasts`: all; `causes`: in words, with the first place.
        """
        return find_blanks(self)
