"""What the folds of a splitter train on, leave out and test."""

from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import check_cv

from skts.inspection._plot._cells import Cells, Floats, Ints, draw_cells, explain_cells, name_lanes, shade
from skts.inspection._plot._style import COLORS, INK, make_axes, name_every, pick, short_names, tidy
from skts.panel import PanelIndex

PARTS = {"train": "#8FBEDD", "left out": INK, "test": COLORS[1]}  # and their colours
_N_FOLDS = 12  # of several lines each, that have room
_N_LINES = 240


class SplitDisplay:
    """Picture of what every fold of a splitter trains on, leaves out and tests.

    Recommended is :meth:`from_splitter`, which makes one. All parameters are stored as attributes.

    Parameters
    ----------
    counts : ndarray of int64 of shape (n_folds, n_lanes, n_bins, 3)
        How many rows of each lane and time bin a fold trains on, leaves out and tests. A lane is one series or
        several.
    expected : ndarray of int64 of shape (n_lanes, n_bins)
        How many rows there would be without a gap.
    edges : Index of shape (n_bins + 1,)
        The times, or row numbers, between the bins.
    series : Index or None
        The names of all series, in the order of the lanes; None where the table has one series without a name.

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure
    meshes_ : list of QuadMesh
        The cells of every fold.

    See Also
    --------
    PanelDisplay : What is there in a table, and what is missing.
    skts.model_selection.PanelTimeSeriesSplit : Trains on the past of all series.
    skts.model_selection.PurgedPanelKFold : Trains on both sides of the test set.

    Notes
    -----
    *Left out* are rows between the first and the last time of a fold that it neither trains on nor tests: a gap, what
    is purged, an embargo. Rows before and after, which the fold does not use, are blank, as rows are that the table
    does not have.

    The picture shows rows. It cannot show what the windows of a row read: whether as much is left out as they reach,
    :func:`~skts.inspection.check_leakage` finds out.

    Where a cell holds more than one row, its colour is that of training, mixed with the others in the measure of the
    cube root of their share: so a single tested or missing row is seen, and looks like more than it is.

    Examples
    --------
    >>> from skts.datasets import make_panel
    >>> from skts.inspection import SplitDisplay
    >>> from skts.model_selection import PanelTimeSeriesSplit
    >>> X, y = make_panel(n_series=2, n_rows=480, random_state=0)
    >>> display = SplitDisplay.from_splitter(PanelTimeSeriesSplit(3, test_size=72, gap=24), X, y)
    >>> display.counts.sum(axis=(1, 2))
    array([[480,  48, 144],
           [624,  48, 144],
           [768,  48, 144]])
    """

    def __init__(self, *, counts: Ints, expected: Ints, edges: pd.Index, series: pd.Index | None):
        self.counts = counts
        self.expected = expected
        self.edges = edges
        self.series = series

    @classmethod
    def from_splitter(cls, cv: Any, X: Any, y: Any = None, *, groups: Any = None, ax: Any = None) -> Self:
        """Split a table, and draw the folds.

        Parameters
        ----------
        cv : int, splitter or iterable of (train, test)
            As :func:`~sklearn.model_selection.check_cv` takes it.
        X : array-like or DataFrame of shape (n_rows, n_features)
            Its index names series and times.
        y, groups : array-like of shape (n_rows,), default=None
            Given to ``cv.split``.
        ax : Axes, default=None
            A new figure is made by default.

        Returns
        -------
        display : SplitDisplay
        """
        splitter, panel = check_cv(cv), PanelIndex.read(X, reader="SplitDisplay")
        n_folds = splitter.get_n_splits(X, y, groups)
        cells = Cells.cut(panel, _N_LINES // min(n_folds, _N_FOLDS))
        counts = count_parts(splitter.split(X, y, groups), panel.row_ticks, cells)
        return cls(counts=counts, expected=cells.expected, edges=cells.edges, series=cells.series).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the folds, the first at the top, from 0.

        Where all series are cut alike a fold is one band, else it has a line for each series (or for several of
        them), and where there are many folds some of them are drawn.

        Parameters
        ----------
        ax : Axes, default=None
            A new figure is made by default.

        Returns
        -------
        display : SplitDisplay
        """
        shares = merge_alike(self.counts / self.expected[..., None])
        n_folds, n_lanes = shares.shape[:2]
        shown = np.arange(n_folds) if n_lanes == 1 else pick(n_folds, _N_FOLDS)
        height = 1.2 + len(shown) * (0.3 if n_lanes == 1 else 0.16 * min(n_lanes, 5))
        self.figure_, axes = make_axes(ax, "SplitDisplay.plot", height=float(np.clip(height, 2.2, 6.4)))
        self.ax_ = axes[0, 0]
        self.meshes_ = []
        for place, shades in enumerate(shade(shares[shown], PARTS.values())):
            self.meshes_.append(draw_cells(self.ax_, self.edges, _band(place, n_lanes), shades))
        label = "fold" if len(shown) == n_folds else f"fold ({len(shown)} of {n_folds})"
        tidy(self.ax_, x=self.ax_.get_xlabel(), y=label, grid="")
        self.ax_.set_ylim(len(shown) - 0.5, -0.5)
        name_every(self.ax_, [str(fold) for fold in shown])
        self.ax_.tick_params(axis="y", length=0)
        if n_lanes > 1 and self.series is not None:
            self._name_series(self.series, len(shown), n_lanes)
        there = self.counts.sum(axis=(0, 1, 2))
        explain_cells(self.ax_, {part: PARTS[part] for part, n in zip(PARTS, there, strict=True) if n})
        return self

    def _name_series(self, series: pd.Index, n_folds: int, n_lanes: int) -> None:
        """Say on the right which line is which series."""
        names, label = name_lanes(series, n_lanes)
        side = self.ax_.secondary_yaxis("right")
        side.spines["right"].set_visible(False)
        side.tick_params(length=0, labelsize="x-small")
        if n_folds * n_lanes > 24:
            side.set_yticks([])
            last = short_names(series[-1:])[0]
            side.set_ylabel(f"in each fold, downwards:\n{label}, {names[0]} to {last}", fontsize="small")
            return
        middles = np.concatenate([(band[:-1] + band[1:]) / 2 for band in (_band(i, n_lanes) for i in range(n_folds))])
        side.set_yticks(middles, names * n_folds)
        side.set_ylabel(label)


def _band(fold: int, n_lanes: int) -> Floats:
    """Give where the lanes of a fold begin and end, with room between the folds."""
    return np.linspace(fold - 0.4, fold + 0.4, n_lanes + 1)


def find_parts(train: Ints, test: Ints, ticks: Ints) -> NDArray[np.int8]:
    """Tell what a fold does with every row.

    Parameters
    ----------
    train, test : ndarray of int64
        Row numbers.
    ticks : ndarray of int64 of shape (n_rows,)
        The time of each row.

    Returns
    -------
    parts : ndarray of int8 of shape (n_rows,)
        0 to 2 as in `PARTS`, 3 where the row is not used and lies before or after all that are.
    """
    used = np.concatenate([ticks[train], ticks[test]])
    parts = np.full(len(ticks), 3, dtype=np.int8)
    if len(used):
        parts[(ticks >= used.min()) & (ticks <= used.max())] = 1
    parts[train] = 0
    parts[test] = 2
    return parts


def count_parts(folds: Iterable[Sequence[Any]], ticks: Ints, cells: Cells) -> Ints:
    """Count the rows that each fold trains on, leaves out and tests: (n_folds, n_lanes, n_bins, 3)."""
    counts = [cells.count(find_parts(_numbers(train), _numbers(test), ticks), 4)[..., :3] for train, test in folds]
    return np.stack(counts)


def _numbers(rows: Any) -> Ints:
    """Give row numbers, where an iterable of splits may hold masks."""
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.int64)


def merge_alike(shares: Floats) -> Floats:
    """Make one lane of all where no fold tells them apart: (n_folds, n_lanes or 1, n_bins, 3)."""
    return shares[:, :1] if (shares == shares[:, :1]).all() else shares
