"""Sums of what lags contribute, and what is told of them: means, their intervals, how far memory reaches."""

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.utils import Bunch

from skts.inspection._block_intervals import bootstrap_interval

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Contribution:
    """Add up what lags contribute to the forecasts of windows, by cluster and lead, and by column.

    Parameters
    ----------
    lags : ndarray of int64 of shape (n_lags,)
    clusters : ndarray of int64 of shape (n_windows,)
        The number of what each window belongs to, from 0: windows of one cluster depend on each other, others hardly.
    horizon : int
    feature_names : ndarray of str of shape (n_features,)
    """

    def __init__(self, lags: Ints, clusters: Ints, horizon: int, feature_names: NDArray[np.str_]):
        self.lags, self.feature_names = lags, feature_names
        self.is_in_cluster = clusters == np.arange(int(clusters.max()) + 1)[:, None]  # (n_clusters, n_windows)
        shape = (len(lags), len(self.is_in_cluster), horizon)
        self.sums, self.counts = np.zeros(shape), np.zeros(shape)
        self.feature_sums, self.feature_counts = (np.zeros((len(lags), len(feature_names))) for _ in range(2))

    def add(self, number: int, values: Floats, windows: slice = slice(None)) -> None:
        """Add values (n_windows, horizon, n_targets) of a lag by its number; NaN does not count."""
        own, there = self.is_in_cluster[:, windows].astype(np.float64), ~np.isnan(values)
        self.sums[number] += own @ np.where(there, values, 0.0).sum(axis=2)
        self.counts[number] += own @ there.sum(axis=2)

    def add_features(self, number: int, values: Floats, features: Ints) -> None:
        """Add values (n_values, horizon, n_targets) of a lag by its number and one feature each; NaN does not count."""
        n_features, there = len(self.feature_names), ~np.isnan(values)
        sums = np.where(there, values, 0.0).sum(axis=(1, 2))
        self.feature_sums[number] += np.bincount(features, sums, n_features)
        self.feature_counts[number] += np.bincount(features, there.sum(axis=(1, 2)), n_features)

    def summarise(self, rng: RandomState) -> Bunch:
        """Give the means by lag with their intervals, by feature, and by lead."""
        sums, counts = self.sums.sum(axis=2), self.counts.sum(axis=2)  # (n_lags, n_clusters)
        low, high = bootstrap_interval(sums.T, counts.T, random_state=rng)
        lags = pd.Index(self.lags, name="lag")
        leads = pd.RangeIndex(1, self.sums.shape[2] + 1, name="lead")
        features = pd.Index(self.feature_names, name="feature")
        with np.errstate(invalid="ignore"):  # NaN where nothing was counted
            by_feature = self.feature_sums / self.feature_counts
            by_lead = self.sums.sum(axis=1) / self.counts.sum(axis=1)
        return Bunch(
            by_lag=pd.DataFrame({"mean": sums.sum(axis=1) / counts.sum(axis=1), "low": low, "high": high}, index=lags),
            by_feature=pd.DataFrame(by_feature, index=lags, columns=features),
            by_lead=pd.DataFrame(by_lead, index=lags, columns=leads),
        )


def effective_memory(by_lag: Floats, last_rows: Ints, share: float = 0.95) -> int:
    """Find the shortest history that keeps a share of all that lags contribute.

    Parameters
    ----------
    by_lag : ndarray of shape (n_lags,)
        From the latest row back.
    last_rows : ndarray of int64 of shape (n_lags,)
        The oldest row that each of them stands for, counted from the origin.
    share : float, default=0.95

    Returns
    -------
    n_rows : int
        0 where nothing contributes.
    """
    total = np.cumsum(by_lag)
    if not total[-1] > 0:
        return 0
    return int(last_rows[np.argmax(total >= share * total[-1] * (1 - 1e-12))])
