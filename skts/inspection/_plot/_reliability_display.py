"""Whether forecast quantiles hold what they promise."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from skts._compat import check_matplotlib_support
from skts.inspection._block_intervals import balanced_length, bootstrap_interval, number_blocks, sum_by_block
from skts.inspection._plot._forecast_table import (
    forecast_table,
    number_series,
    quantile_levels,
    rows_with_target,
    steps_of,
    table_of_predictions,
)
from skts.inspection._plot._style import INK, PALE, make_axes, next_color, short_names, tidy

_SHARE = 0.9  # of calibrated forecasts, within a bar
_FEW = 6  # series that are shown one by one


class ReliabilityDisplay:
    """Share of observations below each forecast quantile, against its level.

    Of a calibrated forecast a tenth of the observations lies below the quantile of 0.1, and so on: the points lie on
    the diagonal, or within the bars, which tell how far from it so few observations, dependent as they are, may put
    them. A curve flatter than the diagonal tells of bands that are too narrow, a steeper one of bands that are too
    wide, one above it of forecasts that are too high. The small histogram shows the same between the levels: above 1
    more observations lie there than should. It is recommended to use :meth:`from_estimator`, :meth:`from_predictions`
    or :meth:`from_backtest` to make one.

    Parameters
    ----------
    levels : ndarray of shape (n_quantiles,)
        Increasing, strictly between 0 and 1.
    observed : ndarray of shape (n_quantiles,)
        The share of observations that do not exceed each quantile.
    low, high : ndarray of shape (n_quantiles,)
        The consistency bars: where 90 % of the shares of a calibrated forecast lie; NaN where there are none.
    observed_by_series : DataFrame of shape (n_quantiles, n_series), default=None

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure
    line_ : Line2D
    bars_ : LineCollection or None
    series_marks_ : list of Line2D
    histogram_ : BarContainer or None

    See Also
    --------
    skts.metrics.mean_quantile_loss : A score, which asks for narrow bands, too.

    Notes
    -----
    The bars are those of consistency [1]_: they lie about the diagonal, not about the points. The share below each
    quantile is drawn anew for a forecast that is calibrated on these rows (the quantile moved by a constant, so that
    its level of the observations lies below), with whole blocks of time and all their series [2]_, as errors of
    neighbouring hours and stations go together. By default a block is as long as there are blocks, and not shorter than
    the horizon. With fewer than five blocks no bars are drawn. Of ten points of a calibrated forecast one is expected
    to lie outside, and more where rows depend on each other for longer than a block: in simulations with 3,000 rows of
    an autoregression 91 % lay within the bars where a row is 0.5 times the one before, 88 % at 0.9, and 81 % at 0.97.

    Calibration over all rows does not say that the forecast is calibrated at each hour or wind speed: bands that are
    too wide at night and too narrow at noon may cancel. Nor is it skill: the climatology is calibrated, too. Where the
    target has many equal values (a station at a standstill, a night without sun), more observations than the level may
    lie at a quantile, and all of them count as below: leave such rows out.

    References
    ----------
    .. [1] J. Bröcker, L. A. Smith. "Increasing the reliability of reliability diagrams". Weather and Forecasting 22(3),
       2007. :doi:`10.1175/WAF993.1`
    .. [2] E. Carlstein. "The use of subseries values for estimating the variance of a general statistic from a
       stationary sequence". Annals of Statistics 14(3), 1986. :doi:`10.1214/aos/1176350057`

    Examples
    --------
    >>> import numpy as np
    >>> from skts.inspection import ReliabilityDisplay
    >>> y_true = np.random.default_rng(0).normal(size=1000)
    >>> y_pred = np.tile([-1.28, 0.0, 1.28], (1000, 1))
    >>> display = ReliabilityDisplay.from_predictions(y_true, y_pred, quantiles=[0.1, 0.5, 0.9])
    >>> display.observed.round(1).tolist()
    [0.1, 0.5, 0.9]
    """

    def __init__(
        self,
        *,
        levels: NDArray[np.float64],
        observed: NDArray[np.float64],
        low: NDArray[np.float64],
        high: NDArray[np.float64],
        observed_by_series: pd.DataFrame | None = None,
    ):
        self.levels = levels
        self.observed = observed
        self.low = low
        self.high = high
        self.observed_by_series = observed_by_series

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        quantiles: ArrayLike,
        block_length: int | None = None,
        random_state: Any = 0,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Forecast quantiles of a table and draw how many observations lie below them.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``predict(X, quantiles=...)``.
        X : array-like or DataFrame of shape (n_rows, n_features)
        y : array-like of shape (n_rows,)
            Rows in which it is missing (NaN) are left out.
        quantiles : array-like of shape (n_quantiles,)
            Levels strictly between 0 and 1.
        block_length : int, default=None
            Rows of one series in a block of the bootstrap; None takes what the Notes say.
        random_state : int, RandomState instance or None, default=0
            Decides which blocks are drawn.
        name : str, default=None
            Of the forecaster, in the legend.
        ax : Axes, default=None
            To draw on; None makes a figure. On axes that have a forecaster already, only the line is added.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for the line.

        Returns
        -------
        display : ReliabilityDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        table = forecast_table(estimator, X, y, quantiles)
        return cls._of(table, block_length, random_state).plot(ax, name=name, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_pred: Any,
        *,
        quantiles: ArrayLike | None = None,
        block_length: int | None = None,
        random_state: Any = 0,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw how many observations lie below quantiles that were forecast before.

        Parameters
        ----------
        y_true : array-like or Series of shape (n_rows,)
            Its index names series and times. Rows in which it is missing (NaN) are left out.
        y_pred : array-like or DataFrame of shape (n_rows, n_quantiles)
        quantiles : array-like of shape (n_quantiles,), default=None
            The level of each column of `y_pred`; None reads them from the names of the columns, 0.1 or "q0.1".
        block_length, random_state, name, ax, **kwargs
            As in :meth:`from_estimator`.

        Returns
        -------
        display : ReliabilityDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_predictions")
        table = table_of_predictions(y_true, None, y_quantiles=y_pred, quantiles=quantiles)
        return cls._of(table, block_length, random_state).plot(ax, name=name, **kwargs)

    @classmethod
    def from_backtest(
        cls,
        result: pd.DataFrame,
        *,
        block_length: int | None = None,
        random_state: Any = 0,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw how many observations lie below the quantiles of a backtest.

        Parameters
        ----------
        result : DataFrame of shape (n_forecasts, n_columns)
            What :func:`~skts.model_selection.backtest` gave with `quantiles`, or some of its rows.
        block_length, random_state, name, ax, **kwargs
            As in :meth:`from_estimator`.

        Returns
        -------
        display : ReliabilityDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_backtest")
        return cls._of(result, block_length, random_state).plot(ax, name=name, **kwargs)

    @classmethod
    def _of(cls, table: pd.DataFrame, block_length: int | None, random_state: Any) -> Self:
        columns = quantile_levels(table, cls.__name__)
        there = rows_with_target(table, list(columns), cls.__name__)
        excess = there["y_true"].to_numpy()[:, None] - there[list(columns)].to_numpy(dtype=np.float64)
        levels = np.array(list(columns.values()))
        horizon = int(there["lead"].max()) if "lead" in there else 1
        steps = steps_of(there["time"])
        blocks = number_blocks(steps, block_length or balanced_length(steps, horizon))
        low, high = consistency_bars(excess, levels, blocks, random_state)
        numbers, names = number_series(there)
        each = None
        if 1 < len(names) <= _FEW:
            each = pd.DataFrame(excess <= 0).groupby(numbers).mean().T.set_axis(short_names(names), axis=1)
        observed = (excess <= 0).mean(axis=0)
        return cls(levels=levels, observed=observed, low=low, high=high, observed_by_series=each)

    def plot(self, ax: Any = None, *, name: str | None = None, **kwargs: Any) -> Self:
        """Draw the shares against the levels.

        Parameters
        ----------
        ax : Axes, default=None
        name : str, default=None
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for the line.

        Returns
        -------
        self : ReliabilityDisplay
        """
        self.figure_, axes = make_axes(ax, f"{type(self).__name__}.plot", height=4.4)
        self.ax_ = ax = axes[0, 0]
        is_first = not any(line.get_gid() == "reliability" for line in ax.get_lines())
        style = {"color": next_color(ax, "reliability"), "marker": "o", "markersize": 5, "linewidth": 1.3}
        style |= {"label": name or "observed"} | kwargs
        self.bars_, self.histogram_ = None, None
        self.series_marks_: list[Any] = []
        if is_first:
            ax.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle="--", zorder=1)
            self._draw_bars(ax)
            self._draw_series(ax)
            self._draw_histogram(ax, style["color"])
            self._label(ax)
        self.line_ = ax.plot(self.levels, self.observed, gid="reliability", zorder=3, **style)[0]
        ax.legend(loc="upper left", frameon=False, fontsize="small", labelcolor=INK)
        return self

    def _draw_bars(self, ax: Any) -> None:
        if not np.isnan(self.low).all():
            label = f"where {100 * _SHARE:g} % of calibrated\nforecasts would lie"
            self.bars_ = ax.vlines(self.levels, self.low, self.high, color=PALE, linewidth=7, label=label, zorder=1.5)

    def _draw_series(self, ax: Any) -> None:
        if self.observed_by_series is None:
            return
        style = {"color": INK, "alpha": 0.45, "marker": "_", "markersize": 9, "linestyle": "", "zorder": 2}
        self.series_marks_ = ax.plot(self.levels, self.observed_by_series, **style)
        self.series_marks_[0].set_label("each series")

    def _draw_histogram(self, ax: Any, color: Any) -> None:
        """Draw how many observations lie between neighbouring levels, 1 being as many as should."""
        edges = np.concatenate([[0.0], self.levels, [1.0]])
        heights = np.diff(np.concatenate([[0.0], self.observed, [1.0]])) / np.diff(edges)
        inset = ax.inset_axes((0.66, 0.1, 0.32, 0.24))
        self.histogram_ = inset.bar(
            edges[:-1], heights, np.diff(edges), align="edge", color=color, alpha=0.35, edgecolor="white"
        )
        inset.axhline(1, color=INK, linewidth=0.8, linestyle="--")
        tidy(inset, grid="")
        inset.set_title("observed / promised", fontsize="small", color=INK, loc="left")
        inset.set_xlim(0, 1)
        inset.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        inset.tick_params(labelsize="small")

    def _label(self, ax: Any) -> None:
        tidy(ax, x="level of the quantile", y="share of observations below it", grid="both")
        ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")


def consistency_bars(
    excess: NDArray[np.float64], levels: NDArray[np.float64], blocks: NDArray[np.int64], random_state: Any = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Tell how far from its level the share below a calibrated quantile may lie.

    Parameters
    ----------
    excess : ndarray of shape (n_rows, n_quantiles)
        By how much each observation exceeds each quantile.
    levels : ndarray of shape (n_quantiles,)
    blocks : ndarray of int64 of shape (n_rows,)
        The block of time of each row.
    random_state : int, RandomState instance or None, default=0

    Returns
    -------
    low, high : ndarray of shape (n_quantiles,)
        NaN with fewer than 5 blocks.
    """
    n_rows = len(excess)
    ranks = excess.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    below = (ranks < np.rint(levels * n_rows)).astype(np.float64)  # as if the quantile had been moved to its level
    sums = np.hstack([sum_by_block(column, blocks) for column in below.T])
    counts = sum_by_block(np.ones(n_rows), blocks).repeat(len(levels), axis=1)
    return bootstrap_interval(sums, counts, _SHARE, random_state)
