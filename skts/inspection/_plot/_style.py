"""How all pictures look: their axes, colours, times and words."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts._compat import check_matplotlib_support

# told apart by the colour-blind, and by their lightness in print: Okabe and Ito (2008), https://jfly.uni-koeln.de/color
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
INK = "#444444"  # of what was measured, and of words
PALE = "#BBBBBB"  # of what is there for comparison
SEQUENTIAL = "cividis"  # of magnitudes
DIVERGING = "RdBu_r"  # of what has a sign, nought in the middle
WIDTH = 6.0  # inches: 600 pixels at matplotlib's 100 dots an inch


def make_axes(
    ax: Any, caller: str, n_rows: int = 1, n_columns: int = 1, *, height: float = 3.2, **kwargs: Any
) -> tuple[Any, NDArray[Any]]:
    """Make the axes of a picture, or split those that are given.

    Parameters
    ----------
    ax : Axes, array-like of Axes, or None
        None makes a figure, one Axes is split where more are needed, several are taken as they are.
    caller : str
        Who needs matplotlib, for the message where it is missing.
    n_rows, n_columns : int, default=1
    height : float, default=3.2
        Of a whole new figure, in inches.
    **kwargs : dict
        Further arguments of :func:`matplotlib.pyplot.subplots`, for a new figure; `sharex` and `sharey` for any.

    Returns
    -------
    figure : Figure
    axes : ndarray of Axes of shape (n_rows, n_columns)

    Raises
    ------
    ImportError
        There is no matplotlib.
    ValueError
        Several axes are given, and not as many as are needed.
    """
    check_matplotlib_support(caller)
    if ax is None:
        import matplotlib.pyplot as plt

        return plt.subplots(n_rows, n_columns, figsize=(WIDTH, height), layout="constrained", squeeze=False, **kwargs)
    given = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
    if len(given) == n_rows * n_columns:
        return given[0].figure, given.reshape(n_rows, n_columns)
    if len(given) > 1:
        raise ValueError(f"{caller}(ax=...): {n_rows * n_columns} axes are needed, and {len(given)} were given.")
    shared = {name: kwargs[name] for name in ("sharex", "sharey") if name in kwargs}
    given[0].set_axis_off()
    grid = given[0].get_subplotspec().subgridspec(n_rows, n_columns)
    return given[0].figure, grid.subplots(squeeze=False, **shared)


def tidy(ax: Any, *, title: str = "", x: str = "", y: str = "", grid: str = "y") -> None:
    """Label axes, and take off what says nothing.

    Parameters
    ----------
    ax : Axes
    title, x, y : str, default=""
        Over the left corner, below and beside.
    grid : {"x", "y", "both", ""}, default="y"
        Which pale lines lie behind the data.
    """
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_axisbelow(True)
    if grid:
        ax.grid(axis=grid, color="#E6E6E6", linewidth=0.8)
    ax.set_title(title, loc="left", fontsize="medium", color=INK)
    ax.set_xlabel(x)
    ax.set_ylabel(y)


def place_times(times: Any) -> NDArray[Any]:
    """Turn times into what matplotlib places.

    Parameters
    ----------
    times : Index or Series of shape (n_times,)

    Returns
    -------
    positions : ndarray of shape (n_times,)
        Date-times in UTC, the beginnings of periods, hours of time differences, and numbers as they are.
    """
    index = pd.Index(times)
    if isinstance(index, pd.PeriodIndex):
        index = index.to_timestamp()
    if isinstance(index, pd.TimedeltaIndex):
        return np.asarray(index / pd.Timedelta("1h"))
    if isinstance(index, pd.DatetimeIndex) and index.tz is not None:
        index = index.tz_convert(None)
    return index.to_numpy()


def label_times(times: Any) -> str:
    """Name times with the unit in which they are placed, or the zone in which they are shown."""
    index = pd.Index(times)
    unit = "hours" if isinstance(index, pd.TimedeltaIndex) else getattr(index, "tz", None)
    return with_unit("time" if index.name is None else str(index.name), None if unit is None else str(unit))


def show_times(ax: Any, axis: str = "x", tz: Any = None) -> None:
    """Write times briefly: the hour or day at each tick, month and year once; UTC by the clock of `tz` where given."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    # from three ticks on: for five, matplotlib finds no interval for spans of four days and warns
    locator = AutoDateLocator(tz=tz, minticks=3, maxticks=7)
    one = ax.xaxis if axis == "x" else ax.yaxis
    one.set_major_locator(locator)
    one.set_major_formatter(ConciseDateFormatter(locator, tz=tz))


def next_color(ax: Any, gid: str) -> str:
    """Give a colour that no line of the same kind, told by its `gid`, has on these axes yet."""
    return COLORS[sum(line.get_gid() == gid for line in ax.get_lines()) % len(COLORS)]


def legend_above(ax: Any, last: Sequence[str] = ()) -> None:
    """Say above the right corner what is what, each entry once, some of them at the end.

    Parameters
    ----------
    ax : Axes
    last : sequence of str, default=()
        Labels to put behind all others, in this order.
    """
    entries: dict[str, Any] = {}
    for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
        entries.setdefault(label, handle)
    order = [*(label for label in entries if label not in last), *(label for label in last if label in entries)]
    if not order:
        return
    ax.legend(
        [entries[label] for label in order],
        order,
        loc="lower right",
        bbox_to_anchor=(1.01, 1.0),
        ncols=len(order),
        frameon=False,
        fontsize="small",
        borderaxespad=0.1,
        handlelength=1.2,
        handletextpad=0.5,
        columnspacing=1.0,
        labelcolor=INK,
    )


def with_unit(name: str, unit: str | None) -> str:
    """Name a quantity with its unit, where that is given: `power (kW)`."""
    return f"{name} ({unit})" if unit else name


def pick(n: int, n_most: int) -> NDArray[np.int64]:
    """Pick up to `n_most` of `n` things, evenly, the first and the last among them."""
    return np.unique(np.linspace(0, n - 1, min(n, n_most)).round().astype(np.int64))


def short_names(names: Iterable[Any], n_characters: int = 16) -> list[str]:
    """Write names so that they fit beside an axis: the parts of a tuple joined, long ones cut in the middle."""
    joined = [" / ".join(map(str, name)) if isinstance(name, tuple) else str(name) for name in names]
    half = (n_characters - 1) // 2
    return [name if len(name) <= n_characters else f"{name[:half]}…{name[-half:]}" for name in joined]


def name_every(ax: Any, names: Sequence[str], axis: str = "y", n_most: int = 25) -> None:
    """Name the positions 0, 1, ... of an axis, as many of them as have room."""
    shown = pick(len(names), n_most)
    one = ax.xaxis if axis == "x" else ax.yaxis
    one.set_ticks(shown, [names[i] for i in shown])
