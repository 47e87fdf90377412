"""Several experts, and one forecast of them."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import nnls
from sklearn.base import clone
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

from skts.datasets import make_panel
from skts.inspection import check_leakage
from skts.model_selection import PanelTimeSeriesSplit, backtest
from skts.strategies import ColumnRegressor, CombinationRegressor, WindowedRegressor
from skts.windows import find_horizon
from tests._runs import forecast_runs, of_runs
from tests.strategies._pipes import make_pipe, split

METHODS = ["mean", "stacked", "ml_poly", "boa"]


def experts():
    return [("short", make_pipe(windowed(), window=2)), ("long", make_pipe(windowed(100.0), window=6))]


def windowed(alpha=1.0):
    return WindowedRegressor(Ridge(alpha=alpha))


@pytest.fixture(scope="module")
def panel():
    X, y = make_panel(n_series=2, n_rows=300, random_state=0)
    rng = np.random.RandomState(1)
    X["good"] = y + 0.05 * rng.normal(size=len(X))
    X["bad"] = y + 0.5 * rng.normal(size=len(X))
    return X, y


COLUMNS = [("good", ColumnRegressor("good")), ("bad", ColumnRegressor("bad"))]


def test_the_mean_is_that_of_the_experts(panel):
    X, X_new, y, _ = split(*panel, 60)
    fitted = CombinationRegressor(experts()).fit(X, y)
    alone = [clone(each).fit(X, y).predict(X_new) for _, each in experts()]
    assert_allclose(fitted.predict(X_new), np.mean(alone, axis=0))
    assert_array_equal(fitted.weigh(X_new), np.full((len(X_new), 2), 0.5))


def test_quantiles_are_combined_level_by_level(panel):
    X, X_new, y, _ = split(*panel, 60)
    trees = HistGradientBoostingRegressor(loss="quantile", max_iter=3)
    some = [
        (str(window), make_pipe(WindowedRegressor(trees, leads="rows", quantiles=[0.1, 0.9]), window=window))
        for window in (2, 6)
    ]
    fitted = CombinationRegressor(some).fit(X, y)
    alone = [each.predict(X_new, quantiles=[0.1, 0.5, 0.9]) for each in fitted.estimators_]
    assert_allclose(fitted.predict(X_new, quantiles=[0.1, 0.5, 0.9]), np.mean(alone, axis=0))


def test_stacked_weights_are_least_squares_on_what_is_held_out(panel):
    X, X_new, y, _ = split(*panel, 60)
    fitted = CombinationRegressor(experts(), method="stacked", by=(), calibration=0.25).fit(X, y)
    before, held, y_before, y_held = split(X, y, 60)
    errors = np.column_stack([clone(each).fit(before, y_before).predict(held) - y_held for _, each in experts()])
    found, _ = nnls(np.vstack([1e-3 * errors, np.ones(2)]), np.append(np.zeros(len(errors)), 1.0))
    assert_allclose(fitted.weigh(X_new)[0], found / found.sum(), atol=1e-6)
    assert len(np.unique(fitted.weigh(X_new), axis=0)) == 1


def test_weights_differ_by_lead_where_the_experts_do(panel):
    X, y = panel[0].copy(), panel[1]
    lead = np.tile(np.arange(300) % 3, 2)
    X["bad"] = np.where(lead == 0, y, X["bad"])
    weights = CombinationRegressor(COLUMNS, method="stacked", horizon=3, min_rows=20).fit(X, y).weigh(X)
    assert (weights[lead == 0, 1] > 0.99).all()
    assert (weights[lead == 1, 0] > 0.9).all()
    pooled = CombinationRegressor(COLUMNS, method="stacked", horizon=3, min_rows=10**6).fit(X, y).weigh(X)
    assert len(np.unique(pooled, axis=0)) == 1


@pytest.mark.parametrize("method", ["ml_poly", "boa"])
def test_online_weights_follow_the_expert_that_becomes_better(panel, method):
    X, y = panel[0].copy(), panel[1]
    time = X.index.get_level_values("time")
    late = time >= np.sort(time.unique())[200]
    X.loc[late, ["good", "bad"]] = X.loc[late, ["bad", "good"]].to_numpy()
    combination = CombinationRegressor(COLUMNS, method=method, target="power", horizon=4, by=())
    weights = combination.fit(X[~late], y[~late]).weigh(X[late])
    first, last = weights[:4], weights[-4:]
    assert (first[:, 0] > 0.8).all()
    assert (last[:, 0] < first[:, 0] - 0.2).all()
    blind = clone(combination).set_params(target=None).fit(X[~late], y[~late]).weigh(X[late])
    assert len(np.unique(blind, axis=0)) == 1


@pytest.mark.parametrize("method", METHODS)
def test_nothing_leaks(panel, method):
    X, y = panel[0][["power", "wind"]], panel[1]
    combination = CombinationRegressor(experts(), method=method, target="power", min_rows=20)
    report = check_leakage(combination, X, y, n_origins=6, random_state=0)
    assert report.ok, str(report)


def test_the_truth_after_an_origin_changes_no_weight_and_the_one_before_does(panel):
    X, X_new, y, _ = split(*panel, 60)
    fitted = CombinationRegressor(experts(), method="boa", target="power").fit(X, y)
    time = X_new.index.get_level_values("time")
    origin = np.sort(time.unique())[30]  # a block of 3 begins here
    changed = X_new.assign(power=X_new["power"].where(time < origin, 5.0))
    before, after = fitted.weigh(X_new), fitted.weigh(changed)
    known = time < origin + pd.Timedelta(3, "h")
    assert_array_equal(before[known], after[known])
    assert not np.allclose(before[~known], after[~known])


@pytest.mark.filterwarnings("ignore::skts.exceptions.MissingHistoryWarning")
@pytest.mark.parametrize("method", METHODS)
def test_targets_that_are_missing_and_experts_that_say_nothing_are_left_out(panel, method):
    X, y = panel[0].copy(), panel[1].copy()
    rng = np.random.RandomState(0)
    X.loc[rng.random_sample(len(X)) < 0.3, "bad"] = np.nan
    y[rng.random_sample(len(X)) < 0.3] = np.nan
    X["power"] = y
    X, X_new, y, _ = split(X, y, 60)
    some = [*COLUMNS, ("ridge", make_pipe()), ("without a windower", DummyRegressor())]
    y_pred = CombinationRegressor(some, method=method, target="power", min_rows=10).fit(X, y).predict(X_new)
    assert np.isfinite(y_pred).all()


@pytest.mark.parametrize("method", METHODS)
def test_rows_in_any_order_and_arrays(panel, method):
    X, X_new, y, _ = split(*panel, 60)
    fitted = CombinationRegressor(experts(), method=method, target="power", min_rows=20).fit(X, y)
    turned = X_new.sort_index(level="time", kind="stable")
    assert_allclose(fitted.predict(turned), pd.Series(fitted.predict(X_new), X_new.index)[turned.index])
    one = X.loc["station_0"]
    both = []
    for table in (one, one.to_numpy()):
        some = [(name, make_pipe(windowed(), window=int(name), known=1)) for name in ("2", "4")]
        [each.set_output(transform="default") for _, each in some]
        combination = CombinationRegressor(some, method=method, target=0, min_rows=20)
        both.append(combination.fit(table[:150], one["power"][:150]).predict(table[150:]))
    assert_allclose(*both)


@pytest.mark.parametrize("method", METHODS)
def test_tables_with_runs(method):
    X, y = forecast_runs(12, every=12, horizon=24)
    known = of_runs(X, 0, 9)
    later = of_runs(X, 9)
    X["published"] = X["power"] + 1.0
    some = [("ridge", make_pipe(horizon=24)), ("column", ColumnRegressor("published"))]
    fitted = CombinationRegressor(some, method=method, target="power", min_rows=20, calibration=0.4)
    fitted.fit(X[known], y[known])
    weights = fitted.weigh(X[later])
    assert np.isfinite(fitted.predict(X[later])).all()
    if method in ("ml_poly", "boa"):  # what a run does not know does not weigh in it
        made = pd.Timestamp("2024-01-11")
        late = X.index.get_level_values("time")[later] >= made
        changed = X[later].assign(power=X["power"][later].mask(late, 0.0))
        early = X.index.get_level_values("run")[later] <= made
        after = fitted.weigh(changed)
        assert_array_equal(after[early], weights[early])
        assert not np.allclose(after[~early], weights[~early])


def test_weights_on_training_rows_know_nothing_of_their_future(panel):
    X, y = panel
    combination = CombinationRegressor(COLUMNS, method="boa", target="power", horizon=4).fit(X, y)
    time = X.index.get_level_values("time")
    first = time < np.sort(time.unique())[240]  # before all that was held out
    assert_array_equal(combination.weigh(X)[first], np.full((first.sum(), 2), 0.5))


def test_a_splitter_may_say_what_is_held_out(panel):
    X, X_new, y, _ = split(*panel, 60)
    cv = PanelTimeSeriesSplit(2, test_size=30)
    fitted = CombinationRegressor(experts(), method="stacked", by=(), calibration=cv).fit(X, y)
    errors = []
    for train, test in cv.split(X):
        train = np.sort(train)
        some = [clone(each).fit(X.iloc[train], y.iloc[train]).predict(X.iloc[test]) for _, each in experts()]
        errors.append(np.column_stack(some) - y.iloc[test].to_numpy()[:, None])
    errors = np.concatenate(errors)
    gap = errors[:, 1] - errors[:, 0]
    weight = np.clip(-(errors[:, 0] @ gap) / (gap @ gap), 0, 1)  # of the second of two, in closed form
    assert_allclose(fitted.weigh(X_new)[0, 1], weight, atol=1e-6)


@pytest.mark.filterwarnings("ignore::skts.exceptions.MissingHistoryWarning")
def test_another_fit_takes_another_horizon(panel):
    X, y = panel
    combination = CombinationRegressor(experts()).fit(X, y)
    combination.set_params(short__windows__horizon=2, long__windows__horizon=2).fit(X, y)
    assert_array_equal(combination.predict(X[:8]), clone(combination).fit(X, y).predict(X[:8]))
    assert find_horizon(combination) == combination._horizon == 2


def test_it_is_searched_and_backtested_like_any_other(panel):
    X, y = panel[0][["power", "wind"]], panel[1]
    cv = PanelTimeSeriesSplit(2, test_size=12)
    combination = CombinationRegressor(experts())
    search = GridSearchCV(combination, {"method": ["mean"], "short__regressor__estimator__alpha": [1, 2]}, cv=cv)
    search.fit(X, y)
    assert search.best_params_["short__regressor__estimator__alpha"] in (1, 2)
    table = backtest(combination, X, y, cv=cv, refit=False, on_error="raise")
    assert table["lead"].max() == 3


def test_what_is_refused(panel):
    X, y = panel
    with pytest.raises(ValueError, match="at least one expert"):
        CombinationRegressor([]).fit(X, y)
    with pytest.raises(ValueError, match="not unique"):
        CombinationRegressor([COLUMNS[0], COLUMNS[0]]).fit(X, y)
    with pytest.raises(ValueError, match="each once"):
        CombinationRegressor(COLUMNS, by=("leed",)).fit(X, y)
    with pytest.raises(ValueError, match="longer table"):
        CombinationRegressor(COLUMNS, method="stacked", calibration=0.5).fit(X, y.where(y.index == y.index[0]))
    with pytest.raises(ValueError, match="horizons"):
        CombinationRegressor([("a", make_pipe(horizon=3)), ("b", make_pipe(horizon=2))]).fit(X, y)
    fitted = CombinationRegressor(experts()).fit(X, y)
    with pytest.raises(ValueError, match="fit with WindowedRegressor") as error:
        fitted.predict(X, quantiles=[0.1])
    assert "expert 'short'" in "".join(error.value.__notes__)
