from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from skts.commandline._job import Job
from skts.commandline._pipeline import build_pipeline, grid_of, settle_job
from skts.datasets import make_panel
from skts.exceptions import MissingHistoryWarning
from skts.features import SolarFeatures

pytestmark = pytest.mark.filterwarnings(f"ignore::{MissingHistoryWarning.__module__}.MissingHistoryWarning")

PLACE = {"latitude": 50.0, "longitude": 0.0}
QUICK = {"window": 24, "horizon": 6, "stride": 12, "quick": True, "device": "cpu"}


@pytest.fixture
def park():
    """Two parks that follow a clear sky, in UTC."""
    X, _ = make_panel(n_series=2, n_rows=480, random_state=0)
    sky = SolarFeatures(**PLACE).set_output(transform="pandas").fit_transform(X)
    size = np.where(X.index.get_level_values(0) == "station_0", 5.0, 20.0)
    power = size * (sky["clearsky_ghi"] / 1000).clip(0, 0.3) * (0.5 + 0.5 * X["wind"].rank(pct=True))
    return pd.DataFrame({"power": power, "wind": X["wind"], "capacity": size})


def settled(X, **job):
    return settle_job(Job("power", known=("wind",), **QUICK | job), X, X["power"])


def test_a_job_is_bounded_by_zero_and_the_capacity_and_dark_at_night(park):
    job = settled(park, capacity="capacity", **PLACE)
    assert (job.bounds, job.static, job.active) == ((0.0, "capacity"), ("capacity",), "is_day")


def test_without_a_capacity_only_what_training_rows_tell_is_a_bound(park):
    assert settled(park).bounds == (0.0, None)
    assert settled(park.assign(power=park["power"] - 0.01)).bounds is None
    assert settled(park, bounds=(-1.0, 30.0), capacity="capacity").bounds == (-1.0, 30.0)


def test_what_was_said_is_not_settled_anew(park):
    job = settled(park, capacity="capacity", **PLACE)
    assert settle_job(job, park, park["power"]) == job


def test_wind_power_is_not_taken_for_dark_at_night(park):
    windy = park.assign(power=park["power"] + 1.0)
    assert settled(windy, **PLACE).active is None


def test_times_of_another_zone_are_noticed(park):
    late = park.assign(power=park["power"].groupby(level=0).shift(8))
    with pytest.warns(UserWarning, match="--tz"):
        job = settled(late, **PLACE)
    assert job.active is None


@pytest.mark.parametrize("said", [{"capacity": "capacity", **PLACE}, {"capacity": 20.0}, {}])
def test_forecasts_and_quantiles_keep_to_what_was_settled(park, said):
    X = park.where(np.random.default_rng(0).random(park.shape) > 0.05).assign(capacity=park["capacity"])
    is_new = X.index.get_level_values("time") >= X.index.get_level_values("time").unique()[400]
    job = settled(X[~is_new], **said)
    pipeline = build_pipeline(job).fit(X[~is_new], X["power"][~is_new])
    forecasts = np.column_stack([pipeline.predict(X[is_new]), *pipeline.predict(X[is_new], quantiles=[0.1, 0.9]).T])
    assert forecasts.shape == (2 * 80, 3)
    assert (forecasts >= 0).all()
    if "capacity" in said:
        most = X["capacity"][is_new].to_numpy() if said["capacity"] == "capacity" else 20.0
        assert (forecasts.max(axis=1) <= most + 1e-6).all()
    if job.active is not None:
        at_night = np.asarray(SolarFeatures(**PLACE).fit_transform(X[is_new]))[:, -1] == 0
        assert at_night.any()
        assert (forecasts[at_night] == 0).all()
        assert (forecasts[~at_night, 2] > 0).any()


def test_a_target_without_bounds_is_forecast_in_its_unit(park):
    X = park.assign(power=100 * park["power"] - 500)
    job = settled(X)
    y_pred = build_pipeline(job).fit(X, X["power"]).predict(X)
    assert job.bounds is None
    assert -600 < y_pred.mean() < -300


def test_the_settings_of_a_search_are_parameters_of_the_pipeline(park):
    job = settled(park)
    for name, values in grid_of(job).items():
        for value in values:
            assert build_pipeline(job).set_params(**{name: value}).get_params()[name] == value
    assert len(grid_of(replace(job, window=1))["windows__window"]) == 1


def test_members_differ_by_their_seeds_alone(park):
    job = replace(settled(park), n_members=2, quick=False)
    networks = build_pipeline(job)["lstm"]
    assert networks.n_members == 2
    assert networks.random_state == job.seed
    assert set(job.quantiles) <= set(networks.estimator.quantiles)
    assert 0.5 in networks.estimator.quantiles
