import numpy as np
import pandas as pd
import pytest

from skts.features import SolarFeatures
from skts.weather import ClearSkyIndex, clear_sky_index


def test_it_is_the_ratio_by_day_and_what_one_asks_for_at_night():
    irradiance, sky = (
        np.array([0.0, -2.0, 5.0, 100.0, 900.0, np.nan, -1.0]),
        np.array([0.0, 0.0, 10.0, 400.0, 300.0, 500.0, 100.0]),
    )
    np.testing.assert_array_equal(clear_sky_index(irradiance, sky), [0, 0, 0, 0.25, 2, np.nan, 0])
    np.testing.assert_array_equal(clear_sky_index(irradiance, sky, night=np.nan)[:3], [np.nan] * 3)
    np.testing.assert_array_equal(clear_sky_index(irradiance, sky, low_sun=0, limit=9), [0, 0, 0.5, 0.25, 3, np.nan, 0])
    assert np.isnan(clear_sky_index([1.0], [np.nan])).all()


def test_a_series_stays_one():
    series = pd.Series([100.0, 200.0], index=["a", "b"], name="ssrd")
    out = clear_sky_index(series, [400.0, 400.0])
    pd.testing.assert_series_equal(out, pd.Series([0.25, 0.5], index=["a", "b"], name="ssrd"))


def test_rows_must_fit():
    with pytest.raises(ValueError, match=r"shape \(2,\) and clear_sky \(3,\)"):
        clear_sky_index([1.0, 2.0], [1.0, 2.0, 3.0])


def test_a_constant_cloud_has_a_constant_index_from_morning_to_evening():
    pytest.importorskip("pvlib")
    times = pd.date_range("2024-06-01", periods=48, freq="h", tz="UTC")
    sun = SolarFeatures(50.0, 5.0).fit_transform(pd.DataFrame({"ssrd": 0.0}, index=times))
    out = ClearSkyIndex(["ssrd"]).fit_transform(sun.assign(ssrd=0.4 * sun["clearsky_ghi"]))["clear_sky_index_ssrd"]
    np.testing.assert_allclose(out, np.where(sun["clearsky_ghi"] >= 20, 0.4, 0.0))
    assert 20 < (out > 0).sum() < 36


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match=r"clear_sky='clearsky_ghi'.*no column 'clearsky_ghi'"):
        ClearSkyIndex("ssrd").fit(pd.DataFrame({"ssrd": [1.0]}))
