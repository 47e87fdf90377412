import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.utils.estimator_checks import parametrize_with_checks

from skts.features import WindFeatures
from skts.features._wind_features import CALM, shear_exponent

EXPECTED_FAILURES = {"WindFeatures": {}}
COMPONENTS = st.floats(-80, 80).map(lambda x: round(x, 6))
TOWER = pd.DataFrame(
    {"u10": [3.0, 0.1], "v10": [4.0, 0.1], "u100": [6.0, 5.0], "v100": [8.0, 0.0], "power": [1.0, 2.0]}
)


@parametrize_with_checks(
    [WindFeatures(0, 1)],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES[type(estimator).__name__],
    xfail_strict=True,
)
def test_estimator(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    ("origin", "u", "v", "sin", "cos"),
    [
        ("north", 0.0, -2.0, 0, 1),
        ("east", -2.0, 0.0, 1, 0),
        ("south", 0.0, 2.0, 0, -1),
        ("west", 2.0, 0.0, -1, 0),
        ("nowhere", 0.0, 0.0, 0, 0),
    ],
)
def test_direction_is_where_the_wind_comes_from(origin, u, v, sin, cos):
    assert WindFeatures(0, 1, features=["sin", "cos"]).fit_transform([[u, v]])[0, 2:].tolist() == [sin, cos]


def test_speed_and_cube():
    out = WindFeatures("u10", "v10", features=["cube", "speed"]).fit_transform(TOWER[:1])
    assert out.columns.tolist() == [*TOWER.columns, "cube_u10", "speed_u10"]
    assert out.iloc[0, 5:].tolist() == [125, 5]


@given(arrays(float, st.tuples(st.integers(1, 20), st.just(2)), elements=COMPONENTS))
def test_speed_and_direction_give_the_components_back(wind):
    _, _, speed, sin, cos, cube = WindFeatures(0, 1).fit_transform(wind).T
    np.testing.assert_allclose(np.stack([-speed * sin, -speed * cos], axis=1), wind, atol=1e-12)
    np.testing.assert_allclose(sin**2 + cos**2, speed > 0)
    np.testing.assert_allclose(cube, speed**3)


@given(st.floats(-0.5, 1.5), st.floats(2, 30), st.floats(1, 50), st.floats(1.1, 10))
def test_the_exponent_of_a_power_law_is_recovered(exponent, speed, height, ratio):
    high = speed * ratio**exponent
    if high >= CALM:
        found = shear_exponent(np.array([speed]), np.array([high]), height, height * ratio)
        assert found[0] == pytest.approx(exponent, abs=1e-12)


def test_shear_is_0_in_a_calm_and_missing_where_a_speed_is():
    below = np.nextafter(CALM, 0)
    low = np.array([CALM, below, 5.0, 0.0, np.nan, 0.0])
    high = np.array([5.0, 5.0, below, 0.0, 0.0, np.nan])
    np.testing.assert_allclose(shear_exponent(low, high, 10, 100), [np.log10(5 / CALM), 0, 0, 0, np.nan, np.nan])


def test_pairs_stand_side_by_side_and_shear_behind_them():
    out = WindFeatures(["u10", "u100"], ["v10", "v100"], heights=[10, 100]).fit_transform(TOWER)
    new = [f"{feature}_{u}" for u in ["u10", "u100"] for feature in ["speed", "sin", "cos", "cube"]]
    assert out.columns.tolist() == [*TOWER.columns, *new, "shear_u10_u100"]
    assert out["speed_u100"].tolist() == [10, 5]
    assert out["shear_u10_u100"].tolist() == pytest.approx([np.log10(2), 0])


def test_shear_goes_upwards_between_neighbouring_heights():
    wind = [[2.0, 0.0, 8.0, 0.0, 4.0, 0.0]]
    fitted = WindFeatures([0, 2, 4], [1, 3, 5], heights=[10, 40, 20], features=["shear"]).fit(wind)
    assert fitted.get_feature_names_out()[6:].tolist() == ["shear_x0_x4", "shear_x4_x2"]
    assert fitted.transform(wind)[0, 6:] == pytest.approx([1, 1])


def test_without_heights_there_is_no_shear():
    names = WindFeatures(["u10", "u100"], ["v10", "v100"]).fit(TOWER).get_feature_names_out()
    assert len(names) == 5 + 2 * 4
    assert not any("shear" in name for name in names)


def test_names_and_positions_mean_the_same():
    by_name = WindFeatures("u100", "v100").fit_transform(TOWER)
    pd.testing.assert_frame_equal(WindFeatures(2, 3).fit_transform(TOWER), by_name)
    np.testing.assert_array_equal(WindFeatures((2,), (-2,)).fit_transform(TOWER.to_numpy()), by_name)


def test_a_missing_component_is_missing_in_all_it_serves():
    out = WindFeatures(0, 1).fit_transform([[np.nan, 1.0], [1.0, np.nan], [3.0, 4.0]])
    assert np.isnan(out[:2, 2:]).all()
    assert not np.isnan(out[2]).any()


@pytest.mark.parametrize(
    ("X", "params", "message"),
    [
        (TOWER, {"u": "u_100", "v": "v100"}, r"u='u_100'\): no column 'u_100'.*Did you mean 'u100'\?"),
        (TOWER.to_numpy(), {"u": "u100", "v": "v100"}, "columns without names"),
        (TOWER, {"u": 0, "v": 7}, r"v=7\): the table has n_features=5\. Give positions from 0 to 4"),
        (TOWER, {"u": ["u10", "u100"], "v": "v10"}, "2 zonal and 1 meridional"),
        (TOWER, {"u": "u10", "v": "v10", "features": ["sped"]}, r"no feature 'sped'.*Did you mean 'speed'\?"),
        (TOWER, {"u": "u10", "v": "v10", "heights": [10, 100]}, "1 different heights"),
        (TOWER, {"u": ["u10", "u100"], "v": ["v10", "v100"], "heights": [10, 10]}, "2 different heights"),
        (TOWER, {"u": ["u10", "u100"], "v": ["v10", "v100"], "heights": [0, 10]}, "all above 0"),
        (TOWER, {"u": ["u10", "u10"], "v": ["v10", "v10"]}, "more than one column 'speed_u10'"),
    ],
)
def test_a_refusal_names_the_parameter_and_the_way_out(X, params, message):
    with pytest.raises(ValueError, match=message):
        WindFeatures(**params).fit(X)
