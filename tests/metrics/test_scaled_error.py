import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyRegressor
from sklearn.metrics import make_scorer, mean_absolute_error, root_mean_squared_error
from sklearn.model_selection import cross_val_score

from skts.exceptions import PanelIndexError
from skts.metrics import mean_absolute_scaled_error, root_mean_squared_scaled_error
from skts.model_selection import PanelTimeSeriesSplit
from tests._panels import HOURS, make_table, ragged_panels, where

BOTH = {"mase": mean_absolute_scaled_error, "rmsse": root_mean_squared_scaled_error}
both = pytest.mark.parametrize("metric", BOTH.values(), ids=BOTH)


def make_series(places, values):
    return pd.Series(values, index=make_table(places).index, dtype=float)


def test_one_series_by_hand():
    # training errs by 1, 2 and 3: 2 on average and 14 / 3 in squares; the forecast by 3 and 1: 2 and 5
    y_train, y_true, y_pred = [0.0, 1.0, 3.0, 0.0], [5.0, 5.0], [8.0, 4.0]
    assert mean_absolute_scaled_error(y_true, y_pred, y_train=y_train) == pytest.approx(1.0)
    assert root_mean_squared_scaled_error(y_true, y_pred, y_train=y_train) == pytest.approx(np.sqrt(5 / (14 / 3)))


def test_the_season_by_hand():
    # two rows apart: errors 3 and -1
    assert mean_absolute_scaled_error([5.0], [6.0], y_train=[0.0, 1.0, 3.0, 0.0], seasonality=2) == 1 / 2
    assert root_mean_squared_scaled_error([5.0], [6.0], y_train=[0.0, 1.0, 3.0, 0.0], seasonality=2) == np.sqrt(1 / 5)


def test_pairs_are_counted_on_the_grid_and_not_in_the_order_of_the_rows():
    # hours 0, 1, 3 (of which 2 is a gap) and 4, 5 (missing): 0-1 and 3-4 are pairs, 1-3 and 4-5 are none
    y_train = make_series([("a", hour) for hour in (0, 1, 3, 4, 5)], [0.0, 2.0, 100.0, 104.0, np.nan])
    y_true = make_series([("a", 7)], [5.0])
    assert mean_absolute_scaled_error(y_true, [8.0], y_train=y_train) == 1.0
    # two hours apart: 1-3 (98) alone, since 3-5 ends in a hole
    assert mean_absolute_scaled_error(y_true, [8.0], y_train=y_train, seasonality=2) == 3 / 98


def oracle(y_true, y_pred, y_train, seasonality, weight, power):
    """Average over series, each in plain dictionaries of hours."""
    train = dict(zip(where(y_train), y_train, strict=True))
    rows = [
        (*place, target, forecast, w)
        for place, target, forecast, w in zip(where(y_true), y_true, y_pred, weight, strict=True)
        if not np.isnan(target)
    ]
    of_series = []
    for series in {row[0] for row in rows}:
        naive = [
            abs(value - train[series, hour - seasonality]) ** power
            for (name, hour), value in train.items()
            if name == series and (series, hour - seasonality) in train
        ]
        naive = [error for error in naive if not np.isnan(error)]
        if not naive or not np.mean(naive):
            return None
        mine = [row for row in rows if row[0] == series]
        error = np.average([abs(row[2] - row[3]) ** power for row in mine], weights=[row[4] for row in mine])
        of_series.append((error / np.mean(naive)) ** (1 / power))
    return np.mean(of_series)


@settings(deadline=None, max_examples=60)
@given(ragged_panels(), st.integers(1, 4), st.integers(0, 99))
def test_ragged_panels_score_as_series_by_series(X, seasonality, seed):
    rng = np.random.default_rng(seed)
    y = pd.Series(np.where(rng.random(len(X)) < 0.15, np.nan, rng.integers(0, 50, len(X))), index=X.index)
    some = rng.permutation(len(X))[: len(X) // 2 + 1]
    y_true = y.iloc[np.sort(some)]
    y_pred, weight = rng.uniform(0, 50, len(y_true)), rng.uniform(0.5, 2, len(y_true))
    assume(y_true.notna().any())
    for power, metric in ((1, mean_absolute_scaled_error), (2, root_mean_squared_scaled_error)):
        expected = oracle(y_true, y_pred, y, seasonality, weight, power)
        if expected is None:
            with pytest.raises(ValueError, match=r"y_train: series '.' (has no two values|repeats itself)"):
                metric(y_true, y_pred, y_train=y, seasonality=seasonality, sample_weight=weight)
        else:
            score = metric(y_true, y_pred, y_train=y, seasonality=seasonality, sample_weight=weight)
            np.testing.assert_allclose(score, expected, rtol=1e-9)


def make_walk(n_series=3, n_rows=60):
    """Make a panel of random walks, and its last third to score."""
    rng = np.random.default_rng(0)
    places = [(name, hour) for name in "abc"[:n_series] for hour in range(n_rows)]
    y = make_series(places, np.cumsum(rng.normal(size=len(places))))
    late = np.array([hour >= 2 * n_rows // 3 for _, hour in places])
    return y[~late], y[late], rng.normal(size=late.sum()) + y[late].to_numpy()


@both
def test_one_series_is_scikit_learns_error_over_that_of_the_naive_forecast(metric):
    y_train, y_true, y_pred = make_walk(n_series=1)
    plain = {mean_absolute_scaled_error: mean_absolute_error, root_mean_squared_scaled_error: root_mean_squared_error}
    past = y_train.to_numpy()
    expected = plain[metric](y_true, y_pred) / plain[metric](past[24:], past[:-24])
    for index in ("series and time", "time", "none"):
        train, true = (y.droplevel(0) if index == "time" else y for y in (y_train, y_true))
        train, true = (y.to_numpy() if index == "none" else y for y in (train, true))
        assert metric(true, y_pred, y_train=train, seasonality=24) == pytest.approx(expected)


@both
def test_neither_unit_nor_level_nor_order_of_the_rows_matters(metric):
    y_train, y_true, y_pred = make_walk()
    expected = metric(y_true, y_pred, y_train=y_train)
    factor, shift = (dict(zip("abc", some, strict=True)) for some in ([1000, 0.1, 7], [5, -3, 0]))

    def in_other_units(y, index):
        names = index.get_level_values(0)
        return y * names.map(factor).to_numpy() + names.map(shift).to_numpy()

    scaled = metric(
        in_other_units(y_true, y_true.index),
        in_other_units(y_pred, y_true.index),
        y_train=in_other_units(y_train, y_train.index),
    )
    assert scaled == pytest.approx(expected)
    turn = np.argsort(y_true.index.get_level_values(1), kind="stable")
    by_time = y_train.sort_index(level=1, sort_remaining=False)
    assert metric(y_true.iloc[turn], y_pred[turn], y_train=by_time) == pytest.approx(expected)


@both
def test_series_weigh_the_same_whatever_their_rows_and_weights(metric):
    y_train, y_true, y_pred = make_walk(n_series=2)
    alone = [metric(y_true[[name]], y_pred[y_true.index.get_level_values(0) == name], y_train=y_train) for name in "ab"]
    keep = np.r_[0:20, 20:23]  # three rows of b
    few = metric(y_true[["b"]].iloc[:3], y_pred[20:23], y_train=y_train)
    assert metric(y_true, y_pred, y_train=y_train) == pytest.approx(np.mean(alone))
    assert metric(y_true.iloc[keep], y_pred[keep], y_train=y_train) == pytest.approx((alone[0] + few) / 2)
    heavy = np.where(y_true.index.get_level_values(0) == "a", 100.0, 1.0)
    assert metric(y_true, y_pred, y_train=y_train, sample_weight=heavy) == pytest.approx(np.mean(alone))


@both
def test_a_series_without_any_target_is_left_out_and_needs_no_training_values(metric):
    y_train, y_true, y_pred = make_walk()
    in_b = y_true.index.get_level_values(0) == "b"
    expected = metric(y_true[~in_b], y_pred[~in_b], y_train=y_train)
    assert metric(y_true.mask(in_b), y_pred, y_train=y_train.drop("b")) == pytest.approx(expected)
    assert metric(y_true, y_pred, y_train=y_train, sample_weight=1.0 - in_b) == pytest.approx(expected)


@both
def test_two_levels_name_a_series_in_any_order_of_their_names(metric):
    y_train, y_true, y_pred = make_walk()
    farms = {"a": ("north", "two"), "b": ("north", "one"), "c": ("south", "one")}

    def named(y):
        rows = [(*farms[name], time) for name, time in y.index]
        return y.set_axis(pd.MultiIndex.from_tuples(rows, names=["farm", "mast", "time"]))

    expected = metric(y_true, y_pred, y_train=y_train)
    assert metric(named(y_true), y_pred, y_train=named(y_train[["c", "a", "b"]])) == pytest.approx(expected)
    with pytest.raises(ValueError, match=r"y_train has no series \('north', 'two'\)"):
        metric(named(y_true), y_pred, y_train=named(y_train[["b", "c"]]))


@both
def test_a_series_that_training_lacks_is_named(metric):
    y_train, y_true, y_pred = make_walk()
    with pytest.raises(ValueError, match=r"y_train has no series 'b', which y_true has.*leave it out of y_true"):
        metric(y_true, y_pred, y_train=y_train.drop("b"))


@both
@pytest.mark.parametrize("seasonality", [1, 4])
def test_a_series_whose_training_values_repeat_is_named(metric, seasonality):
    y_train, y_true, y_pred = make_walk()
    in_b = y_train.index.get_level_values(0) == "b"
    y_train[in_b] = np.arange(in_b.sum()) % seasonality
    with pytest.raises(ValueError, match=f"y_train: series 'b' repeats itself every {seasonality} rows"):
        metric(y_true, y_pred, y_train=y_train, seasonality=seasonality)
    with pytest.raises(ValueError, match="y_train: the table repeats itself every 1 rows"):
        metric([1.0], [2.0], y_train=[3.0, 3.0, 3.0])


@both
def test_a_series_too_short_for_the_season_is_named(metric):
    y_train, y_true, y_pred = make_walk()
    with pytest.raises(ValueError, match=r"y_train: series 'a' has no two values 40 rows apart.*smaller seasonality"):
        metric(y_true, y_pred, y_train=y_train, seasonality=40)
    one_each = y_train.groupby(level=0).head(1)
    with pytest.raises(ValueError, match="series 'a' has no two values 1 rows apart"):
        metric(y_true, y_pred, y_train=one_each)
    with pytest.raises(ValueError, match="y_train has no rows"):
        metric([1.0], [2.0], y_train=[])


@both
def test_a_panel_and_an_array_are_not_compared(metric):
    y_train, y_true, y_pred = make_walk()
    with pytest.raises(ValueError, match="y_train has no series in its index while y_true has"):
        metric(y_true, y_pred, y_train=y_train.to_numpy())
    with pytest.raises(ValueError, match="y_true has no series in its index while y_train has"):
        metric(y_true.to_numpy(), y_pred, y_train=y_train)


@both
def test_the_index_rules_hold_for_the_training_values(metric):
    stacked = pd.Series([1.0, 2.0, 4.0], index=HOURS[[0, 1, 1]])
    with pytest.raises(PanelIndexError, match="twice"):
        metric([1.0], [2.0], y_train=stacked)


@both
@pytest.mark.parametrize(("seasonality", "error"), [(0, ValueError), (1.5, TypeError)])
def test_a_season_is_a_whole_number_of_rows(metric, seasonality, error):
    with pytest.raises(error, match="seasonality"):
        metric([1.0], [2.0], y_train=[1.0, 3.0], seasonality=seasonality)


@both
def test_make_scorer_makes_a_scorer_that_finds_the_series_of_each_split(metric):
    y_train, y_true, _ = make_walk()
    y = pd.concat([y_train, y_true]).sort_index()
    y.iloc[[50, 55]] = np.nan
    X, splits = pd.DataFrame({"one": 1.0}, index=y.index), PanelTimeSeriesSplit(2, test_size=10)
    dummy = DummyRegressor(strategy="constant", constant=0.5)
    scorer = make_scorer(metric, greater_is_better=False, y_train=y, seasonality=2)
    scores = cross_val_score(dummy, X, y.fillna(0.0), cv=splits, scoring=scorer)
    expected = [
        -metric(y.fillna(0.0).iloc[test], np.full(len(test), 0.5), y_train=y, seasonality=2)
        for _, test in splits.split(X)
    ]
    np.testing.assert_allclose(scores, expected)
    holed = scorer(dummy.fit(X, y.fillna(0.0)), X, y)
    assert holed == pytest.approx(-metric(y.dropna(), np.full(y.notna().sum(), 0.5), y_train=y, seasonality=2))
