"""The losses of networks, epoch by epoch."""

from collections.abc import Iterable
from typing import Any, Self

import numpy as np
import pandas as pd

from skts.inspection._plot._style import COLORS, INK, make_axes, tidy
from skts.windows import walk

LOSSES = {"train_loss": "train", "valid_loss": "validation"}  # and their words
_LEVELS = ["estimator", "network", "epoch"]


class LearningCurveDisplay:
    """Picture of the losses of the networks in an estimator, epoch by epoch.

    Recommended is :meth:`from_estimator`, which makes one. All parameters are stored as attributes.

    Parameters
    ----------
    losses : DataFrame
        Indexed by (estimator, network, epoch), with the columns `train_loss`, `valid_loss` (NaN without validation)
        and `kept`: whether the network has the weights of that epoch because its early stopping found it the best.

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure
    lines_ : list of Line2D
        The means over the networks; for one network, its own losses.
    member_lines_ : list of Line2D
        The losses of single networks, where there are several.
    kept_ : list of Line2D
        The marks of the epochs that were kept.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Scores by the number of training rows, which is something else.

    Notes
    -----
    The loss is that of the head (squared errors for points, the pinball loss for quantiles) for the standardised
    target, so 1 is what forecasting the mean costs in squared errors. Training losses are means over an epoch, with
    dropout and before its last step: they may lie above the validation's. A validation loss that early stopping has
    chosen by is flattering, and says nothing about other times: see :func:`~skts.model_selection.backtest`.

    In the mean over several networks, one that has stopped counts on with the loss of the epoch that it kept, or of
    its last: so the mean does not change with who is left, and ends at that of the networks as they are. Networks are
    numbered as they are found: members in their order, and series in that of `estimators_`. A search shows what its
    best estimator was refitted to.

    Examples
    --------
    >>> from skts import DLinearRegressor, SlidingWindower
    >>> from skts.datasets import make_panel
    >>> from skts.inspection import LearningCurveDisplay
    >>> X, y = make_panel(n_series=2, n_rows=100, random_state=0)
    >>> windows = SlidingWindower(24, horizon=6).fit_transform(X)
    >>> regressor = DLinearRegressor(max_epochs=3, random_state=0).fit(windows, y)
    >>> LearningCurveDisplay.from_estimator(regressor).losses.index.tolist()
    [('DLinearRegressor', 0, 1), ('DLinearRegressor', 0, 2), ('DLinearRegressor', 0, 3)]
    """

    def __init__(self, *, losses: pd.DataFrame):
        self.losses = losses

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None) -> Self:
        """Read the losses of all networks in an estimator, and draw them.

        Parameters
        ----------
        estimator : estimator, or dict of str to estimator
            Fitted: a network regressor, or whatever holds some, such as a pipeline, a search,
            :class:`~skts.strategies.EnsembleRegressor` or :class:`~skts.strategies.PerSeriesRegressor`. Several to be
            compared by their names.
        ax : Axes, default=None
            A new figure is made by default.

        Returns
        -------
        display : LearningCurveDisplay

        Raises
        ------
        ValueError
            There is no fitted network in it.
        """
        named = estimator if isinstance(estimator, dict) else {type(estimator).__name__: estimator}
        if not named:
            raise ValueError("LearningCurveDisplay.from_estimator({}): at least one estimator is expected.")
        return cls(losses=pd.concat([read_losses(one, name) for name, one in named.items()])).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the losses, on a logarithmic axis where they differ by more than ten times.

        Parameters
        ----------
        ax : Axes, default=None
            A new figure is made by default.

        Returns
        -------
        display : LearningCurveDisplay
        """
        self.figure_, axes = make_axes(ax, "LearningCurveDisplay.plot")
        self.ax_ = axes[0, 0]
        self.lines_: list[Any] = []
        self.member_lines_: list[Any] = []
        self.kept_: list[Any] = []
        names = self.losses.index.unique("estimator")
        for number, name in enumerate(names):
            losses: Any = self.losses.xs(name, level="estimator")
            watched = "train_loss" if losses["valid_loss"].isna().all() else "valid_loss"
            for i, column in enumerate(LOSSES):
                if losses[column].isna().all():
                    continue
                look = {"color": COLORS[(number if len(names) > 1 else i) % len(COLORS)]}
                look["linestyle"] = "--" if len(names) > 1 and column == "train_loss" else "-"
                self._draw(losses, column, look)
                if column == watched:
                    self._mark(losses, column, look["color"])
        self._label()
        handles = [*self.lines_, *self.kept_] if len(names) == 1 else self._explain(names)
        where = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2, "borderpad": 0}
        self.ax_.legend(handles=handles, ncols=3, frameon=False, fontsize="small", **where)
        return self

    def _draw(self, losses: pd.DataFrame, column: str, look: dict[str, Any]) -> None:
        """Draw the losses of one kind of all networks of an estimator."""
        from matplotlib.patheffects import Normal, Stroke

        table = by_network(losses, column)
        n_networks = table.shape[1]
        for network in table if n_networks > 1 else []:
            line = table[network].dropna()
            self.member_lines_ += self.ax_.plot(line.index, line, linewidth=0.8, alpha=0.7 * n_networks**-0.4, **look)
        mean = mean_over_networks(losses, column)
        mark = "o" if len(mean) == 1 else None
        label = LOSSES[column] if n_networks == 1 else f"{LOSSES[column]}, mean of {n_networks}"
        self.lines_ += self.ax_.plot(mean.index, mean, linewidth=2, marker=mark, label=label, zorder=3, **look)
        if n_networks > 1:
            self.lines_[-1].set_path_effects([Stroke(linewidth=4, foreground="white"), Normal()])

    def _mark(self, losses: pd.DataFrame, column: str, color: Any) -> None:
        """Mark what early stopping kept."""
        kept = losses.loc[losses["kept"], column].droplevel("network")
        if len(kept):
            label = f"kept: epoch {kept.index[0]}" if len(kept) == 1 else "kept epochs"
            look = {"color": color, "markersize": 7 if len(kept) == 1 else 5, "markeredgecolor": "white"}
            self.kept_ += self.ax_.plot(kept.index, kept, "o", label=label, zorder=4, **look)

    def _explain(self, names: Iterable[str]) -> list[Any]:
        """Give what the legend explains: colours are estimators, and the rest is common to all."""
        from matplotlib.lines import Line2D

        handles = [
            Line2D([], [], color=COLORS[i % len(COLORS)], linewidth=2, label=name) for i, name in enumerate(names)
        ]
        handles.append(Line2D([], [], color=INK, linestyle="--", label="train"))
        if not self.losses["valid_loss"].isna().all():
            handles.append(Line2D([], [], color=INK, label="validation"))
        if self.kept_:
            handles.append(Line2D([], [], color=INK, marker="o", linestyle="", markersize=5, label="kept epoch"))
        return handles

    def _label(self) -> None:
        from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

        values = self.losses[list(LOSSES)].to_numpy(dtype=np.float64)
        values = values[np.isfinite(values)]
        if len(values) and values.min() > 0 and values.max() > 10 * values.min():
            self.ax_.set_yscale("log")
            self.ax_.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            self.ax_.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            self.ax_.yaxis.set_minor_formatter(NullFormatter())
        tidy(self.ax_, x="epoch", y="loss (of the standardised target)")
        self.ax_.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def read_losses(estimator: Any, name: str) -> pd.DataFrame:
    """Read the losses of all networks in an estimator.

    Parameters
    ----------
    estimator : estimator
    name : str

    Returns
    -------
    losses : DataFrame
        As :class:`LearningCurveDisplay` takes it.

    Raises
    ------
    ValueError
        There is no fitted network in it.
    """
    networks = [part for part in walk(estimator) if isinstance(getattr(part, "history_", None), dict)]
    if not networks:
        raise ValueError(
            f"LearningCurveDisplay.from_estimator({type(estimator).__name__}(...)): there is no fitted network in it, "
            "and at least one with a history_ is expected, such as LSTMRegressor: fit it before, or give the fitted "
            "estimator that holds it."
        )
    tables = {}
    for number, network in enumerate(networks):
        table = pd.DataFrame(network.history_).set_index("epoch").reindex(columns=list(LOSSES))
        tables[name, number] = table.assign(kept=table.index == network.net_.kept_epoch)
    return pd.concat(tables, names=_LEVELS)


def by_network(losses: pd.DataFrame, column: str) -> pd.DataFrame:
    """Put the losses of networks side by side, (n_epochs, n_networks): NaN in epochs that a network was not trained."""
    return pd.DataFrame({network: one.droplevel("network") for network, one in losses[column].groupby("network")})


def mean_over_networks(losses: pd.DataFrame, column: str) -> pd.Series:
    """Average a loss over networks, of which those that stopped count on with the loss that they stay with.

    Parameters
    ----------
    losses : DataFrame
        Of one estimator: indexed by (network, epoch).
    column : str
        "train_loss" or "valid_loss".

    Returns
    -------
    mean : Series
        By epoch, NaN left out.
    """
    table, kept = by_network(losses, column), by_network(losses[losses["kept"]], column)
    stays = kept.max().reindex(table.columns).fillna(table.ffill().iloc[-1])
    stopped = table.bfill().isna()
    return (table.mask(stopped, 0) + stopped * stays).mean(axis=1).dropna()
