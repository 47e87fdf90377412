import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, MultiTaskLasso, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsRegressor

from skts import LSTMRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.exceptions import MissingHistoryWarning
from skts.metrics import ignore_missing
from skts.model_selection import PanelTimeSeriesSplit
from skts.strategies import WindowedRegressor, _design
from tests.strategies._pipes import make_pipe, split

LEADS = pytest.mark.parametrize("leads", ["outputs", "rows"])
trees = HistGradientBoostingRegressor(max_iter=8, min_samples_leaf=5)


class Spy(RegressorMixin, BaseEstimator):
    """Remembers what it was given, and forecasts zero."""

    def __init__(self, allow_nan=False):
        self.allow_nan = allow_nan

    def fit(self, X, y, sample_weight=None):
        self.X_, self.y_, self.weights_ = X, y, sample_weight
        self.asked_ = []
        return self

    def predict(self, X):
        self.asked_.append(X)
        return np.zeros(len(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.allow_nan
        return tags


@pytest.fixture(scope="module")
def panel():
    return make_panel(n_series=2, n_rows=120, random_state=0)


@pytest.fixture(scope="module")
def windows(panel):
    return SlidingWindower(6, 3, known=["wind"]).fit_transform(panel[0])


# --- what is learned --------------------------------------------------------------------------------


def test_outputs_are_one_ridge_on_flattened_windows(panel, windows):
    flat = np.hstack([windows[:].reshape(len(windows), -1), windows.ahead.reshape(len(windows), -1)]).astype(float)
    targets = windows.targets(panel[1])
    expected = Ridge().fit(flat, targets).predict(flat)
    np.testing.assert_allclose(WindowedRegressor(Ridge()).fit(windows, panel[1]).predict(windows), expected, rtol=1e-8)


def test_rows_are_one_ridge_on_every_row_of_every_horizon(panel, windows):
    rows = [[*windows[i].ravel(), *windows.ahead[i, lead], lead + 1] for i in range(len(windows)) for lead in range(3)]
    targets = windows.targets(panel[1])
    expected = Ridge().fit(np.float64(rows), targets.ravel()).predict(np.float64(rows))
    regressor = WindowedRegressor(Ridge(), leads="rows").fit(windows, panel[1])
    np.testing.assert_allclose(regressor.predict(windows), expected.reshape(targets.shape), rtol=1e-8)


def test_one_fit_over_rows_finds_a_law_that_outputs_have_to_find_for_every_lead():
    X, y = make_panel(n_series=1, n_rows=300, noise=0.02, random_state=0)
    X_train, X_test, y_train, y_test = split(X, y, 60)
    direct = WindowedRegressor(trees.__class__(max_iter=30), leads="rows", lags=[1, 2], around=1)
    assert make_pipe(direct).fit(X_train, y_train).score(X_test, y_test) > 0.9


def test_a_forecast_reads_nothing_behind_its_origin_but_known_columns(panel):
    X_train, X_test, y_train, _ = split(*panel, 30)
    for leads in ["outputs", "rows"]:
        pipe = make_pipe(leads=leads, around=2 * (leads == "rows")).fit(X_train, y_train)
        changed = X_test.copy()
        later = X_test.index.get_level_values("time") >= X_test.index[6][1]
        changed.loc[later, "power"] = 9.0
        before = X_test.index.get_level_values("time") < X_test.index[9][1]
        np.testing.assert_array_equal(pipe.predict(X_test)[before], pipe.predict(changed)[before])


# --- what is missing --------------------------------------------------------------------------------


def test_outputs_learn_from_complete_windows_and_rows_from_every_target(panel, windows):
    _, y = panel
    y = y.mask(np.random.default_rng(0).random(len(y)) < 0.3)
    there = ~np.isnan(windows.targets(y))
    outputs = WindowedRegressor(KNeighborsRegressor(1)).fit(windows, y)
    rows = WindowedRegressor(Spy(), leads="rows").fit(windows, y)
    assert outputs.estimators_[0].n_samples_fit_ == there.all(axis=1).sum() < len(windows)
    assert len(rows.estimators_[0].X_) == there.sum()
    np.testing.assert_array_equal(rows.estimators_[0].y_, windows.targets(y)[there])


@pytest.mark.parametrize(("leads", "way_out"), [("outputs", 'leads="rows"'), ("rows", "more complete targets")])
def test_windows_without_a_target_are_refused(panel, windows, leads, way_out):
    _, y = panel
    inside = windows.targets(np.arange(len(y)))
    y = y.mask(np.isin(np.arange(len(y)), inside if leads == "rows" else inside[:, 1]))
    with pytest.raises(ValueError, match=f"none of {len(windows)} windows .*{way_out}"):
        WindowedRegressor(Ridge(), leads=leads).fit(windows, y)


@LEADS
@pytest.mark.parametrize("allow_nan", [False, True])
def test_missing_inputs_reach_only_those_that_allow_them(panel, allow_nan, leads):
    X, y = panel
    pipe = make_pipe(WindowedRegressor(Spy(allow_nan), leads=leads, around=1))
    with pytest.warns(MissingHistoryWarning, match=r"\d+ of 240 forecasts"):
        pipe.fit(X.mask(np.random.default_rng(0).random(X.shape) < 0.2), y).predict(X)
    spy = pipe[-1].estimators_[0]
    spy = spy.estimators_[0] if leads == "outputs" else spy
    assert np.isnan(spy.X_).any() == np.isnan(spy.asked_[0]).any() == allow_nan


# --- what is answered -------------------------------------------------------------------------------


@LEADS
@pytest.mark.parametrize("two", [False, True])
def test_windows_are_answered_by_window_in_training_and_by_row_afterwards(panel, leads, two):
    X_train, X_test, y_train, _ = split(*panel, 10)
    y_train = pd.DataFrame({"a": y_train, "b": -y_train}) if two else y_train
    pipe = make_pipe(leads=leads).fit(X_train, y_train)
    windows = pipe[:-1].fit_transform(X_train)
    assert pipe[-1].predict(windows).shape == (len(windows), 3, *y_train.shape[1:])
    y_pred = pipe.predict(X_test)
    assert y_pred.shape == (len(X_test), *y_train.shape[1:])
    if two:
        np.testing.assert_allclose(y_pred[:, 0], -y_pred[:, 1], atol=1e-5)


@LEADS
def test_forecasts_follow_the_rows_however_they_interleave(panel, leads):
    X_train, X_test, y_train, _ = split(*panel, 10)
    pipe = make_pipe(leads=leads).fit(X_train, y_train)
    mixed = X_test.sort_index(level="time", kind="stable")
    y_pred = pd.Series(pipe.predict(X_test), X_test.index)
    np.testing.assert_allclose(pipe.predict(mixed), y_pred.loc[mixed.index], rtol=1e-5)


@LEADS
@pytest.mark.parametrize("estimator", [Ridge(), trees], ids=["one fit", "one fit per output"])
@pytest.mark.parametrize("shape", [(30,), (30, 1), (30, 2), (30, 4, 2)])
def test_arrays_are_answered_in_the_shape_of_y(shape, estimator, leads):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 5, 2))
    y = X[:, -1, :1].sum(axis=1).reshape(30, *[1] * (len(shape) - 1)) + np.arange(np.prod(shape[1:])).reshape(shape[1:])
    y_pred = WindowedRegressor(estimator, leads=leads).fit(X, y).predict(X)
    assert y_pred.shape == shape
    assert y_pred.dtype == np.float64
    if leads == "outputs":
        np.testing.assert_allclose(y_pred.mean(axis=0), y.mean(axis=0), atol=0.1)


def test_predict_makes_columns_in_chunks(panel, monkeypatch):
    X_train, X_test, y_train, _ = split(*panel, 30)
    pipe = make_pipe(WindowedRegressor(Spy(), leads="rows")).fit(X_train, y_train)
    pipe.predict(X_test)
    monkeypatch.setattr(_design, "_VALUES_OF_CHUNK", 200)
    pipe.predict(X_test)
    whole, *chunks = pipe[-1].estimators_[0].asked_
    assert max(chunk.size for chunk in chunks) <= 200
    np.testing.assert_array_equal(np.concatenate(chunks), whole)


def test_score_leaves_missing_targets_out(panel):
    X_train, X_test, y_train, y_test = split(*panel, 30)
    pipe = make_pipe().fit(X_train, y_train)
    there = np.arange(len(y_test)) % 3 > 0
    assert pipe.score(X_test, y_test.where(there)) == pytest.approx(
        1 - np.mean((pipe.predict(X_test) - y_test)[there] ** 2) / np.var(y_test[there])
    )


# --- the estimator inside ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimator", "leads", "fitted"),
    [
        (Ridge(), "outputs", Ridge),
        (trees, "outputs", MultiOutputRegressor),
        (trees, "rows", HistGradientBoostingRegressor),
        (MultiTaskLasso(), "outputs", MultiTaskLasso),
        (MultiTaskLasso(), "rows", MultiTaskLasso),
    ],
)
def test_only_what_has_one_output_is_cloned_for_several(panel, windows, estimator, leads, fitted):
    regressor = WindowedRegressor(estimator, leads=leads).fit(windows, panel[1])
    assert [type(one) for one in regressor.estimators_] == [fitted]
    assert not hasattr(estimator, "n_features_in_")


@LEADS
def test_weights_repeat_and_leave_out(leads):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((40, 4, 2)), rng.standard_normal((40, 3, 1))
    weights = rng.integers(0, 3, 40)
    weighted = WindowedRegressor(Ridge(), leads=leads).fit(X, y, sample_weight=weights)
    repeated = WindowedRegressor(Ridge(), leads=leads).fit(X.repeat(weights, axis=0), y.repeat(weights, axis=0))
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), atol=1e-5)


def test_weights_follow_the_rows_of_the_table(panel, windows):
    weights = np.random.default_rng(0).integers(0, 3, len(panel[0]))
    by_row = windows.targets(weights)
    rows = WindowedRegressor(Spy(), leads="rows").fit(windows, panel[1], sample_weight=weights)
    np.testing.assert_array_equal(rows.estimators_[0].weights_, by_row[by_row > 0])
    outputs = WindowedRegressor(Spy()).fit(windows, panel[1], sample_weight=weights)
    means = by_row.mean(axis=1)
    np.testing.assert_allclose(outputs.estimators_[0].estimators_[0].weights_, means[means > 0])


def test_weights_are_refused_for_an_estimator_that_takes_none(panel, windows):
    with pytest.raises(ValueError, match=r"KNeighborsRegressor\(\) takes no sample_weight"):
        WindowedRegressor(KNeighborsRegressor()).fit(windows, panel[1], sample_weight=np.ones(len(panel[0])))


def test_a_request_for_weights_brings_them(panel):
    weights = np.arange(len(panel[0])) % 2
    with config_context(enable_metadata_routing=True):
        regressor = WindowedRegressor(Spy(), leads="rows").set_fit_request(sample_weight=True)
        pipe = make_pipe(regressor)[1:].fit(*panel, sample_weight=weights)
    assert set(pipe[-1].estimators_[0].weights_) == {1.0}


# --- quantiles --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimator", "parameter"),
    [
        (HistGradientBoostingRegressor(loss="quantile", max_iter=30, min_samples_leaf=5), "quantile"),
        (GradientBoostingRegressor(loss="quantile", n_estimators=20), "alpha"),
    ],
)
def test_quantiles_hold_their_share_of_the_targets_and_never_cross(panel, windows, estimator, parameter):
    regressor = WindowedRegressor(
        estimator, leads="rows", lags=[1], quantiles=(0.9, 0.1), quantile_parameter=parameter
    ).fit(windows, panel[1])
    assert regressor.levels_ == (0.1, 0.5, 0.9)
    y_pred = regressor.predict(windows, quantiles=[0.1, 0.3, 0.5, 0.9])
    assert (np.diff(y_pred, axis=-1) >= 0).all()
    below = (windows.targets(panel[1])[..., None] <= y_pred).mean(axis=(0, 1))
    np.testing.assert_allclose(below[[0, 2, 3]], [0.1, 0.5, 0.9], atol=0.1)
    np.testing.assert_allclose(y_pred[..., 1], (y_pred[..., 0] + y_pred[..., 2]) / 2)
    np.testing.assert_array_equal(regressor.predict(windows), y_pred[..., 2])


class Constant(RegressorMixin, BaseEstimator):
    """Forecasts one minus its level: levels that cross."""

    def __init__(self, quantile=0.5):
        self.quantile = quantile

    def fit(self, X, y):
        self.fitted_ = True
        return self

    def predict(self, X):
        return np.full(len(X), 1 - self.quantile)


def test_levels_that_cross_are_sorted(panel, windows):
    regressor = WindowedRegressor(Constant(), leads="rows", quantiles=(0.2, 0.6)).fit(windows, panel[1])
    np.testing.assert_allclose(regressor.predict(windows, quantiles=[0.2, 0.5, 0.6])[0, 0], [0.4, 0.5, 0.8])


def test_levels_that_the_estimator_does_not_read_are_told(panel, windows):
    with pytest.warns(UserWarning, match="forecasts the same for the levels 0.1 and 0.9"):
        WindowedRegressor(trees, leads="rows", quantiles=(0.1, 0.9)).fit(windows, panel[1])
    with pytest.raises(ValueError, match=r"quantile_parameter='quantile'\): Ridge\(\) has no such parameter"):
        WindowedRegressor(Ridge(), quantiles=(0.1, 0.9)).fit(windows, panel[1])
    with pytest.raises(ValueError, match=r"fit with WindowedRegressor\(quantiles=\(0.1, 0.5, 0.9\)\) first"):
        WindowedRegressor(Ridge()).fit(windows, panel[1]).predict(windows, quantiles=[0.1])


# --- scikit-learn -----------------------------------------------------------------------------------


def test_a_search_chooses_between_it_and_a_network(panel):
    lstm = LSTMRegressor(hidden_size=2, max_epochs=1, device="cpu", random_state=0)
    grid = [{"regressor": [lstm]}, {"regressor__leads": ["outputs", "rows"], "regressor__lags": [None, range(1, 3)]}]
    scoring = ignore_missing("neg_mean_squared_error")
    search = GridSearchCV(make_pipe(), grid, cv=PanelTimeSeriesSplit(2, test_size=24), scoring=scoring)
    search.fit(*panel)
    assert isinstance(search.best_estimator_[-1], WindowedRegressor)


@LEADS
def test_a_copy_and_a_pickle_forecast_the_same(panel, windows, leads):
    regressor = WindowedRegressor(Ridge(), leads=leads).fit(windows, panel[1])
    y_pred = regressor.predict(windows)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(regressor)).predict(windows), y_pred)
    np.testing.assert_array_equal(clone(regressor).fit(windows, panel[1]).predict(windows), y_pred)


def test_windows_unlike_those_of_fit_are_refused(panel):
    X, y = panel
    fitted = WindowedRegressor(LinearRegression()).fit(SlidingWindower(6, 3, known="wind").fit_transform(X), y)
    for other, what in [
        (SlidingWindower(5, 3, known="wind"), "6 rows of window and is now given 5"),
        (SlidingWindower(6, 2, known="wind"), "3 rows of horizon and is now given 2"),
        (SlidingWindower(6, 3), "1 known columns and is now given 0"),
    ]:
        with pytest.raises(ValueError, match=what):
            fitted.predict(other.fit_transform(X))


def test_a_context_longer_than_the_window_is_refused(panel, windows):
    with pytest.raises(ValueError, match=r"WindowedRegressor\(around=7\) reads further back than the window of 6"):
        WindowedRegressor(Ridge(), leads="rows", around=7).fit(windows, panel[1])


def test_lightgbm_works_without_a_warning(panel):
    lightgbm = pytest.importorskip("lightgbm")
    X_train, X_test, y_train, _ = split(*panel, 30)
    estimator = lightgbm.LGBMRegressor(n_estimators=20, objective="quantile", verbose=-1, n_jobs=1)
    inner = WindowedRegressor(estimator, leads="rows", quantiles=(0.1, 0.9), quantile_parameter="alpha")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pipe = make_pipe(inner).fit(X_train, y_train)
        assert pipe.predict(X_test, quantiles=[0.1, 0.9]).shape == (60, 2)


def test_windows_without_a_length_are_refused(panel):
    whole = SlidingWindower(None, 3, known="wind", history=6).fit_transform(panel[0])
    with pytest.raises(ValueError, match="give it a window"):
        WindowedRegressor(Ridge()).fit(whole, panel[1])


# --- what is read besides the window ------------------------------------------------------------------


def test_no_lags_forecast_from_the_known_columns_alone():
    X, y = make_panel(n_series=2, n_rows=120, random_state=0)
    windows = SlidingWindower(4, 3, known=["wind"]).fit_transform(X)
    regressor = WindowedRegressor(LinearRegression(), leads="rows", lags=()).fit(windows, y)
    changed = SlidingWindower(4, 3, known=["wind"]).fit_transform(X.assign(power=0.0))
    np.testing.assert_array_equal(regressor.predict(windows), regressor.predict(changed))
    assert regressor.estimators_[0].n_features_in_ == 2  # the wind of the hour, and the lead
    with pytest.raises(ValueError, match="neither known nor static columns: give lags"):
        WindowedRegressor(LinearRegression(), lags=()).fit(SlidingWindower(4, 3).fit_transform(X), y)


def test_rows_after_the_horizon_are_read_as_far_as_they_are_known():
    """The target is the wind of the next hour: of the last lead nobody can know it without a lookahead."""
    X, _ = make_panel(n_series=1, n_rows=200, random_state=0)
    y = X["wind"].shift(-1)
    windows = SlidingWindower(2, 3, known=["wind"]).fit_transform(X)
    errors = {}
    for lookahead in (0, 1):
        regressor = WindowedRegressor(LinearRegression(), leads="rows", lags=(), around=1, lookahead=lookahead)
        change = regressor.fit(windows, y).predict(windows) - windows.targets(y)
        errors[lookahead] = np.abs(change[:-1, -1]).max()
        assert regressor.lookahead_ == lookahead
    assert errors[1] < 1e-3 < errors[0]


@pytest.mark.parametrize("trees", [HistGradientBoostingRegressor(max_iter=30), LinearRegression()])
def test_the_number_of_the_series_may_be_a_column(trees):
    X, _ = make_panel(n_series=3, n_rows=80, random_state=0)
    y = pd.Series(np.repeat([0.0, 10.0, 2.0], 80), index=X.index)
    windows = SlidingWindower(2, 2, known=["wind"]).fit_transform(X)
    plain, told = (
        WindowedRegressor(trees, leads="rows", lags=(), series=series).fit(windows, y) for series in (False, True)
    )
    spread = [np.abs(each.predict(windows) - windows.targets(y)).mean() for each in (plain, told)]
    if isinstance(trees, HistGradientBoostingRegressor):
        assert told.estimators_[0].categorical_features == [1]
        assert spread[1] < 0.1 * spread[0]
    assert told.estimators_[0].n_features_in_ == plain.estimators_[0].n_features_in_ + 1


def test_the_number_of_the_series_is_a_category_for_lightgbm():
    lightgbm = pytest.importorskip("lightgbm")
    X, _ = make_panel(n_series=3, n_rows=80, random_state=0)
    windows = SlidingWindower(2, 2, known=["wind"]).fit_transform(X)
    y = pd.Series(np.repeat([0.0, 10.0, 2.0], 80), index=X.index)
    for leads, column in (("rows", 1), ("outputs", 2)):
        boosting = lightgbm.LGBMRegressor(n_estimators=3, min_child_samples=5, verbose=-1, n_jobs=1)
        fitted = WindowedRegressor(boosting, leads=leads, lags=(), series=True).fit(windows, y).estimators_[0]
        inner = fitted if leads == "rows" else fitted.estimators_[0]
        assert inner.booster_.dump_model()["feature_infos"][f"Column_{column}"]["values"]  # of a category alone


# --- bounds, and rows known to be zero ----------------------------------------------------------------


@pytest.fixture(scope="module")
def parks():
    """Windows of two parks of different capacity, dark by night; their power; and which rows are dark."""
    times = pd.date_range("2024-01-01", periods=120, freq="h")
    index = pd.MultiIndex.from_product([["a", "b"], times], names=["park", "time"])
    capacity = index.get_level_values("park").map({"a": 1.0, "b": 4.0}).to_numpy(dtype=float)
    is_day = np.asarray((index.get_level_values("time").hour >= 6), dtype=float)
    wind = np.random.default_rng(0).normal(0.5, 0.6, len(index))
    X = pd.DataFrame({"wind": wind, "is_day": is_day, "capacity": capacity}, index=index)
    windows = SlidingWindower(3, 6, known=["wind", "is_day"], static=["capacity"]).fit_transform(X)
    return windows, pd.Series(wind.clip(0, 1) * capacity * is_day, index=index), pd.Series(is_day == 0, index=index)


@LEADS
def test_no_forecast_lies_beyond_the_capacity_of_its_series(parks, leads):
    windows, y, _ = parks
    free = WindowedRegressor(LinearRegression(), leads=leads, lags=()).fit(windows, y).predict(windows)
    bounded = WindowedRegressor(LinearRegression(), leads=leads, lags=(), bounds=(0, "capacity")).fit(windows, y)
    capacity = windows.static[windows.series]
    assert (free < 0).any()
    assert (free > capacity).any()
    np.testing.assert_array_equal(bounded.predict(windows), free.clip(0, capacity))


def test_what_is_known_to_be_zero_is_answered_so_and_teaches_nothing(parks):
    windows, y, is_dark = parks
    boosting = GradientBoostingRegressor(loss="quantile", n_estimators=5, random_state=0)
    regressor = WindowedRegressor(
        boosting,
        leads="rows",
        lags=(),
        quantiles=(0.1, 0.9),
        quantile_parameter="alpha",
        bounds=(0, 9),
        active="is_day",
    )
    levels, dark = [0.1, 0.5, 0.9], windows.targets(is_dark)
    y_pred = regressor.fit(windows, y).predict(windows, quantiles=levels)
    assert (y_pred[dark] == 0).all()
    assert (y_pred[~dark][:, 2] > 0).all()
    other = y.mask(is_dark, 8.0)  # the nights say something else, and nobody listens
    np.testing.assert_array_equal(
        clone(regressor).fit(windows, other).predict(windows, quantiles=[0.1, 0.5, 0.9]), y_pred
    )
    np.testing.assert_array_equal(regressor.predict(windows), y_pred[..., 1])
    listening = clone(regressor).set_params(active=None).fit(windows, other).predict(windows)
    assert (listening[dark] > 1).all()


def test_all_leads_at_once_cannot_leave_rows_out(parks):
    with pytest.raises(ValueError, match=r'active=\'is_day\', leads="outputs"\) .* give leads="rows"'):
        WindowedRegressor(LinearRegression(), active="is_day").fit(*parks[:2])
    with pytest.raises(ValueError, match=r"WindowedRegressor\(bounds=\(0, 'height'\)\): 'height' is no static column"):
        WindowedRegressor(LinearRegression(), bounds=(0, "height")).fit(*parks[:2])


def test_one_side_may_be_without_a_bound(parks):
    windows, y, _ = parks
    regressor = WindowedRegressor(LinearRegression(), leads="rows", lags=(), bounds=(0, None)).fit(windows, y)
    free = WindowedRegressor(LinearRegression(), leads="rows", lags=()).fit(windows, y).predict(windows)
    np.testing.assert_array_equal(regressor.predict(windows), free.clip(0))
