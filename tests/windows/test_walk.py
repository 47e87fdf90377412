import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import StackingRegressor, VotingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline

from skts import HistoryPrepender, SlidingWindower
from skts.datasets import make_panel
from skts.model_selection import PanelTimeSeriesSplit
from skts.strategies import FitInProcess, PerSeriesRegressor, RecursiveRegressor, WindowedRegressor
from skts.windows import find_horizon, find_known, find_windowers, unwrap, walk

X, y = make_panel(n_series=2, n_rows=60, random_state=0)


class Around(RegressorMixin, BaseEstimator):
    """Somebody's meta-estimator, with names of its own."""

    def __init__(self, forecaster):
        self.forecaster = forecaster

    def fit(self, X, y):
        self.forecaster_ = self.forecaster.fit(X, y)
        return self


def pipe(horizon=3, known="wind"):
    steps = HistoryPrepender(4), SlidingWindower(4, horizon, known=known), WindowedRegressor(Ridge())
    return make_pipeline(*steps).set_output(transform="pandas")


def in_search(pipe):
    return GridSearchCV(pipe, {"slidingwindower__horizon": [2]}, cv=PanelTimeSeriesSplit(2, test_size=6))


AROUND = {
    "a pipeline": lambda pipe: make_pipeline("passthrough", pipe),
    "a search": in_search,
    "clones by series": PerSeriesRegressor,
    "a fit in a process": FitInProcess,
    "a recursion": lambda pipe: RecursiveRegressor(pipe, "power"),
    "a transformed target": TransformedTargetRegressor,
    "a vote": lambda pipe: VotingRegressor([("one", pipe), ("none", "drop")]),
    "a stack": lambda pipe: StackingRegressor([("one", pipe)]),
    "a regressor for each output": MultiOutputRegressor,
    "a frozen estimator": FrozenEstimator,
    "somebody's": Around,
    "one in another": lambda pipe: PerSeriesRegressor(in_search(make_pipeline(FrozenEstimator(pipe)))),
}


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
def test_the_walk_comes_to_every_part(around):
    inner = pipe()
    outer = around(inner)
    parts = list(walk(outer))
    assert parts[0] is outer
    assert {type(part) for part in parts} >= {HistoryPrepender, SlidingWindower, WindowedRegressor, Ridge}
    assert [part for part in parts if isinstance(part, SlidingWindower)] == [inner[1]] == find_windowers(outer)
    assert find_horizon(outer) == 3


@pytest.mark.parametrize("around", [in_search, PerSeriesRegressor, TransformedTargetRegressor, Around, FrozenEstimator])
def test_of_what_is_fitted_it_finds_the_fitted_clones(around):
    inner = pipe()
    frozen = inner.fit(X, y) if around is FrozenEstimator else inner
    fitted = around(frozen).fit(X, y)
    assert all(hasattr(windower, "known_") for windower in find_windowers(fitted))
    assert find_horizon(fitted) == (2 if around is in_search else 3)


def test_searches_and_frozen_ones_are_taken_off_what_they_hold():
    inner = pipe()
    assert unwrap(inner) is inner
    search = in_search(inner).fit(X, y)
    assert unwrap(search) is unwrap(FrozenEstimator(search)) is search.best_estimator_
    assert unwrap(FrozenEstimator(inner)) is inner
    around = Around(search)
    assert unwrap(around) is around


def test_horizons_that_differ_are_refused_and_no_windower_has_none():
    with pytest.raises(ValueError, match=r"VotingRegressor holds .* of the horizons \[2, 3\].*one horizon"):
        find_horizon(VotingRegressor([("one", pipe(2)), ("two", pipe(3))]))
    assert find_horizon(make_pipeline(Ridge())) is None


@pytest.mark.parametrize(
    ("known", "before", "after"),
    [
        ("wind", [1], [1]),
        (["wind", "power"], [0, 1], [0, 1]),
        ([1], [], [1]),
        (lambda X: ["wind"], [], [1]),
        (slice(1, 2), [], [1]),
        (None, [], []),
    ],
)
def test_known_columns_are_found_by_name_before_a_fit_and_all_after(known, before, after):
    windower = SlidingWindower(4, known=known)
    assert find_known(windower, X).tolist() == before
    assert find_known(windower.fit(X), X).tolist() == after
    mixed = X.assign(more=0.0)[["more", "wind", "power"]]
    assert set(mixed.columns[find_known(windower, mixed)]) == set(X.columns[after])


def test_known_columns_of_an_array_are_positions_and_of_another_number_nobody_can_tell():
    windower = SlidingWindower(4, known=[1]).fit(X.loc["station_0"].to_numpy())
    assert find_known(windower, np.zeros((9, 2))).tolist() == [1]
    assert find_known(windower, np.zeros((9, 3))) is None
