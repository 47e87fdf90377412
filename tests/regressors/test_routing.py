"""Quantiles and `rolling` pass a pipeline where metadata routing is enabled, without a request set by hand."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

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
from skts.datasets import make_panel
from skts.model_selection import PanelTimeSeriesSplit
from skts.strategies import EnsembleRegressor
from tests.regressors._networks import LaplaceHead, LeakyMemory

USUAL = {"max_epochs": 1, "random_state": 0, "device": "cpu"}
LEVELS = {"quantiles": (0.1, 0.9)}
REGRESSORS = {
    "lstm": LSTMRegressor(3, **USUAL, **LEVELS),
    "gru": GRURegressor(3, **USUAL, **LEVELS),
    "dlinear": DLinearRegressor(**USUAL, **LEVELS),
    "sources": SourceAttentionRegressor(hidden_size=4, **USUAL, **LEVELS),
    "transformer": TransformerRegressor(4, **USUAL, **LEVELS),
    "nlinear": NLinearRegressor(**USUAL, **LEVELS),
    "net": NetRegressor(LeakyMemory, head=LaplaceHead(), **USUAL),
    "ensemble": EnsembleRegressor(GRURegressor(3, **USUAL, **LEVELS), 2, random_state=0),
}


@pytest.fixture(scope="module")
def parts():
    X, y = make_panel(n_series=2, n_rows=80, random_state=0)
    new = (X.groupby("station").cumcount() >= 70).to_numpy()
    return X[~new], X[new], y[~new]


def make_pipe(kind):
    windower = SlidingWindower(12, 4, known=["wind"])
    pipe = make_pipeline(StandardScaler(), HistoryPrepender(12), windower, clone(REGRESSORS[kind]))
    return pipe.set_output(transform="pandas")


@pytest.mark.parametrize("kind", REGRESSORS)
def test_quantiles_pass_without_a_request(parts, kind):
    X_train, X_test, y_train = parts
    pipe = make_pipe(kind).fit(X_train, y_train)
    expected = pipe.predict(X_test, quantiles=[0.1, 0.5])
    with config_context(enable_metadata_routing=True):
        y_pred = make_pipe(kind).fit(X_train, y_train).predict(X_test, quantiles=[0.1, 0.5])
    np.testing.assert_array_equal(y_pred, expected)
    assert y_pred.shape == (20, 2)


@pytest.mark.parametrize("kind", ["lstm", "gru", "net", "ensemble"])
def test_rolling_passes_without_a_request(parts, kind):
    X_train, X_test, y_train = parts
    expected = make_pipe(kind).fit(X_train, y_train).predict(X_test, rolling="stateful")
    with config_context(enable_metadata_routing=True):
        pipe = make_pipe(kind).fit(X_train, y_train)
        np.testing.assert_array_equal(pipe.predict(X_test, rolling="stateful"), expected)
        assert not np.array_equal(pipe.predict(X_test), expected)


def test_a_search_passes_them_on(parts):
    X_train, X_test, y_train = parts
    with config_context(enable_metadata_routing=True):
        search = GridSearchCV(make_pipe("gru"), {"gruregressor__lr": [0.01]}, cv=PanelTimeSeriesSplit(2, test_size=12))
        best = search.fit(X_train, y_train).best_estimator_
        assert best.predict(X_test, quantiles=[0.1, 0.2, 0.9]).shape == (20, 3)
