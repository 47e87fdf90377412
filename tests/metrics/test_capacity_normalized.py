import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.metrics import make_scorer, mean_absolute_error, root_mean_squared_error
from sklearn.model_selection import cross_val_score

from skts.metrics import capacity_normalized_mae, capacity_normalized_rmse
from skts.model_selection import PanelTimeSeriesSplit

PLAIN = {capacity_normalized_mae: mean_absolute_error, capacity_normalized_rmse: root_mean_squared_error}
both = pytest.mark.parametrize("metric", PLAIN)
INDEX = pd.MultiIndex.from_product([["small", "large"], range(30)], names=["station", "time"])
CAPACITY = {"large": 50.0, "small": 2.0, "elsewhere": -1.0}
RNG = np.random.default_rng(0)
POWER = pd.Series(RNG.uniform(0, 1, 60) * np.repeat([2.0, 50.0], 30), index=INDEX)
FORECAST = RNG.uniform(0, 1, 60) * np.repeat([2.0, 50.0], 30)


@both
def test_one_capacity_divides_scikit_learns_error(metric):
    w = RNG.uniform(0.5, 2, 60)
    expected = PLAIN[metric](POWER, FORECAST, sample_weight=w) / 50
    for capacity in (50, 50.0, np.float32(50)):
        assert metric(POWER.to_numpy(), FORECAST, capacity=capacity, sample_weight=w) == pytest.approx(expected)


def test_each_row_is_divided_by_the_capacity_of_its_series_by_hand():
    y = pd.Series([1.0, 20.0, 0.0], index=INDEX[[0, 30, 1]])  # errors 1 and 0.5 of 2 and 20 of 50
    assert capacity_normalized_mae(y, [2.0, 0.0, 0.5], capacity=CAPACITY) == pytest.approx((0.5 + 0.4 + 0.25) / 3)
    squares = 0.5**2 + 0.4**2 + 0.25**2
    assert capacity_normalized_rmse(y, [2.0, 0.0, 0.5], capacity=CAPACITY) == pytest.approx(np.sqrt(squares / 3))


@both
def test_a_mapping_and_a_series_say_the_same_in_any_order_of_rows(metric):
    of_rows = POWER.index.get_level_values(0).map(CAPACITY).to_numpy()
    expected = PLAIN[metric](POWER / of_rows, FORECAST / of_rows)
    turn = RNG.permutation(60)
    for capacity in (CAPACITY, pd.Series(CAPACITY)):
        assert metric(POWER, FORECAST, capacity=capacity) == pytest.approx(expected)
        assert metric(POWER.iloc[turn], FORECAST[turn], capacity=capacity) == pytest.approx(expected)


@both
def test_several_levels_name_a_series_by_a_tuple(metric):
    turbines = POWER.set_axis(pd.MultiIndex.from_tuples([("farm", *row) for row in INDEX]))
    capacity = {("farm", name): value for name, value in CAPACITY.items()}
    expected = metric(POWER, FORECAST, capacity=CAPACITY)
    assert metric(turbines, FORECAST, capacity=capacity) == pytest.approx(expected)
    assert metric(turbines, FORECAST, capacity=pd.Series(capacity)) == pytest.approx(expected)
    with pytest.raises(ValueError, match=r"capacity has no series \('farm', 'small'\)"):
        metric(turbines, FORECAST, capacity={("farm", "large"): 50.0})


@both
def test_a_series_that_is_not_scored_needs_no_capacity(metric):
    in_small = POWER.index.get_level_values(0) == "small"
    expected = metric(POWER[~in_small], FORECAST[~in_small], capacity=50.0)
    assert metric(POWER.mask(in_small), FORECAST, capacity={"large": 50.0}) == pytest.approx(expected)


@both
@pytest.mark.parametrize(
    ("capacity", "message"),
    [
        ({"large": 50.0}, "capacity has no series 'small', which y_true has"),
        ({}, "capacity has no series"),
        ({"large": 50.0, "small": 0.0}, r"capacity\['small'\] is 0: a finite number above 0 is expected"),
        ({"large": np.nan, "small": 2.0}, r"capacity\['large'\] is nan: a finite number above 0"),
        (-3.0, "capacity is -3: a finite number above 0"),
        (np.inf, "capacity is inf: a finite number above 0"),
        (pd.Series([1.0, 2.0, 3.0], ["small", "large", "small"]), "capacity has series 'small' twice"),
    ],
)
def test_a_capacity_that_is_none_is_named(metric, capacity, message):
    with pytest.raises(ValueError, match=message):
        metric(POWER, FORECAST, capacity=capacity)


@both
def test_capacities_by_name_need_names(metric):
    with pytest.raises(ValueError, match=r"y_true has no series in its index.*or one number as capacity"):
        metric(POWER.to_numpy(), FORECAST, capacity=CAPACITY)
    with pytest.raises(TypeError, match="capacity is a list: a number is expected, or a mapping"):
        metric(POWER, FORECAST, capacity=[2.0, 50.0])


@both
def test_make_scorer_makes_a_scorer_that_finds_the_series_of_each_split(metric):
    X, splits = pd.DataFrame({"one": 1.0}, index=INDEX), PanelTimeSeriesSplit(3, test_size=4)
    scorer = make_scorer(metric, greater_is_better=False, capacity=CAPACITY)
    dummy = DummyRegressor(strategy="constant", constant=1.0)
    scores = cross_val_score(dummy, X, POWER, cv=splits, scoring=scorer)
    expected = [-metric(POWER.iloc[test], np.ones(len(test)), capacity=CAPACITY) for _, test in splits.split(X)]
    np.testing.assert_allclose(scores, expected)
    holed = POWER.mask(RNG.random(60) < 0.3)
    there = holed.dropna()
    score = scorer(dummy.fit(X, POWER), X, holed)
    assert score == pytest.approx(-metric(there, np.ones(len(there)), capacity=CAPACITY))
