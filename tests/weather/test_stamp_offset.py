import numpy as np
import pandas as pd
import pytest

from skts.exceptions import PanelIndexError
from skts.features import SolarFeatures
from skts.weather import find_stamp_offset

PLACES = {"oslo": (59.9, 10.8), "lyon": (45.8, 4.8), "quito": (-0.2, -78.5), "perth": (-32.0, 115.9)}


@pytest.fixture(scope="module")
def skies():
    """The clear sky of each place, every five minutes of three months."""
    pytest.importorskip("pvlib")
    fine = pd.date_range("2024-02-01", periods=12 * 24 * 90, freq="5min", tz="UTC")
    index = pd.MultiIndex.from_product([list(PLACES), fine], names=["town", "time"])
    lat, lon = ({name: place[k] for name, place in PLACES.items()} for k in (0, 1))
    return SolarFeatures(lat, lon).fit_transform(pd.DataFrame({"x": 0.0}, index=index))["clearsky_ghi"]


def measure(skies, town, step, stamps, seed=0):
    """Measure under clouds: means of each step, stamped at its end or beginning, or the value of the moment."""
    sky = skies.loc[town]
    if stamps == "middle":
        mean = sky.asfreq(step)
    else:
        right = {"closed": "right", "label": "right"} if stamps == "end" else {"closed": "left", "label": "left"}
        mean = sky.resample(step, **right).mean()
    clouds = pd.Series(np.random.default_rng(seed).uniform(0.2, 1, len(mean)), index=mean.index)
    return (mean * clouds.rolling(3, min_periods=1).mean()).round()


@pytest.mark.parametrize("town", PLACES)
@pytest.mark.parametrize("step", ["1h", "30min"])
@pytest.mark.parametrize("stamps", ["end", "begin", "middle"])
def test_stamps_are_read_off_the_sun(skies, town, step, stamps):
    found = find_stamp_offset(measure(skies, town, step, stamps), *PLACES[town])
    assert found.stamps == stamps
    assert found.offset == {"end": -0.5, "begin": 0.5, "middle": 0.0}[stamps] * pd.Timedelta(step)
    assert abs(found.estimate - found.offset) < pd.Timedelta("6min")
    assert found.n_days > 80


def test_the_offset_makes_the_sun_fit(skies):
    power = measure(skies, "lyon", "1h", "end")
    found = find_stamp_offset(power, *PLACES["lyon"])
    table = power.to_frame("power")
    errors = {}
    for offset in (found.offset, "0min", "30min"):
        sky = SolarFeatures(*PLACES["lyon"], offset=offset).fit_transform(table)["clearsky_ghi"]
        errors[offset] = (0.6 * sky - power).abs().mean()
    assert min(errors, key=errors.get) == found.offset


def test_panels_turned_to_the_east_change_nothing(skies):
    power = measure(skies, "lyon", "1h", "end")
    hour = power.index.hour.to_numpy() + 0.3
    turned = power * np.clip(1 - 0.08 * (hour - 6), 0.15, None)
    assert find_stamp_offset(turned, *PLACES["lyon"]).stamps == "end"


def test_short_steps_are_not_told(skies):
    found = find_stamp_offset(measure(skies, "lyon", "10min", "end"), *PLACES["lyon"])
    assert found.stamps == "unclear"
    assert pd.isna(found.offset)
    assert abs(found.estimate) < pd.Timedelta("15min")


def test_a_clock_of_another_zone_is_said(skies):
    power = measure(skies, "lyon", "1h", "end")
    found = find_stamp_offset(power.tz_convert("Etc/GMT-2").tz_localize(None), *PLACES["lyon"])
    assert found.stamps == "shifted"
    assert "look at the time zone" in str(found)
    assert abs(found.offset - pd.Timedelta("-150min")) < pd.Timedelta("6min")


def test_several_stations_are_one_answer_or_named_by_series(skies):
    ends = {town: measure(skies, town, "1h", "end") for town in PLACES}
    lat, lon = ({name: place[k] for name, place in PLACES.items()} for k in (0, 1))
    found = find_stamp_offset(pd.concat(ends, names=["town"]), lat, pd.Series(lon))
    assert str(found).startswith("stamps end their step: the sun of ")
    assert str(found).endswith('offset="-30min"')
    assert sorted(found.by_series.index) == sorted(PLACES)
    found = find_stamp_offset(pd.concat({**ends, "oslo": measure(skies, "oslo", "1h", "begin")}), lat, lon)
    assert found.stamps == "mixed"
    assert pd.isna(found.offset)
    assert found.by_series["oslo"] > pd.Timedelta("20min")
    assert "by_series" in str(found)


def test_holes_and_negative_nights_are_borne(skies):
    power = measure(skies, "lyon", "1h", "begin") - 2.0
    power[np.random.default_rng(0).random(len(power)) < 0.02] = np.nan
    found = find_stamp_offset(power.sample(frac=1, random_state=0).to_frame(), *PLACES["lyon"])
    assert found.stamps == "begin"
    assert found.n_days > 80


HOURS = pd.date_range("2024-01-01", periods=240, freq="h")


@pytest.mark.parametrize(
    ("values", "latitude", "message"),
    [
        (pd.Series(1.0, index=HOURS), 45.0, "found 0 days"),
        (pd.Series(np.nan, index=HOURS), 45.0, "found 0 days"),
        (pd.Series(np.arange(240) % 24 // 12, index=HOURS), 85.0, "found 0 days"),
        (pd.Series(1.0, index=range(3)), 45.0, "needs date-times"),
        (pd.DataFrame(1.0, index=HOURS, columns=["a", "b"]), 45.0, r"DataFrame of shape \(240, 2\)"),
        (pd.concat({"a": pd.Series(1.0, index=HOURS)}), {"b": 45.0}, "no latitude of series 'a'"),
    ],
)
def test_what_is_wrong_is_named(values, latitude, message):
    with pytest.raises((ValueError, TypeError, PanelIndexError), match=message):
        find_stamp_offset(values, latitude, 5.0)
