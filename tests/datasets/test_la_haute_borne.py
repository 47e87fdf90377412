from importlib import resources

import numpy as np
import pandas as pd
import pytest

from skts.datasets import load_la_haute_borne
from skts.panel import PanelIndex

TURBINES = ["R80711", "R80721", "R80736", "R80790"]
COLUMNS = ["power_kw", "era5_u100", "era5_v100", "era5_t2m", "era5_sp"]


@pytest.fixture(scope="module")
def data():
    return load_la_haute_borne()


def test_four_turbines_have_two_years_of_hours(data):
    assert data.data.shape == data.frame.shape == (70_080, 5)
    assert list(data.data.columns) == data.feature_names == COLUMNS
    assert data.data.index.names == ["turbine", "time"]
    hours = pd.date_range("2014-01-01", "2015-12-31 23:00", freq="h", tz="UTC")
    for turbine in TURBINES:
        assert (data.data.loc[turbine].index == hours).all()


def test_it_is_a_regular_panel(data):
    panel = PanelIndex.read(data.data)
    assert panel.index.names.tolist() == TURBINES
    assert (np.diff(panel.ticks)[np.diff(panel.index.series[panel.rows]) == 0] == panel.step).all()


def test_the_target_is_the_power(data):
    assert data.target_names == ["power_kw"]
    pd.testing.assert_series_equal(data.target, data.data["power_kw"])


def test_453_hours_of_power_are_missing_and_none_of_the_weather(data):
    missing = data.target.isna().groupby(level="turbine").sum()
    assert missing.to_dict() == dict(zip(TURBINES, [83, 208, 78, 84], strict=True))
    assert not data.data[COLUMNS[1:]].isna().any(axis=None)


def test_the_longest_hole_has_133_hours(data):
    missing = data.target.isna()
    lengths = missing.groupby((~missing).cumsum()).sum()
    assert lengths.max() == 133


def test_values_are_in_their_units(data):
    low, high = data.data.min(), data.data.max()
    assert -25 < low["power_kw"] < 0
    assert 2000 < high["power_kw"] < 2100  # kW; rated 2,050
    assert (low[["era5_u100", "era5_v100"]] > -40).all()
    assert (high[["era5_u100", "era5_v100"]] < 40).all()  # m/s
    assert 253 < low["era5_t2m"] < 273 < high["era5_t2m"] < 313  # K
    assert 90_000 < low["era5_sp"] < high["era5_sp"] < 105_000  # Pa


def test_the_weather_is_that_of_the_power(data):
    """Power follows the wind, best in the same hour: the times are right."""
    X = data.data.loc["R80711"]
    speed = np.hypot(X["era5_u100"], X["era5_v100"])
    correlation = {lag: X["power_kw"].corr(speed.shift(lag)) for lag in (-2, -1, 0, 1, 2)}
    assert max(correlation, key=correlation.get) == 0
    assert correlation[0] > 0.8


def test_x_and_y_come_alone_or_as_arrays(data):
    X, y = load_la_haute_borne(return_X_y=True)
    pd.testing.assert_frame_equal(X, data.data)
    pd.testing.assert_series_equal(y, data.target)
    arrays = load_la_haute_borne(as_frame=False)
    assert arrays.frame is None
    assert type(arrays.data) is type(arrays.target) is np.ndarray
    np.testing.assert_array_equal(arrays.data, X)
    for array, expected in zip(load_la_haute_borne(return_X_y=True, as_frame=False), (X, y), strict=True):
        np.testing.assert_array_equal(array, expected)


def test_the_description_says_what_the_weather_is_and_whose_the_data_are(data):
    for words in ("reanalysis", "ENGIE", "Open Licence 2.0", "Copernicus", "453"):
        assert words in data.DESCR


def test_the_data_and_the_licence_are_in_the_package(data):
    folder = resources.files(data.data_module)
    assert (folder / data.filename).is_file()
    licence = (folder / "LICENSE_la_haute_borne.txt").read_text(encoding="utf-8")
    assert "ENGIE" in licence
    assert "OPEN LICENCE" in licence
