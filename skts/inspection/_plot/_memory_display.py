"""What each lag of the window contributes, as a picture."""

from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.utils import Bunch

from skts.inspection._plot._style import COLORS, INK, PALE, legend_above, make_axes, short_names, tidy, with_unit
from skts.inspection.memory import memory_profile

_KEPT = 0.95
_TINY = np.finfo(np.float64).tiny
_LOWEST = 3e-4  # of the highest share: what lies below is not drawn
_N_NAMED = 6  # features with a colour of their own


class MemoryDisplay:
    """Draw what each lag of the window contributes to forecasts.

    Made by :meth:`from_estimator`, or of a profile that is there already: ``MemoryDisplay(**profile).plot()``.

    Parameters
    ----------
    lags, block, forward, backward, effective_memory, feature_names
        The parts of what :func:`~skts.inspection.memory_profile` gives.

    Attributes
    ----------
    axes_ : ndarray of Axes of shape (2,)
        Of the shares, and of their sums.
    figure_ : Figure
    lines_ : list of Line2D
        The shares by lag: forward, then backward; with `by_feature` one for each feature named, and one for the others.
    bands_ : list of PolyCollection
        Their intervals; none with `by_feature`.
    sums_ : list of Line2D
        The shares of all lags up to each.
    marks_ : list of Line2D
        The effective memory of each.

    See Also
    --------
    memory_profile : Says what the numbers mean, and what they cannot tell.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from skts import HistoryPrepender, SlidingWindower
    >>> from skts.datasets import make_panel
    >>> from skts.inspection import MemoryDisplay
    >>> from skts.strategies import WindowedRegressor
    >>> X, y = make_panel(n_series=1, n_rows=400, random_state=0)
    >>> pipe = make_pipeline(
    ...     HistoryPrepender(24), SlidingWindower(24, horizon=6, known="wind"), WindowedRegressor(Ridge())
    ... )
    >>> display = MemoryDisplay.from_estimator(pipe.fit(X[:250], y[:250]), X[250:], y[250:], unit="h", random_state=0)
    >>> display.axes_[1].get_xlabel()
    'lag (h)'
    """

    def __init__(
        self,
        *,
        lags: NDArray[np.int64],
        block: int,
        forward: Bunch | None,
        backward: Bunch | None,
        effective_memory: int,
        feature_names: NDArray[Any],
    ):
        self.lags = lags
        self.block = block
        self.forward = forward
        self.backward = backward
        self.effective_memory = effective_memory
        self.feature_names = feature_names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        method: Literal["occlusion", "gradient", "both"] = "occlusion",
        n_windows: int = 500,
        block: int = 1,
        random_state: int | RandomState | None = None,
        verbose: int = 0,
        by_feature: bool = False,
        unit: str | None = None,
        step: float = 1,
        ax: Any = None,
    ) -> Self:
        """Measure and draw.

        Parameters
        ----------
        estimator, X, y, method, n_windows, block, random_state, verbose
            As for :func:`~skts.inspection.memory_profile`.
        by_feature, unit, step, ax
            As for :meth:`plot`.

        Returns
        -------
        display : MemoryDisplay
        """
        options: dict[str, Any] = {"n_windows": n_windows, "block": block, "random_state": random_state}
        profile = memory_profile(estimator, X, y, method=method, verbose=verbose, **options)
        return cls(**profile).plot(ax, by_feature=by_feature, unit=unit, step=step)

    def plot(self, ax: Any = None, *, by_feature: bool = False, unit: str | None = None, step: float = 1) -> Self:
        """Draw the share that each lag has in the contributions of all, and below how these shares add up.

        Parameters
        ----------
        ax : Axes, or array-like of two Axes, default=None
            None makes a figure; one is split in two.
        by_feature : bool, default=False
            Whether to draw a line for each feature, of up to six by name, the strongest ones, and all others as one:
            of the forward measure, where it is there. Each point is a mean over lags, of more the older they are.
        unit : str, default=None
            Of `step`: "h" where a row is an hour. None counts rows.
        step : float, default=1
            How many such units lie between two rows: 0.25 with ``unit="h"`` for quarters of an hour.

        Returns
        -------
        self : object
        """
        height = 4.4 if ax is None else 3.2
        self.figure_, axes = make_axes(ax, f"{type(self).__name__}.plot", 2, height=height, sharex=True)
        self.axes_ = axes[:, 0]
        self.lines_: list[Any] = []
        self.sums_: list[Any] = []
        self.bands_: list[Any] = []
        self.marks_: list[Any] = []
        measures = self._measures()
        if by_feature:
            measures = [(*measures[0][:2], INK, measures[0][3])]
            self._draw_features(measures[0][0], step)
        for measure, name, color, _ in measures:
            if not by_feature:
                self._draw_lags(measure, name, color, step)
            self._draw_sum(measure, color, step)
        self._mark(measures, unit, step)
        which = "" if len(measures) > 1 else f": {measures[0][1]}{', by feature' * by_feature}"
        title = f"What each lag contributes to the forecast{which}"
        self._label(title, unit, step)
        return self

    def _measures(self) -> list[tuple[Bunch, str, str, int]]:
        """List what there is: the measure, its name and colour, and its effective memory."""
        found = []
        if self.forward is not None:
            found.append((self.forward.change, "occlusion", COLORS[0], self.forward.effective_memory))
        if self.backward is not None:
            found.append((self.backward.gradient, "gradient", COLORS[1], self.backward.effective_memory))
        return found

    def _draw_lags(self, measure: Bunch, name: str, color: str, step: float) -> None:
        share, ax = shares_of(measure.by_lag), self.axes_[0]
        self.bands_.append(
            ax.fill_between(self._places(step), share["low"], share["high"], color=color, alpha=0.25, linewidth=0)
        )
        self.lines_ += ax.plot(self._places(step), share["mean"], color=color, label=name, linewidth=1.2)

    def _draw_features(self, measure: Bunch, step: float) -> None:
        table = name_few(100 * measure.by_feature / max(np.nansum(measure.by_feature), _TINY), _N_NAMED)
        colors = [*COLORS[: min(_N_NAMED, len(self.feature_names))], PALE]
        for label, color, (_, share) in zip(short_names(table.columns), colors, table.items(), strict=False):
            places, means = in_growing_groups(self._places(step), share.to_numpy())
            style = {"color": color, "linewidth": 1.2, "marker": "o", "markersize": 2.5}
            self.lines_ += self.axes_[0].plot(places, means, label=label, **style)

    def _draw_sum(self, measure: Bunch, color: str, step: float) -> None:
        """Draw how the shares of the latest lags add up, each at the last row that it stands for."""
        ends = (self.lags + self.block - 1) * step
        self.sums_ += self.axes_[1].plot(ends, shares_of(measure.by_lag)["mean"].cumsum(), color=color)

    def _mark(self, measures: list[tuple[Bunch, str, str, int]], unit: str | None, step: float) -> None:
        """Draw a line at each effective memory, and say on the free side of all of them what they are."""
        ends = [n_rows * step for *_, n_rows in measures]
        is_right = max(ends) <= 0.5 * self.lags[-1] * step
        for place, ((_, name, color, _), end) in enumerate(zip(measures, ends, strict=True)):
            (mark,) = self.axes_[1].plot([end, end], [0, 100 * _KEPT], color=color, linestyle="--", linewidth=1)
            self.marks_.append(mark)
            words = f"{100 * _KEPT:.0f} % within {round(end, 2):g} {unit or 'rows'}"
            self.axes_[1].annotate(
                f"{name}: {words}" if len(measures) > 1 else words,
                (max(ends) if is_right else min(ends), (60 if is_right else 32) - 24 * place),  # below the sums
                (6 if is_right else -6, 0),
                textcoords="offset points",
                ha="left" if is_right else "right",
                va="center",
                color=color,
            )

    def _label(self, title: str, unit: str | None, step: float) -> None:
        from matplotlib.ticker import FuncFormatter, MaxNLocator

        upper, lower = self.axes_
        tidy(upper, title=title, y="share (%)")
        tidy(lower, x=with_unit("lag", unit or "rows"), y="up to this lag (%)")
        upper.set_yscale("log")  # what is forgotten at a constant rate falls in a line
        upper.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share:g}"))
        upper.set_ylim(*_limits([line.get_ydata() for line in self.lines_]))
        lower.set_ylim(0, 105)
        lower.set_yticks([0, 50, 100])
        lower.set_xlim(0, (self.lags[-1] + self.block - 1) * step * 1.01)
        lower.xaxis.set_major_locator(MaxNLocator(steps=[1, 2, 3, 6, 10], integer=True))
        if len(self.lines_) == 2:
            legend_above(upper)
        elif len(self.lines_) > 2:
            upper.legend(frameon=False, loc="upper right", fontsize="small", ncols=2 if len(self.lines_) > 4 else 1)

    def _places(self, step: float) -> NDArray[Any]:
        """Give the middle of each block of lags."""
        return (self.lags + (self.block - 1) / 2) * step


def _limits(lines: list[NDArray[np.float64]]) -> tuple[float, float]:
    """Give a logarithmic axis that has all, but for what is next to nothing."""
    values = np.concatenate(lines)
    values = values[values > 0]
    if len(values) == 0:
        return _LOWEST * _TINY, _TINY
    lowest, highest = float(values.min()), float(values.max())
    return max(lowest / 3, _LOWEST * highest), 2 * highest


def shares_of(by_lag: pd.DataFrame) -> pd.DataFrame:
    """Give contributions and their intervals in per cent of their sum; 0 where nothing contributes."""
    total = by_lag["mean"].sum()
    return 100 * by_lag / (total if total > 0 else 1.0)


def in_growing_groups(
    places: NDArray[Any], values: NDArray[np.float64], n_most: int = 20
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Average neighbours in up to `n_most` groups, each some times as long as the one before; NaN does not count."""
    starts = np.unique(np.geomspace(1, len(values) + 1, n_most + 1).round().astype(np.int64))[:-1] - 1
    sizes = np.add.reduceat(np.ones(len(places)), starts)
    there = np.add.reduceat(~np.isnan(values), starts, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        means = np.add.reduceat(np.nan_to_num(values), starts) / there
    return np.add.reduceat(places, starts, dtype=np.float64) / sizes, means


def name_few(table: pd.DataFrame, n_named: int) -> pd.DataFrame:
    """Keep the columns with the largest sums, and add all others up in one.

    Parameters
    ----------
    table : DataFrame of shape (n_lags, n_features)
    n_named : int

    Returns
    -------
    table : DataFrame of shape (n_lags, at most n_named + 1)
        The strongest first.
    """
    order = np.argsort(-table.sum().to_numpy(), kind="stable")
    named, others = table.iloc[:, order[:n_named]], table.iloc[:, order[n_named:]]
    if others.shape[1] == 0:
        return named
    return pd.concat([named, others.sum(axis=1).rename(f"{others.shape[1]} others")], axis=1)
