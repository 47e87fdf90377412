"""Forecasts less the error that they had lately."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.dummy import DummyRegressor

from skts.datasets import make_panel
from skts.inspection import check_leakage
from skts.strategies import ColumnRegressor, RecalibratedRegressor
from tests._runs import forecast_runs, of_runs
from tests.strategies._pipes import make_pipe, split


@pytest.fixture(scope="module")
def panel():
    X, y = make_panel(n_series=2, n_rows=300, random_state=0)
    return X.assign(published=y + 1.0, low=y, high=y + 2.0), y


PUBLISHED = ColumnRegressor("published", quantiles={0.1: "low", 0.9: "high"})


def test_a_lasting_bias_is_gone_from_point_and_quantiles(panel):
    X, X_new, y, y_new = split(*panel, 60)
    fitted = RecalibratedRegressor(PUBLISHED, horizon=3, shrinkage=0).fit(X, y)
    assert_allclose(fitted.predict(X_new), y_new)
    low, high = fitted.predict(X_new, quantiles=[0.1, 0.9]).T
    assert_allclose(low, y_new - 1)
    assert_allclose(high, y_new + 1)
    shrunk = RecalibratedRegressor(PUBLISHED, horizon=3, shrinkage=15, rounds=5).fit(X, y)
    assert_allclose(shrunk.predict(X_new), y_new + 0.75)


def test_it_is_the_mean_of_the_latest_errors_before_the_origin(panel):
    X, y = panel
    one, own = X.loc["station_0"], y.loc["station_0"]
    fitted = RecalibratedRegressor(PUBLISHED, target="power", by=("lead",), horizon=4, rounds=3, shrinkage=1.0)
    noise = np.random.RandomState(0).normal(size=len(one))
    one = one.assign(published=own + noise)
    found = fitted.fit(one[:240], own[:240]).predict(one[240:])
    for row in range(240, 300):
        origin = row - (row - 240) % 4
        same_lead = [noise[before] for before in range(192, origin) if (before - 192) % 4 == (row - 240) % 4]
        assert_allclose(found[row - 240], own.iloc[row] + noise[row] - sum(same_lead[-3:]) / 4)


def test_bias_by_hour_and_series(panel):
    X, y = panel
    hour, station = (X.index.get_level_values("time").hour, X.index.get_level_values("station"))
    X = X.assign(published=y + hour + 100 * (station == "station_1"))
    X, X_new, y, y_new = split(X, y, 60)
    fitted = RecalibratedRegressor(PUBLISHED, by=("hour", "series"), horizon=3, shrinkage=0).fit(X, y)
    assert_allclose(fitted.predict(X_new), y_new, atol=1e-9)


def test_nothing_leaks(panel):
    X, y = panel[0][["power", "wind"]], panel[1]
    report = check_leakage(RecalibratedRegressor(make_pipe(), target="power"), X, y, n_origins=6, random_state=0)
    assert report.ok, str(report)


def test_tables_with_runs_and_missing_targets():
    X, y = forecast_runs(12, every=12, horizon=24)
    y = y.mask(np.random.RandomState(0).random_sample(len(y)) < 0.2)
    known, later = of_runs(X, 0, 9), of_runs(X, 9)
    for expert in (make_pipe(horizon=24, leads="rows"), DummyRegressor()):
        fitted = RecalibratedRegressor(expert, target="power").fit(X[known], y[known])
        assert np.isfinite(fitted.predict(X[later])).all()
        made = X.index.get_level_values("run")[later]
        late = X.index.get_level_values("time")[later] >= made[30]
        changed = X[later].assign(power=X["power"][later].mask(late, 0.0))
        first = made <= made[30]
        assert_array_equal(
            fitted._bias(changed, np.zeros(later.sum()))[first], fitted._bias(X[later], np.zeros(later.sum()))[first]
        )


def test_hours_are_refused_where_times_have_none():
    with pytest.raises(ValueError, match="reads hours"):
        RecalibratedRegressor(DummyRegressor(), by="hour").fit(np.zeros((20, 1)), np.arange(20.0))
