import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.utils._param_validation import InvalidParameterError

from skts.features import SolarFeatures, _solar_features
from tests._panels import HOURS

pytest.importorskip("pvlib")

NEW = ["sun_elevation", "sun_azimuth_sin", "sun_azimuth_cos", "clearsky_ghi"]
LATITUDE = {"paris": 48.86, "oslo": 59.91, "quito": -0.18}
LONGITUDE = {"paris": 2.35, "oslo": 10.75, "quito": -78.47}


def table(index):
    return pd.DataFrame({"power": np.zeros(len(index))}, index=index)


def suns(index, *args, **kwargs):
    """Give the new columns of an index alone."""
    return SolarFeatures(*args, **kwargs).fit_transform(table(index))[NEW]


def azimuth(out):
    return np.rad2deg(np.arctan2(out["sun_azimuth_sin"], out["sun_azimuth_cos"])) % 360


def test_the_sun_stands_where_the_algorithm_was_published_to_put_it():
    # Reda and Andreas (2004), the worked example: before refraction
    time = pd.DatetimeIndex(["2003-10-17 12:30:30"], tz="Etc/GMT+7")
    out = suns(time, 39.742476, -105.1786, altitude=1830.14)
    assert out["sun_elevation"].iloc[0] == pytest.approx(39.872046, abs=0.01)
    assert azimuth(out).iloc[0] == pytest.approx(194.34024, abs=0.01)


@pytest.mark.parametrize(
    ("time", "latitude", "elevation", "direction"),
    [
        ("2024-06-20 12:02", 51.48, 90 - 51.48 + 23.44, 180),  # solstices at Greenwich
        ("2024-12-21 11:58", 51.48, 90 - 51.48 - 23.44, 180),
        ("2024-03-20 12:07", 51.48, 90 - 51.48, 180),  # equinox
        ("2024-03-20 06:07", 0.0, 0.0, 90),
        ("2024-03-20 18:07", 0.0, 0.0, 270),
        ("2024-06-20 00:02", 90 - 23.44, 0.0, 0),  # the midnight sun begins at the polar circle
    ],
)
def test_solstices_and_equinox_on_the_prime_meridian(time, latitude, elevation, direction):
    out = suns(pd.DatetimeIndex([time], tz="UTC"), latitude, 0.0)
    assert out["sun_elevation"].iloc[0] == pytest.approx(elevation, abs=0.5)
    assert (azimuth(out).iloc[0] - direction + 180) % 360 - 180 == pytest.approx(0, abs=0.5)


def test_a_clear_sky_gives_nothing_at_night_and_about_1_kw_at_noon():
    out = suns(HOURS[:48], LATITUDE["quito"], LONGITUDE["quito"], altitude=2850)
    assert out.notna().all(axis=None)
    assert (out["clearsky_ghi"] >= 0).all()
    assert (out.loc[out["sun_elevation"] < -2, "clearsky_ghi"] == 0).all()
    assert 950 < out["clearsky_ghi"].max() < 1200
    np.testing.assert_allclose(out["sun_azimuth_sin"] ** 2 + out["sun_azimuth_cos"] ** 2, 1)


def test_a_mountain_gets_more():
    valley, mountain = (suns(HOURS[12:13], 46.0, 7.0, altitude=h)["clearsky_ghi"].iloc[0] for h in (500, 3500))
    assert mountain > valley + 10


def test_times_without_a_zone_are_utc_and_zones_change_nothing():
    utc = pd.date_range("2024-10-26 12:00", periods=36, freq="h", tz="UTC")
    expected = suns(utc, 48.86, 2.35).to_numpy()
    np.testing.assert_array_equal(suns(utc.tz_localize(None), 48.86, 2.35), expected)
    np.testing.assert_array_equal(suns(utc.tz_convert("Europe/Paris"), 48.86, 2.35), expected)


def test_a_period_counts_from_its_start():
    periods = pd.period_range("2024-06-01", periods=24, freq="h")
    np.testing.assert_array_equal(suns(periods, 48.86, 2.35), suns(periods.to_timestamp(), 48.86, 2.35))


@pytest.mark.parametrize("kind", [dict, pd.Series])
def test_each_series_has_the_sun_of_its_place(kind):
    index = pd.MultiIndex.from_product([LATITUDE, HOURS[:24]], names=["town", "time"])
    index = index[np.random.default_rng(0).permutation(len(index))[:50]]
    out = suns(index, kind(LATITUDE), kind(LONGITUDE), altitude=kind({"paris": 35, "oslo": 23, "quito": 2850}))
    for town, altitude in [("paris", 35), ("oslo", 23), ("quito", 2850)]:
        own = out[index.get_level_values("town") == town]
        alone = suns(own.index.get_level_values("time"), LATITUDE[town], LONGITUDE[town], altitude=altitude)
        np.testing.assert_allclose(own, alone)


def test_tuples_name_series_of_several_levels():
    index = pd.MultiIndex.from_product([["fr", "no"], ["a"], HOURS[:3]])
    latitude = {("fr", "a"): 48.86, ("no", "a"): 59.91}
    expected = suns(index, latitude, 2.35)
    np.testing.assert_array_equal(suns(index, pd.Series(latitude), 2.35), expected)
    np.testing.assert_allclose(expected.loc["no"], suns(HOURS[:3], 59.91, 2.35))


def test_each_place_and_time_is_computed_once(monkeypatch):
    computed = []

    def count(times, *place):
        computed.append((len(times), place))
        return np.zeros((len(times), 4))

    monkeypatch.setattr(_solar_features, "sun_and_clear_sky", count)
    index = pd.MultiIndex.from_product([list("abcd"), HOURS[:24]])[: 3 * 24 + 5]
    suns(index, {"a": 50.0, "b": 40.0, "c": 50.0, "d": 60.0}, 2.35)
    assert computed == [(24, (40, 2.35, 0)), (24, (50, 2.35, 0)), (5, (60, 2.35, 0))]


@pytest.mark.parametrize(
    ("latitude", "longitude", "message"),
    [
        ({"paris": 48.86}, 2.35, r"no latitude of series 'oslo' \(1 of 2 series are without\).*\['paris'\]"),
        (LATITUDE, pd.Series({"paris": 2.35, "oslo": np.nan}), "no longitude of series 'oslo'"),
        ({"paris": 48.86, "oslo": 159.91}, 2.35, "latitude of series 'oslo' is 159.91, outside -90.0 to 90.0"),
    ],
)
def test_a_series_without_a_place_is_named(latitude, longitude, message):
    index = pd.MultiIndex.from_product([["paris", "oslo"], HOURS[:3]])
    with pytest.raises(ValueError, match=message):
        suns(index, latitude, longitude)


def test_a_series_that_appears_after_fit_needs_a_place_too():
    index = pd.MultiIndex.from_product([["paris", "rome"], HOURS[:3]])
    fitted = SolarFeatures(LATITUDE, LONGITUDE).fit(table(index[:3]))
    with pytest.raises(ValueError, match="no latitude of series 'rome'"):
        fitted.transform(table(index))


def test_a_table_without_series_takes_numbers():
    with pytest.raises(ValueError, match=r"SolarFeatures\(latitude=...\) is given by series.*give a number"):
        suns(HOURS[:3], LATITUDE, 2.35)
    with pytest.raises(InvalidParameterError, match="latitude"):
        suns(HOURS[:3], 148.86, 2.35)


def test_a_missing_package_is_told_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pvlib", None)
    with pytest.raises(ImportError, match="pip install pvlib"):
        suns(HOURS[:3], 48.86, 2.35)


@pytest.mark.parametrize("offset", ["-30min", pd.Timedelta("-30min"), np.timedelta64(-30, "m")])
def test_an_offset_is_the_sun_of_another_time(offset):
    ends = pd.date_range("2024-10-26 12:00", periods=36, freq="h", tz="Europe/Paris")
    expected = suns(ends - pd.Timedelta("30min"), 48.86, 2.35)
    np.testing.assert_array_equal(suns(ends, 48.86, 2.35, offset=offset), expected)


@pytest.mark.parametrize("offset", ["half", np.timedelta64("NaT")])
def test_an_offset_that_is_none_is_refused(offset):
    with pytest.raises(ValueError, match="give a duration"):
        suns(HOURS[:3], 48.86, 2.35, offset=offset)


@pytest.mark.parametrize("place", LATITUDE)
@pytest.mark.parametrize("minutes", [15, 60])
def test_it_is_night_only_where_a_whole_step_on_both_sides_has_no_light(place, minutes):
    fine = pd.date_range("2024-03-09", periods=6 * 288, freq="5min")
    ghi = suns(fine, LATITUDE[place], LONGITUDE[place])["clearsky_ghi"]
    rows = fine[:: minutes // 5]
    is_day = SolarFeatures(LATITUDE[place], LONGITUDE[place]).fit_transform(table(rows))["is_day"]
    assert set(is_day) == {0.0, 1.0}
    reach = minutes // 5
    lit = (ghi > 0).rolling(2 * reach + 1, center=True, min_periods=1).max()[::reach]
    assert (is_day >= lit).all()
    assert is_day.mean() < lit.mean() + 0.1
