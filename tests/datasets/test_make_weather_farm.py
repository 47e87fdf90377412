import sys

import numpy as np
import pandas as pd
import pytest

from skts.datasets import make_weather_farm
from skts.datasets._farm._fields import draw_waves, smooth_noise
from skts.datasets._farm._power import draw_stretches, is_cut_out, measure, power_curve
from skts.datasets._farm._sun import sun_position

pytest.importorskip("xarray")
HOUR = pd.Timedelta(hours=1)
PROVIDERS = ["aeolus", "boreas", "cirrus"]


@pytest.fixture(scope="module")
def farm():
    """The default stations and days on a coarse grid of the same region."""
    return make_weather_farm(grid_size=3, spacing=2.0, random_state=1)


@pytest.fixture(scope="module")
def errors(farm):
    """Errors of the wind without their bias, by provider: (run, step, latitude, longitude)."""
    return {name: error_of(farm, name, "u100", farm.providers["wind_factor"][name]) for name in PROVIDERS}


def error_of(farm, name, variable, factor=1.0):
    forecasts = farm.forecasts[name]
    truth = farm.truth[variable].sel(time=forecasts["run"] + forecasts["step"])
    return (forecasts[variable] / factor - truth).transpose("run", "step", ...).to_numpy()


def by_station(series):
    return pd.DataFrame({name: series.loc[name] for name in series.index.unique("station")})


def in_winter(forecasts):
    return forecasts["run"].dt.month.isin([10, 11, 12, 1, 2, 3]).to_numpy()


def small(**parameters):
    return make_weather_farm(
        **{"n_wind": 1, "n_solar": 1, "n_days": 4, "grid_size": 3, "random_state": 0, **parameters}
    )


def test_it_has_the_promised_shape():
    farm = make_weather_farm(n_wind=2, n_solar=1, n_days=3, grid_size=4, n_leads=30, missing=0, random_state=0)
    assert farm.stations.index.tolist() == ["wind_0", "wind_1", "solar_0"]
    times = pd.date_range("2023-03-02 01:00", "2023-03-05 00:00", freq="h")  # ends of hours
    for name in ("power", "true_power", "stuck", "true_weather"):
        assert farm[name].index.names == ["station", "time"]
        for station in farm.stations.index:
            assert (farm[name].loc[station].index == times).all()
    for forecasts in farm.forecasts.values():
        assert dict(forecasts.sizes) == {"run": 3, "step": 30, "latitude": 4, "longitude": 4}
        assert (forecasts.indexes["run"] == pd.date_range("2023-03-01 12:00", periods=3, freq="D")).all()
        assert (forecasts.indexes["step"] == pd.timedelta_range("1h", "30h", freq="h")).all()
        assert {variable.dtype for variable in forecasts.values()} == {np.dtype("float32")}
        assert np.isfinite(forecasts.to_array()).all()


@pytest.mark.parametrize("runs_per_day", [2, 4])
def test_runs_are_spread_over_the_day(runs_per_day):
    runs = small(runs_per_day=runs_per_day).arrivals["aeolus"].index
    assert runs[0] == pd.Timestamp("2023-03-01 12:00")
    assert len(runs) == 4 * runs_per_day
    assert (np.diff(runs) == 24 // runs_per_day * HOUR).all()


def test_the_seed_decides_everything():
    first, same, other = (small(random_state=seed) for seed in (3, 3, 4))
    pd.testing.assert_series_equal(first.power, same.power)
    pd.testing.assert_frame_equal(first.stations, same.stations)
    for name in PROVIDERS:
        assert first.forecasts[name].identical(same.forecasts[name])
        pd.testing.assert_series_equal(first.arrivals[name], same.arrivals[name])
        assert not first.forecasts[name]["u100"].equals(other.forecasts[name]["u100"])
    assert not np.allclose(first.truth["u100"], other.truth["u100"])


def test_what_fails_leaves_the_rest_alone():
    whole, broken = (small(n_days=40, late=share, missing=share, outages=share, stuck=share) for share in (0.0, 0.3))
    pd.testing.assert_series_equal(whole.true_power, broken.true_power)
    for name in PROVIDERS:
        came = broken.arrivals[name].notna()
        assert came.sum() < came.size
        assert whole.forecasts[name].sel(run=broken.forecasts[name]["run"]).equals(broken.forecasts[name])
    fine = broken.power.notna() & ~broken.stuck
    pd.testing.assert_series_equal(broken.power[fine], whole.power[fine])
    pd.testing.assert_series_equal(whole.power, whole.true_power)


def test_errors_have_the_documented_size(farm, errors):
    for name, error in errors.items():
        winter = in_winter(farm.forecasts[name])
        for season, of_season in (("winter", winter), ("summer", ~winter)):
            found = error[of_season].std(axis=(0, 2, 3))
            np.testing.assert_allclose(found, farm.error_scale.loc[season, name], rtol=0.2)


def test_errors_grow_with_the_lead(errors):
    for error in errors.values():
        first, last = error[:, :8].std(), error[:, -8:].std()
        assert last > 1.05 * first


@pytest.mark.parametrize("variable", ["u100", "v100", "t2m", "tcc"])
def test_the_best_provider_is_the_documented_one(farm, variable):
    spread = {}
    for name in PROVIDERS:
        error = error_of(farm, name, variable)
        winter = in_winter(farm.forecasts[name])
        for season, of_season in (("winter", winter), ("summer", ~winter)):
            for leads in (slice(0, 12), slice(12, 20), slice(30, 48)):
                spread[season, leads.start, name] = error[of_season][:, leads].std(axis=(0, 2, 3)).mean()
    for season, first in (("winter", "boreas"), ("summer", "cirrus")):
        best = [min(PROVIDERS, key=lambda name: spread[season, lead, name]) for lead in (0, 12, 30)]
        assert best == [first, first, "aeolus"]


def test_the_documented_best_changes_after_lead_24(farm):
    assert (farm.best["winter"] == np.where(np.arange(1, 49) <= 24, "boreas", "aeolus")).all()
    assert (farm.best["summer"] == np.where(np.arange(1, 49) <= 24, "cirrus", "aeolus")).all()


def test_providers_share_a_part_of_their_errors(farm, errors):
    runs = sorted(set.intersection(*(set(farm.forecasts[name].indexes["run"]) for name in PROVIDERS)))
    same = {
        name: error[farm.forecasts[name].indexes["run"].isin(runs)][:, 20].ravel() for name, error in errors.items()
    }
    correlations = np.corrcoef(list(same.values()))[np.triu_indices(3, 1)]
    assert ((correlations > 0.15) & (correlations < 0.45)).all()  # 0.30


def test_runs_about_the_same_hour_agree_more_than_chance(farm, errors):
    error, runs = errors["aeolus"], farm.forecasts["aeolus"].indexes["run"]
    next_day = np.flatnonzero(np.diff(runs) == 24 * HOUR)
    correlation = np.corrcoef(error[next_day, 36].ravel(), error[next_day + 1, 12].ravel())[0, 1]
    assert 0.40 < correlation < 0.70  # 0.55


def test_biases_are_the_documented_ones(farm):
    for name in PROVIDERS:
        assert error_of(farm, name, "t2m").mean() == pytest.approx(farm.providers["temperature_bias"][name], abs=0.2)
    assert error_of(farm, "aeolus", "tcc").mean() < 0 < error_of(farm, "cirrus", "tcc").mean()


def test_fields_are_smooth_in_space_and_time(farm):
    wind = farm.truth["u100"]
    assert wind.diff("time").std() < 0.3 * wind.std()
    fine = small(n_days=60, spacing=0.25).truth["u100"]
    assert fine.diff("latitude").std() < 0.2 * fine.std()


def test_the_weather_is_carried_to_the_east():
    """What comes in the west arrives later in the east."""
    clouds = small(n_days=120, spacing=1.0).truth["tcc"].isel(latitude=1)
    west, east = clouds.isel(longitude=0).to_numpy(), clouds.isel(longitude=2).to_numpy()
    ahead = np.corrcoef(west[:-4], east[4:])[0, 1]
    behind = np.corrcoef(west[4:], east[:-4])[0, 1]
    assert ahead > behind + 0.1


def test_values_are_in_their_units(farm):
    for weather in (farm.truth, *farm.forecasts.values()):
        low, high = weather.min(), weather.max()
        assert low["u100"] > -60
        assert high["u100"] < 60
        assert 240 < low["t2m"] < 273.15 < high["t2m"] < 320
        assert 90_000 < low["sp"] < high["sp"] < 106_000
        assert low["ghi"] == 0
        assert 600 < high["ghi"] < 1100
        assert 0 <= low["tcc"] < high["tcc"] <= 1


def test_power_lies_between_nothing_and_the_capacity(farm):
    share = by_station(farm.true_power) / farm.stations["capacity"]
    assert share.min(axis=None) == 0
    assert share.max(axis=None) == 1
    wind = farm.stations.index[farm.stations["kind"] == "wind"]
    assert share[wind].mean().between(0.15, 0.45).all()
    assert share.drop(columns=wind).mean().between(0.08, 0.22).all()


def test_the_power_curve_rises_from_3_to_14_metres_a_second():
    speed = np.linspace(0, 30, 301)
    power = power_curve(speed)
    assert (np.diff(power) >= 0).all()
    assert (power[speed < 3] == 0).all()
    assert (power[speed > 14.1] == 1).all()
    assert power_curve(np.array([8.5]))[0] == pytest.approx(0.5, abs=0.01)


def test_turbines_stop_in_a_storm_until_it_is_over():
    speed = np.array([20, 25.5, 24, 22, 21.9, 24.9])[:, None]
    np.testing.assert_array_equal(is_cut_out(speed)[:, 0], [False, True, True, True, False, False])


def test_a_storm_stops_wind_farms(farm):
    speed = np.hypot(farm.true_weather["u100"], farm.true_weather["v100"])
    stormy = farm.true_power[(speed > 26) & farm.true_power.index.get_level_values("station").str.startswith("wind")]
    assert len(stormy) > 0
    assert (stormy == 0).mean() > 0.9  # at a low hub the wind is weaker


def test_wind_along_the_rows_gives_less_power(farm):
    for name, station in farm.stations[farm.stations["kind"] == "wind"].iterrows():
        weather = farm.true_weather.loc[name]
        speed, direction = np.hypot(weather["u100"], weather["v100"]), np.arctan2(weather["u100"], weather["v100"])
        along = np.abs(np.sin(direction - np.deg2rad(station["wake_axis"])))
        power = farm.true_power.loc[name][speed.between(8, 9)]
        assert power[along < 0.1].mean() < 0.92 * power[along > 0.7].mean()


def test_night_is_dark(farm):
    for name, station in farm.stations[farm.stations["kind"] == "solar"].iterrows():
        power = farm.true_power.loc[name]
        place = np.array([station["latitude"]]), np.array([station["longitude"]])
        height = np.stack([sun_position(power.index - m * HOUR / 4, *place)[0][:, 0] for m in range(5)])
        assert (power[(height < -0.01).all(axis=0)] == 0).all()
        assert (power[(height > 0.05).all(axis=0)] > 0).all()


def test_panels_that_face_west_give_their_power_later():
    farm = make_weather_farm(n_wind=0, n_solar=30, n_days=30, grid_size=3, random_state=0)
    share = by_station(farm.true_power)
    centre = share.groupby(share.index.hour).mean().apply(lambda day: (day * day.index).sum() / day.sum())
    effect = np.sin(np.deg2rad(farm.stations["azimuth"] - 180)) * np.sin(np.deg2rad(farm.stations["tilt"]))
    assert np.corrcoef(centre, effect)[0, 1] > 0.8


def test_the_sun_stands_where_pvlib_says():
    pvlib = pytest.importorskip("pvlib")
    times = pd.date_range("2023-01-01", "2024-12-31", freq="101min")
    sine, azimuth = sun_position(times, np.array([49.5]), np.array([7.5]))
    sun = pvlib.solarposition.get_solarposition(times.tz_localize("UTC"), 49.5, 7.5)
    assert np.abs(np.rad2deg(np.arcsin(sine[:, 0])) - sun["elevation"].to_numpy()).max() < 0.5
    high = (sun["elevation"] > 0).to_numpy()
    turn = np.rad2deg(azimuth[:, 0]) - sun["azimuth"].to_numpy()
    assert np.abs((turn + 180) % 360 - 180)[high].max() < 1.0


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_runs_are_late_and_missing_at_the_documented_shares(share):
    farm = small(n_days=300, runs_per_day=4, n_leads=1, late=share, missing=share)
    for name in PROVIDERS:
        arrivals = farm.arrivals[name]
        assert arrivals.isna().mean() == pytest.approx(share, abs=0.045)
        assert farm.forecasts[name].indexes["run"].equals(arrivals.index[arrivals.notna()])
        delay = (arrivals - arrivals.index).dropna() / HOUR - farm.providers["delay"][name]
        assert (delay > 5.4).mean() == pytest.approx(share, abs=0.045)
        assert (delay.between(-0.51, 1.01) | delay.between(5.4, 19.1)).all()


def test_meters_fail_at_the_documented_shares():
    farm = make_weather_farm(n_days=300, grid_size=3, n_leads=1, outages=0.1, stuck=0.05, random_state=0)
    assert farm.power.isna().mean() == pytest.approx(0.1, abs=0.03)
    assert farm.stuck.mean() == pytest.approx(0.045, abs=0.015)
    by_hour = by_station(farm.power).ffill()
    held = by_station(farm.stuck).to_numpy()
    repeats = by_hour.eq(by_hour.shift()) | by_hour.isna().shift(fill_value=True)
    after_outage = by_station(farm.power).shift().isna()
    assert (repeats | after_outage).to_numpy()[held].all()
    fine = farm.power.notna() & ~farm.stuck
    pd.testing.assert_series_equal(farm.power[fine], farm.true_power[fine])


def test_stretches_have_the_length_and_the_share_that_was_asked():
    covered = draw_stretches(np.random.RandomState(0), (50_000, 4), 0.1, 24)
    assert covered.mean() == pytest.approx(0.1, abs=0.015)
    assert covered.sum() / (np.diff(covered.astype(int), axis=0) == 1).sum() == pytest.approx(24, rel=0.15)
    assert not draw_stretches(np.random.RandomState(0), (50, 2), 0.0, 24).any()
    assert draw_stretches(np.random.RandomState(0), (50, 2), 1.0, 24).all()


def test_a_stuck_meter_shows_the_hour_before():
    power = np.arange(6.0)[:, None]
    outages, stuck = (np.array([rows], dtype=bool).T for rows in ([0, 0, 0, 0, 1, 0], [1, 0, 1, 1, 1, 0]))
    read, shown = measure(power, outages, stuck)
    np.testing.assert_array_equal(read[:, 0], [0, 1, 1, 1, np.nan, 5])
    np.testing.assert_array_equal(shown[:, 0], [0, 0, 1, 1, 0, 0])


def test_noise_has_variance_1_and_the_stated_correlation():
    noise = smooth_noise(np.random.RandomState(0), (20_000, 30), 4.0)
    assert noise.std() == pytest.approx(1, abs=0.02)
    assert noise[0].std() == pytest.approx(1, abs=0.35)  # from the first row on
    for lag in (1, 4, 12):
        found = (noise[:-lag] * noise[lag:]).mean()
        assert found == pytest.approx((1 + lag / 4) * np.exp(-lag / 4), abs=0.03)


def test_the_flow_runs_along_the_lines_of_equal_value():
    """Finite differences of the field are its flow, turned by a right angle; both parts have variance 1."""
    waves = draw_waves(np.random.RandomState(0), 40, 500, 6000, of_flow=True)
    places = np.array([[0.0, 0.0], [0.1, 0.0], [0.0, 0.1]])
    origin, east, north = waves.at(places).astype(complex).T
    flow_east, flow_north = (part[:, 0] for part in waves.flow_at(places))
    np.testing.assert_allclose(flow_east, -(north - origin) / 0.1, atol=2e-3)
    np.testing.assert_allclose(flow_north, (east - origin) / 0.1, atol=2e-3)
    assert (np.abs(flow_east) ** 2).sum() + (np.abs(flow_north) ** 2).sum() == pytest.approx(2)


def test_own_forms_hold_the_same_weather():
    plain, own = (small(grid_size=5, own_forms=own) for own in (False, True))
    assert own.forecasts["aeolus"].identical(plain.forecasts["aeolus"])
    boreas, expected = own.forecasts["boreas"], plain.forecasts["boreas"]
    assert (np.diff(boreas["latitude"]) < 0).all()
    assert boreas["t2m"].attrs["units"] == "degC"
    np.testing.assert_allclose((boreas["t2m"] + 273.15).sortby("latitude"), expected["t2m"], atol=1e-3)
    np.testing.assert_allclose((boreas["sp"] * 100).sortby("latitude"), expected["sp"], atol=0.05)
    cirrus, expected = own.forecasts["cirrus"], plain.forecasts["cirrus"]
    assert cirrus.sizes["latitude"] == cirrus.sizes["longitude"] == 3
    by_hour = cirrus["ssrd"].diff("step") / 3600
    np.testing.assert_allclose(
        by_hour,
        expected["ghi"].isel(step=slice(1, None)).sel(latitude=cirrus["latitude"], longitude=cirrus["longitude"]),
        atol=0.01,
    )


def test_stations_lie_within_the_grid(farm):
    for axis in ("latitude", "longitude"):
        assert farm.stations[axis].between(farm.truth[axis].min().item(), farm.truth[axis].max().item()).all()


def test_the_description_says_what_the_table_says(farm):
    for words in ("hour that ends", "UTC", "30 %", "aeolus is best from lead 25 on"):
        assert words in farm.DESCR
    scale = farm.error_scale[farm.error_scale.index.get_level_values("lead").isin([1, 24, 48])]
    for number in scale.to_numpy().ravel():
        assert f"{number + 1e-9:.2f}" in farm.DESCR


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"runs_per_day": 7}, r"runs_per_day=7.*divisor of 24.*6"),
        ({"n_wind": 0, "n_solar": 0}, "no station"),
        ({"start": pd.Timestamp("2023-03-02", tz="UTC")}, "without one"),
    ],
)
def test_what_cannot_be_made_is_refused(parameters, words):
    with pytest.raises(ValueError, match=words):
        small(**parameters)


def test_without_xarray_the_error_names_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(ImportError, match=r"skts\[weather\]"):
        small()
