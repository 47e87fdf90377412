"""Where a target can lie: within bounds, and at zero where nothing is active."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skts.supervised._inputs import Inputs
from skts.supervised._targets import Targets
from skts.windows import Windows

Bound = float | str | None
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Limits:
    """Bounds, and hours that are known to be zero, as a fit learned them.

    Parameters
    ----------
    owner : str
        The estimator, for messages.
    bounds : tuple of (float or str or None), or None
        The lower and the upper one, numbers or the names of static columns; None is no bound.
    active : int or None
        The column of the panel that says where something is active.
    half : float
        What lies below it in that column is not active: half way between its two values.
    scales : dict of str to (float, float)
        The mean and the deviation of the static columns that are bounds, in which the network reads them.
    """

    owner: str
    bounds: tuple[Bound, Bound] | None = None
    active: int | None = None
    half: float = 0.0
    scales: dict[str, tuple[float, float]] | None = None

    @classmethod
    def learn(cls, owner: str, inputs: Inputs, bounds: Any, active: str | int | None) -> Self:
        """Read the parameters of an estimator beside what it is fitted to."""
        pair = None if bounds is None else _read_pair(owner, bounds)
        scales = {}
        for name in pair or ():
            if isinstance(name, str):
                column = _static_column(owner, pair, name, inputs.windows)
                spread = float(np.nanstd(column))
                scales[name] = (float(np.nanmean(column)), spread if spread > 0 else 1.0)
        if active is None:
            return cls(owner, pair, scales=scales)
        return cls(owner, pair, *_read_active(owner, inputs, active), scales=scales)

    def of_series(self, inputs: Inputs) -> tuple[Floats, Floats]:
        """Give the bounds of each series, (n_series,) both; infinite ones where there is none."""
        assert self.bounds is not None
        windows = inputs.windows
        n_series = 1 if windows is None or windows.series_names is None else len(windows.series_names)
        lower, upper = (
            _static_column(self.owner, self.bounds, bound, windows).astype(np.float64)
            if isinstance(bound, str)
            else np.full(n_series, default if bound is None else bound, dtype=np.float64)
            for bound, default in zip(self.bounds, (-np.inf, np.inf), strict=True)
        )
        bad = np.flatnonzero(~(lower < upper))
        if len(bad):
            names = None if windows is None else windows.series_names
            where = "" if names is None else f" in series {names[bad[0]]!r}"
            raise ValueError(
                f"{self.owner}(bounds={self.bounds!r}): {lower[bad[0]]:g} to {upper[bad[0]]:g}{where}, and a lower "
                "bound below an upper one is expected, both in units of y. A StandardScaler before SlidingWindower "
                "changes the unit of a column that is named here: pass that column through."
            )
        return lower, upper

    def of_windows(self, inputs: Inputs) -> tuple[Floats, Floats] | None:
        """Give the bounds of each window, (n_windows or 1, 1, 1) both; None without bounds."""
        if self.bounds is None:
            return None
        lower, upper = self.of_series(inputs)
        if len(lower) > 1 and inputs.windows is not None:
            series = inputs.windows.series
            lower, upper = lower[series], upper[series]
        return lower[:, None, None], upper[:, None, None]

    def at_zero(self, inputs: Inputs) -> NDArray[np.bool_] | None:
        """Tell which values are known to be zero, (n_windows, horizon); None where no column says so."""
        if self.active is None:
            return None
        assert inputs.windows is not None
        return self._is_idle(inputs)[inputs.windows.horizon_positions()]

    def answer(self, head: Any, forecast: Floats, levels: Sequence[float] | None, inputs: Inputs) -> Floats:
        """Give what `predict` answers of a forecast (n_windows, horizon, n_targets, ...): a point, or quantiles."""
        bounds, at_zero = self.of_windows(inputs), self.at_zero(inputs)
        if bounds is None:
            values = head.point(forecast) if levels is None else head.quantiles(forecast, levels)
        elif levels is None:
            values = head.point_within(forecast, *bounds)
        else:
            values = head.quantiles_within(forecast, levels, *bounds)
        if at_zero is None:
            return values
        return np.where(at_zero.reshape(*at_zero.shape, *[1] * (values.ndim - 2)), 0.0, values)

    def put_on(self, targets: Targets, inputs: Inputs) -> Targets:
        """Give targets their bounds, and those that are known to be zero no weight."""
        if self.active is not None:
            weights = np.where(self._is_idle(inputs)[:, None], 0.0, targets.weights)
            if not weights.any():
                raise ValueError(f"{self.owner}(active=...): y is missing in every active row of positive weight.")
            targets = replace(targets, weights=weights / weights[weights > 0].mean())
        if self.bounds is None:
            return targets
        lower, upper = self.of_series(inputs)
        if len(lower) > 1 and inputs.windows is not None:
            series = _series_of_rows(inputs.windows)
            lower, upper = lower[series], upper[series]
        n_rows = len(targets.values)
        pair = np.broadcast_to(lower, n_rows)[:, None], np.broadcast_to(upper, n_rows)[:, None]
        there = targets.weights > 0
        outside = ((targets.values < pair[0]) | (targets.values > pair[1]))[there].mean()
        if outside > 0.5:
            raise ValueError(
                f"{self.owner}(bounds={self.bounds!r}): {outside:.0%} of y lies outside. Give bounds in units of y."
            )
        return replace(targets, bounds=pair)

    def scaled(self, inputs: Inputs) -> Inputs:
        """Give inputs whose static columns that are bounds are standardised, as a network reads them."""
        windows = inputs.windows
        if not self.scales or windows is None or windows.static is None:
            return inputs
        static, names = windows.static.copy(), list(windows.static_names or ())
        for name, (mean, scale) in self.scales.items():
            static[:, names.index(name)] = (static[:, names.index(name)] - mean) / scale
        return replace(inputs, windows=replace(windows, static=static))

    def _is_idle(self, inputs: Inputs) -> NDArray[np.bool_]:
        """Tell which rows of the panel are not active; what is missing may be."""
        return inputs.panel[:, self.active] < self.half


def _read_pair(owner: str, bounds: Any) -> tuple[Bound, Bound]:
    pair: Sequence[Any] = () if isinstance(bounds, str) else tuple(bounds)
    good = len(pair) == 2 and all(
        bound is None or isinstance(bound, str) or (isinstance(bound, Real) and not math.isnan(bound)) for bound in pair
    )
    if not good or all(bound is None for bound in pair):
        raise ValueError(
            f"{owner}(bounds={bounds!r}): a lower and an upper bound are expected, each a number, the name of a static "
            "column or, one of them, None: (0, 2500.0), (0, 'capacity') or (0, None)."
        )
    return pair[0], pair[1]


def _static_column(owner: str, bounds: Any, name: str, windows: Windows | None) -> NDArray[np.float32]:
    """Give a static column by its name: (n_series,)."""
    names = None if windows is None else windows.static_names
    if windows is None or windows.static is None or names is None or name not in names:
        raise ValueError(
            f"{owner}(bounds={bounds!r}): {name!r} is no static column of the windows, which have "
            f"{list(names or ())}: name it in SlidingWindower(static=[{name!r}]) and give that a DataFrame."
        )
    column: NDArray[np.float32] = windows.static[:, list(names).index(name)]
    missing = np.flatnonzero(np.isnan(column))
    if len(missing):
        series = "" if windows.series_names is None else f" of series {windows.series_names[missing[0]]!r}"
        raise ValueError(f"{owner}(bounds={bounds!r}): the {name}{series} is missing (NaN), and a number is expected.")
    return column


def _read_active(owner: str, inputs: Inputs, active: str | int) -> tuple[int, float]:
    """Find the column that says where something is active, and what lies between its two values."""
    windows, said = inputs.windows, f"{owner}(active={active!r})"
    if windows is None:
        raise ValueError(
            f"{said} names a column that is known ahead: give windows, made by SlidingWindower(known=...)."
        )
    names = list(range(windows.panel.shape[1])) if windows.feature_names is None else windows.feature_names.tolist()
    known = [names[column] for column in windows.known]
    if active not in known:
        raise ValueError(
            f"{said} is none of the columns that are known ahead, {known}: name it in SlidingWindower(known=...)."
        )
    column = names.index(active)
    values = np.unique(windows.panel[:, column])
    values = values[~np.isnan(values)]
    if len(values) != 2:
        raise ValueError(
            f"{said}: the column has {len(values)} different values, and two are expected, 0 where y is known to be 0 "
            "and 1 elsewhere (or what a scaler made of them)."
        )
    return column, float(values.mean(dtype=np.float64))


def _series_of_rows(windows: Windows) -> NDArray[np.int64]:
    """Give the number of the series of each row of the panel, 0 where no window has a target."""
    series = np.zeros(len(windows.panel), dtype=np.int64)
    for (begin, stop), number in zip(windows.spans, windows.span_series, strict=True):
        series[begin:stop] = number
    if windows.horizons is not None:
        series[windows.horizon_positions()] = windows.series[:, None]
    return series
