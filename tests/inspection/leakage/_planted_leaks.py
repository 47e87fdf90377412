"""Procedures with a leak in each, and the honest procedure beside it."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Ridge
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skts import HistoryPrepender, SlidingWindower
from skts.strategies import WindowedRegressor


def by_station(X):
    return X.groupby("station", sort=False, group_keys=False)


def lags(X, y):
    """Three past values of the power beside the wind."""
    power = by_station(X)["power"]
    return X.drop(columns="power").assign(**{f"lag_{k}": power.shift(k) for k in (1, 2, 3)}).dropna()


def lags_beside_targets(X, y):
    table = lags(X, y)
    return table[y[table.index].notna()]


# --- before the split ---------------------------------------------------------------------------------------------


def scaler_on_all_rows(X, y):
    return X.assign(**lags((X - X.mean()) / X.std(), y)).drop(columns="power").dropna()


def centred_mean(X, y, center=True):
    smooth = by_station(X)["power"].apply(lambda power: power.shift(1).rolling(5, center=center, min_periods=1).mean())
    return X.assign(power=smooth).dropna()


def target_encoding(X, y):
    station, hour = X.index.get_level_values("station"), X.index.get_level_values("time").hour
    return X.drop(columns="power").assign(usual=y.groupby([station, hour]).transform("mean"))


def past_target_encoding(X, y):
    station, hour = X.index.get_level_values("station"), X.index.get_level_values("time").hour
    past = y.groupby([station, hour]).transform(lambda power: power.shift(1).expanding().mean())
    return X.drop(columns="power").assign(usual=past).fillna(0.0)


def back_filled(X, y, fill="bfill"):
    filled = getattr(by_station(X)["power"], fill)()
    return X.assign(power=filled.groupby("station", sort=False).shift(1)).dropna()


def target_ahead(X, y):
    """A target two rows ahead of its features: the last training rows have targets of the test period."""
    ahead = y.groupby("station", sort=False).shift(-2)
    there = ahead.notna()
    return X[there], ahead[there]


# --- inside the pipeline ------------------------------------------------------------------------------------------


def smooth_table(X, center=True):
    smooth = X.groupby("station", sort=False, group_keys=False).rolling(3, center=center, min_periods=1).mean()
    return smooth.droplevel(0).loc[X.index]


def scale_table(X):
    """Scale by the statistics of the table at hand, the test rows of all stations."""
    return (X - X.mean()) / X.std()


class ShiftedWindower(SlidingWindower):
    """Lets the window end at the row of the origin."""

    def transform(self, X):
        shifted = X.groupby("station", sort=False).shift(-1).fillna(X)
        return super().transform(shifted)


class FutureHistory(HistoryPrepender):
    """Takes the history of the first new rows from the new rows themselves."""

    def transform(self, X):
        full = super().transform(X)
        tail = X.groupby("station", sort=False).tail(self.length)
        full.iloc[: len(tail)] = tail.to_numpy()
        return full


class ReadsAfterHorizon(RegressorMixin, BaseEstimator):
    """Forecasts the last known column `reads` rows after the horizon, and declares `declares` rows."""

    def __init__(self, reads, declares):
        self.reads = reads
        self.declares = declares

    def fit(self, X, y):
        self.lookahead_ = self.declares
        return self

    def predict(self, X):
        rows = np.minimum(X.origins + X.horizon - 1 + self.reads, len(X.panel) - 1)
        ahead = np.nan_to_num(X.panel[rows, X.known[-1]]).astype(float)
        return X.to_rows(np.repeat(ahead[:, None], X.horizon, axis=1))


class StopsEarly(RegressorMixin, BaseEstimator):
    """Chooses the penalty on held-out rows, shuffled or the latest."""

    def __init__(self, shuffle):
        self.shuffle = shuffle

    def fit(self, X, y):
        train, valid = train_test_split(np.arange(len(X)), shuffle=self.shuffle, random_state=0)
        X, y = np.asarray(X), np.asarray(y)
        tried = [Ridge(alpha).fit(X[train], y[train]) for alpha in (0.1, 10.0)]
        self.best_ = max(tried, key=lambda ridge: ridge.score(X[valid], y[valid]))
        return self

    def predict(self, X):
        return self.best_.predict(np.asarray(X))


class Jittery(RegressorMixin, BaseEstimator):
    """Draws without a seed, in `fit` or in `predict`."""

    def __init__(self, when):
        self.when = when

    def fit(self, X, y):
        self.shift_ = np.random.default_rng().normal() if self.when == "fit" else 0.0
        return self

    def predict(self, X):
        noise = np.random.default_rng().normal(size=len(X)) if self.when == "predict" else np.zeros(len(X))
        return noise + self.shift_


def windowed(*before, prepender=HistoryPrepender, windower=SlidingWindower, last=None, known="wind"):
    steps = [*before, prepender(6), windower(6, horizon=4, known=known), last or WindowedRegressor(Ridge())]
    return make_pipeline(*steps).set_output(transform="pandas")


class NeedsBoth(RegressorMixin, BaseEstimator):
    """Changes its forecasts only where all columns of the last row change at once."""

    def fit(self, X, y):
        self.last_ = None
        return self

    def predict(self, X):
        last = X.to_numpy()[-1]
        self.last_ = last if self.last_ is None else self.last_
        return np.full(len(X), float((last != self.last_).all()))


class Few(Ridge):
    """Forecasts less than it is asked for."""

    def predict(self, X):
        return super().predict(X)[:3]


def unnamed():
    """A pipeline that loses the names of its columns, and one of them."""
    drop = FunctionTransformer(lambda X: np.asarray(X)[:, :2])
    return make_pipeline(drop, HistoryPrepender(6), SlidingWindower(6), WindowedRegressor(Ridge()))
