"""Where the heads of a transformer look, as a picture."""

from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.utils import Bunch

from skts.inspection._attention_map import attention_map
from skts.inspection._plot._style import DIVERGING, INK, SEQUENTIAL, make_axes, name_every, short_names, tidy, with_unit

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Kind = Literal["attention", "scores", "parts"]
_TITLES = {  # of several maps together
    "attention": "Where each lead looks, layer {layer}",
    "scores": "What each lead looks for, layer {layer}",
    "parts": "Which columns decide where the heads look",
}
_TICKS = [1, 2, 2.4, 4.8, 10]  # days, where rows are hours
_N_NAMED = 10  # parts of a row, and of a patch, that are drawn


class AttentionMapDisplay:
    """Draw where the heads of a transformer look, or which columns make them look there.

    Made by :meth:`from_estimator`, or of a map that is there already: ``AttentionMapDisplay(**found).plot()``.

    Parameters
    ----------
    scores, attention, lags, leads, by_lag, parts, n_windows
        The parts of what :func:`~skts.inspection.attention_map` gives.

    Attributes
    ----------
    axes_ : ndarray of Axes of shape (n_drawn_heads,)
    figure_ : Figure
    images_ : list of QuadMesh
        One for each head.
    colorbar_ : Colorbar
        Of all heads.

    See Also
    --------
    attention_map : Says what the numbers mean, and what they cannot tell.
    MemoryDisplay : What each lag contributes to the forecasts of any regressor.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skts import HistoryPrepender, SlidingWindower, TransformerRegressor
    >>> from skts.datasets import make_panel
    >>> from skts.inspection import AttentionMapDisplay
    >>> X, y = make_panel(n_series=1, n_rows=400, random_state=0)
    >>> pipe = make_pipeline(
    ...     HistoryPrepender(24),
    ...     SlidingWindower(24, horizon=6, known="wind"),
    ...     TransformerRegressor(8, patch_len=4, num_heads=2, max_epochs=1, random_state=0),
    ... )
    >>> display = AttentionMapDisplay.from_estimator(pipe.fit(X[:250], y[:250]), X[250:], unit="h", random_state=0)
    >>> display.axes_[0].get_xlabel()
    'lag (h)'
    """

    def __init__(
        self,
        *,
        scores: Floats,
        attention: Floats,
        lags: NDArray[np.int64],
        leads: NDArray[np.int64],
        by_lag: pd.DataFrame,
        parts: Bunch,
        n_windows: int,
    ):
        self.scores = scores
        self.attention = attention
        self.lags = lags
        self.leads = leads
        self.by_lag = by_lag
        self.parts = parts
        self.n_windows = n_windows

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        n_windows: int = 500,
        random_state: int | RandomState | None = None,
        kind: Kind = "attention",
        layer: int = 0,
        head: int | None = None,
        unit: str | None = None,
        step: float = 1,
        ax: Any = None,
    ) -> Self:
        """Look into an estimator and draw.

        Parameters
        ----------
        estimator, X, n_windows, random_state
            As for :func:`~skts.inspection.attention_map`.
        kind, layer, head, unit, step, ax
            As for :meth:`plot`.

        Returns
        -------
        display : AttentionMapDisplay
        """
        found = attention_map(estimator, X, n_windows=n_windows, random_state=random_state)
        return cls(**found).plot(ax, kind=kind, layer=layer, head=head, unit=unit, step=step)

    def plot(
        self,
        ax: Any = None,
        *,
        kind: Kind = "attention",
        layer: int = 0,
        head: int | None = None,
        unit: str | None = None,
        step: float = 1,
    ) -> Self:
        """Draw a map for each head.

        Parameters
        ----------
        ax : Axes, or array-like of Axes, default=None
            None makes a figure; one is split where there are several heads.
        kind : {"attention", "scores", "parts"}, default="attention"
            - "attention": the share of its attention that each lead gives to each patch of the window, the newest at
              the right. Titles say what share goes to rows ahead, on the mean of all leads. Colours go by the square
              root, so that a head that looks at much is seen beside one that looks at a single patch.
            - "scores": what the softmax makes the shares of, each less the mean over the window's patches for that
              lead: red is looked for, blue is passed over.
            - "parts": how much each column of the row ahead, together with each column of a patch, does to tell patches
              apart. Up to ten of either are drawn, the strongest ones. Of the first layer alone.
        layer : int, default=0
            From 0, the layer that reads the columns themselves.
        head : int, default=None
            From 0; None draws all.
        unit : str, default=None
            Of `step`: "h" where a row is an hour. None counts rows.
        step : float, default=1
            How many such units lie between two rows: 0.25 with ``unit="h"`` for quarters of an hour.

        Returns
        -------
        self : object
        """
        heads = self._heads(kind, layer, head)
        rows, columns = self._shown(kind, heads)
        maps = self._maps(kind, layer)[heads][:, rows][:, :, columns]
        grid = arrange(len(heads), kind)
        height = _height(kind, len(rows), grid[0])
        caller, shared = f"{type(self).__name__}.plot", {"sharex": True, "sharey": True}
        self.figure_, axes = make_axes(ax, caller, *grid, height=height, **shared)
        self.axes_ = axes.ravel()[: len(heads)]
        for unused in axes.ravel()[len(heads) :]:
            unused.set_axis_off()
        edges, colors = self._edges(kind, maps.shape, step), _colors(kind, np.abs(maps).max() or 1.0)
        self.images_ = [
            one.pcolormesh(*edges, values, rasterized=True, **colors)
            for one, values in zip(self.axes_, maps, strict=True)
        ]
        self.colorbar_ = self.figure_.colorbar(self.images_[0], ax=list(self.axes_), label=self._name(kind), pad=0.02)
        self.colorbar_.outline.set_visible(False)
        self._label(kind, layer, heads, grid[1], unit)
        if kind == "parts":
            self._name_parts(rows, columns)
        else:
            self._show_lags(*edges)
        if ax is None and len(heads) > 1:
            self.figure_.suptitle(_TITLES[kind].format(layer=layer), x=0.01, ha="left", fontsize="medium", color=INK)
        return self

    def _heads(self, kind: Kind, layer: int, head: int | None) -> list[int]:
        """Check what is asked for, and list the heads to draw."""
        name, (n_layers, n_heads) = type(self).__name__, self.attention.shape[:2]
        if kind not in _TITLES:
            raise ValueError(f"{name}.plot(kind={kind!r}): 'attention', 'scores' or 'parts' is expected.")
        if kind == "parts" and layer != 0:
            raise ValueError(f"{name}.plot(kind='parts', layer={layer!r}): only layer 0 can be taken apart by columns.")
        if layer not in range(n_layers):
            raise ValueError(f"{name}.plot(layer={layer!r}): layers 0 to {n_layers - 1} are there.")
        if head is not None and head not in range(n_heads):
            raise ValueError(f"{name}.plot(head={head!r}): heads 0 to {n_heads - 1} are there, and None draws all.")
        return list(range(n_heads)) if head is None else [head]

    def _maps(self, kind: Kind, layer: int) -> Floats:
        """Give the maps of all heads: (n_heads, n_rows, n_columns)."""
        if kind == "parts":
            return self.parts.sizes
        if kind == "attention":
            return 100 * self.attention[layer, :, :, : len(self.lags)]
        scores = self.scores[layer, :, :, : len(self.lags)]
        return scores - scores.mean(axis=2, keepdims=True)

    def _shown(self, kind: Kind, heads: list[int]) -> tuple[Ints, Ints]:
        """Choose the rows and columns of the maps to draw: all, but of parts the strongest."""
        if kind != "parts":
            return np.arange(self.attention.shape[2]), np.arange(len(self.lags))
        sizes = self.parts.sizes[heads].sum(axis=0)
        return strongest(sizes.sum(axis=1), _N_NAMED), strongest(sizes.sum(axis=0), _N_NAMED)

    def _edges(self, kind: Kind, shape: tuple[int, ...], step: float) -> tuple[Floats, Floats]:
        """Give where the columns and the rows of a map begin and end."""
        x, y = (np.arange(n + 1, dtype=np.float64) for n in (shape[2], shape[1]))
        if kind == "parts":
            return x - 0.5, y - 0.5
        return np.append(self.lags[:, 1] + 0.5, 0.5) * step, (y + 0.5) * step

    def _name(self, kind: Kind) -> str:
        """Name what the colours are."""
        of_patches = "\nof a patch" * bool((self.lags[:, 0] != self.lags[:, 1]).any())
        return {
            "attention": f"share of attention{of_patches} (%)",
            "scores": "score, less its mean",
            "parts": "spread of the score",
        }[kind]

    def _label(self, kind: Kind, layer: int, heads: list[int], n_columns: int, unit: str | None) -> None:
        """Say on each map whose it is, and on the outer ones what their axes are."""
        x, y = "patch of the window", "row ahead"
        if kind != "parts":
            x, y = (with_unit(word, unit or "rows") for word in ("lag", "lead"))
        for i, (one, head) in enumerate(zip(self.axes_, heads, strict=True)):
            title = f"layer {layer}, head {head}" if kind != "parts" and len(heads) == 1 else f"head {head}"
            if kind != "parts":
                ahead = self.attention[layer, head, :, len(self.lags) :].sum(axis=1).mean()
                title += f"{', ' if n_columns < 3 else chr(10)}{100 * ahead:.0f} % ahead"
            is_last = i + n_columns >= len(heads)
            tidy(one, title=title, x=x if is_last else "", y="" if i % n_columns else y, grid="")
            one.tick_params(labelbottom=is_last)  # with an empty place below it, too
            one.spines[["left", "bottom"]].set_visible(False)

    def _name_parts(self, rows: Ints, columns: Ints) -> None:
        queries, keys = short_names(self.parts.query_names[rows]), short_names(self.parts.key_names[columns])
        for one in self.axes_:
            one.set_ylim(len(queries) - 0.5, -0.5)
            name_every(one, queries)
            name_every(one, keys, axis="x")
            one.tick_params(axis="x", labelrotation=90)
            one.tick_params(length=0)

    def _show_lags(self, x: Floats, y: Floats) -> None:
        """Let time go on to the right and downwards."""
        from matplotlib.ticker import MaxNLocator

        for one in self.axes_:
            one.set_xlim(x[0], x[-1])
            one.set_ylim(y[-1], y[0])
            for axis in (one.xaxis, one.yaxis):
                axis.set_major_locator(MaxNLocator("auto", steps=_TICKS, integer=True, min_n_ticks=1))
            if len(y) == 2:
                one.set_yticks([y.mean()])


def arrange(n_heads: int, kind: Kind) -> tuple[int, int]:
    """Choose how many rows and columns of maps are drawn."""
    few = 2 if kind == "parts" else 3
    n_columns = n_heads if n_heads <= few else 2 if n_heads <= 8 else 4
    return -(-n_heads // n_columns), n_columns


def strongest(sizes: Floats, n_most: int) -> Ints:
    """Find up to `n_most` of the largest sizes (n_parts,), in their own order; those of nothing only where all are."""
    order = np.argsort(-sizes, kind="stable")[:n_most]
    there = order[sizes[order] > 0]
    return np.sort(there if len(there) else order).astype(np.int64)


def _colors(kind: Kind, top: float) -> dict[str, Any]:
    """Choose colours for values up to `top`."""
    from matplotlib.colors import PowerNorm

    if kind == "scores":
        return {"cmap": DIVERGING, "vmin": -top, "vmax": top}
    return {"cmap": SEQUENTIAL, "norm": PowerNorm(0.5 if kind == "attention" else 1.0, vmin=0, vmax=top)}


def _height(kind: Kind, n_rows: int, n_maps: int) -> float:
    """Give the inches of a figure of so many maps, one below the other."""
    if kind == "parts":  # with names below
        return 2.0 + n_maps * (0.35 + 0.2 * n_rows)
    return max(0.9 + n_maps * (0.3 + float(np.clip(0.08 * n_rows, 0.4, 1.8 if n_maps < 3 else 1.2))), 2.2)
