"""Which columns of which series left the range of training, as a picture."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts._compat import check_matplotlib_support
from skts.inspection._plot._cells import explain_cells
from skts.inspection._plot._style import COLORS, INK, make_axes, pick, short_names, tidy
from skts.inspection.drift import drift_report

Floats = NDArray[np.float64]
_SHADES = {"within its band": "#EAF1F7", "near its end": "#BDD5E8", "alarm": "#F0A878", "far beyond": COLORS[1]}
_EDGES = (0.7, 1.0, 2.0)  # of the shades, 1 being the end of the band
_N_NAMED = 25  # lanes
_N_WRITTEN = (12, 9)  # lanes and columns, in whose cells there is room for a word


class DriftDisplay:
    """Picture of a drift report: a line for each series, a cell for each column and each check of errors.

    The shade says how far the check that differs most is from the middle of its band: orange is an alarm, and the word
    in it the check. To the right stands since when, the earliest alarm of the line; what could not be judged is white.
    Recommended is :meth:`from_estimator`, or ``DriftDisplay(report=drift_report(...)).plot()``.

    Parameters
    ----------
    report : DataFrame of shape (n_checks, 10)
        As :func:`~skts.inspection.drift_report` gives it.

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure
    mesh_ : QuadMesh
    strengths_ : DataFrame of shape (n_series, n_cells)
        How far from the middle of its band each cell is, by the distance from there to its end: above 1 is an alarm.
    checks_ : DataFrame of shape (n_series, n_cells)
        The check that is.

    See Also
    --------
    drift_report : Says what is compared, and what it cannot tell.

    Examples
    --------
    >>> from skts.datasets import make_panel
    >>> from skts.inspection import DriftDisplay, DriftReference
    >>> X, _ = make_panel(n_series=2, n_rows=24 * 7 * 10, random_state=0)
    >>> reference = DriftReference().fit(X)
    >>> display = DriftDisplay.from_estimator(None, X.replace({"power": {0.0: 1.0}}), reference=reference)
    >>> display.strengths_.columns.tolist()
    ['rows', 'power', 'wind']
    """

    def __init__(self, *, report: pd.DataFrame):
        self.report = report

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any = None, *, ax: Any = None, **kwargs: Any) -> Self:
        """Compare new rows with those of training, and draw.

        Parameters
        ----------
        estimator : estimator or None
            Fitted.
        X : array-like or DataFrame of shape (n_rows, n_features)
            New rows.
        y : array-like of shape (n_rows,), default=None
        ax : Axes, default=None
            A new figure is made by default.
        **kwargs : dict
            Further arguments of :func:`~skts.inspection.drift_report`: `reference`, `backtest`, `level`, ...

        Returns
        -------
        display : DriftDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        return cls(report=drift_report(estimator, X, y, **kwargs)).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : Axes, default=None
            A new figure is made by default.

        Returns
        -------
        self : DriftDisplay
        """
        self.strengths_, self.checks_, since = fill_cells(self.report)
        n_lanes, n_columns = self.strengths_.shape
        height = float(np.clip(1.7 + 0.24 * n_lanes, 2.2, 6.0))
        self.figure_, axes = make_axes(ax, "DriftDisplay.plot", height=height)
        self.ax_ = ax = axes[0, 0]
        values = self.strengths_.to_numpy()
        self.mesh_ = ax.pcolormesh(
            np.arange(n_columns + 1) - 0.5,
            np.arange(n_lanes + 1) - 0.5,
            shade_strengths(values),
            edgecolor="white",
            linewidth=1.0 if n_lanes <= _N_NAMED else 0.2,
        )
        ax.set_ylim(n_lanes - 0.5, -0.5)
        tidy(ax, y=_name_levels(self.report), grid="")
        ax.spines[["left", "bottom"]].set_visible(False)
        ax.tick_params(length=0, labelsize="small")
        self._name(since)
        self._mark(values)
        shown = _SHADES | ({"not judged": "white"} if np.isnan(values).any() else {})
        explain_cells(ax, shown)
        return self

    def _name(self, since: list[Any]) -> None:
        """Name the columns below, the lanes to the left, and to the right since when there is an alarm."""
        columns = short_names(self.strengths_.columns)
        crowded = sum(map(len, columns)) > 45
        style: dict[str, Any] = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if crowded else {}
        self.ax_.set_xticks(range(len(columns)), columns, **style)
        alarmed = np.array([i for i, when in enumerate(since) if when is not None], dtype=np.int64)
        lanes = np.arange(len(since))
        if len(lanes) > _N_NAMED:
            lanes = alarmed if len(alarmed) else lanes
            lanes = lanes[pick(len(lanes), _N_NAMED)]
        names = short_names(self.strengths_.index)
        self.ax_.set_yticks(lanes, [names[i] for i in lanes])
        if len(alarmed):
            side = self.ax_.secondary_yaxis("right")
            side.spines["right"].set_visible(False)
            side.tick_params(length=0, labelsize="small")
            shown = np.intersect1d(alarmed, lanes)
            side.set_yticks(shown, [write_since(since[i]) for i in shown])
            side.set_ylabel("since")

    def _mark(self, values: Floats) -> None:
        """Write the check into each cell with an alarm, or set a dot where there is no room."""
        n_lanes, n_columns = values.shape
        has_room = n_lanes <= _N_WRITTEN[0] and n_columns <= _N_WRITTEN[1]
        for lane, column in zip(*np.nonzero(np.nan_to_num(values) > 1), strict=True):
            text = self.checks_.iloc[lane, column] if has_room else "•"
            color = "white" if values[lane, column] > _EDGES[2] else INK
            self.ax_.text(column, lane, text, ha="center", va="center", fontsize="x-small", color=color)


def fill_cells(report: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, list[Any]]:
    """Find, for each series and column, the check that differs most, and since when each series does.

    Parameters
    ----------
    report : DataFrame of shape (n_checks, 10)

    Returns
    -------
    strengths, checks : DataFrame of shape (n_series, n_cells)
        A cell for each column, and for each check that is of none.
    since : list of n_series times
        None without an alarm.
    """
    place = [
        check if column is None else column for check, column in zip(report["check"], report["column"], strict=True)
    ]
    table = report.assign(place=pd.Series(place, dtype=object, index=report.index), strength=strengths_of(report))
    is_of_all = (table["check"] == "column").to_numpy()
    table.loc[is_of_all, "place"] = table.loc[is_of_all, "column"]
    lanes = list(dict.fromkeys(table.loc[~is_of_all, "series"]))
    found = table.loc[~is_of_all, "column"].dropna()
    columns = [*dict.fromkeys(table["place"])]
    own = [*dict.fromkeys([*found, *table.loc[is_of_all, "column"]])]
    order = [name for name in columns if name == "rows"] + own + [n for n in columns if n not in [*own, "rows"]]
    strengths = np.full((len(lanes), len(order)), np.nan)
    checks = np.full(strengths.shape, "", dtype=object)
    since: list[Any] = [None] * len(lanes)
    for series, name, strength, check, when, alarm in zip(
        *(table[key] for key in ("series", "place", "strength", "check", "since", "alarm")), strict=True
    ):
        for lane in range(len(lanes)) if check == "column" else [lanes.index(series)]:
            cell = lane, order.index(name)
            if strength > np.nan_to_num(strengths[cell], nan=-1):
                strengths[cell], checks[cell] = strength, check
            if alarm and not pd.isna(when) and check != "column":
                since[lane] = when if since[lane] is None else min(since[lane], when)
    index, names = pd.Index(lanes, tupleize_cols=False), pd.Index(order, tupleize_cols=False)
    return pd.DataFrame(strengths, index, names), pd.DataFrame(checks, index, names), since


def strengths_of(report: pd.DataFrame) -> Floats:
    """Tell how far each value is from the middle of its band, by the distance from there to its end: (n_checks,).

    Of a band that begins at 0 the middle is 0. More than 1 is an alarm, and only that.
    """
    value, low, high = (report[name].to_numpy(dtype=np.float64) for name in ("value", "low", "high"))
    alarm = report["alarm"].to_numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = np.where(low == 0, 0.0, (low + high) / 2)
        strength = np.abs(value - middle) / np.where(low == 0, high, (high - low) / 2)
    strength = np.where(np.isnan(strength) & alarm, 3.0, strength)
    return np.where(alarm, np.maximum(strength, 1.001), np.minimum(strength, 1.0))


def shade_strengths(strengths: Floats) -> Floats:
    """Colour cells, (n_lanes, n_columns) to (n_lanes, n_columns, 3): white where there is nothing."""
    from matplotlib.colors import to_rgb

    shades = np.array([to_rgb(color) for color in (*_SHADES.values(), "white")])
    number = np.searchsorted(np.array(_EDGES), strengths, side="left")
    return shades[np.where(np.isnan(strengths), len(_SHADES), number)]


def write_since(when: Any) -> str:
    """Write a time briefly: its day, with the hour where it is no midnight."""
    if not hasattr(when, "strftime"):
        return f"{when}"
    return when.strftime("%d %b %Y" if (when.hour, when.minute) == (0, 0) else "%d %b %Y %H:%M")


def _name_levels(report: pd.DataFrame) -> str:
    return "" if report["series"].isna().all() else "series"
