"""Scenarios: their margins are the quantiles, and their ranks go together as those of the truth did."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import QuantileRegressor

from skts import LSTMRegressor
from skts.datasets import make_panel
from skts.model_selection import PanelTimeSeriesSplit
from skts.strategies import ColumnRegressor, ConformalRegressor, ScenarioSampler, WindowedRegressor, portfolio
from tests._runs import forecast_runs, of_runs
from tests.strategies._pipes import make_pipe, split

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
LEADS, STATIONS = 4, list("abc")
BY_LEAD = 0.8 ** np.abs(np.subtract.outer(np.arange(LEADS), np.arange(LEADS)))
BY_STATION = np.array([[1.0, 0.7, 0.2], [0.7, 1.0, 0.4], [0.2, 0.4, 1.0]])
WHOLE = np.kron(BY_LEAD, BY_STATION)
PUBLISHED = ColumnRegressor("q0.5", quantiles={level: f"q{level}" for level in LEVELS})


def simulate(n_blocks, correlation=WHOLE, seed=0, location=0.0):
    """Normal truths of three stations, correlated within blocks of four hours, and their true quantiles as columns."""
    rng = np.random.RandomState(seed)
    noise = rng.multivariate_normal(np.zeros(len(correlation)), correlation, n_blocks)
    values = noise.reshape(n_blocks * LEADS, len(STATIONS)).T.ravel() + location
    times = pd.date_range("2024-01-01", periods=n_blocks * LEADS, freq="h")
    index = pd.MultiIndex.from_product([STATIONS, times], names=["station", "time"])
    X = pd.DataFrame({f"q{level}": norm.ppf(level) + location for level in LEVELS}, index=index)
    return X, pd.Series(values, index=index)


def make_sampler(**kwargs):
    return ScenarioSampler(PUBLISHED, **{"calibration": 0.95, "horizon": LEADS, "random_state": 0} | kwargs)


def correlation_of(samples, n_blocks):
    """The correlation of all pairs of lead and station in samples of whole tables."""
    cube = samples.reshape(len(samples), len(STATIONS), n_blocks, LEADS).transpose(0, 2, 3, 1)
    return np.corrcoef(cube.reshape(-1, LEADS * len(STATIONS)).T)


@pytest.mark.parametrize("structure", ["separable", "shrunk"])
def test_ranks_go_together_as_those_that_were_held_out(structure):
    X, y = simulate(600)
    sampler = make_sampler(structure=structure).fit(X, y)
    assert_allclose(sampler.correlation_, WHOLE, atol=0.09)
    assert (sampler.n_blocks_, sampler.n_calibration_) == (570, 570 * LEADS * 3)
    samples = sampler.sample(X, n=30, random_state=0)
    assert_allclose(correlation_of(samples, 600), sampler.correlation_, atol=0.05)
    assert sampler.correlation_.index.names == ["lead", "station"]


def test_what_is_no_product_is_counted_where_there_are_blocks_enough():
    rng = np.random.RandomState(0)
    loadings = rng.normal(size=(LEADS * 3, 2))
    whole = loadings @ loadings.T + 0.5 * np.eye(LEADS * 3)
    whole /= np.sqrt(np.outer(np.diag(whole), np.diag(whole)))
    errors = {}
    for n_blocks in (20, 2000):
        X, y = simulate(n_blocks, whole)
        for structure in ("separable", "shrunk"):
            found = make_sampler(structure=structure).fit(X, y)
            errors[structure, n_blocks] = np.sqrt(((found.correlation_ - whole) ** 2).to_numpy().mean())
    assert errors["shrunk", 2000] < 0.05 < 0.2 < errors["separable", 2000]
    assert errors["shrunk", 20] <= errors["separable", 20]


def test_what_is_independent_stays_so():
    X, y = simulate(600, np.eye(LEADS * 3))
    for structure in ("separable", "shrunk"):
        found = make_sampler(structure=structure).fit(X, y).correlation_
        assert np.abs(found - np.eye(LEADS * 3)).to_numpy().max() < 0.1
    X, y = simulate(100)
    assert_array_equal(make_sampler(structure="independent").fit(X, y).correlation_, np.eye(LEADS * 3))


def test_margins_are_the_quantiles_and_beyond_them_the_normal_distribution_through_the_outermost():
    X, y = simulate(30, location=3.0)
    sampler = make_sampler().fit(X, y)
    few = X.groupby("station").head(LEADS)
    samples = sampler.sample(few, n=20_000, random_state=0)
    asked = [0.05, 0.15, 0.5, 0.6, 0.95]  # some between the levels
    assert_allclose(np.quantile(samples, asked, axis=0).T, sampler.predict(few, quantiles=asked), atol=0.05)
    tails = [0.005, 0.995]
    assert_allclose(np.quantile(samples, tails, axis=0).T, np.tile(3 + norm.ppf(tails), (12, 1)), atol=0.15)


def test_bounds_hold_and_take_what_would_lie_beyond():
    X, y = simulate(100)
    clipped, low = X.clip(0, 1.0), y.clip(0, 1.0)
    bounded = clipped.assign(capacity=1.0)
    for bounds in ((0, 1.0), (0, "capacity")):
        samples = make_sampler(bounds=bounds).fit(bounded, low).sample(bounded, n=200, random_state=0)
        assert (samples.min(), samples.max()) == (0.0, 1.0)
        assert (samples == 0).mean() == pytest.approx(0.5, abs=0.02)
    free = make_sampler().fit(clipped, low).sample(clipped, n=200, random_state=0)
    assert free.min() == 0  # two equal quantiles have no tail
    assert_array_equal(make_sampler(bounds=(0, 1)).fit(bounded, low).sample(bounded * 0, 5), 0)


def test_truths_on_a_mass_are_ranked_at_random_and_say_no_more_than_they_know():
    X, y = simulate(800)
    sampler = make_sampler(bounds=(0, None)).fit(X.clip(lower=0), y.clip(lower=0))
    found = sampler.correlation_.to_numpy()
    assert 0.2 < found[0, 1] < 0.7  # stations a and b; weaker, for half of the ranks are drawn
    X, y = X * 0, y * 0  # night
    assert np.abs(make_sampler().fit(X, y).correlation_ - np.eye(LEADS * 3)).to_numpy().max() < 0.12


def test_missing_truths_and_rows_leave_the_correlation_as_it_is():
    X, y = simulate(1500)
    rng = np.random.RandomState(1)
    holes = y.mask(rng.random_sample(len(y)) < 0.3)
    kept = (rng.random_sample(len(y)) < 0.9) | (X.groupby("station").cumcount() < 4).to_numpy()
    for structure in ("separable", "shrunk"):
        sampler = make_sampler(structure=structure).fit(X[kept], holes[kept])
        assert_allclose(sampler.correlation_, WHOLE, atol=0.12)
    assert sampler.n_calibration_ < 0.7 * len(y)
    gone = holes.where(holes.index.get_level_values("station") != "c")
    found = make_sampler(structure="shrunk").fit(X, gone).correlation_
    assert np.isfinite(found.to_numpy()).all()
    assert_allclose(found.loc[(1, "a"), (1, "b")], 0.7, atol=0.1)


def test_sums_over_stations_are_calibrated_and_those_of_independent_ones_are_not():
    X, y = simulate(800)
    X, X_new, y, y_new = split(X, y, 400 * LEADS)
    told = y_new.groupby("time").sum()
    covered = {}
    for structure in ("separable", "independent"):
        samples = make_sampler(structure=structure).fit(X, y).sample(X_new, n=400, random_state=0)
        sums = portfolio(samples, X_new, [0.1, 0.9])
        covered[structure] = ((sums["q0.1"] <= told) & (told <= sums["q0.9"])).mean()
    assert covered["separable"] == pytest.approx(0.8, abs=0.03)
    assert covered["independent"] < 0.7


def test_scenarios_are_those_of_the_random_state_in_any_order_of_rows():
    X, y = simulate(40)
    sampler = make_sampler().fit(X, y)
    samples = sampler.sample(X, n=5, random_state=3)
    assert_array_equal(samples, sampler.sample(X, n=5, random_state=3))
    assert not np.array_equal(samples, sampler.sample(X, n=5, random_state=4))
    by_time = X.reset_index().sort_values(["time", "station"], kind="stable")
    order = by_time.index.to_numpy()
    assert_array_equal(sampler.sample(X.iloc[order], n=5, random_state=3), samples[:, order])
    again = clone(sampler).fit(X.iloc[order], y.iloc[order])
    assert_allclose(again.correlation_, sampler.correlation_)


def test_a_short_last_block_and_a_series_that_is_missing_or_was_never_seen():
    X, y = simulate(200)
    sampler = make_sampler().fit(X, y)
    time = X.index.get_level_values("time")
    some = X[time < time.min() + pd.Timedelta(10, "h")]  # two blocks and a half
    whole = sampler.sample(some, n=4, random_state=0)
    without = sampler.sample(some.drop("b", level="station"), n=4, random_state=0)
    assert_array_equal(without, whole[:, some.index.get_level_values("station") != "b"])
    renamed = X.rename({"c": "new"}, level="station")
    found = correlation_of(sampler.sample(renamed, n=50, random_state=0), 200).reshape(LEADS, 3, LEADS, 3)
    assert_allclose(found[:, 2, :, 2], BY_LEAD, atol=0.1)  # hours of the new one go together
    assert np.abs(found[:, 2, :, :2]).max() < 0.05  # and not with the others
    assert_allclose(found[:, 0, :, 1], 0.7 * BY_LEAD, atol=0.1)
    one = X.xs("a").iloc[:6]
    tables = [pd.concat([one, one], keys=keys, names=["station"]) for keys in (["x", "w"], ["w", "x"])]
    first, second = (sampler.sample(table, n=3, random_state=0).reshape(3, 2, 6) for table in tables)
    assert_array_equal(first, second[:, ::-1])


def test_blocks_are_independent_of_each_other():
    X, y = simulate(100)
    samples = make_sampler().fit(X, y).sample(X, n=300, random_state=0)[:, : 100 * LEADS]
    assert abs(np.corrcoef(samples[:, LEADS - 1 : -1 : LEADS].ravel(), samples[:, LEADS::LEADS].ravel())[0, 1]) < 0.03


def test_every_run_is_a_scenario_of_its_own():
    X, y = forecast_runs(30, every=12, horizon=24)
    X = X.assign(low=X["wind"] ** 2 - 9, high=X["wind"] ** 2 + 9)
    known, later = of_runs(X, 0, 20), of_runs(X, 20)
    published = ColumnRegressor("low", quantiles={0.1: "low", 0.9: "high"})
    sampler = ScenarioSampler(published, quantiles=[0.1, 0.9], random_state=0).fit(X[known], y[known])
    assert sampler.correlation_.shape == (48, 48)
    run, time = (X[known].index.get_level_values(level) for level in ("run", "time"))
    is_held = run >= run.max() - (sampler.n_blocks_ - 1) * pd.Timedelta(12, "h")
    assert sampler.n_calibration_ == (is_held & (time > time[~is_held].max())).sum()
    samples = sampler.sample(X[later], n=200, random_state=0)
    assert np.isfinite(samples).all()
    frame = pd.DataFrame(samples.T, index=X[later].index)
    sums = portfolio(samples, X[later], [0.5])
    assert sums.index.names == ["run", "time"]
    assert len(sums) == len(frame) / 2
    first, second = (frame.xs(run, level="run").droplevel("farm") for run in frame.index.unique("run")[:2])
    assert len(first.index.intersection(second.index)) == 12  # hours of both, on which they do not agree
    long, _ = forecast_runs(3, every=12, horizon=30)
    with pytest.raises(ValueError, match="a run of 30 rows"):
        sampler.sample(long.assign(low=0.0, high=1.0))


def test_arrays_are_one_series():
    rng = np.random.RandomState(0)
    noise = np.repeat(rng.normal(size=300), 2) + 0.1 * rng.normal(size=600)  # two hours that err together
    X = rng.normal(size=(600, 1))
    sampler = ScenarioSampler(ConformalRegressor(QuantileRegressor(alpha=0), method="residual"), horizon=2)
    sampler.fit(X, X[:, 0] + noise)
    assert len(sampler.levels_) == 99
    assert sampler.correlation_.to_numpy()[0, 1] > 0.9
    assert sampler.sample(X[:5], n=3).shape == (3, 5)


def test_networks_say_their_levels_and_bounds_and_distributions_answer_any():
    X, y = make_panel(n_series=2, n_rows=300, random_state=0)
    X, X_new, y, _ = split(X, y.clip(0, 1), 30)
    for options, n_levels in (({"quantiles": (0.2, 0.8)}, 3), ({"distribution": "censored_normal"}, 99)):
        network = LSTMRegressor(4, max_epochs=1, bounds=(0, 1), random_state=0, **options)
        sampler = ScenarioSampler(make_pipe(network)).fit(X, y)
        assert len(sampler.levels_) == n_levels
        samples = sampler.sample(X_new, n=100, random_state=0)
        assert samples.min() >= 0
        assert samples.max() <= 1
        assert_array_equal(sampler.predict(X_new), sampler.estimator_.predict(X_new))


def test_folds_and_fitted_estimators_are_held_out_too():
    X, y = make_panel(n_series=2, n_rows=300, random_state=0)
    trees = HistGradientBoostingRegressor(loss="quantile", max_iter=3, min_samples_leaf=5)
    pipe = make_pipe(WindowedRegressor(trees, leads="rows", quantiles=[0.1, 0.9]))
    before, held, y_before, y_held = split(X, y, 60)
    folds = ScenarioSampler(pipe, calibration=PanelTimeSeriesSplit(2, test_size=30)).fit(X, y)
    assert (folds.n_blocks_, folds.n_calibration_) == (20, 120)
    frozen = ScenarioSampler(FrozenEstimator(pipe.fit(before, y_before)), calibration=1.0).fit(held, y_held)
    assert (frozen.n_blocks_, frozen.n_calibration_) == (20, 120)
    assert_array_equal(frozen.predict(held, quantiles=[0.1]), pipe.predict(held, quantiles=[0.1]))


def test_what_is_refused():
    X, y = simulate(20)
    with pytest.raises(ValueError, match="at least two levels"):
        ScenarioSampler(ColumnRegressor("q0.5", quantiles={0.5: "q0.5"})).fit(X, y)
    with pytest.raises(ValueError, match="FrozenEstimator"):
        make_sampler(calibration=1.0).fit(X, y)
    with pytest.raises(ValueError, match="capacity"):
        make_sampler(bounds=(0, "capacity")).fit(X, y)
    with pytest.raises(ValueError, match=r"\(low, high\) is expected"):
        make_sampler(bounds=(0, 1, 2)).fit(X, y)
    with pytest.raises(ValueError, match="n == 0"):
        make_sampler().fit(X, y).sample(X, n=0)
    with pytest.raises(ValueError, match="a target to train on and 0"):
        make_sampler().fit(X, y * np.nan)
