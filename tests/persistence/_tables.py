"""A small table to train on and rows to forecast."""

import numpy as np

from skts.datasets import make_panel


def make_tables():
    """Give X, y, and X, y of the rows that follow."""
    X, y = make_panel(n_series=2, n_rows=90, random_state=0)
    time = X.index.get_level_values("time")
    is_new = time >= np.sort(time.unique())[72]
    return X[~is_new], y[~is_new], X[is_new], y[is_new]
