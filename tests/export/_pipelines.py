"""Small fitted pipelines of every kind that is exported."""

from functools import cache

from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from skts import (
    DLinearRegressor,
    GRURegressor,
    HistoryPrepender,
    LSTMRegressor,
    NLinearRegressor,
    SlidingWindower,
    SourceAttentionRegressor,
    TransformerRegressor,
)
from skts.datasets import make_panel
from skts.strategies import EnsembleRegressor

QUICK = {"max_epochs": 1, "random_state": 0}
LINEAR = DLinearRegressor(**QUICK)
WINDOW, HORIZON = 12, 4


def make_table():
    """Three series: what was measured, what is known, whether anything can be, and how much."""
    X, y = make_panel(n_series=3, n_rows=120, random_state=0)
    X["is_day"] = (X.index.get_level_values("time").hour >= 6).astype(float)
    X["capacity"] = 0.7 + 0.1 * X.index.codes[0]
    is_new = X.index.get_level_values("time") >= X.index.get_level_values("time")[90]
    return X[~is_new], y[~is_new], X[is_new], y[is_new]


X_TRAIN, Y_TRAIN, X_NEW, Y_NEW = make_table()


def pipe(last, *first, known=("wind", "is_day"), static=None):
    windows = SlidingWindower(WINDOW, HORIZON, known=list(known), static=static)
    return make_pipeline(*first, HistoryPrepender(WINDOW), windows, last).set_output(transform="pandas")


def by_column():
    """Columns in another order, each scaled by its own, and the capacity as it is."""
    return ColumnTransformer(
        [
            ("wind", MinMaxScaler(), ["wind"]),
            ("power", make_pipeline(RobustScaler(), MaxAbsScaler()), ["power"]),
            ("rest", "passthrough", ["is_day", "capacity"]),
        ],
        verbose_feature_names_out=False,
    )


DAY = {"active": "is_day", "bounds": (0, "capacity")}
PIPELINES = {
    "lstm": pipe(LSTMRegressor(hidden_size=4, series_embedding=2, **QUICK), StandardScaler()),
    "bidirectional": pipe(
        LSTMRegressor(hidden_size=4, instance_norm="mean", bidirectional=True, lookahead=2, **QUICK), RobustScaler()
    ),
    "gru": pipe(GRURegressor(hidden_size=4, instance_norm="median", patch_len=5, **QUICK), MinMaxScaler()),
    "by_series": pipe(GRURegressor(hidden_size=4, instance_norm="series", **QUICK), RobustScaler()),
    "nothing_known": pipe(GRURegressor(hidden_size=4, num_layers=2, **QUICK), StandardScaler(), known=()),
    "quantiles": pipe(DLinearRegressor(quantiles=(0.1, 0.9), **DAY, **QUICK), by_column(), static=["capacity"]),
    "normal": pipe(NLinearRegressor(distribution="normal", **QUICK), StandardScaler()),
    "student_t": pipe(
        TransformerRegressor(hidden_size=8, num_heads=2, distribution="student_t", **QUICK), StandardScaler()
    ),
    "censored": pipe(
        GRURegressor(hidden_size=4, distribution="censored_normal", **DAY, **QUICK), by_column(), static=["capacity"]
    ),
    "beta": pipe(GRURegressor(hidden_size=4, distribution="inflated_beta", bounds=(0, 1.0), **QUICK), StandardScaler()),
    "sources": pipe(
        SourceAttentionRegressor(sources={"a": "wind", "b": "^power"}, hidden_size=4, **QUICK), StandardScaler()
    ),
    "ensemble": pipe(EnsembleRegressor(LINEAR, n_members=3, random_state=0), StandardScaler()),
    "target_scaled": TransformedTargetRegressor(
        pipe(TransformedTargetRegressor(LINEAR, transformer=MinMaxScaler()), StandardScaler()),
        transformer=StandardScaler(),
    ),
}


@cache
def fitted(name):
    return PIPELINES[name].fit(X_TRAIN, Y_TRAIN)
