"""The error and the cost of windows of several lengths, drawn."""

from typing import Any, Self

import numpy as np
import pandas as pd

from skts.inspection._history_curve import history_curve
from skts.inspection._plot._style import COLORS, INK, PALE, make_axes, pick, tidy, with_unit


class HistoryCurveDisplay:
    """The error of each length of the window, and below it the seconds of training.

    Parameters
    ----------
    table : DataFrame of shape (n_lengths, n_columns)
        As :func:`~skts.inspection.history_curve` gives it: `error`, `standard_error` and `fit_seconds` by the length.
    best, shortest : int
        Lengths to mark.

    Attributes
    ----------
    figure_ : Figure
    axes_ : ndarray of Axes of shape (2,)
        Of the error, and of the seconds.
    error_ : ErrorbarContainer
        The mean error of each length, and the standard error of its difference to the best one.
    marks_ : list of Line2D
        The shortest sufficient length and the best one; one mark where they are the same.
    seconds_ : Line2D

    See Also
    --------
    history_curve : Measures, and says what it can not tell.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from skts import HistoryPrepender, SlidingWindower
    >>> from skts.datasets import make_panel
    >>> from skts.inspection import HistoryCurveDisplay
    >>> from skts.strategies import WindowedRegressor
    >>> X, y = make_panel(n_series=2, n_rows=400, random_state=0)
    >>> pipe = make_pipeline(HistoryPrepender(1), SlidingWindower(1, 3, known="wind"), WindowedRegressor(Ridge()))
    >>> display = HistoryCurveDisplay.from_estimator(pipe, X, y, lengths=[1, 2, 4, 8, 24])
    """

    def __init__(self, *, table: pd.DataFrame, best: int, shortest: int):
        self.table = table
        self.best = best
        self.shortest = shortest

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        lengths: Any,
        unit: str | None = None,
        name: str = "error",
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Train with windows of each length, and draw.

        Parameters
        ----------
        estimator : estimator
            With a HistoryPrepender and a SlidingWindower in it.
        X : array-like or DataFrame of shape (n_rows, n_features)
        y : array-like of shape (n_rows,) or (n_rows, n_targets)
        lengths : sequence of int
            In rows.
        unit : str, default=None
            Of the error: "kW".
        name : str, default="error"
            Of the error.
        ax : Axes or array-like of two Axes, default=None
            A new figure by default; one Axes is split.
        **kwargs : dict
            Further arguments of :func:`~skts.inspection.history_curve`: `cv`, `scoring`, `n_jobs`, ...

        Returns
        -------
        display : HistoryCurveDisplay
        """
        result = history_curve(estimator, X, y, lengths=lengths, **kwargs)
        return cls.from_result(result, unit=unit, name=name, ax=ax)

    @classmethod
    def from_result(cls, result: Any, *, unit: str | None = None, name: str = "error", ax: Any = None) -> Self:
        """Draw what was measured.

        Parameters
        ----------
        result : Bunch
            What :func:`~skts.inspection.history_curve` gave.
        unit : str, default=None
        name : str, default="error"
        ax : Axes or array-like of two Axes, default=None

        Returns
        -------
        display : HistoryCurveDisplay
        """
        return cls(table=result.table, best=result.best, shortest=result.shortest).plot(ax, unit=unit, name=name)

    def plot(self, ax: Any = None, *, unit: str | None = None, name: str = "error") -> Self:
        """Draw.

        Parameters
        ----------
        ax : Axes or array-like of two Axes, default=None
            A new figure by default; one Axes is split.
        unit : str, default=None
            Of the error: "kW".
        name : str, default="error"
            Of the error.

        Returns
        -------
        self : object
        """
        self.figure_, axes = make_axes(
            ax, "HistoryCurveDisplay.plot", 2, 1, height=4.4, sharex=True, **_taller_above(ax)
        )
        self.axes_ = axes.ravel()
        above, below = self.axes_
        lengths = self.table.index.to_numpy()
        self._draw_error(above, lengths)
        tidy(above, title="Error by the length of the history", y=with_unit(name, unit))
        below.set_xscale("log")
        (self.seconds_,) = below.plot(lengths, self.table["fit_seconds"], color=INK, marker=".")
        below.set_ylim(bottom=0)
        tidy(below, x="window (rows)", y="training (s)")
        shown = lengths[pick(len(lengths), 8)]
        for one in self.axes_:
            one.set_xticks(shown, list(map(str, shown)))
            one.minorticks_off()
        return self

    def _draw_error(self, ax: Any, lengths: Any) -> None:
        """Draw the error and what is told from it."""
        error, best = self.table["error"], self.table.loc[self.best, "error"]
        bars = np.nan_to_num(self.table["standard_error"])
        ax.axhline(best, color=PALE, linestyle="--", linewidth=1)
        self.error_ = ax.errorbar(lengths, error, yerr=bars, color=COLORS[0], marker="o", markersize=4, capsize=3)
        self.error_.set_label("± standard error of the difference to the best")
        if self.best == self.shortest:
            marks = {self.best: (COLORS[1], "D", f"best, and the shortest as good: {self.best}")}
        else:
            marks = {
                self.shortest: (COLORS[1], "D", f"shortest as good: {self.shortest}"),
                self.best: (COLORS[2], "s", f"best: {self.best}"),
            }
        self.marks_ = [
            ax.plot(length, error[length], color=color, marker=marker, markersize=9, linestyle="none", label=text)[0]
            for length, (color, marker, text) in marks.items()
        ]
        low, high = ax.get_ylim()
        ax.set_ylim(low, high + 0.45 * (high - low))  # room for what is said of it
        ax.ticklabel_format(axis="y", useOffset=False)
        ax.legend(frameon=False, fontsize="small", loc="upper right", borderpad=0)


def _taller_above(ax: Any) -> dict[str, Any]:
    """Give the error more room than the seconds, in a figure of its own."""
    return {"height_ratios": [2, 1]} if ax is None else {}
