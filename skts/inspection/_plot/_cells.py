"""Cells of a picture: rows counted by series and by time, and what colours say of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from skts.exceptions import PanelIndexError
from skts.inspection._plot._style import PALE, label_times, place_times, short_names, show_times
from skts.panel import PanelIndex, commonest_step

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
N_BINS = 480  # about the pixels that axes of the house's width have
_EMPHASIS = 1 / 3  # 1 in 1,000 stands out as 10 % would, 10 % as 46 %


@dataclass(frozen=True)
class Cells:
    """The cell of every row of a table, in a picture with series downwards and times to the right.

    Parameters
    ----------
    cell : ndarray of int64 of shape (n_rows,)
        ``lane * n_bins + bin``, in the order of the table.
    expected : ndarray of int64 of shape (n_lanes, n_bins)
        The rows that each cell would have without a gap, if all series reached from the first time of the table to
        the last.
    edges : Index of shape (n_bins + 1,)
        The times, or row numbers, where the bins begin, and where the last one ends; its name is theirs.
    series : Index or None
        The names of all series, in the order of the lanes; None where the table has one series without a name.
    """

    cell: Ints
    expected: Ints
    edges: pd.Index
    series: pd.Index | None

    @classmethod
    def cut(cls, panel: PanelIndex, n_lanes: int, n_bins: int = N_BINS) -> "Cells":
        """Divide a table into at most so many lanes and bins, of as many series and steps each as can be.

        Parameters
        ----------
        panel : PanelIndex
        n_lanes, n_bins : int

        Raises
        ------
        PanelIndexError
            There are no rows.
        """
        if len(panel.rows) == 0:
            raise PanelIndexError("X has no rows. Give a table with at least one.")
        lanes = _divide(panel.n_series, n_lanes)
        first, step = int(panel.ticks.min()), _step(panel)
        n_steps = (int(panel.ticks.max()) - first) // step + 1
        bins = _divide(n_steps, n_bins)
        width, n_bins = int(bins[1]), len(bins) - 1
        in_lane = np.repeat(np.arange(len(lanes) - 1), np.diff(lanes))[panel.index.series]
        cell = in_lane * n_bins + (panel.row_ticks - first) // (step * width)
        clock = panel.index.clock
        edges = pd.Index(bins, name="row") if clock is None else clock.labels(first + step * bins)
        expected = np.outer(np.diff(lanes), np.diff(bins))
        return cls(cell, expected, edges, panel.index.names)

    def count(self, parts: NDArray[Any], n_parts: int) -> Ints:
        """Count the rows of each part in each cell.

        Parameters
        ----------
        parts : ndarray of int of shape (n_rows,)
            0 to ``n_parts - 1``.
        n_parts : int

        Returns
        -------
        counts : ndarray of int64 of shape (n_lanes, n_bins, n_parts)
        """
        counts = np.bincount(self.cell * n_parts + parts, minlength=self.expected.size * n_parts)
        return counts.reshape(*self.expected.shape, n_parts).astype(np.int64, copy=False)

    def add_up(self, values: ArrayLike) -> Floats:
        """Add up a value of each row, (n_rows,), in each cell: (n_lanes, n_bins)."""
        sums = np.bincount(self.cell, np.asarray(values, dtype=np.float64), self.expected.size)
        return sums.astype(np.float64, copy=False).reshape(self.expected.shape)


def _divide(n: int, n_most: int) -> Ints:
    """Cut 0 to n into at most `n_most` equal parts, of which the last may be short; give where they begin and end."""
    width = -(-n // n_most)
    return np.append(np.arange(0, n, width), n).astype(np.int64)


def _step(panel: PanelIndex) -> int:
    """Give the ticks from row to row; where no series has two, those between the series."""
    if panel.step is not None:
        return panel.step
    times = np.unique(panel.ticks)
    return commonest_step(times, np.array([0, len(times)])) or 1


def shade(shares: Floats, colors: Any) -> Floats:
    """Colour cells by what is in them, so that a little of something else than the usual is seen.

    Parameters
    ----------
    shares : ndarray of shape (..., n_parts)
        The share of each part in a cell. The first part is the usual one; what they lack to 1 is blank.
    colors : sequence of n_parts colours
        As matplotlib writes them.

    Returns
    -------
    shades : ndarray of shape (..., 3)
        Red, green and blue, from 0 to 1: the colour of the first part, mixed with the mean colour of the others in
        the measure of the cube root of their share.
    """
    from matplotlib.colors import to_rgb

    usual, *others = np.array([to_rgb(color) for color in (*colors, "white")])
    share_of_others = np.concatenate([shares[..., 1:], 1 - shares.sum(axis=-1, keepdims=True)], axis=-1).clip(0, 1)
    total = share_of_others.sum(axis=-1, keepdims=True)
    mean = share_of_others @ np.array(others) / np.maximum(total, np.finfo(float).tiny)
    strength = total.clip(0, 1) ** _EMPHASIS
    return ((1 - strength) * usual + strength * mean).clip(0, 1)


def draw_cells(ax: Any, edges: pd.Index, heights: Floats, shades: Floats) -> Any:
    """Draw cells, and the times below them.

    Parameters
    ----------
    ax : Axes
    edges : Index of shape (n_bins + 1,)
    heights : ndarray of shape (n_lanes + 1,)
        Where the lanes begin and end.
    shades : ndarray of shape (n_lanes, n_bins, 3)

    Returns
    -------
    mesh : QuadMesh
    """
    positions = place_times(edges)
    mesh = ax.pcolormesh(positions, heights, shades, rasterized=True)
    if positions.dtype.kind == "M":
        show_times(ax, tz=getattr(edges, "tz", None))
    ax.set_xlabel(label_times(edges))
    return mesh


def explain_cells(ax: Any, colors: dict[str, str]) -> None:
    """Say above the axes what the colours mean: a square for each of `colors`, by its words."""
    from matplotlib.patches import Patch

    patches = [
        Patch(facecolor=color, edgecolor=PALE if color == "white" else color, label=words)
        for words, color in colors.items()
    ]
    ax.legend(
        handles=patches,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=len(patches),
        frameon=False,
        fontsize="small",
        handlelength=1,
        handleheight=1,
        handletextpad=0.4,
        columnspacing=1.1,
        borderaxespad=0.2,
        borderpad=0,
    )


def name_lanes(series: pd.Index | None, n_lanes: int) -> tuple[list[str], str]:
    """Name lanes by the first series in each, none where there is nothing to name, and say what these are names of."""
    if series is None:
        return [], ""
    levels = [str(level) for level in series.names if level is not None]
    label, lanes = " / ".join(levels) or "series", _divide(len(series), n_lanes)
    return short_names(series[lanes[:-1]]), label if lanes[1] == 1 else f"{label} ({lanes[1]} in a line)"


def percent(share: ArrayLike) -> str:
    """Write a share, all and nothing only where it is exactly so."""
    value = float(np.asarray(share))
    if 0 < value < 0.0005:
        return "< 0.1 %"
    if 0.9995 <= value < 1:
        return "> 99.9 %"
    return f"{100 * value:.0f} %" if value in (0, 1) else f"{100 * value:.1f} %"
