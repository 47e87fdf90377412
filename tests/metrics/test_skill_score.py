from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.dummy import DummyRegressor
from sklearn.metrics import (
    d2_absolute_error_score,
    make_scorer,
    max_error,
    mean_absolute_error,
    mean_squared_error,
    r2_score,
)
from sklearn.model_selection import KFold, cross_validate

from skts.metrics import capacity_normalized_mae, mean_quantile_loss, skill_score

RNG = np.random.default_rng(0)
Y, GOOD, BAD = RNG.normal(size=(3, 40)) * [[1], [0.1], [1]] + [[0], [0], [0.5]]
GOOD = GOOD + Y


def test_the_share_of_the_loss_that_is_saved_by_hand():
    assert skill_score([0.0, 0.0], [3.0, 4.0], [6.0, 8.0]) == pytest.approx(0.5)
    assert skill_score([0.0, 0.0], [3.0, 4.0], [6.0, 8.0], metric=mean_squared_error) == pytest.approx(0.75)
    assert skill_score(Y, Y, BAD) == 1
    assert skill_score(Y, BAD, BAD) == 0
    assert skill_score(Y, BAD, GOOD) < 0 < skill_score(Y, GOOD, BAD) < 1


def test_skill_over_the_mean_is_r2_and_over_the_median_is_d2():
    w = RNG.uniform(0.5, 2, len(Y))
    mean = np.full_like(Y, np.average(Y, weights=w))
    skill = skill_score(Y, GOOD, mean, metric=mean_squared_error, sample_weight=w)
    assert skill == pytest.approx(r2_score(Y, GOOD, sample_weight=w))
    median = np.full_like(Y, np.median(Y))
    assert skill_score(Y, GOOD, median, metric=mean_absolute_error) == pytest.approx(d2_absolute_error_score(Y, GOOD))


def test_a_metric_keeps_the_index_and_may_have_parameters_or_no_weights():
    index = pd.MultiIndex.from_product([["a", "b"], range(20)], names=["station", "time"])
    holed = pd.Series(Y, index=index).mask(RNG.random(40) < 0.3)
    metric = partial(capacity_normalized_mae, capacity={"a": 1.0, "b": 10.0})
    expected = 1 - metric(holed, GOOD) / metric(holed, BAD)
    assert skill_score(holed, GOOD, BAD, metric=metric) == pytest.approx(expected)
    assert skill_score(Y, GOOD, BAD, metric=max_error) == 1 - max_error(Y, GOOD) / max_error(Y, BAD)


def test_quantile_forecasts_have_skill_too():
    levels = [0.1, 0.9]
    wide, narrow = (np.column_stack([GOOD - width, GOOD + width]) for width in (1.0, 0.2))
    metric = partial(mean_quantile_loss, quantiles=levels)
    assert skill_score(Y, narrow, wide, metric=metric) == pytest.approx(1 - metric(Y, narrow) / metric(Y, wide))


def test_a_row_that_lacks_one_of_several_targets_is_left_out():
    y, good, bad = (np.column_stack([some, some[::-1]]) for some in (Y, GOOD, BAD))
    holed = y.copy()
    holed[3, 1] = np.nan
    there = np.arange(len(Y)) != 3
    assert skill_score(holed, good, bad) == skill_score(y[there], good[there], bad[there]) != skill_score(y, good, bad)


def test_a_reference_with_holes_is_named():
    with pytest.raises(ValueError, match=r"y_reference is NaN or infinite in row 0.*fill y_reference"):
        skill_score(Y, GOOD, np.append(np.nan, Y[:-1]))


def test_there_is_no_skill_over_a_perfect_forecast():
    with pytest.raises(ValueError, match=r"The loss of y_reference is 0 in all 40 rows"):
        skill_score(Y, GOOD, Y)


def test_metadata_routing_makes_it_a_scorer():
    X, splits = np.zeros((40, 1)), KFold(4)
    with config_context(enable_metadata_routing=True):
        scorer = make_scorer(skill_score).set_score_request(y_reference=True)
        found = cross_validate(DummyRegressor(), X, Y, cv=splits, scoring=scorer, params={"y_reference": BAD})
    expected = [skill_score(Y[test], np.full(len(test), Y[train].mean()), BAD[test]) for train, test in splits.split(X)]
    np.testing.assert_allclose(found["test_score"], expected)
