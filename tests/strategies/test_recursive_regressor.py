import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.callback import ProgressBar
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV

from skts import HistoryPrepender, LSTMRegressor
from skts.datasets import make_panel
from skts.exceptions import MissingHistoryWarning, ShortSeriesError, UnseenSeriesWarning
from skts.metrics import ignore_missing
from skts.model_selection import PanelTimeSeriesSplit
from skts.strategies import FitInProcess, PerSeriesRegressor, RecursiveRegressor, WindowedRegressor
from tests._panels import by_series, split_panels
from tests.strategies._pipes import make_pipe, split


@pytest.fixture(scope="module")
def parts():
    return split(*make_panel(n_series=2, n_rows=150, random_state=0), 40)


def grow(pipe, X, horizon, column):
    """Forecast a table that grows by one block of each series at a time, and keep the last block."""
    X, forecasts = X.copy(), np.full(len(X), np.nan)
    blocks = np.empty(len(X), dtype=int)
    for rows in by_series(X).values():
        for hour, row in rows:
            blocks[row] = (hour - rows[0][0]) // horizon
    for block in range(blocks.max() + 1):
        here = blocks[blocks <= block] == block
        forecasts[blocks == block] = pipe.predict(X[blocks <= block])[here]
        X[column] = X[column].where((blocks != block) | X[column].notna(), forecasts)
    return forecasts


def grow_by_time(pipe, X, horizon=3):
    X, times = X.copy(), X.index.get_level_values("time").unique()
    for start in range(0, len(times), horizon):
        seen = X.index.get_level_values("time") <= times[min(start + horizon, len(times)) - 1]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MissingHistoryWarning)
            y_pred = pd.Series(pipe.predict(X[seen]), X[seen].index)
        X["power"] = X["power"].fillna(y_pred)
    return X["power"]


class Echo(RegressorMixin, BaseEstimator):
    """Forecasts from every row of a window, learning nothing."""

    def fit(self, X, y):
        self.fitted_ = True
        return self

    def predict(self, X):
        weights = 1 / np.arange(2.0, X.window + 2)
        level = np.nan_to_num(X[:][..., 0], nan=-0.5) @ weights / 3
        return X.to_rows(level[:, None] + 0.1 * np.arange(X.horizon))


@settings(max_examples=20, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(split_panels(max_overlap=3), st.integers(1, 3), st.integers(1, 5), st.sampled_from([0.0, 0.3, 1.0]))
@pytest.mark.filterwarnings("ignore::skts.exceptions.ShortSeriesWarning")
@pytest.mark.filterwarnings("ignore::skts.exceptions.UnseenSeriesWarning")
def test_it_forecasts_as_a_table_that_grows_block_by_block(train_and_new, horizon, window, share):
    train, new = train_and_new
    new = new.assign(seen=new["seen"].mask(np.random.default_rng(0).random(len(new)) < share))
    regressor = RecursiveRegressor(make_pipe(Echo(), window, horizon, known=None), "seen")
    try:
        regressor.fit(train, train["seen"])
    except ShortSeriesError:
        reject()
    np.testing.assert_allclose(regressor.predict(new), grow(regressor.estimator_, new, horizon, "seen"), rtol=1e-5)


def test_one_step_of_a_line_is_its_power_after_many():
    y = 5 * 0.9 ** np.arange(60.0)
    X = pd.DataFrame({"power": y}, index=pd.date_range("2024", periods=60, freq="h"))
    pipe = make_pipe(WindowedRegressor(LinearRegression()), 1, 1, known=None)
    regressor = RecursiveRegressor(pipe, "power").fit(X[:30], X["power"][:30])
    np.testing.assert_allclose(regressor.predict(X[30:] * np.nan), y[30:], rtol=1e-3)


@pytest.mark.parametrize("estimator", [None, LSTMRegressor(hidden_size=4, max_epochs=1, device="cpu", random_state=0)])
def test_where_the_truth_is_there_it_is_the_estimator_itself(parts, estimator):
    X_train, X_test, y_train, _ = parts
    regressor = RecursiveRegressor(make_pipe(estimator), "power").fit(X_train, y_train)
    np.testing.assert_array_equal(regressor.predict(X_test), regressor.estimator_.predict(X_test))


def test_a_network_feeds_on_its_own_forecasts(parts):
    X_train, X_test, y_train, _ = parts
    lstm = LSTMRegressor(hidden_size=4, max_epochs=2, device="cpu", random_state=0)
    regressor = RecursiveRegressor(make_pipe(lstm), "power").fit(X_train, y_train)
    X_test = X_test.assign(power=np.nan)
    np.testing.assert_allclose(regressor.predict(X_test), grow_by_time(regressor.estimator_, X_test), atol=1e-5)


def test_rows_forecasts_in_their_order_however_they_interleave(parts):
    X_train, X_test, y_train, _ = parts
    regressor = RecursiveRegressor(make_pipe(), "power").fit(X_train, y_train)
    future = X_test.assign(power=np.nan)
    mixed = future.sort_index(level="time", kind="stable")
    y_pred = pd.Series(regressor.predict(future), future.index)
    np.testing.assert_allclose(regressor.predict(mixed), y_pred.loc[mixed.index], atol=1e-5)


def test_arrays_and_several_targets():
    X, y = make_panel(n_series=1, n_rows=100, random_state=0)
    table = np.column_stack([y, -y, X["wind"]])
    pipe = make_pipe(known=[2]).set_output(transform="default")
    regressor = RecursiveRegressor(pipe, [0, 1]).fit(table[:70], table[:70, :2])
    future = table[70:].copy()
    future[:, :2] = np.nan
    y_pred = regressor.predict(future)
    alone = RecursiveRegressor(make_pipe(), "power").fit(X[:70], y[:70]).predict(X[70:].assign(power=np.nan))
    np.testing.assert_allclose(y_pred[:, 0], -y_pred[:, 1], atol=1e-4)
    np.testing.assert_allclose(y_pred[:, 0], alone, atol=1e-2)
    assert np.isnan(future[:, :2]).all()
    with pytest.raises(ValueError, match=r"target=0\) names 1 columns, and the estimator forecasts 2 values"):
        RecursiveRegressor(pipe, 0).fit(table[:70], table[:70, :2]).predict(future)


def test_columns_keep_their_dtype_and_the_table_is_left_alone(parts):
    X_train, X_test, y_train, _ = parts
    seen = []

    class Spy(HistoryPrepender):
        def transform(self, X):
            seen.append(X.dtypes.to_dict())
            return super().transform(X)

    pipe = make_pipe().set_params(scale="passthrough", history=Spy(6))
    future = X_test.assign(power=np.nan).astype({"power": "float32"})
    before = future.copy()
    RecursiveRegressor(pipe, "power").fit(X_train.astype({"power": "float32"}), y_train).predict(future)
    pd.testing.assert_frame_equal(future, before)
    assert len(seen) > 2
    assert all(dtypes == future.dtypes.to_dict() for dtypes in seen)


def test_it_warns_of_what_the_forecasts_rests_on_and_no_more(parts):
    X_train, X_test, y_train, _ = parts
    regressor = RecursiveRegressor(make_pipe(), "power").fit(X_train, y_train)
    future = X_test.assign(power=np.nan)
    regressor.predict(future)
    future.iloc[20, 1] = np.nan
    with pytest.warns(MissingHistoryWarning) as caught:
        regressor.predict(future)
    assert len(caught) == 1
    unseen = future.rename(index={"station_1": "station_9"})
    with pytest.warns((MissingHistoryWarning, UnseenSeriesWarning)) as caught:
        regressor.predict(unseen)
    assert len(caught) == 2


def test_quantiles_are_passed_on(parts):
    X_train, X_test, y_train, _ = parts
    trees = HistGradientBoostingRegressor(loss="quantile", max_iter=5, min_samples_leaf=5)
    pipe = make_pipe(WindowedRegressor(trees, leads="rows", quantiles=(0.1, 0.9)))
    regressor = RecursiveRegressor(pipe, "power").fit(X_train, y_train)
    future = X_test.assign(power=np.nan)
    y_pred = regressor.predict(future, quantiles=[0.1, 0.5])
    assert y_pred.shape == (80, 2)
    np.testing.assert_allclose(y_pred[:, 1], regressor.predict(future))


def test_horizon_and_history_are_found_in_pipelines_searches_and_frozen_estimators(parts):
    X_train, X_test, y_train, _ = parts
    grid = {"windows__horizon": [4], "history__length": [8], "windows__window": [8]}
    scoring = ignore_missing("neg_mean_squared_error")
    search = GridSearchCV(make_pipe(), grid, cv=PanelTimeSeriesSplit(2, test_size=24), scoring=scoring)
    frozen = FrozenEstimator(make_pipe(window=8, horizon=4).fit(X_train, y_train))
    around = [PerSeriesRegressor(make_pipe(None, 8, 4)), FitInProcess(make_pipe(None, 8, 4))]
    for estimator in [make_pipe(window=8, horizon=4), search, frozen, *around]:
        regressor = RecursiveRegressor(estimator, "power").fit(X_train, y_train)
        assert (regressor.horizon_, regressor.history_) == (4, 8)
        assert np.isfinite(regressor.predict(X_test.assign(power=np.nan))).all()


def test_it_can_be_searched_copied_and_pickled(parts):
    X_train, X_test, y_train, _ = parts
    scoring = ignore_missing("neg_mean_squared_error")
    grid = {"estimator__regressor__estimator__alpha": [0.1, 1.0]}
    recursive = RecursiveRegressor(make_pipe(), "power")
    search = GridSearchCV(recursive, grid, cv=PanelTimeSeriesSplit(2, test_size=24), scoring=scoring)
    fitted = search.fit(X_train, y_train).best_estimator_
    future = X_test.assign(power=np.nan)
    y_pred = fitted.predict(future)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict(future), y_pred)
    np.testing.assert_array_equal(clone(fitted).fit(X_train, y_train).predict(future), y_pred)


def test_callbacks_reach_the_estimator(parts, capsys):
    pytest.importorskip("rich")
    recursive = RecursiveRegressor(make_pipe(), "power").set_callbacks(ProgressBar())
    recursive.fit(parts[0], parts[2])
    assert "RecursiveRegressor - estimator | Pipeline" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("pipe", "kwargs", "message"),
    [
        (make_pipe(known=["power", "wind"]), {"target": "power"}, r"takes \['power'\] for known"),
        (make_pipe(), {"target": "powr"}, "Did you mean 'power'"),
        (make_pipe(), {"target": "power", "horizon": 2}, r"horizon=2\).*are \[3\]"),
        (Ridge(), {"target": "power"}, r"horizon=None\).*are \[\]"),
        (Ridge(), {"target": "power", "horizon": 2}, "give history"),
    ],
)
def test_what_cannot_be_fitted_says_why(parts, pipe, kwargs, message):
    with pytest.raises(ValueError, match=message):
        RecursiveRegressor(pipe, **kwargs).fit(parts[0], parts[2])


def in_search(pipe, grid=None):
    scoring = ignore_missing("neg_mean_squared_error")
    grid = grid or {"regressor__estimator__alpha": [1.0]}
    return GridSearchCV(pipe, grid, cv=PanelTimeSeriesSplit(2), scoring=scoring)


NESTINGS = {
    "PerSeriesRegressor": PerSeriesRegressor,
    "FitInProcess": FitInProcess,
    "GridSearchCV": in_search,
    "GridSearchCV in a FitInProcess": lambda pipe: FitInProcess(in_search(pipe)),
    "PerSeriesRegressor in a GridSearchCV": lambda pipe: in_search(PerSeriesRegressor(pipe), {"n_jobs": [1]}),
    "TransformedTargetRegressor": TransformedTargetRegressor,
}


@pytest.mark.filterwarnings("ignore::skts.exceptions.KnownTargetWarning")
@pytest.mark.parametrize("around", NESTINGS.values(), ids=NESTINGS)
@pytest.mark.parametrize("known", [["power"], lambda X: list(X.columns)])
def test_its_own_target_is_not_known_however_deep_the_windower_stands(parts, around, known):
    with pytest.raises(ValueError, match=r"SlidingWindower takes \['power'\] for known"):
        RecursiveRegressor(around(make_pipe(known=known)), "power").fit(parts[0], parts[2])


@pytest.mark.filterwarnings("ignore::skts.exceptions.KnownTargetWarning")
def test_its_own_target_is_not_known_to_a_frozen_estimator(parts):
    for estimator in (make_pipe(known=["power"]), PerSeriesRegressor(make_pipe(known=["power"]))):
        frozen = FrozenEstimator(estimator.fit(parts[0], parts[2]))
        with pytest.raises(ValueError, match=r"SlidingWindower takes \['power'\] for known"):
            RecursiveRegressor(frozen, "power").fit(parts[0], parts[2])


@pytest.mark.filterwarnings("ignore::skts.exceptions.KnownTargetWarning")
def test_its_own_target_is_not_known_to_an_array(parts):
    table, y = parts[0].loc["station_0"].to_numpy(), parts[2].loc["station_0"].to_numpy()
    pipe = make_pipe(known=[0]).set_output(transform="default")
    with pytest.raises(ValueError, match=r"SlidingWindower takes \[0\] for known"):
        RecursiveRegressor(pipe, 0).fit(table, y)


def test_a_target_that_is_known_by_name_is_refused_before_anything_is_fitted(parts):
    pipe = make_pipe(DummyRegressor(strategy="no such strategy"), known=["power"])
    with pytest.raises(ValueError, match="for known over the horizon"):
        RecursiveRegressor(PerSeriesRegressor(pipe), "power").fit(parts[0], parts[2])


def test_a_search_may_choose_what_is_known(parts):
    pipe = in_search(make_pipe(known=["power"]), {"windows__known": [["wind"]]})
    RecursiveRegressor(pipe, "power").fit(parts[0], parts[2])


def test_an_estimator_that_loses_rows_is_refused(parts):
    X_train, X_test, y_train, _ = parts
    pipe = make_pipe().set_params(history="passthrough")
    with pytest.raises(ValueError, match=r"gave 68 for 80 rows: put HistoryPrepender\(6\)"):
        RecursiveRegressor(pipe, "power").fit(X_train, y_train).predict(X_test)
