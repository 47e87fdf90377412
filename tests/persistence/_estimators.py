"""Small estimators of every kind, to be saved."""

import numpy as np
import torch
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skts import (
    DLinearRegressor,
    GRURegressor,
    HistoryPrepender,
    LSTMRegressor,
    NetRegressor,
    NLinearRegressor,
    SlidingWindower,
    SourceAttentionRegressor,
    TransformerRegressor,
)
from skts.features import CalendarFeatures
from skts.metrics import ignore_missing
from skts.model_selection import PanelTimeSeriesSplit
from skts.nn import EncoderDecoder
from skts.strategies import (
    ColumnRegressor,
    CombinationRegressor,
    ConformalRegressor,
    EnsembleRegressor,
    PerSeriesRegressor,
    RecalibratedRegressor,
    RecursiveRegressor,
    ScenarioSampler,
    WindowedRegressor,
)

QUICK = {"max_epochs": 1, "random_state": 0}
LINEAR = DLinearRegressor(**QUICK)
QUANTILES = DLinearRegressor(quantiles=(0.1, 0.5, 0.9), **QUICK)


def pipe(last, *first):
    windows = SlidingWindower(12, horizon=3, known=["wind"])
    return make_pipeline(*first, HistoryPrepender(12), windows, last).set_output(transform="pandas")


NETWORKS = {
    "lstm": LSTMRegressor(hidden_size=4, series_embedding=2, early_stopping=True, **QUICK),
    "lstm_normed": LSTMRegressor(hidden_size=4, instance_norm="mean", bidirectional=True, lookahead=1, **QUICK),
    "gru_by_series": GRURegressor(hidden_size=4, instance_norm="series", **QUICK),
    "gru": GRURegressor(hidden_size=4, quantiles=(0.1, 0.5, 0.9), dropout=0.1, **QUICK),
    "dlinear": DLinearRegressor(bounds=(0, None), quantiles=(0.2, 0.8), **QUICK),
    "nlinear": NLinearRegressor(distribution="normal", **QUICK),
    "transformer": TransformerRegressor(hidden_size=8, num_heads=2, distribution="student_t", **QUICK),
    "sources": SourceAttentionRegressor(sources={"a": "wind", "b": "^power"}, hidden_size=4, **QUICK),
    "censored": LSTMRegressor(hidden_size=4, distribution="censored_normal", bounds=(0, 3000.0), **QUICK),
    "beta": GRURegressor(hidden_size=4, distribution="inflated_beta", bounds=(0, 3000.0), **QUICK),
    "own": NetRegressor(EncoderDecoder, network_params={"hidden_size": 4, "linear_skip": True}, **QUICK),
    "sgd": DLinearRegressor(net_params={"optimizer": torch.optim.SGD, "criterion": torch.nn.HuberLoss}, **QUICK),
}
PIPELINES = {name: pipe(network, StandardScaler()) for name, network in NETWORKS.items()} | {
    "columns": pipe(
        LINEAR,
        ColumnTransformer(
            [("scaled", StandardScaler(), ["wind"]), ("rest", SimpleImputer(), make_column_selector("power"))],
            verbose_feature_names_out=False,
        ),
    ),
    "features": pipe(LINEAR, CalendarFeatures(), FunctionTransformer(np.tanh, validate=False), StandardScaler()),
    "ensemble": pipe(EnsembleRegressor(LINEAR, n_members=2, random_state=0), StandardScaler()),
    "per_series": PerSeriesRegressor(pipe(LINEAR)),
    "conformal": ConformalRegressor(pipe(QUANTILES), adaptive="aci", target="power", min_rows=5),
    "combination": CombinationRegressor(
        [("net", pipe(LINEAR)), ("column", ColumnRegressor("power"))], method="boa", target="power", min_rows=5
    ),
    "recalibrated": RecalibratedRegressor(pipe(LINEAR), target="power"),
    "scenarios": ScenarioSampler(pipe(QUANTILES), random_state=0),
    "recursive": RecursiveRegressor(pipe(WindowedRegressor(Ridge())), "power"),
    "boosting": pipe(WindowedRegressor(HistGradientBoostingRegressor(max_iter=2))),
    "forest": pipe(WindowedRegressor(RandomForestRegressor(n_estimators=2, max_depth=3, random_state=0))),
    "search": GridSearchCV(
        pipe(LINEAR),
        {"dlinearregressor__lr": [0.01]},
        cv=PanelTimeSeriesSplit(2, test_size=12),
        scoring=ignore_missing("r2"),
    ),
    "target": TransformedTargetRegressor(pipe(LINEAR), transformer=StandardScaler()),
}


class Doubler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """A transformer of a stranger."""

    def fit(self, X, y=None):
        self.feature_names_in_, self.n_features_in_ = np.asarray(X.columns, dtype=object), X.shape[1]
        return self

    def transform(self, X):
        return X * 2

    def __sklearn_is_fitted__(self):
        return True
