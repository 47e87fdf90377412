"""The importance of groups of columns, drawn."""

from typing import Any, Self

import numpy as np
import pandas as pd

from skts.inspection._feature_importance import feature_importance
from skts.inspection._plot._style import COLORS, INK, make_axes, name_every, short_names, tidy, with_unit


class FeatureImportanceDisplay:
    """By how much the error rises where a group of columns is permuted, the most important on top.

    Parameters
    ----------
    table : DataFrame of shape (n_groups, n_columns)
        As :func:`~skts.inspection.feature_importance` gives it: `importance`, `low` and `high` by the group.

    Attributes
    ----------
    figure_ : Figure
    ax_ : Axes
    bars_ : BarContainer
        From top to bottom as in the table.
    intervals_ : ErrorbarContainer

    See Also
    --------
    feature_importance : Measures, and says what it can not tell.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from skts.datasets import make_panel
    >>> from skts.inspection import FeatureImportanceDisplay
    >>> X, y = make_panel(n_series=2, n_rows=400, random_state=0)
    >>> display = FeatureImportanceDisplay.from_estimator(Ridge().fit(X, y), X, y, random_state=0)
    """

    def __init__(self, *, table: pd.DataFrame):
        self.table = table

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any, *, unit: str | None = None, ax: Any = None, **kwargs: Any
    ) -> Self:
        """Permute, and draw.

        Parameters
        ----------
        estimator : estimator
            Fitted.
        X : array-like or DataFrame of shape (n_rows, n_features)
        y : array-like of shape (n_rows,) or (n_rows, n_targets)
        unit : str, default=None
            Of the error: "kW".
        ax : Axes, default=None
        **kwargs : dict
            Further arguments of :func:`~skts.inspection.feature_importance`: `groups`, `at`, `random_state`, ...

        Returns
        -------
        display : FeatureImportanceDisplay
        """
        return cls(table=feature_importance(estimator, X, y, **kwargs).table).plot(ax, unit=unit)

    def plot(self, ax: Any = None, *, unit: str | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : Axes, default=None
        unit : str, default=None
            Of the error: "kW".

        Returns
        -------
        self : object
        """
        height = 1.3 + 0.3 * min(len(self.table), 16)
        self.figure_, axes = make_axes(ax, "FeatureImportanceDisplay.plot", height=height)
        self.ax_ = axes[0, 0]
        places, importance = np.arange(len(self.table)), self.table["importance"].to_numpy()
        reach = np.nan_to_num(np.stack([importance - self.table["low"], self.table["high"] - importance]))
        self.bars_ = self.ax_.barh(places, importance, color=COLORS[5])
        self.intervals_ = self.ax_.errorbar(importance, places, xerr=reach, fmt="none", ecolor=INK, capsize=3)
        self.ax_.axvline(0, color=INK, linewidth=0.8)
        self.ax_.set_ylim(len(places) - 0.5, -0.5)
        name_every(self.ax_, short_names(self.table.index, 24))
        tidy(self.ax_, title="What permuting a group costs", x=with_unit("rise of the error", unit), grid="x")
        return self
