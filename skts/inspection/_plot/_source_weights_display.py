"""Whom a network trusts, as a picture."""

import calendar
from typing import Any, Self

import numpy as np
import pandas as pd

from skts._compat import check_matplotlib_support
from skts.inspection._plot._style import COLORS, INK, make_axes, name_every, pick, short_names, tidy, with_unit
from skts.inspection._source_weights import source_weights

_KINDS = ("lead", "month", "hour", "series")
_FEW_LEADS = 12  # of which every one has a tick
_N_NAMED = 25  # series, of which every one has a name


class SourceWeightsDisplay:
    """Mean weight of each source by lead, month, hour of day or series, one upon the other up to 1.

    Made by :meth:`from_estimator`, or of weights that are there: ``SourceWeightsDisplay(weights=weights).plot()``.

    Parameters
    ----------
    weights : DataFrame of shape (n_rows, n_sources)
        As :func:`~skts.inspection.source_weights` gives it.

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure
    bars_ : dict of str to BarContainer
        Of each source, in the order of its columns.
    means_ : DataFrame of shape (n_groups, n_sources)
        What is drawn.

    See Also
    --------
    source_weights : Says what a weight means, and what it cannot tell.

    Examples
    --------
    >>> import pandas as pd
    >>> from skts.inspection import SourceWeightsDisplay
    >>> index = pd.MultiIndex.from_product([pd.date_range("2024-01-01", periods=2), [1, 2]], names=["time", "lead"])
    >>> weights = pd.DataFrame({"ecmwf": [0.9, 0.6, 0.7, 0.6], "gfs": [0.1, 0.4, 0.3, 0.4]}, index=index)
    >>> SourceWeightsDisplay(weights=weights).plot(unit="h").means_["ecmwf"].round(1).to_dict()
    {1: 0.8, 2: 0.6}
    """

    def __init__(self, *, weights: pd.DataFrame):
        self.weights = weights

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        part: str = "horizon",
        by: str | None = None,
        unit: str | None = None,
        step: float = 1,
        ax: Any = None,
    ) -> Self:
        """Look into an estimator and draw.

        Parameters
        ----------
        estimator, X, part
            As for :func:`~skts.inspection.source_weights`.
        by, unit, step, ax
            As for :meth:`plot`.

        Returns
        -------
        display : SourceWeightsDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        return cls(weights=source_weights(estimator, X, part=part)).plot(ax, by=by, unit=unit, step=step)

    def plot(self, ax: Any = None, *, by: str | None = None, unit: str | None = None, step: float = 1) -> Self:
        """Draw the mean weights.

        Parameters
        ----------
        ax : Axes, default=None
        by : {"lead", "month", "hour", "series"}, default=None
            What the means are taken over rows of: the same lead; the same month of whatever year; the same hour of day
            by the clock of the times' own zone; the same series. None takes the lead, and of a window the month.
        unit : str, default=None
            Of `step`: "h" where a row is an hour. None counts rows.
        step : float, default=1
            How many such units lie between two rows: 0.25 with ``unit="h"`` for quarters of an hour.

        Returns
        -------
        self : object
        """
        if by is None:
            by = "lead" if "lead" in self.weights.index.names else "month"
        self.means_ = mean_weights(self.weights, by)
        n_groups = len(self.means_)
        height = 1.3 + 0.28 * min(max(n_groups, 3), 20) if by == "series" else 3.0
        self.figure_, axes = make_axes(ax, f"{type(self).__name__}.plot", height=height)
        self.ax_ = axes[0, 0]
        places = step * self.means_.index.to_numpy() if by == "lead" else np.arange(n_groups)
        self._draw(places, by, step if by == "lead" else 1.0)
        self._label(by, unit, places)
        handles = list(self.bars_.values())
        order = slice(None) if by == "series" else slice(None, None, -1)  # as they lie upon each other
        names = short_names(self.bars_)
        self.ax_.legend(
            handles[order],
            names[order],
            loc="center left",
            bbox_to_anchor=(1.0, 0.5),
            frameon=False,
            fontsize="small",
            labelcolor=INK,
            handlelength=1.0,
        )
        return self

    def _draw(self, places: Any, by: str, step: float) -> None:
        """Put the bars of each source upon, or right of, those of the sources before."""
        from matplotlib.colors import to_rgb

        self.bars_, below = {}, np.zeros(len(places))
        dense = by == "lead" and len(places) > 24
        style = {"linewidth": 0 if dense else 0.6, "edgecolor": "none" if dense else "white"}
        width = step * (1.0 if dense else 0.9)
        for i, name in enumerate(self.means_.columns):
            color = np.asarray(to_rgb(COLORS[i % len(COLORS)]))
            color = color + (1 - color) * 0.5 * min(i // len(COLORS), 1)  # paler, from the seventh on
            values = self.means_[name].to_numpy()
            if by == "series":
                bars = self.ax_.barh(places, values, width, left=below, color=color, **style)
            else:
                bars = self.ax_.bar(places, values, width, bottom=below, color=color, **style)
            self.bars_[str(name)] = bars
            below = below + np.nan_to_num(values)

    def _label(self, by: str, unit: str | None, places: Any) -> None:
        """Say what the axes are."""
        from matplotlib.ticker import MaxNLocator

        ax, title = self.ax_, "Whom the network trusts"
        if by == "series":
            tidy(ax, title=title, x="mean weight", grid="x")
            ax.set_xlim(0, 1)
            ax.set_ylim(len(places) - 0.5, -0.5)
            name_every(ax, short_names(self.means_.index), n_most=_N_NAMED)
            ax.tick_params(axis="y", length=0)
            return
        zone = getattr(time_of(self.weights), "tz", None)
        words = {"lead": with_unit("lead", unit or "rows"), "month": "month"}
        words["hour"] = with_unit("hour of day", None if zone is None else str(zone))
        tidy(ax, title=title, x=words[by], y="mean weight")
        ax.set_ylim(0, 1)
        ax.margins(x=0.01)
        if by == "lead":
            if len(places) <= _FEW_LEADS:
                ax.set_xticks(places)
            else:
                ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 3, 4, 6, 10], min_n_ticks=1))
        elif by == "month":
            name_every(ax, [calendar.month_abbr[month] for month in self.means_.index], axis="x")
        else:
            shown = pick(len(places), 9)
            ax.set_xticks(shown, self.means_.index[shown].tolist())


def mean_weights(weights: pd.DataFrame, by: str) -> pd.DataFrame:
    """Average weights over the rows of one lead, month, hour or series.

    Parameters
    ----------
    weights : DataFrame of shape (n_rows, n_sources)
        As :func:`~skts.inspection.source_weights` gives it. NaN counts for nothing.
    by : {"lead", "month", "hour", "series"}

    Returns
    -------
    means : DataFrame of shape (n_groups, n_sources)
        Groups increase; series come as in `weights`.

    Raises
    ------
    ValueError
        The weights have no leads, no series, or no times with months and hours.
    """
    names = list(weights.index.names)
    n_series = len(names) - 1 - ("lead" in names)
    series = [i for i in range(n_series) if names[i] != "run"]
    times = time_of(weights)
    has_clock = isinstance(times, pd.DatetimeIndex | pd.PeriodIndex)
    lacking = {
        "lead": "" if "lead" in names else "leads, as those of a window have none",
        "series": "" if series else "series",
        "month": "" if has_clock else "date-times",
        "hour": "" if has_clock else "date-times",
    }
    if by not in _KINDS or lacking[by]:
        could = [kind for kind in _KINDS if not lacking[kind]]
        why = f"the weights have no {lacking[by]}" if by in _KINDS else "that is not known"
        raise ValueError(f"SourceWeightsDisplay.plot(by={by!r}): {why}. Give one of {could}.")
    if by == "series":
        grouped = weights.groupby(level=series[0] if len(series) == 1 else series, sort=False)
    elif by == "lead":
        grouped = weights.groupby(level="lead")
    else:
        grouped = weights.groupby(np.asarray(getattr(times, by)))
    return grouped.mean()


def time_of(weights: pd.DataFrame) -> pd.Index:
    """Give the times of the rows of weights."""
    return weights.index.get_level_values(-2 if weights.index.names[-1] == "lead" else -1)
