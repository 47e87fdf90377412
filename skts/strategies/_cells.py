"""Which step of which block of which series each row is."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.panel import Layout, read_index
from skts.strategies._places import Places

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Cells:
    """The cell of every row of a table, in its order.

    Parameters
    ----------
    blocks : ndarray of int64 of shape (n_rows,)
        From 0, in the order of their times: what is forecast at once, of all series together, or a run.
    steps : ndarray of int64 of shape (n_rows,)
        From 0: how many rows behind the first time of the block in any series. The lead less one, where the blocks of
        all series begin together.
    series : ndarray of int64 of shape (n_rows,)
        The place of its name among those that were learned from; those never seen are numbered after them, by name.
    """

    blocks: Ints
    steps: Ints
    series: Ints

    @classmethod
    def read(cls, X: Any, horizon: int | None, names: pd.Index | None, layout: Layout) -> "Cells":
        """Read the cells of a table that is forecast in blocks from its first row on, or run by run.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
        horizon : int or None
            Of a block, in rows; None forecasts each row on its own.
        names : Index or None
            The series that were learned from.
        layout : Layout
            That of the training table.
        """
        places = Places.read(X, horizon, names, layout=layout)
        step, length = layout.step or 1, horizon or 1
        if layout.has_runs:
            blocks = np.unique(places.seen, return_inverse=True)[1]
            first = np.full(blocks.max() + 1, np.iinfo(np.int64).max)
            np.minimum.at(first, blocks, places.ticks)
            steps = (places.ticks - first[blocks]) // step
        else:
            passed = (places.ticks - places.ticks.min()) // step
            blocks, steps = np.unique(passed // length, return_inverse=True)[1], passed % length
        return cls(blocks.astype(np.int64), steps, _number_unseen(X, places.series, names))

    @property
    def n_blocks(self) -> int:
        """How many blocks."""
        return int(self.blocks.max()) + 1

    def by_block(self) -> list[Ints]:
        """Give the rows of each block."""
        order = np.argsort(self.blocks, kind="stable")
        return np.split(order, np.cumsum(np.bincount(self.blocks))[:-1])


def _number_unseen(X: Any, series: Ints, names: pd.Index | None) -> Ints:
    """Give series that are not among the names, -1, numbers after them."""
    index = read_index(X)
    if names is None or index.names is None or (series >= 0).all():
        return series
    own = np.asarray(names.get_indexer(index.names), dtype=np.int64)
    unseen = np.flatnonzero(own < 0)
    own[unseen[index.names[unseen].argsort()]] = len(names) + np.arange(len(unseen))
    return own[index.series]
