"""Forecasts and what was measured, over time."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from skts._compat import check_matplotlib_support
from skts.inspection._plot._forecast_table import forecast_table, number_series, steps_of, table_of_predictions
from skts.inspection._plot._style import (
    INK,
    label_times,
    legend_above,
    make_axes,
    next_color,
    pick,
    place_times,
    short_names,
    show_times,
    tidy,
    with_unit,
)
from skts.model_selection import find_levels

_MOST = 4  # panels that can be read in one picture


class ForecastDisplay:
    """Forecasts beside what was measured, series by series.

    A panel for each series: the measured target, the forecast, its quantiles as bands, and below, a tick at each
    origin, where a new forecast was issued. It is recommended to use :meth:`from_estimator`, :meth:`from_predictions`
    or :meth:`from_backtest` to make one.

    Parameters
    ----------
    table : DataFrame of shape (n_rows, n_columns)
        The rows to show, in columns as :func:`~skts.model_selection.backtest` names them: those of the series, `time`,
        `y_true`, `y_pred`, and where they are known `origin`, `lead` and quantiles (`q0.1`).
    target_name : str, default=None
        What is forecast, beside the axes.

    Attributes
    ----------
    axes_ : ndarray of Axes of shape (n_series,)
    figure_ : Figure
    truth_lines_, forecast_lines_ : list of Line2D of length n_series
        `truth_lines_` holds None where the axes showed the truth already.
    bands_ : list of list of PolyCollection
        Of each series, from the widest to the narrowest.
    origin_marks_ : list of Line2D or None of length n_series

    See Also
    --------
    ErrorByLeadDisplay : How good the forecasts are, over all rows.
    ReliabilityDisplay : Whether the bands hold as much as they should.

    Notes
    -----
    A few days of a few series show how a forecaster works, not how good it is: another week may look otherwise.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from skts import HistoryPrepender, SlidingWindower
    >>> from skts.datasets import make_panel
    >>> from skts.inspection import ForecastDisplay
    >>> from skts.strategies import WindowedRegressor
    >>> X, y = make_panel(n_series=2, n_rows=400, random_state=0)
    >>> is_new = X.index.get_level_values("time") >= "2024-01-13"
    >>> pipe = make_pipeline(HistoryPrepender(24), SlidingWindower(24, 12, known=["wind"]), WindowedRegressor(Ridge()))
    >>> pipe = pipe.set_output(transform="pandas").fit(X[~is_new], y[~is_new])
    >>> display = ForecastDisplay.from_estimator(pipe, X[is_new], y[is_new])
    >>> [ax.get_title("left") for ax in display.axes_]
    ['station_0', 'station_1']
    """

    def __init__(self, *, table: pd.DataFrame, target_name: str | None = None):
        self.table = table
        self.target_name = target_name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        quantiles: ArrayLike | None = None,
        series: Sequence[Any] | None = None,
        start: Any = None,
        n_rows: int | None = None,
        name: str = "forecast",
        unit: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Forecast a table and show a part of it.

        Parameters
        ----------
        estimator : estimator
            Fitted.
        X : array-like or DataFrame of shape (n_rows, n_features)
            Every row of it is forecast.
        y : array-like of shape (n_rows,)
            Where it is missing (NaN), the line has a gap.
        quantiles : array-like of shape (n_quantiles,), default=None
            Levels to forecast by ``predict(X, quantiles=...)`` and show as bands.
        series : list, default=None
            Which, by name. None takes up to 4, evenly among all.
        start : time, default=None
            The first time to show, as pandas reads it ("2015-11-20"); None is the first of all.
        n_rows : int, default=None
            How many times to show; None shows 10 horizons, and at least 150 and at most 400 rows.
        name : str, default="forecast"
            Of the forecasts, in the legend.
        unit : str, default=None
            Of the target, such as "kW".
        ax : Axes or array-like of Axes, default=None
            To draw on; None makes a figure. Where they show forecasts of these rows already (`axes_` of another
            display), these are added to them.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for the forecasts.

        Returns
        -------
        display : ForecastDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        table = forecast_table(estimator, X, y, quantiles)
        shown = select_rows(table, series, start, n_rows)
        return cls(table=shown, target_name=_name_of(y)).plot(ax, name=name, unit=unit, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_pred: Any,
        *,
        y_quantiles: Any = None,
        quantiles: ArrayLike | None = None,
        lead: ArrayLike | None = None,
        series: Sequence[Any] | None = None,
        start: Any = None,
        n_rows: int | None = None,
        name: str = "forecast",
        unit: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Show a part of forecasts that were made before.

        Parameters
        ----------
        y_true : array-like or Series of shape (n_rows,)
            Its index names series and times; an array is one series in row order.
        y_pred : array-like of shape (n_rows,)
        y_quantiles : array-like or DataFrame of shape (n_rows, n_quantiles), default=None
            Forecasts of quantiles.
        quantiles : array-like of shape (n_quantiles,), default=None
            Their levels; None reads them from the columns of `y_quantiles`, named 0.1 or "q0.1".
        lead : array-like of int of shape (n_rows,), default=None
            How many rows ahead each forecast lies, from 1; None marks no origins.
        series, start, n_rows, name, unit, ax, **kwargs
            As in :meth:`from_estimator`.

        Returns
        -------
        display : ForecastDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_predictions")
        table = table_of_predictions(y_true, y_pred, y_quantiles=y_quantiles, quantiles=quantiles, lead=lead)
        shown = select_rows(table, series, start, n_rows)
        return cls(table=shown, target_name=_name_of(y_true)).plot(ax, name=name, unit=unit, **kwargs)

    @classmethod
    def from_backtest(
        cls,
        result: pd.DataFrame,
        *,
        series: Sequence[Any] | None = None,
        start: Any = None,
        n_rows: int | None = None,
        name: str = "forecast",
        unit: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Show a part of a backtest, its quantiles as bands.

        Parameters
        ----------
        result : DataFrame of shape (n_forecasts, n_columns)
            What :func:`~skts.model_selection.backtest` gave, or some of its rows. Forecasts that overlap in time are
            drawn one by one.
        series, start, n_rows, name, unit, ax, **kwargs
            As in :meth:`from_estimator`.

        Returns
        -------
        display : ForecastDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_backtest")
        return cls(table=select_rows(result, series, start, n_rows)).plot(ax, name=name, unit=unit, **kwargs)

    def plot(self, ax: Any = None, *, name: str = "forecast", unit: str | None = None, **kwargs: Any) -> Self:
        """Draw the forecasts.

        Parameters
        ----------
        ax : Axes or array-like of Axes, default=None
        name : str, default="forecast"
        unit : str, default=None
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for the forecasts.

        Returns
        -------
        self : ForecastDisplay
        """
        numbers, names = number_series(self.table)
        height = 1.1 + (2.3 if len(names) == 1 else 1.35 * len(names))
        caller = f"{type(self).__name__}.plot"
        self.figure_, axes = make_axes(ax, caller, len(names), height=height, sharex=True)
        self.axes_ = axes[:, 0]
        self.truth_lines_, self.forecast_lines_, self.bands_, self.origin_marks_ = [], [], [], []
        for i, (one, title) in enumerate(zip(self.axes_, short_names(names), strict=True)):
            table = self.table[numbers == i]
            self.truth_lines_.append(_draw_truth(one, table))
            style = {"color": next_color(one, "forecast"), "linewidth": 1.3, "label": name} | kwargs
            times, values = lines_of(table, ["y_pred", *find_levels(table)])
            self.bands_.append(_draw_bands(one, times, values, list(find_levels(table).values()), style["color"]))
            self.forecast_lines_ += one.plot(times, values[:, 0], gid="forecast", zorder=2.5, **style)
            self.origin_marks_.append(_mark_origins(one, table))
            label = with_unit(short_names([self.target_name or "target"])[0], unit)
            tidy(one, title="" if names[i] is None else title, y=label)
            one.margins(x=0.01)
        _show_times(self.axes_, self.table["time"])
        bands = [band.get_label() for band in self.bands_[0]]
        legend_above(self.axes_[0], [*bands, "origin"])
        return self


def select_rows(
    table: pd.DataFrame, series: Sequence[Any] | None = None, start: Any = None, n_rows: int | None = None
) -> pd.DataFrame:
    """Take some series and times of a table of forecasts.

    Parameters
    ----------
    table : DataFrame of shape (n_forecasts, n_columns)
    series : list, default=None
        By name, in the order to show; None takes up to 4, evenly.
    start : time, default=None
        The first time.
    n_rows : int, default=None
        How many times; None takes 10 horizons, at least 150 and at most 400.

    Returns
    -------
    some : DataFrame

    Raises
    ------
    ValueError
        A series that is not in the table, or no row at or after `start`.
    """
    numbers, names = number_series(table)
    if series is None:
        chosen = pick(len(names), _MOST).tolist()
    else:
        unknown = [name for name in series if name not in names]
        if unknown:
            listed = ", ".join(map(repr, names[:5])) + (", ..." if len(names) > 5 else "")
            raise ValueError(f"series={list(series)!r}: {unknown[0]!r} is none of the {len(names)} series {listed}.")
        chosen = [names.index(name) for name in series]
    some = pd.concat([table[numbers == i] for i in chosen])
    times = pd.Index(some["time"]).unique().sort_values()
    later = times[times.slice_indexer(start, None)]
    if len(later) == 0:
        raise ValueError(f"start={start!r}: the times to show end at {times[-1]}. Give an earlier one.")
    if n_rows is None:
        horizon = int(some["lead"].max()) if "lead" in some else 1
        n_rows = int(np.clip(10 * horizon, 150, max(400, 2 * horizon)))
    shown = later[:n_rows]
    return some[((some["time"] >= shown[0]) & (some["time"] <= shown[-1])).to_numpy()]


def lines_of(table: pd.DataFrame, columns: list[str]) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Lay values of one series out as lines: by origin and time, with a row of NaN wherever the next is not the next.

    Parameters
    ----------
    table : DataFrame of shape (n_rows, n_columns)
    columns : list of str

    Returns
    -------
    times : ndarray of shape (n_points,)
        As :func:`place_times` gives them.
    values : ndarray of shape (n_points, n_values)
    """
    ordered = table.sort_values(["origin", "time"] if "origin" in table else ["time"], kind="stable")
    breaks = np.flatnonzero(np.diff(steps_of(ordered["time"])) != 1) + 1
    times, values = place_times(ordered["time"]), ordered[columns].to_numpy(dtype=np.float64)
    return np.insert(times, breaks, times[breaks - 1]), np.insert(values, breaks, np.nan, axis=0)


def _draw_truth(ax: Any, table: pd.DataFrame) -> Any:
    if any(line.get_gid() == "truth" for line in ax.get_lines()):
        return None
    once = table.drop_duplicates("time").drop(columns=["origin"], errors="ignore")
    times, values = lines_of(once, ["y_true"])
    return ax.plot(times, values[:, 0], color=INK, linewidth=1.1, label="measured", gid="truth", zorder=2.4)[0]


def _draw_bands(
    ax: Any, times: NDArray[Any], values: NDArray[np.float64], levels: list[float], color: Any
) -> list[Any]:
    """Fill between the lowest and the highest quantile, the next ones, ...; the middle one of an odd number is left."""
    bands = []
    for i in range(len(levels) // 2):
        label = f"{100 * levels[i]:g}–{100 * levels[-1 - i]:g} %"  # noqa: RUF001
        low, high = values[:, 1 + i], values[:, -1 - i]
        bands.append(ax.fill_between(times, low, high, color=color, alpha=0.22, linewidth=0, label=label))
    return bands


def _mark_origins(ax: Any, table: pd.DataFrame) -> Any:
    """Put a tick at each origin that is shown, on the lower edge."""
    if "origin" not in table or table["lead"].max() == 1:  # every row has one
        return None
    origins = table["origin"].drop_duplicates()
    origins = origins[origins >= table["time"].min()]
    style = {"color": INK, "marker": "|", "markersize": 7, "markeredgewidth": 0.9, "linestyle": "", "label": "origin"}
    return ax.plot(place_times(origins), np.full(len(origins), 0.03), transform=ax.get_xaxis_transform(), **style)[0]


def _show_times(axes: NDArray[Any], times: "pd.Series[Any]") -> None:
    """Write times below the last panel."""
    for ax in axes[:-1]:
        ax.tick_params(labelbottom=False)
    zone = getattr(times.dtype, "tz", None)
    if place_times(times.iloc[:1]).dtype.kind == "M":
        show_times(axes[-1], tz=zone)
        axes[-1].set_xlabel("" if zone is None else label_times(times), loc="left")  # the month and year stand right
    else:
        axes[-1].set_xlabel(label_times(times) if times.dtype.kind == "m" else "time (rows)")


def _name_of(y: Any) -> str | None:
    name = getattr(y, "name", None)
    return None if name is None else str(name)
