"""Quantiles that cover what they promise."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, QuantileRegressor, Ridge

from skts.datasets import make_panel
from skts.inspection import check_leakage
from skts.model_selection import PanelTimeSeriesSplit, backtest
from skts.strategies import ColumnRegressor, CombinationRegressor, ConformalRegressor, WindowedRegressor
from tests._runs import forecast_runs, of_runs
from tests.strategies._pipes import make_pipe, split

TREES = HistGradientBoostingRegressor(loss="quantile", max_iter=5, min_samples_leaf=5)
CENTRAL = [0.1, 0.5, 0.9]


@pytest.fixture(scope="module")
def panel():
    return make_panel(n_series=2, n_rows=400, random_state=0)


def quantile_pipe(**kwargs):
    return make_pipe(WindowedRegressor(TREES, leads="rows", quantiles=CENTRAL), **kwargs)


def fixed(X, y, noise):
    """Give a table with published forecasts, a point and two quantiles, that are `noise` too narrow."""
    return X.assign(point=y * 0, low=y * 0 - noise, high=y * 0 + noise)


PUBLISHED = ColumnRegressor("point", quantiles={0.1: "low", 0.5: "point", 0.9: "high"})


def test_it_is_split_conformal_prediction():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(300, 2))
    y = X[:, 0] + rng.normal(size=300)
    X_new = rng.normal(size=(20, 2))
    conformal = ConformalRegressor(LinearRegression(), method="residual", by=(), symmetric=True, refit=False)
    low, high = conformal.set_params(calibration=0.3).fit(X, y).predict(X_new, quantiles=[0.1, 0.9]).T
    model = LinearRegression().fit(X[:210], y[:210])
    scores = np.sort(np.abs(y[210:] - model.predict(X[210:])))
    width = scores[int(np.ceil(91 * 0.8)) - 1]
    assert_allclose(low, model.predict(X_new) - width)
    assert_allclose(high, model.predict(X_new) + width)
    assert_allclose(conformal.predict(X_new), model.predict(X_new))


def test_it_is_conformalized_quantile_regression(panel):
    before, held, y_before, y_held = split(*panel, 100)
    pipe = quantile_pipe()
    conformal = ConformalRegressor(FrozenEstimator(pipe.fit(before, y_before)), calibration=1.0, symmetric=True, by=())
    found = conformal.fit(held, y_held).predict(held, quantiles=[0.1, 0.9])
    low, high = pipe.predict(held, quantiles=[0.1, 0.9]).T
    scores = np.sort(np.maximum(low - y_held, y_held - high))
    move = scores[int(np.ceil(201 * 0.8)) - 1]
    assert_allclose(found, np.sort(np.column_stack([low - move, high + move])))
    assert conformal.n_calibration_ == 200


@pytest.mark.parametrize("noise", [0.01, 3.0])
@pytest.mark.parametrize("method", ["cqr", "residual"])
def test_what_is_too_narrow_or_too_wide_covers_what_it_promises_in_each_cell(method, noise):
    rng = np.random.RandomState(0)
    X, _ = make_panel(n_series=2, n_rows=6000, random_state=0)
    lead, series = np.tile(np.arange(6000) % 3, 2), np.repeat([0, 1], 6000)
    y = pd.Series((1 + lead) * (1 + 3 * series) * rng.normal(size=len(X)) + series, index=X.index)
    X, X_new, y, y_new = split(fixed(X, y, noise), y, 3000)
    conformal = ConformalRegressor(PUBLISHED, method=method, calibration=0.9, horizon=3, min_rows=500).fit(X, y)
    below = y_new.to_numpy()[:, None] <= conformal.predict(X_new, quantiles=[0.1, 0.9])
    for number in range(6):
        own = np.tile(np.arange(3000) % 3, 2) + 3 * np.repeat([0, 1], 3000) == number
        assert_allclose(below[own].mean(axis=0), [0.1, 0.9], atol=0.04)
    pooled = ConformalRegressor(PUBLISHED, method=method, calibration=0.9, horizon=3, by=()).fit(X, y)
    below = y_new.to_numpy()[:, None] <= pooled.predict(X_new, quantiles=[0.1, 0.9])
    assert below[:3000][:, 1].mean() > 0.94  # what by=("lead", "series") is for


def test_levels_between_those_that_were_learned_are_interpolated_and_the_point_stays(panel):
    X, X_new, y, _ = split(*panel, 60)
    conformal = ConformalRegressor(quantile_pipe()).fit(X, y)
    assert conformal.levels_ == (0.1, 0.5, 0.9)
    assert_array_equal(conformal.predict(X_new), conformal.estimator_.predict(X_new))
    found = conformal.predict(X_new, quantiles=[0.9, 0.3, 0.1])
    ends = conformal.predict(X_new, quantiles=[0.1, 0.5, 0.9])
    assert_allclose(found, np.column_stack([ends[:, 2], ends[:, :2].mean(axis=1), ends[:, 0]]))
    assert (np.diff(ends, axis=1) >= 0).all()
    alone = clone(quantile_pipe()).fit(X, y)
    assert_array_equal(alone.predict(X_new), conformal.predict(X_new))  # trained again on all rows


def test_residual_answers_any_level_in_the_order_asked(panel):
    X, X_new, y, _ = split(*panel, 60)
    conformal = ConformalRegressor(make_pipe(), method="residual", bounds=(0, None)).fit(X, y)
    found = conformal.predict(X_new, quantiles=[0.95, 0.05, 0.5])
    assert (found[:, 1] <= found[:, 2]).all()
    assert (found[:, 2] <= found[:, 0]).all()
    assert found.min() == 0


@pytest.mark.parametrize("adaptive", ["aci", "pid"])
def test_adaptive_levels_follow_a_shift_that_fixed_ones_miss(adaptive):
    rng = np.random.RandomState(0)
    X, _ = make_panel(n_series=1, n_rows=3000, random_state=0)
    y = pd.Series(rng.normal(size=len(X)), index=X.index)
    y.iloc[2000:] += 0.8
    X, X_new, y, y_new = split(fixed(X, y, 1.28).assign(power=y), y, 1000)
    shares = {}
    for name in (None, adaptive):
        conformal = ConformalRegressor(PUBLISHED, adaptive=name, target="power", horizon=4, by=())
        below = y_new.to_numpy()[:, None] <= conformal.fit(X, y).predict(X_new, quantiles=[0.1, 0.9])
        shares[name] = below[300:].mean(axis=0)
    assert (np.abs(shares[None] - [0.1, 0.9]) > 0.05).all()
    assert_allclose(shares[adaptive], [0.1, 0.9], atol=0.035)


@pytest.mark.parametrize("adaptive", [None, "aci", "pid"])
def test_nothing_leaks(panel, adaptive):
    X, y = panel
    conformal = ConformalRegressor(make_pipe(), method="residual", adaptive=adaptive, target="power", min_rows=20)

    class Quantiles(ConformalRegressor):
        def predict(self, X):
            return super().predict(X, quantiles=[0.9])[:, 0]

    report = check_leakage(Quantiles(**conformal.get_params(deep=False)), X, y, n_origins=6, random_state=0)
    assert report.ok, str(report)


@pytest.mark.parametrize("adaptive", ["aci", "pid"])
def test_the_truth_before_an_origin_counts(panel, adaptive):
    X, X_new, y, _ = split(*panel, 60)
    conformal = ConformalRegressor(PUBLISHED, adaptive=adaptive, target="power", horizon=3, min_rows=20, rate=0.2)
    X, X_new = (fixed(table, table["power"], 0.1) for table in (X, X_new))
    conformal.fit(X, y)
    time = X_new.index.get_level_values("time")
    origin = np.sort(time.unique())[30]
    changed = X_new.assign(power=X_new["power"].where(time < origin, 5.0))
    before, after = (conformal.predict(table, quantiles=[0.9]) for table in (X_new, changed))
    known = time < origin + pd.Timedelta(3, "h")
    assert_array_equal(before[known], after[known])
    assert not np.allclose(before[~known], after[~known])


@pytest.mark.parametrize("adaptive", [None, "aci", "pid"])
def test_tables_with_runs_missing_targets_and_unseen_series(adaptive):
    X, y = forecast_runs(20, every=12, horizon=24)
    y = y.mask(np.random.RandomState(0).random_sample(len(y)) < 0.2)
    known, later = of_runs(X, 0, 15), of_runs(X, 15)
    conformal = ConformalRegressor(
        make_pipe(horizon=24, leads="rows"), method="residual", adaptive=adaptive, target="power", min_rows=20
    ).fit(X[known], y[known])
    found = conformal.predict(X[later], quantiles=[0.1, 0.9])
    assert np.isfinite(found).all()
    assert (found[:, 0] < found[:, 1]).all()
    assert conformal.n_calibration_ < known.sum() * 0.3
    column = ConformalRegressor(ColumnRegressor("power"), method="residual", adaptive=adaptive, horizon=24)
    unseen = X[later].rename({"a": "new"}, level="farm")
    assert np.isfinite(column.fit(X[known], y[known]).predict(unseen, quantiles=[0.5])).all()


def test_a_splitter_calibrates_on_all_its_folds(panel):
    X, X_new, y, _ = split(*panel, 60)
    conformal = ConformalRegressor(quantile_pipe(), calibration=PanelTimeSeriesSplit(3, test_size=40), by=("lead",))
    assert conformal.fit(X, y).n_calibration_ == 3 * 40 * 2
    assert conformal.predict(X_new, quantiles=[0.1]).shape == (120, 1)


def test_it_is_backtested_and_stands_around_a_combination(panel):
    X, y = panel
    experts = CombinationRegressor([("short", quantile_pipe(window=2)), ("long", quantile_pipe())])
    conformal = ConformalRegressor(experts, quantiles=[0.1, 0.9])
    cv = PanelTimeSeriesSplit(2, test_size=30)
    table = backtest(conformal, X, y, cv=cv, quantiles=[0.1, 0.9], refit=False, on_error="raise")
    assert (table["q0.1"] <= table["q0.9"]).all()


def test_what_is_refused(panel):
    X, y = panel
    with pytest.raises(ValueError, match="names none"):
        ConformalRegressor(make_pipe()).fit(X, y)
    with pytest.raises(ValueError, match="central intervals"):
        ConformalRegressor(PUBLISHED, symmetric=True, quantiles=[0.1, 0.5]).fit(fixed(X, y, 1), y)
    with pytest.raises(ValueError, match="FrozenEstimator"):
        ConformalRegressor(Ridge(), method="residual", calibration=1.0).fit(X, y)
    with pytest.raises(ValueError, match="symmetric=False"):
        ConformalRegressor(PUBLISHED, adaptive="aci", symmetric=True).fit(fixed(X, y, 1), y)
    with pytest.raises(ValueError, match="one estimator per fold"):
        ConformalRegressor(PUBLISHED, calibration=PanelTimeSeriesSplit(2), refit=False).fit(fixed(X, y, 1), y)
    with pytest.raises(ValueError, match="each once"):
        ConformalRegressor(PUBLISHED, by=("lead", "lead")).fit(fixed(X, y, 1), y)
    fitted = ConformalRegressor(QuantileRegressor(), method="residual").fit(X.fillna(0), y)
    with pytest.raises(ValueError, match="between 0 and 1"):
        fitted.predict(X, quantiles=[1.0])
