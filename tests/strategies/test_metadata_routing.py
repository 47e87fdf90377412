"""Quantiles reach the forecaster under scikit-learn's metadata routing too, without a request set by hand."""

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skts import LSTMRegressor
from skts.datasets import make_panel
from skts.metrics import ignore_missing, make_quantile_scorer, mean_quantile_loss
from skts.model_selection import PanelTimeSeriesSplit, backtest
from skts.strategies import (
    CombinationRegressor,
    ConformalRegressor,
    EnsembleRegressor,
    PerSeriesRegressor,
    RecalibratedRegressor,
    RecursiveRegressor,
    ScenarioSampler,
    WindowedRegressor,
)
from tests.strategies._pipes import make_pipe, split

LEVELS = [0.1, 0.5, 0.9]
CV = PanelTimeSeriesSplit(2, test_size=12)
TREES = HistGradientBoostingRegressor(loss="quantile", max_iter=5, min_samples_leaf=5)
FORECASTERS = {
    "a network": LSTMRegressor(hidden_size=2, max_epochs=1, quantiles=LEVELS, device="cpu", random_state=0),
    "trees": WindowedRegressor(TREES, leads="rows", quantiles=LEVELS),
}
AROUND = {
    "a pipeline": lambda pipe: pipe,
    "a pipeline in another": lambda pipe: make_pipeline("passthrough", pipe),
    "one for each series": PerSeriesRegressor,
    "a combination": lambda pipe: CombinationRegressor([("one", pipe), ("other", pipe)], method="boa", target="power"),
    "a combination in a pipeline": lambda pipe: make_pipeline("passthrough", CombinationRegressor([("one", pipe)])),
    "a calibration": lambda pipe: ConformalRegressor(pipe, adaptive="aci", target="power"),
    "a calibration in a pipeline": lambda pipe: make_pipeline("passthrough", ConformalRegressor(pipe)),
    "a recalibration": lambda pipe: RecalibratedRegressor(pipe, target="power"),
    "scenarios": ScenarioSampler,
    "a recursion": lambda pipe: RecursiveRegressor(pipe, "power"),
    "a recursion in a pipeline": lambda pipe: make_pipeline("passthrough", RecursiveRegressor(pipe, "power")),
}


@pytest.fixture(autouse=True)
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.fixture(scope="module")
def parts():
    return split(*make_panel(n_series=2, n_rows=90, random_state=0), 20)


@pytest.mark.parametrize("forecaster", FORECASTERS.values(), ids=FORECASTERS)
@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
def test_predict_passes_quantiles_on(parts, forecaster, around):
    X_train, X_test, y_train, _ = parts
    fitted = around(make_pipe(forecaster)).fit(X_train, y_train)
    y_pred = fitted.predict(X_test, quantiles=LEVELS)
    assert y_pred.shape == (len(X_test), len(LEVELS))
    with sklearn.config_context(enable_metadata_routing=False):
        np.testing.assert_array_equal(fitted.predict(X_test, quantiles=LEVELS), y_pred)


def test_predict_passes_members_on(parts):
    X_train, X_test, y_train, _ = parts
    lstm = EnsembleRegressor(clone(FORECASTERS["a network"]), n_members=2)
    fitted = make_pipe(lstm).fit(X_train, y_train)
    assert fitted.predict(X_test, quantiles=LEVELS, members=True).shape == (len(X_test), len(LEVELS), 2)


@pytest.mark.parametrize("forecaster", FORECASTERS.values(), ids=FORECASTERS)
def test_a_backtest_and_a_search_forecast_quantiles(parts, forecaster):
    X_train, X_test, y_train, _ = parts
    pipe = make_pipe(forecaster)
    result = backtest(pipe, X_train, y_train, cv=CV, quantiles=LEVELS, on_error="raise")
    assert result.columns[-3:].tolist() == ["q0.1", "q0.5", "q0.9"]
    scorers = [ignore_missing("neg_mean_absolute_error"), make_quantile_scorer(mean_quantile_loss, LEVELS)]
    for scoring in scorers:
        search = GridSearchCV(pipe, {"windows__window": [6]}, cv=CV, scoring=scoring, error_score="raise")
        search.fit(X_train, y_train)
        assert search.best_estimator_.predict(X_test, quantiles=LEVELS).shape == (len(X_test), len(LEVELS))
