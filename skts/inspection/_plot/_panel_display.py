"""What is there in a table, and what is missing."""

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.utils import check_consistent_length

from skts.inspection._plot._cells import Cells, Floats, Ints, draw_cells, explain_cells, name_lanes, percent, shade
from skts.inspection._plot._style import COLORS, INK, make_axes, name_every, pick, tidy
from skts.panel import PanelIndex, check_same_series, has_target

PARTS = {"complete": "#8FBEDD", "X missing": INK, "y missing": COLORS[1]}  # and their colours
_N_APART = 25  # lanes that have room for a line between them
_N_LANES = 240  # about the pixels that axes of the house's height have


class PanelDisplay:
    """Picture of what is there in a table, and what is missing, by series and time.

    Recommended is :meth:`from_table`, which makes one. All parameters are stored as attributes.

    Parameters
    ----------
    counts : ndarray of float64 of shape (n_lanes, n_bins, 3)
        How many rows of each lane and time bin are complete, lack values in `X`, and lack their target. A lane is one
        series or several.
    expected : ndarray of int64 of shape (n_lanes, n_bins)
        How many rows there would be without a gap, if all series reached from the first time of the table to the last.
    edges : Index of shape (n_bins + 1,)
        The times, or row numbers, between the bins.
    series : Index or None
        The names of all series, in the order of the lanes; None where the table has one series without a name.

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure
    mesh_ : QuadMesh

    See Also
    --------
    SplitDisplay : What every fold of a splitter trains on, leaves out and tests.

    Notes
    -----
    Every row that there could be counts once: as *no row* where the time is not in the table, else as *y missing*
    where any of its targets is missing, else by the share of its values that are missing as *X missing*, and by
    the rest as *complete*. Where `X` has the past of the target as a column, the same hole is in both, and counts as
    *y missing*. Beside each line stands the share of it that is complete.

    Where a cell holds more than one row, its colour is that of what is complete, mixed with the others in the measure
    of the cube root of their share: so a single missing hour in a week is seen, and looks like more than it is.
    The picture cannot show which column lacks its values, nor values that are there and wrong.

    Examples
    --------
    >>> from skts.datasets import load_la_haute_borne
    >>> from skts.inspection import PanelDisplay
    >>> X, y = load_la_haute_borne(return_X_y=True)
    >>> display = PanelDisplay.from_table(X, y)
    >>> display.counts[:, :, 2].sum(axis=1)  # hours without a target, by turbine
    array([ 83., 208.,  78.,  84.])
    """

    def __init__(self, *, counts: Floats, expected: Ints, edges: pd.Index, series: pd.Index | None):
        self.counts = counts
        self.expected = expected
        self.edges = edges
        self.series = series

    @classmethod
    def from_table(cls, X: Any, y: Any = None, *, ax: Any = None) -> Self:
        """Count what is there, and draw it.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
            Its index names series and times.
        y : array-like of shape (n_rows,) or (n_rows, n_targets), default=None
            Without it, nothing is missing in y.
        ax : Axes, default=None
            A new figure is made by default.

        Returns
        -------
        display : PanelDisplay

        Raises
        ------
        PanelIndexError
            Times that repeat or decrease, no rows, or other rows in `y` than in `X`.
        LostSeriesError
            `y` has several series, and `X` has none.
        """
        if y is not None:
            check_consistent_length(X, y)
            check_same_series(X, y)
        cells = Cells.cut(PanelIndex.read(X, reader="PanelDisplay"), _N_LANES)
        counts = count_there(X, y, cells)
        return cls(counts=counts, expected=cells.expected, edges=cells.edges, series=cells.series).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw a line for each series, or for some where there are many, and beside it how much of it is complete.

        Parameters
        ----------
        ax : Axes, default=None
            A new figure is made by default.

        Returns
        -------
        display : PanelDisplay
        """
        n_lanes = len(self.counts)
        self.figure_, axes = make_axes(ax, "PanelDisplay.plot", height=float(np.clip(1.4 + 0.2 * n_lanes, 1.8, 4.4)))
        self.ax_ = axes[0, 0]
        shades = shade(self.counts / self.expected[..., None], PARTS.values())
        self.mesh_ = draw_cells(self.ax_, self.edges, np.linspace(-0.5, n_lanes - 0.5, n_lanes + 1), shades)
        if n_lanes <= _N_APART:
            self.ax_.hlines(
                np.arange(n_lanes - 1) + 0.5, 0, 1, colors="white", transform=self.ax_.get_yaxis_transform()
            )
        names, label = name_lanes(self.series, n_lanes)
        tidy(self.ax_, x=self.ax_.get_xlabel(), y=label, grid="")
        self.ax_.set_ylim(n_lanes - 0.5, -0.5)
        self.ax_.tick_params(axis="y", length=0, labelsize="small")
        name_every(self.ax_, names)
        self._sum_up(n_lanes)
        self._explain()
        return self

    def _sum_up(self, n_lanes: int) -> None:
        complete = self.counts[..., 0].sum(axis=1) / self.expected.sum(axis=1)
        side = self.ax_.secondary_yaxis("right")
        side.spines["right"].set_visible(False)
        side.tick_params(length=0, labelsize="small")
        shown = pick(n_lanes, 25)
        side.set_yticks(shown, [percent(complete[i]) for i in shown])
        side.set_ylabel("complete")

    def _explain(self) -> None:
        n_rows, n_each = self.expected.sum(), self.counts.sum(axis=(0, 1))
        colors = {
            f"{part} {percent(n / n_rows)}": color for (part, color), n in zip(PARTS.items(), n_each, strict=True) if n
        }
        lacking = n_rows - n_each.sum()
        if lacking > 0.5:  # what is less comes from rounding
            colors[f"no row {percent(lacking / n_rows)}"] = "white"
        explain_cells(self.ax_, colors)


def missing_share(X: Any) -> Floats:
    """Tell which share of the values of each row is missing: (n_rows,)."""
    n_columns = np.shape(X)[1] if np.ndim(X) > 1 else 0
    missing: Ints = np.zeros(len(X), dtype=np.int64)
    for i in range(n_columns):  # a copy of the whole table may be too much
        missing += np.asarray(pd.isna(X.iloc[:, i] if hasattr(X, "iloc") else np.asarray(X)[:, i]))
    return missing / max(n_columns, 1)


def count_there(X: Any, y: Any, cells: Cells) -> Floats:
    """Count what is complete, missing in X and missing in y: (n_lanes, n_bins, 3)."""
    scored = np.ones(len(X), dtype=bool) if y is None else has_target(y)
    missing = missing_share(X) * scored
    lacks_x, lacks_y = cells.add_up(missing), cells.add_up(~scored)
    return np.stack([cells.add_up(scored) - lacks_x, lacks_x, lacks_y], axis=-1)
