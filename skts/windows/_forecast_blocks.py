"""The rows of a table in the blocks in which a fitted estimator forecasts them."""

from dataclasses import replace
from typing import Any

import pandas as pd

from skts.panel import PanelIndex
from skts.windows._history_prepender import HistoryPrepender, name_blocks
from skts.windows._walk import walk


def forecast_blocks(estimator: Any, X: Any) -> PanelIndex:
    """Read the index of a table as a fitted estimator does.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    X : array-like or DataFrame of shape (n_rows, n_features)
        The rows to forecast.

    Returns
    -------
    panel : PanelIndex
        With the step of the training table, whose `leads` are those of the forecasts. After
        ``HistoryPrepender(remember="all")`` every stretch without a gap is a run, of which the index tells nothing.
    """
    prepender = next((part for part in walk(estimator) if isinstance(part, HistoryPrepender)), None)
    if prepender is None:
        return PanelIndex.read(X)
    panel = PanelIndex.read(X, prepender._layout)
    if not prepender._has_blocks or panel.runs is not None or not isinstance(X, pd.DataFrame):
        return panel
    blocks = PanelIndex.read(name_blocks(X, panel), prepender._layout)
    return replace(blocks, index=replace(blocks.index, runs=None))
