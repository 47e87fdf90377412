"""Windows as rows of a design matrix, in chunks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from skts.supervised import Inputs
from skts.training import fill_forward

_VALUES_OF_CHUNK = 2**22  # 16 MiB of float32, 32 of float64


@dataclass(frozen=True)
class Design:
    """What a row of a design matrix holds.

    Parameters
    ----------
    horizon : int
        Rows that one window forecasts.
    lags : ndarray of int64 of shape (n_lags,)
        The rows of the window that are read, counted back from the origin.
    around : int or None
        None: one row per window, with the known columns of the whole horizon. A number: one row per window and lead,
        with the known columns of that very row and of so many on both sides, and the lead (1 to `horizon`) at the end.
        Static columns stand before that, after the known ones.
    lookahead : int
        How many of the rows after the horizon are known, which `around` reaches.
    series_names : Index or None
        The series of `fit`, whose numbers stand beside the static columns; None leaves them out.
    fill : bool
        Whether a missing value takes the last one before it in the window or its horizon, else 0, as the networks
        have it. Otherwise it stays NaN.

    Notes
    -----
    Values are float32 in any case. What takes no NaN computes with them, sums of squares above all, and is given them
    as float64; what takes NaN compares them alone, as trees do, and half the memory serves it.
    """

    horizon: int
    lags: NDArray[np.int64]
    around: int | None
    fill: bool
    lookahead: int = 0
    series_names: pd.Index | None = None

    @property
    def dtype(self) -> type[np.floating]:
        """What the matrix is computed with."""
        return np.float64 if self.fill else np.float32

    @property
    def rows_per_window(self) -> int:
        """How many rows of the matrix one window gives."""
        return 1 if self.around is None else self.horizon

    def of(self, inputs: Inputs) -> "DesignMatrix":
        """Give the matrix of some windows."""
        return DesignMatrix(self, inputs)


@dataclass(frozen=True)
class DesignMatrix:
    """The rows of a design matrix, made in chunks.

    Parameters
    ----------
    design : Design
    inputs : Inputs
        Windows in one table.
    """

    design: Design
    inputs: Inputs

    @property
    def n_columns(self) -> int:
        """Columns of the matrix."""
        design = self.design
        n_past, n_known = len(design.lags) * self.inputs.panel.shape[1], len(self.inputs.known)
        if design.around is None:
            return n_past + design.horizon * n_known + self.n_of_series
        return n_past + (2 * design.around + 1) * n_known + self.n_of_series + 1

    @property
    def n_of_series(self) -> int:
        """Columns that are the same for all windows of a series: the static ones, then its number."""
        return self.inputs.n_static + (self.design.series_names is not None)

    @property
    def column_of_series(self) -> int:
        """Where the number of the series stands, if it is read."""
        return self.n_columns - 1 - (self.design.around is not None)

    @cached_property
    def series(self) -> NDArray[np.float64]:
        """The number of the series of each window, (n_windows, 1); of an unknown one missing."""
        numbers = self.inputs.series_numbers(self.design.series_names).astype(np.float64)
        return np.where(numbers < 0, -1.0 if self.design.fill else np.nan, numbers)[:, None]

    def chunks(self, items: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        """Split windows into chunks of bounded memory."""
        gathered = (self.inputs.window + self.design.horizon) * self.inputs.panel.shape[1]
        size = max(1, _VALUES_OF_CHUNK // (gathered + self.design.rows_per_window * self.n_columns))
        for start in range(0, len(items), size):
            yield items[start : start + size]

    def rows(self, items: NDArray[np.int64]) -> NDArray[np.floating]:
        """Make the rows of some windows: ndarray of shape (n_items * rows_per_window, n_columns)."""
        design, inputs, n = self.design, self.inputs, len(items)
        past = inputs.past(items)  # (B, W, F)
        past = _filled(past) if design.fill else past
        ahead = self._known(past, items)  # (B, H + 2 A, K)
        past = past[:, inputs.window - design.lags].reshape(n, -1)  # (B, L F)
        static = inputs.static(items)  # (B, D)
        static = np.nan_to_num(static, nan=0.0) if design.fill else static
        if design.series_names is not None:
            static = np.concatenate([static, self.series[items]], axis=1)
        if design.around is None:
            return np.concatenate([past, ahead.reshape(n, -1), static], axis=1, dtype=design.dtype)
        out = np.empty((n, design.horizon, self.n_columns), dtype=design.dtype)
        out[:, :, : past.shape[1]] = past[:, None]
        if len(inputs.known):
            windows = sliding_window_view(ahead, 2 * design.around + 1, axis=1).swapaxes(2, 3)  # (B, H, 2 A + 1, K)
            first = past.shape[1]
            out[:, :, first : self.n_columns - 1 - self.n_of_series] = windows.reshape(n, design.horizon, -1)
        out[:, :, self.n_columns - 1 - self.n_of_series : -1] = static[:, None]
        out[:, :, -1] = np.arange(1, design.horizon + 1)
        return out.reshape(n * design.horizon, -1)

    def matrix(self, wanted: NDArray[np.bool_]) -> NDArray[np.floating]:
        """Make the rows that are wanted, chunk by chunk.

        Parameters
        ----------
        wanted : ndarray of bool of shape (n_windows, rows_per_window)

        Returns
        -------
        matrix : ndarray of shape (n_wanted, n_columns)
        """
        out = np.empty((int(wanted.sum()), self.n_columns), dtype=self.design.dtype)
        end = 0
        for items in self.chunks(np.flatnonzero(wanted.any(axis=1))):
            mask = wanted[items].ravel()
            begin, end = end, end + int(mask.sum())
            out[begin:end] = self.rows(items)[mask]
        return out

    def _known(self, past: NDArray[np.float32], items: NDArray[np.int64]) -> NDArray[np.float32]:
        """Gather the known columns over the horizon and on both sides of it, after it as far as they are known."""
        design, inputs = self.design, self.inputs
        around = design.around or 0
        if len(inputs.known) == 0:
            return np.empty((len(items), design.horizon + 2 * around, 0), dtype=np.float32)
        n_before = max(around, 1)  # what is missing first of all is filled from the row before
        positions = inputs.ahead_starts[items, None] + np.arange(design.horizon)
        parts = [past[:, -n_before:, inputs.known], inputs.panel[positions[..., None], inputs.known]]
        if around:
            parts.append(self._known_after(items, around))
        ahead = np.concatenate(parts, axis=1)
        return (_filled(ahead) if design.fill else ahead)[:, n_before - around :]

    def _known_after(self, items: NDArray[np.int64], around: int) -> NDArray[np.float32]:
        """Gather so many rows after the horizon, (n_items, around, n_known); what nobody knows is missing."""
        inputs = self.inputs
        after = np.full((len(items), around, len(inputs.known)), np.nan, dtype=np.float32)
        n_known = min(around, self.design.lookahead)
        if n_known and inputs.windows is not None and not inputs.has_runs:  # a run ends with its horizon
            places = inputs.ahead_starts[items, None].astype(np.int64) + self.design.horizon + np.arange(n_known)
            inside = places < inputs.windows.own_spans[items, 1:]
            found = inputs.panel[np.where(inside, places, 0)[..., None], inputs.known]
            after[:, :n_known] = np.where(inside[..., None], found, np.float32(np.nan))
        return after


def read_lags(lags: Sequence[int] | None, window: int) -> NDArray[np.int64]:
    """Check lags; all, the oldest first, where none are given."""
    values = np.arange(window, 0, -1) if lags is None else np.asarray(lags)
    if values.shape == (0,):
        return np.empty(0, dtype=np.int64)
    whole = values.ndim == 1 and values.dtype.kind in "iu"
    if not whole or not ((values >= 1) & (values <= window)).all():
        raise ValueError(
            f"WindowedRegressor(lags={lags!r}): whole numbers from 1, the last row before the origin, to {window}, the "
            "first row of the window, are expected: change them, or the window of SlidingWindower."
        )
    return values.astype(np.int64)


def _filled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    if not np.isnan(values).any():
        return values
    return fill_forward(torch.from_numpy(values)).numpy()
