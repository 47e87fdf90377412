"""At which hours and in which months forecasts are wrong."""

import calendar
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts._compat import check_matplotlib_support
from skts.inspection._plot._forecast_table import forecast_table, rows_with_target, table_of_predictions
from skts.inspection._plot._style import DIVERGING, PALE, SEQUENTIAL, make_axes, name_every, tidy, with_unit

_KINDS = {  # the title, and what the colours are
    "bias": ("Mean residual: red is too high", "forecast − measured"),  # noqa: RUF001
    "mae": ("Mean absolute error", "error"),
}


class ResidualMapDisplay:
    """Mean residual, or mean absolute error, by hour of day and month.

    A residual is forecast minus target: above 0 (red) the forecasts are too high. It is recommended to use
    :meth:`from_estimator`, :meth:`from_predictions` or :meth:`from_backtest` to make one.

    Parameters
    ----------
    bias, mae : DataFrame of shape (n_months, n_hours)
        In the unit of the target: the mean residual, and the mean absolute error, of all rows of a month (1 to 12, a
        row of the table) and an hour (0 to 23, by the clock of the times' own zone). NaN where there are none.
    zone : str, default=None
        The time zone.

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure
    image_ : AxesImage
    colorbar_ : Colorbar

    See Also
    --------
    skts.model_selection.score_table : Such scores as a table, by `["month", "hour"]`.

    Notes
    -----
    All series count alike, so a large station outweighs small ones: divide by the capacity, or give the rows of one.
    A month of one year has some 30 values at each hour, few of them independent: a single cell in a strong colour may
    be the weather of two days, a row or a column of them is a pattern. Where all forecasts are issued at the same
    hour, an hour of the day is a lead, too, and the map cannot tell the two apart. Hatched cells have no data.

    Examples
    --------
    >>> import pandas as pd
    >>> from skts.inspection import ResidualMapDisplay
    >>> times = pd.date_range("2024-01-31 22:00", periods=4, freq="h")
    >>> y_true = pd.Series([1.0, 1.0, 1.0, None], index=times)
    >>> display = ResidualMapDisplay.from_predictions(y_true, [2.0, 1.0, 0.5, 3.0])
    >>> display.bias.columns.tolist(), display.bias.loc[1].tolist()
    ([0, 22, 23], [nan, 1.0, 0.0])
    """

    def __init__(self, *, bias: pd.DataFrame, mae: pd.DataFrame, zone: str | None = None):
        self.bias = bias
        self.mae = mae
        self.zone = zone

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any, *, kind: str = "bias", unit: str | None = None, ax: Any = None
    ) -> Self:
        """Forecast a table and map the residuals.

        Parameters
        ----------
        estimator : estimator
            Fitted.
        X : array-like or DataFrame of shape (n_rows, n_features)
            Its index has date-times or periods.
        y : array-like of shape (n_rows,)
            Rows in which it is missing (NaN) are left out.
        kind : {"bias", "mae"}, default="bias"
            What to draw: mean residuals or the mean absolute error.
        unit : str, default=None
            Of the target, such as "kW".
        ax : Axes, default=None
            To draw on; None makes a figure.

        Returns
        -------
        display : ResidualMapDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        return cls._of(forecast_table(estimator, X, y)).plot(ax, kind=kind, unit=unit)

    @classmethod
    def from_predictions(
        cls, y_true: Any, y_pred: Any, *, kind: str = "bias", unit: str | None = None, ax: Any = None
    ) -> Self:
        """Map the residuals of forecasts that were made before.

        Parameters
        ----------
        y_true : Series of shape (n_rows,)
            Its index has date-times or periods. Rows in which it is missing (NaN) are left out.
        y_pred : array-like of shape (n_rows,)
        kind, unit, ax
            As in :meth:`from_estimator`.

        Returns
        -------
        display : ResidualMapDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_predictions")
        return cls._of(table_of_predictions(y_true, y_pred)).plot(ax, kind=kind, unit=unit)

    @classmethod
    def from_backtest(
        cls, result: pd.DataFrame, *, kind: str = "bias", unit: str | None = None, ax: Any = None
    ) -> Self:
        """Map the residuals of a backtest.

        Parameters
        ----------
        result : DataFrame of shape (n_forecasts, n_columns)
            What :func:`~skts.model_selection.backtest` gave, or some of its rows.
        kind, unit, ax
            As in :meth:`from_estimator`.

        Returns
        -------
        display : ResidualMapDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_backtest")
        return cls._of(result).plot(ax, kind=kind, unit=unit)

    @classmethod
    def _of(cls, table: pd.DataFrame) -> Self:
        there = rows_with_target(table, ["y_pred"], cls.__name__)
        residual = (there["y_pred"] - there["y_true"]).to_numpy(dtype=np.float64)
        zone = getattr(there["time"].dtype, "tz", None)
        bias, mae = (map_means(each, there["time"]) for each in (residual, np.abs(residual)))
        return cls(bias=bias, mae=mae, zone=None if zone is None else str(zone))

    def plot(self, ax: Any = None, *, kind: str = "bias", unit: str | None = None) -> Self:
        """Draw the map.

        Parameters
        ----------
        ax : Axes, default=None
        kind : {"bias", "mae"}, default="bias"
        unit : str, default=None

        Returns
        -------
        self : ResidualMapDisplay
        """
        if kind not in _KINDS:
            raise ValueError(f"{type(self).__name__}(kind={kind!r}): one of 'bias' and 'mae' is expected.")
        title, what = _KINDS[kind]
        means = self.bias if kind == "bias" else self.mae
        height = 1.4 + 0.22 * max(len(means), 5)
        self.figure_, axes = make_axes(ax, f"{type(self).__name__}.plot", height=height)
        self.ax_ = ax = axes[0, 0]
        values = means.to_numpy()
        top = np.nanmax(np.abs(values)) or 1.0
        limits = {"vmin": -top, "vmax": top} if kind == "bias" else {"vmin": 0, "vmax": top}
        colors = DIVERGING if kind == "bias" else SEQUENTIAL
        self.image_ = ax.imshow(values, aspect="auto", cmap=colors, interpolation="nearest", **limits)
        self.colorbar_ = self.figure_.colorbar(self.image_, ax=ax, label=with_unit(what, unit), pad=0.02)
        self.colorbar_.outline.set_visible(False)
        ax.patch.set(hatch="////", edgecolor=PALE)  # where there is nothing
        tidy(ax, title=title, x=with_unit("hour of day", self.zone), grid="")
        ax.spines[["left", "bottom"]].set_visible(False)
        name_every(ax, [calendar.month_abbr[month] for month in means.index])
        hours = np.asarray(means.columns)
        shown = np.flatnonzero(hours % 3 == 0) if len(hours) > 12 else np.arange(len(hours))
        ax.set_xticks(shown, hours[shown].tolist())
        return self


def map_means(values: NDArray[np.float64], times: Any) -> pd.DataFrame:
    """Average values by month and hour of their times.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
    times : DatetimeIndex, PeriodIndex or Series of such of shape (n_rows,)

    Returns
    -------
    means : DataFrame of shape (n_months, n_hours)
        Only months and hours that occur.

    Raises
    ------
    ValueError
        The times have no hours.
    """
    index = pd.Index(times)
    if not isinstance(index, pd.DatetimeIndex | pd.PeriodIndex):
        raise ValueError(
            f"A map by hour and month needs date-times or periods, and the times are of dtype {index.dtype}: give "
            "y_true as a Series with such times in its index."
        )
    table = pd.DataFrame({"month": np.asarray(index.month), "hour": np.asarray(index.hour), "value": values})
    return table.pivot_table("value", "month", "hour", aggfunc="mean")
