"""The origins to join runs for: which series, and when."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.exceptions import PanelIndexError
from skts.panel import Clock

Ints = NDArray[np.int64]


def read_origins(origins: Any, names: pd.Index | None, clock: Clock) -> tuple[Ints, Ints]:
    """Give series and moment of each origin, sorted by both.

    Parameters
    ----------
    origins : DatetimeIndex, list of date-times, MultiIndex, or DataFrame or Series with such an index
    names : Index of shape (n_series,) or None
        The series that there are.
    clock : Clock
        What the times of the forecasts mean.

    Returns
    -------
    series : ndarray of int64 of shape (n_origins,)
        Positions in `names`.
    moments : ndarray of int64 of shape (n_origins,)
        In nanoseconds.

    Raises
    ------
    PanelIndexError
        No date-times, other series levels than those of the forecasts, or an origin twice.
    ValueError
        No origin, or a series that no provider has.
    """
    index = origins.index if isinstance(origins, pd.DataFrame | pd.Series) else origins
    if isinstance(index, pd.MultiIndex) and index.nlevels > 1:
        series = _find_series(index.droplevel(-1), names)
        moments = _read_moments(index.get_level_values(-1), clock)
    else:
        moments = _read_moments(index, clock)
        n_series = 1 if names is None else len(names)
        series = np.repeat(np.arange(n_series), len(moments))
        moments = np.tile(moments, n_series)
    if len(moments) == 0:
        raise ValueError("join_runs(origins=...) is empty: give at least one time at which a forecast is made.")
    order = np.lexsort((moments, series))
    series, moments = series[order], moments[order]
    repeated = np.flatnonzero((np.diff(series) == 0) & (np.diff(moments) == 0))
    if len(repeated):
        whose = "" if names is None else f" of series {names[series[repeated[0]]]!r}"
        raise PanelIndexError(
            f"join_runs(origins=...): the origin {clock.label(moments[repeated[0]])}{whose} is there twice. Give each "
            "once: index.unique()."
        )
    return series, moments


def _read_moments(index: Any, clock: Clock) -> Ints:
    if not isinstance(index, pd.Index):
        index = pd.Index(index) if isinstance(index, Sequence | np.ndarray) else index
    if not isinstance(index, pd.DatetimeIndex) and len(index):
        raise PanelIndexError(
            "join_runs(origins=...) takes the times at which forecasts are made, as a DatetimeIndex, or a MultiIndex "
            f"of series and time where they differ between series; these are {type(index).__name__} of "
            f"{index.dtype}: convert them with pandas.to_datetime."
        )
    if index.isna().any():
        raise PanelIndexError(f"join_runs(origins=...): origin {int(index.isna().argmax())} is missing: drop it.")
    own, moments = Clock.read(index)
    if len(index) and own.kind != clock.kind:
        raise PanelIndexError(
            f"join_runs(origins=...) are {own.kind}, and the times of the forecasts {clock.kind}: tz_localize or "
            "tz_convert one of them."
        )
    return moments


def _find_series(index: pd.Index, names: pd.Index | None) -> Ints:
    if names is None or index.nlevels != names.nlevels:
        raise PanelIndexError(
            f"join_runs(origins=...) has the index levels {[*index.names, 'origin']}, and the series of the forecasts "
            f"are named by {[] if names is None else list(names.names)}: give the same levels with the origin as the "
            "last, or a DatetimeIndex for all series."
        )
    codes, distinct = pd.factorize(index)
    found = names.get_indexer(distinct)
    if (found < 0).any():
        raise ValueError(
            f"join_runs(origins=...) names the series {distinct[np.flatnonzero(found < 0)[0]]!r}, which no provider "
            f"has ({(found < 0).sum()} of {len(distinct)} series are unknown): they have {names[:5].tolist()}"
            f"{' ...' if len(names) > 5 else ''}."
        )
    return found[codes].astype(np.int64, copy=False)
