import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_selector
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skts import DLinearRegressor, HistoryPrepender, SlidingWindower
from skts.features import CalendarFeatures
from skts.inspection import feature_importance
from skts.inspection._feature_importance import take_columns_of
from skts.metrics import make_quantile_scorer, mean_quantile_loss
from skts.model_selection import PanelTimeSeriesSplit
from skts.strategies import PerSeriesRegressor, WindowedRegressor
from tests._callbacks import Recorder

pytestmark = pytest.mark.filterwarnings("ignore::skts.exceptions.KnownTargetWarning")  # the target is what is known

N_TRAIN, N_NEW = 700, 700


def make_table(names=("a", "b"), seed=0, n_rows=N_TRAIN + N_NEW):
    """Columns of noise, and the hour of the day, for each series."""
    rng = np.random.default_rng(seed)
    times = pd.date_range("2024-01-01", periods=n_rows, freq="h", name="time")
    index = pd.MultiIndex.from_product([names, times], names=["station", "time"])
    columns = {name: rng.normal(size=len(index)) for name in ("wind", "other", "power")}
    return pd.DataFrame(columns, index=index), 2 * np.pi * np.asarray(index.get_level_values("time").hour) / 24


def split(X, y):
    is_new = np.asarray(X.index.get_level_values("time") >= X.index.get_level_values("time")[N_TRAIN])
    return X[~is_new], y[~is_new], X[is_new], y[is_new]


def make_pipe(regressor=None, window=4, horizon=3, known=("wind", "other")):
    return make_pipeline(
        HistoryPrepender(window),
        SlidingWindower(window, horizon, known=list(known)),
        regressor or WindowedRegressor(Ridge(), around=0),
    )


def measure(X, y, pipe=None, **options):
    X_train, y_train, X_new, y_new = split(X, y)
    pipe = (pipe or make_pipe()).fit(X_train, y_train)
    return feature_importance(pipe, X_new, y_new, **{"random_state": 0, "n_repeats": 4} | options)


def test_a_target_of_one_column_gives_it_all_the_importance():
    X, _ = make_table()
    result = measure(X, X["wind"] * 3)
    assert result.names == ["wind", "other", "power"]
    assert result.table.index[0] == "wind"
    # 3 times the mean difference of two independent normal values
    assert result.importances_mean[0] == pytest.approx(3 * 2 / np.pi**0.5, rel=0.1)
    assert (result.low[0] > 1, (np.abs(result.importances_mean[1:]) < 1e-2).all()) == (True, True)


def test_the_interval_of_what_says_nothing_holds_nought():
    held = []
    for seed in range(8):
        X, _ = make_table(["a"], seed=seed)
        noise = np.random.default_rng(seed + 100).normal(size=len(X))
        result = measure(X, X["wind"] + noise)
        held.append((result.low < 0) & (result.high > 0))
    wind, *others = np.mean(held, axis=0)
    assert wind == 0
    assert np.mean(others) > 0.8  # 19 of 20 in the long run; of the repeats alone, a third


def test_columns_that_say_the_same_matter_together():
    X, _ = make_table()
    X = X.assign(twin=X["wind"])
    groups = {"wind": "wind", "twin": ["twin"], "both": make_column_selector("wind|twin")}
    pipe = make_pipe(known=["wind", "other", "twin"])
    wind, twin, both = measure(X, X["wind"], pipe, groups=groups).importances_mean
    assert wind == pytest.approx(twin, rel=0.01)
    assert both == pytest.approx(2 * wind, rel=0.01)  # a linear model that halves its weight


def test_the_score_falls_by_what_permuting_by_hand_takes():
    X, _ = make_table(["a"])
    X_train, y_train, X_new, y_new = split(X, X["wind"] + 0.5 * X["power"])
    pipe = make_pipe(window=24, horizon=24).fit(X_train, y_train)
    result = feature_importance(pipe, X_new, y_new, groups={"wind": "wind"}, block=336, n_repeats=3, random_state=0)
    swapped = X_new.copy()  # two blocks of two weeks: there is one way
    swapped["wind"] = np.concatenate([X_new["wind"][336:672], X_new["wind"][:336], X_new["wind"][672:]])
    counts = slice(24, 672)  # whose past lies in the table, and which have changed places
    score = -mean_absolute_error(y_new[counts], pipe.predict(swapped)[counts])
    baseline = -mean_absolute_error(y_new[counts], pipe.predict(X_new)[counts])
    np.testing.assert_allclose(result.importances, [[baseline - score] * 3])
    assert result.baseline_score == pytest.approx(baseline)
    assert result.block == 336


def test_any_past_with_the_daily_cycle_will_do_where_the_target_is_no_more_than_that():
    X, hour = make_table(["a"])
    X["power"] = y = pd.Series(np.sin(hour), X.index) + 0.3 * X["other"]
    X_train, y_train, X_new, y_new = split(X[["power"]], y)
    pipe = make_pipeline(HistoryPrepender(24), SlidingWindower(24, 24), WindowedRegressor(Ridge()))
    pipe.fit(X_train, y_train)
    blocks = feature_importance(pipe, X_new, y_new, n_repeats=5, random_state=0)
    rows = permutation_importance(pipe, X_new, y_new, scoring="neg_mean_absolute_error", random_state=0)
    assert blocks.low[0] < 0 < blocks.high[0] < 0.05
    assert rows.importances_mean[0] > 0.3  # a day whose hours come in no order has never been
    free = feature_importance(pipe, X_new, y_new, same_hour=False, random_state=0)
    assert free.low[0] > 0.1  # the past tells the hour


def test_the_calendar_that_a_step_makes_is_found_among_the_features():
    X, hour = make_table(["a"])
    y = pd.Series(np.sin(hour), X.index) + X["wind"]
    steps = make_pipe(known=["wind", "other", "hour_sin", "hour_cos"])
    pipe = make_pipeline(CalendarFeatures(["hour"]), StandardScaler(), *steps).set_output(transform="pandas")
    X_train, y_train, X_new, y_new = split(X, y)
    search = GridSearchCV(pipe, {"slidingwindower__window": [4]}, cv=PanelTimeSeriesSplit(2))
    search.fit(X_train, y_train)
    groups = {"calendar": make_column_selector("hour_"), "wind": "wind", "other": "other"}
    options = {"n_repeats": 3, "random_state": 0}
    result = feature_importance(search, X_new, y_new, groups=groups, at="features", **options)
    calendar, wind, other = result.importances_mean
    assert result.same_hour.tolist() == [False, True, True]  # whole days would have left the hour as it is
    assert calendar > 0.5
    assert wind > 0.5
    assert abs(other) < 0.02
    raw = feature_importance(FrozenEstimator(search), X_new, y_new, groups={"wind": "wind"}, **options)
    np.testing.assert_allclose(raw.importances, result.importances[[1]], rtol=1e-4)


def test_features_of_a_plain_pipeline_are_what_its_last_step_is_given():
    X, hour = make_table()
    X_train, y_train, X_new, y_new = split(X, pd.Series(np.sin(hour), X.index))
    pipe = make_pipeline(CalendarFeatures(["hour"]), LinearRegression()).set_output(transform="pandas")
    result = feature_importance(pipe.fit(X_train, y_train), X_new, y_new, at="features", random_state=0)
    assert result.table.index[0] == "hour_sin"
    assert result.names == ["wind", "other", "power", "hour_sin", "hour_cos"]
    np.testing.assert_allclose(result.importances_mean[[0, 1, 2, 4]], 0, atol=1e-6)


def test_arrays_and_regressors_without_windows_will_do():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 2))
    y = X[:, 0].copy()
    model = LinearRegression().fit(X[:300], y[:300])
    result = feature_importance(model, X[300:], y[300:], random_state=0)
    assert (result.block, result.names, result.same_hour.any()) == (1, [0, 1], False)
    assert result.importances_mean == pytest.approx([2 / np.pi**0.5, 0], abs=0.1)
    expected = permutation_importance(model, X[300:], y[300:], scoring="neg_mean_absolute_error", random_state=0)
    assert result.importances_mean == pytest.approx(expected.importances_mean, rel=0.1, abs=1e-6)


@pytest.mark.filterwarnings("ignore::skts.exceptions.MissingHistoryWarning")  # the hole
def test_series_of_other_spans_holes_and_missing_targets_will_do():
    X, _ = make_table(["a", "b", "c"])
    y = X["wind"].where(np.arange(len(X)) % 5 > 0)
    times = X.index.get_level_values("time")
    gone = (X.index.get_level_values(0) == "b") & (times > times[1100])
    gone |= (X.index.get_level_values(0) == "c") & (times.hour == 3) & (times.day == 20)
    result = measure(X[~gone], y[~gone])
    assert result.importances_mean[0] == pytest.approx(2 / np.pi**0.5, rel=0.1)
    assert np.isfinite(result.table[["low", "high"]].to_numpy()).all()


def test_the_estimator_and_the_table_stay_as_they_are():
    X, _ = make_table()
    X_train, y_train, X_new, y_new = split(X, X["wind"])
    pipe, was = make_pipe().fit(X_train, y_train), X_new.copy()
    before = pipe.predict(X_new)
    first, second = (feature_importance(pipe, X_new, y_new, n_repeats=2, random_state=3) for _ in range(2))
    pd.testing.assert_frame_equal(X_new, was)
    np.testing.assert_array_equal(pipe.predict(X_new), before)
    np.testing.assert_array_equal(first.importances, second.importances)


def test_other_scores_fall_alike():
    X, _ = make_table()
    r2 = measure(X, X["wind"], scoring="r2")
    assert r2.baseline_score == pytest.approx(1, abs=0.01)
    assert r2.importances_mean[0] == pytest.approx(2, rel=0.1)  # errors of twice the variance
    net = DLinearRegressor(kernel_size=3, max_epochs=1, quantiles=(0.1, 0.9), random_state=0, device="cpu")
    scorer = make_quantile_scorer(mean_quantile_loss, [0.1, 0.9])
    losses = measure(X, X["wind"], make_pipe(net), scoring=scorer, n_repeats=1)
    assert losses.table.index[0] == "wind"


def test_columns_may_be_named_by_tuples():
    X, _ = make_table()
    y = X["wind"]
    X.columns = pd.MultiIndex.from_product([["u"], X.columns])
    result = feature_importance(Ridge().fit(X.to_numpy(), y), X, y, n_repeats=1, random_state=0)
    assert result.table.index[0] == ("u", "wind")


def test_columns_of_any_kind_change_places():
    table = pd.DataFrame({"kind": pd.Categorical(["x", "y", "x"]), "n": [1, 2, 3], "flag": [True, False, False]})
    permuted = take_columns_of(table, np.array([0, 2]), np.array([2, 0, 1]))
    expected = table.assign(kind=table["kind"].iloc[[2, 0, 1]].array, flag=[False, True, False])
    pd.testing.assert_frame_equal(permuted, expected)


def test_a_table_of_less_than_two_blocks_is_refused():
    X, _ = make_table()
    with pytest.raises(ValueError, match="two blocks of 600 rows, which change places, are needed, and X has 700"):
        measure(X, X["wind"], block=600)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"block": 100}, "block=100, same_hour=True.*a day has 24 rows"),
        ({"groups": {"calendar": "hour_sin"}}, "groups={'calendar': ...}.*no column 'hour_sin'"),
        ({"groups": {"none": []}}, "has no columns"),
        ({"groups": {}}, "at least one group"),
    ],
)
def test_what_cannot_be_permuted_is_refused(options, message):
    X, _ = make_table()
    with pytest.raises(ValueError, match=message):
        measure(X, X["wind"], **options)


def test_an_unknown_column_of_the_input_may_be_a_feature():
    X, _ = make_table()
    with pytest.raises(ValueError, match="no column") as error:
        measure(X, X["wind"], groups={"calendar": "hour_sin"})
    assert 'at="features"' in error.value.__notes__[0]


def test_features_of_what_is_no_pipeline_are_refused():
    X, _ = make_table()
    with pytest.raises(ValueError, match="PerSeriesRegressor has its windower inside"):
        measure(X, X["wind"], PerSeriesRegressor(make_pipe()), at="features")


def test_callbacks_of_the_estimator_are_told_of_every_permutation(capsys):
    X, _ = make_table()
    X_train, y_train, X_new, y_new = split(X, X["wind"])
    pipe, recorder, options = make_pipe().fit(X_train, y_train), Recorder(), {"n_repeats": 2, "random_state": 0}
    quiet = feature_importance(pipe, X_new, y_new, **options)
    assert capsys.readouterr().out == ""
    told = feature_importance(pipe.set_callbacks(recorder), X_new, y_new, verbose=1, **options)
    assert recorder.n_subtasks["feature_importance", "permutations"] == 6
    assert recorder.ended("permutation") == [0, 1, 2, 3, 4, 5]
    assert recorder.events.count("teardown") == 1
    assert "feature_importance - permutations" in capsys.readouterr().out
    assert told.table.equals(quiet.table)
