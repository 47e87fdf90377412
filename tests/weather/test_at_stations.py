import importlib.util

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skts.weather import at_stations, join_runs

xr = pytest.importorskip("xarray")
SAMPLES = importlib.util.find_spec("iris_sample_data")
needs_samples = pytest.mark.skipif(SAMPLES is None, reason="iris-sample-data is not installed")
RUNS = pd.to_datetime(["2024-01-01 00:00", "2024-01-01 12:00"])
STEPS = pd.to_timedelta([0, 1, 3], unit="h")


def sample(name, **options):
    import iris_sample_data

    return xr.open_dataset(f"{iris_sample_data.path}/{name}", **options)


def make_grid(lat, lon, seed=0, dtype="float64", names=("latitude", "longitude")):
    values = np.random.default_rng(seed).normal(size=(2, 3, len(lat), len(lon))).astype(dtype)
    coords = {"run": RUNS, "step": STEPS, names[0]: np.asarray(lat, float), names[1]: np.asarray(lon, float)}
    return xr.Dataset({"u": (("run", "step", *names), values)}, coords=coords)


def places(*coordinates, names=None):
    index = pd.Index(names or [f"s{i}" for i in range(len(coordinates))], name="station")
    return pd.DataFrame(list(coordinates), columns=["latitude", "longitude"], index=index)


def bilinear(dataset, lat, lon):
    """Interpolate at one place, point by point, on the circle of longitudes."""
    lats, lons = dataset["latitude"].to_numpy(), dataset["longitude"].to_numpy()
    south = max(x for x in lats if x <= lat)
    north = min(x for x in lats if x >= lat)
    west = min(lons, key=lambda x: (lon - x) % 360)
    east = min(lons, key=lambda x: (x - lon) % 360)
    a = 0.0 if north == south else (lat - south) / (north - south)
    b = 0.0 if east == west else ((lon - west) % 360) / ((east - west) % 360)

    def at(y, x):
        return dataset["u"].sel(latitude=y, longitude=x).to_numpy()

    return (1 - a) * ((1 - b) * at(south, west) + b * at(south, east)) + a * (
        (1 - b) * at(north, west) + b * at(north, east)
    )


@given(
    turned=st.booleans(),
    begin=st.sampled_from([-180, -60, 0, 170, 355]),
    globe=st.booleans(),
    wrap=st.sampled_from([None, 180, 360]),
    where=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=4),
)
def test_linear_is_bilinear_whichever_way_the_axes_count(turned, begin, globe, wrap, where):
    lat = 40 + 5.0 * np.arange(4)
    lon = begin + (30.0 * np.arange(12) if globe else 10.0 * np.arange(5))
    spans = (15, 360 if globe else 40)
    stations = places(*[(40 + a * spans[0], begin + b * spans[1]) for a, b in where])
    stations["longitude"] = (stations["longitude"] + 180) % 360 - 180
    if wrap:
        lon = (lon + 360 - wrap) % 360 + wrap - 360
    dataset = make_grid(lat[::-1] if turned else lat, lon)
    table = at_stations(dataset, stations)
    for name, place in stations.iterrows():
        expected = bilinear(dataset, place["latitude"], place["longitude"])
        np.testing.assert_allclose(table.loc[name, "u"].to_numpy().reshape(2, 3), expected, atol=1e-9)


def test_linear_and_nearest_are_what_xarray_gives():
    dataset = make_grid(np.linspace(50, 40, 6), np.linspace(0, 10, 6))
    stations = places((41.3, 3.3), (49.9, 9.4), (45.2, 5.1))
    where = {name: xr.DataArray(stations[name].to_numpy(), dims="station") for name in ("latitude", "longitude")}
    for method in ("linear", "nearest"):
        expected = dataset["u"].interp(where, method=method).transpose("station", "run", "step").to_numpy()
        np.testing.assert_allclose(at_stations(dataset, stations, method=method)["u"], expected.ravel())


def test_rows_say_station_run_and_time():
    table = at_stations(make_grid([40, 50], [0, 10]), places((45, 5), (50, 10), names=["b", "a"]))
    assert table.index.names == ["station", "run", "time"]
    expected = [(s, run, run + step) for s in ("b", "a") for run in RUNS for step in STEPS]
    assert table.index.tolist() == expected


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_a_patch_is_the_points_around_from_south_to_north_and_west_to_east(size):
    lat, lon = np.arange(60.0, 39.0, -1), np.arange(-5.0, 16.0)
    dataset = make_grid(lat, lon)
    dataset["u"] = dataset["latitude"] * 1000 + dataset["longitude"] + 0 * dataset["u"]
    table = at_stations(dataset, places((50.2, 5.4), (45.6, 0.7)), patch=size)
    assert list(table.columns) == [f"u_{i}_{j}" for i in range(size) for j in range(size)]
    first = {1: (50, 5), 2: (50, 5), 3: (49, 4), 4: (49, 4)}[size]
    other = {1: (46, 1), 2: (45, 0), 3: (45, 0), 4: (44, -1)}[size]
    for name, (south, west) in zip(["s0", "s1"], [first, other], strict=True):
        expected = [(south + i) * 1000 + west + j for i in range(size) for j in range(size)]
        np.testing.assert_array_equal(table.loc[name].iloc[0], expected)


def test_a_patch_crosses_the_seam_of_a_globe():
    dataset = make_grid(np.arange(-4.0, 5.0), np.arange(0.0, 360.0, 30.0))
    dataset["u"] = dataset["longitude"] + 0 * dataset["u"]
    table = at_stations(dataset, places((0, -2), (0, 359.0), (0, 3)), patch=3)
    assert (table[["u_1_0", "u_1_1", "u_1_2"]] == [330, 0, 30]).all(axis=None)


def test_members_become_columns_and_float32_stays():
    one = make_grid([40, 50], [0, 10], dtype="float32")
    both = xr.concat([one, one + 1], pd.Index([0, 7], name="number"))
    table = at_stations(both, places((45, 5)))
    assert list(table.columns) == ["u_m00", "u_m07"]
    assert (table.dtypes == "float32").all()
    np.testing.assert_allclose(table["u_m07"] - table["u_m00"], 1, rtol=1e-6)


def test_a_missing_point_counts_where_it_has_a_share():
    dataset = make_grid([40, 50], [0, 10])
    dataset["u"][:, :, 1, 1] = np.nan
    table = at_stations(dataset, places((40, 0), (40, 5), (41, 1)))
    assert table.loc[["s0", "s1"], "u"].notna().all()
    assert table.index.get_level_values("station").unique().tolist() == ["s0", "s1"]  # of s2 nothing is known


def test_short_names_standard_names_and_units_are_recognised():
    dataset, stations = make_grid([40, 50], [0, 10]), places((45, 5))
    expected = at_stations(dataset, stations)
    for names in (("lat", "lon"), ("Latitude", "LON")):
        table = at_stations(dataset.rename(latitude=names[0], longitude=names[1]), stations)
        pd.testing.assert_frame_equal(table, expected)
    other = dataset.rename(latitude="phi", longitude="lambda", run="made", step="ahead")
    for name, told in zip(
        ("phi", "lambda", "made", "ahead"),
        ("latitude", "longitude", "forecast_reference_time", "forecast_period"),
        strict=True,
    ):
        other[name].attrs["standard_name"] = told
    pd.testing.assert_frame_equal(at_stations(other, stations), expected)
    other = dataset.rename(latitude="phi", longitude="lambda")
    other["phi"].attrs["units"], other["lambda"].attrs["units"] = "degrees_north", "degrees_east"
    pd.testing.assert_frame_equal(at_stations(other, stations), expected)
    pd.testing.assert_frame_equal(
        at_stations(dataset, stations.rename(columns={"latitude": "lat", "longitude": "Lon"})), expected
    )


def test_times_take_the_place_of_steps_and_runs_may_be_absent():
    dataset, stations = make_grid([40, 50], [0, 10]), places((45, 5))
    expected = at_stations(dataset, stations).xs(RUNS[0], level="run")
    alone = dataset.isel(run=0)
    timed = alone.assign_coords(step=RUNS[0] + STEPS).rename(step="time")
    table = at_stations(timed, stations)
    assert table.index.names == ["station", "run", "time"]  # a scalar run is one
    pd.testing.assert_frame_equal(table.droplevel("run"), expected, check_index_type=False)
    table = at_stations(timed.drop_vars("run"), stations)
    pd.testing.assert_frame_equal(table, expected, check_index_type=False, check_freq=False)


def test_runs_along_times_leave_out_what_a_run_does_not_say():
    frames = [
        make_grid([40, 50], [0, 10], seed=i).isel(run=i).assign_coords(step=run + STEPS).rename(step="time")
        for i, run in enumerate(RUNS)
    ]
    table = at_stations(xr.concat(frames, "run", join="outer"), places((45, 5)))
    assert table.index.droplevel(0).tolist() == [(run, run + step) for run in RUNS for step in STEPS]
    join_runs({"x": table}, origins=RUNS, horizon=2, delay="0h")


def test_stations_of_several_levels_keep_them():
    stations = places((45, 5), (46, 6)).set_axis(
        pd.MultiIndex.from_tuples([("fr", "a"), ("de", "a")], names=["c", "s"])
    )
    table = at_stations(make_grid([40, 50], [0, 10]), stations.rename_axis(["c", "s"]))
    assert table.index.names == ["c", "s", "run", "time"]
    assert table.index.droplevel([2, 3]).unique().tolist() == [("fr", "a"), ("de", "a")]


GRID = make_grid([40, 45, 50], [0, 5, 10])


@pytest.mark.parametrize(
    ("dataset", "stations", "options", "message"),
    [
        (GRID, places((45, 5), (51, 5), (45, -1)), {}, r"2 of 3 stations lie outside the grid, the first is 's1'"),
        (GRID, places((45, 11)), {}, "longitudes 0 to 10"),
        (GRID, places((45, 5), (50, 5)), {"patch": 3}, "the patch around 's1' reaches beyond the grid"),
        (GRID, places((45, 5)), {"patch": 0}, r"patch=0\)"),
        (GRID, places((45, 5)), {"method": "cubic"}, r"no method 'cubic'|no method cubic"),
        (GRID["u"], places((45, 5)), {}, "is a DataArray"),
        (GRID, places((45, 5))["latitude"], {}, "give a DataFrame with the columns latitude"),
        (GRID, places((45, 5))[["latitude"]], {}, "0 columns 'longitude'"),
        (GRID, places((45, 5), (45, 6), names=["a", "a"]), {}, "has 'a' twice"),
        (GRID, places((45, 5))[:0], {}, "has no station"),
        (GRID, places((45, np.nan)), {}, "'s0' has latitude 45.*longitude nan"),
        (GRID.rename(latitude="y"), places((45, 5)), {}, r"none of latitudes"),
        (GRID.drop_vars("u"), places((45, 5)), {}, "no variable has the dimensions"),
        (GRID.isel(run=0, step=0, drop=True), places((45, 5)), {}, "a step .* or a time .* is expected"),
        (GRID.drop_vars("run").isel(run=0), places((45, 5)), {}, "no run that they count from"),
        (GRID.assign_coords(step=[0, 1, 3]), places((45, 5)), {}, "durations are expected"),
        (GRID.expand_dims(level=[1, 2]), places((45, 5)), {}, "select one of 'level'"),
        (GRID.assign_coords(latitude=[40, 40, 50]), places((45, 5)), {}, "latitude of the grid has a value twice"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(dataset, stations, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        at_stations(dataset, stations, **options)


@needs_samples
def test_a_real_field_of_the_sea_around_the_globe():
    dataset = sample("ostia_monthly.nc", engine="h5netcdf", decode_timedelta=True)  # longitudes 0 to 359.2
    stations = places((0.3, -0.3), (0.3, 359.7), (-4.5, -30.0))
    table = at_stations(dataset[["surface_temperature"]], stations)
    np.testing.assert_array_equal(table.loc["s0"], table.loc["s1"])
    west = at_stations(dataset, places((0.3, 359.1666), (0.3, 0.0)), method="linear")["surface_temperature"]
    between = table.loc["s0", "surface_temperature"].to_numpy()
    low, high = (west.loc[name].to_numpy() for name in ("s0", "s1"))
    assert ((np.minimum(low, high) - 1e-3 <= between) & (between <= np.maximum(low, high) + 1e-3)).all()
    assert table["surface_temperature"].between(290, 310).all()


@needs_samples
def test_a_real_field_over_north_america():
    dataset = sample("A1B_north_america.nc", engine="h5netcdf", decode_times=False)
    stations = places((45.0, -100.0), (30.0, 260.0))  # the file counts longitudes to 360
    dated = dataset.assign_coords(time=pd.date_range("1860-06-01", periods=dataset.sizes["time"], freq="YS"))
    dated = dated.drop_vars(["forecast_period", "forecast_reference_time"])[["air_temperature"]]
    table = at_stations(dated, stations, method="nearest")
    lats, lons = dataset["latitude"].to_numpy(), dataset["longitude"].to_numpy()
    i, j = np.abs(lats - 45).argmin(), np.abs(lons - 260).argmin()
    np.testing.assert_array_equal(table.loc["s0", "air_temperature"], dataset["air_temperature"].to_numpy()[:, i, j])
    with pytest.raises(ValueError, match="date-times as NumPy has them"):
        at_stations(dataset[["air_temperature"]], stations)


@needs_samples
def test_a_real_region_that_crosses_the_prime_meridian():
    dataset = sample("atlantic_profiles.nc", engine="h5netcdf")[["salinity"]]
    table = at_stations(dataset.isel(depth=0), places((-5.0, -2.0), (-5.0, 0.2)))
    assert len(table) == 2
    with pytest.raises(ValueError, match="select one of 'depth'"):
        at_stations(dataset, places((-5.0, -2.0)))
    with pytest.raises(ValueError, match="'s0' at latitude -5, longitude 90"):
        at_stations(dataset.isel(depth=0), places((-5.0, 90.0)))


@needs_samples
@pytest.mark.parametrize("name", ["rotated_pole.nc", "toa_brightness_stereographic.nc", "polar_stereo.grib2"])
def test_real_files_on_other_grids_are_refused(name):
    if name.endswith("grib2"):
        pytest.importorskip("cfgrib")
        options = {"engine": "cfgrib", "backend_kwargs": {"indexpath": ""}}
    else:
        options = {"engine": "h5netcdf"}
    with pytest.raises(ValueError, match=r"none of latitudes.*another projection or a rotated pole"):
        at_stations(sample(name, decode_timedelta=True, **options), places((50, 0)))
