import importlib.util
import sys

import numpy as np
import pandas as pd
import pytest

from skts.weather import at_stations, join_runs, read_runs

xr = pytest.importorskip("xarray")
pytest.importorskip("h5netcdf")
SAMPLES = importlib.util.find_spec("iris_sample_data")
needs_samples = pytest.mark.skipif(SAMPLES is None, reason="iris-sample-data is not installed")
RUNS = pd.to_datetime(["2024-01-01 00:00", "2024-01-01 12:00", "2024-01-02 00:00"])
STEPS = pd.to_timedelta([0, 1, 3], unit="h")
LAT, LON = [50.0, 45.0, 40.0], [0.0, 5.0]


def make_dataset(seed=0):
    rng = np.random.default_rng(seed)
    dims = ("run", "step", "latitude", "longitude")
    shape = (len(RUNS), len(STEPS), len(LAT), len(LON))
    return xr.Dataset(
        {name: (dims, rng.normal(size=shape)) for name in ("u", "t")},
        {"run": RUNS, "step": STEPS, "latitude": LAT, "longitude": LON},
    )


def with_steps(one):
    return one.rename(run="forecast_reference_time")


def with_times(one):
    return one.assign_coords(step=one["run"] + one["step"]).rename(step="time", run="forecast_reference_time")


def with_attribute(one):
    return with_times(one).drop_vars("forecast_reference_time").assign_attrs(
        forecast_reference_time=f"{pd.Timestamp(one['run'].item()).isoformat()}Z"
    )  # fmt: skip


def with_odd_names(one):
    one = with_times(one).rename(forecast_reference_time="made", latitude="y", longitude="x")
    one["made"].attrs["standard_name"] = "forecast_reference_time"
    return one.assign_coords(forecast_period=("time", [0, 1, 3], {"units": "hours"}))


def with_a_dimension(one):
    return with_steps(one).expand_dims("forecast_reference_time")


def with_hours(one):
    return with_steps(one).assign_coords(step=("step", [0, 60, 180], {"units": "minutes"}))


def with_bounds(one):
    bounds = xr.DataArray(np.zeros((3, 2)), dims=("time", "bnds"))
    return with_times(one).assign(time_bnds=bounds, crs=0, orography=one["u"].isel(step=0, drop=True))


LAYOUTS = [with_steps, with_times, with_attribute, with_odd_names, with_a_dimension, with_hours, with_bounds]


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_file_a_run_comes_back_whatever_its_layout(layout, engine, tmp_path):
    dataset = make_dataset()
    for i in (2, 0, 1):
        layout(dataset.isel(run=i)).to_netcdf(tmp_path / f"{9 - i}.nc", engine=engine)
    read = read_runs(tmp_path / "*.nc")
    assert dict(read.sizes) == {"run": 3, "step": 3, **dict(zip(list(read.sizes)[2:], (3, 2), strict=True))}
    assert sorted(read.data_vars) == ["t", "u"]
    np.testing.assert_array_equal(read["run"], RUNS)
    np.testing.assert_array_equal(read["step"], STEPS)
    for name in "tu":
        np.testing.assert_array_equal(read[name], dataset[name])


def test_many_runs_in_a_file_and_pairs_along_one_dimension(tmp_path):
    dataset = make_dataset()
    dataset.rename(run="init_time", step="lead_time").to_netcdf(tmp_path / "all.nc", engine="h5netcdf")
    xr.testing.assert_equal(read_runs(str(tmp_path / "all.nc")), dataset)
    made = np.repeat(RUNS, 3)
    pairs = dataset.stack(time=("run", "step")).transpose("time", ...).drop_vars(["time", "run", "step"])  # noqa: PD013
    pairs = pairs.assign_coords(time=made + np.tile(STEPS, 3), forecast_reference_time=("time", made))
    pairs.isel(time=[4, 0, 8, 3, 1, 2, 7, 5, 6]).to_netcdf(tmp_path / "pairs.nc", engine="h5netcdf")
    read = read_runs(tmp_path / "pairs.nc")
    stations = pd.DataFrame({"lat": [42.0], "lon": [3.0]}, index=["a"])
    pd.testing.assert_frame_equal(
        at_stations(read, stations), at_stations(dataset[["u", "t"]], stations), check_index_type=False
    )


def test_files_of_one_run_merge_and_contradictions_are_named(tmp_path):
    dataset = make_dataset()
    with_steps(dataset[["u"]].isel(run=0)).to_netcdf(tmp_path / "u.nc", engine="h5netcdf")
    for i, part in enumerate((slice(0, 2), slice(2, 3))):
        with_steps(dataset[["t"]].isel(run=0, step=part)).to_netcdf(tmp_path / f"t{i}.nc", engine="h5netcdf")
    xr.testing.assert_equal(read_runs(tmp_path / "*.nc")[["u", "t"]], dataset.isel(run=[0]))
    with_steps(dataset[["u"]].isel(run=0) + 1).to_netcdf(tmp_path / "v.nc", engine="h5netcdf")
    with pytest.raises(ValueError, match=r"u\.nc.*v\.nc.*contradict each other"):
        read_runs([tmp_path / "u.nc", tmp_path / "v.nc"])


def test_runs_of_other_lengths_are_filled_with_nan_and_left_out_of_the_table(tmp_path):
    dataset = make_dataset()
    with_times(dataset.isel(run=0)).to_netcdf(tmp_path / "0.nc", engine="h5netcdf")
    with_times(dataset.isel(run=1, step=[0, 1])).to_netcdf(tmp_path / "1.nc", engine="h5netcdf")
    table = at_stations(read_runs(tmp_path / "*.nc"), pd.DataFrame({"lat": [42.0], "lon": [3.0]}, index=["a"]))
    assert table.index.get_level_values("run").value_counts().tolist() == [3, 2]
    assert table.notna().all(axis=None)


def test_the_run_may_stand_in_the_name_and_a_part_be_taken(tmp_path):
    dataset = make_dataset()
    for i in range(2):
        one = with_times(dataset.isel(run=i)).drop_vars("forecast_reference_time")
        one.to_netcdf(tmp_path / f"gfs_{RUNS[i]:%Y%m%d%H}.nc", engine="h5netcdf")
    with pytest.raises(ValueError, match=r"gfs_2024010100.nc: nothing in the file says when its run .*run=lambda"):
        read_runs(tmp_path / "*.nc")
    read = read_runs(
        tmp_path / "*.nc",
        run=lambda path: pd.to_datetime(path.stem[-10:], format="%Y%m%d%H"),
        variables=["u"],
        preprocess=lambda dataset: dataset.sel(latitude=slice(50, 44)),
    )
    xr.testing.assert_equal(read, dataset[["u"]].isel(run=[0, 1], latitude=[0, 1]))


def test_a_file_by_stations_goes_straight_into_the_join(tmp_path):
    dataset = make_dataset().isel(longitude=0, drop=True).rename(latitude="station")
    dataset["station"] = ["a", "b", "c"]
    dataset.to_netcdf(tmp_path / "x.nc", engine="h5netcdf")
    table = join_runs({"x": read_runs(tmp_path / "x.nc")}, origins=RUNS[:1], horizon=2, delay="0h")
    np.testing.assert_array_equal(
        table["x_u"], dataset["u"].isel(run=0, step=[0, 1]).transpose("station", "step").data.ravel()
    )


def test_what_cannot_be_read_is_named(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"there is no file '.*nothing.*\.nc'"):
        read_runs(tmp_path / "nothing*.nc")
    with pytest.raises(FileNotFoundError, match="is empty"):
        read_runs([])
    (tmp_path / "broken.nc").write_bytes(b"no data")
    with pytest.raises(ValueError, match=r"broken\.nc: "):
        read_runs(tmp_path / "broken.nc")
    with_steps(make_dataset().isel(run=0)).to_netcdf(tmp_path / "x.nc", engine="h5netcdf")
    with pytest.raises(ValueError, match=r"x\.nc: no variable 'v' with times among \['u', 't'\]"):
        read_runs(tmp_path / "x.nc", variables=["v"])
    make_dataset().isel(run=0, step=0).drop_vars("step").to_netcdf(tmp_path / "y.nc", engine="h5netcdf")
    with pytest.raises(ValueError, match=r"y\.nc: .*a step .* or a time .* is expected"):
        read_runs(tmp_path / "y.nc")
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(ImportError, match="pip install xarray"):
        read_runs(tmp_path / "x.nc")


@needs_samples
def test_a_real_file_whose_times_have_runs_of_their_own():
    import iris_sample_data

    read = read_runs(f"{iris_sample_data.path}/ostia_monthly.nc")
    assert dict(read.sizes) == {"run": 54, "time": 54, "latitude": 18, "longitude": 432}
    source = xr.open_dataset(f"{iris_sample_data.path}/ostia_monthly.nc", engine="h5netcdf", decode_timedelta=False)
    for i in (0, 53):
        np.testing.assert_array_equal(read["surface_temperature"][i, i], source["surface_temperature"][i])


@needs_samples
def test_a_real_file_of_another_calendar_is_named():
    import iris_sample_data

    with pytest.raises(ValueError, match=r"A1B_north_america\.nc: .*(calendar|date-times)"):
        read_runs(f"{iris_sample_data.path}/A1B_north_america.nc")


@needs_samples
def test_a_real_grib_file():
    pytest.importorskip("cfgrib")
    import iris_sample_data

    read = read_runs(f"{iris_sample_data.path}/polar_stereo.grib2")
    assert read.sizes["run"] == read.sizes["step"] == 1
    assert 200 < float(read["t"].mean()) < 320
    with pytest.raises(ValueError, match="grid of latitudes and longitudes is expected"):
        at_stations(read, pd.DataFrame({"lat": [50.0], "lon": [-100.0]}))


def test_written_grib_files_of_two_runs(tmp_path):
    eccodes = pytest.importorskip("eccodes")
    pytest.importorskip("cfgrib")
    values = np.arange(24.0).reshape(2, 2, 6)
    for i, run in enumerate(RUNS[:2]):
        with open(tmp_path / f"{i}.grib2", "wb") as file:
            for j, step in enumerate((0, 3)):
                message = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib2")
                for key, value in {
                    "Ni": 2, "Nj": 3, "latitudeOfFirstGridPointInDegrees": 50, "latitudeOfLastGridPointInDegrees": 40,
                    "longitudeOfFirstGridPointInDegrees": 0, "longitudeOfLastGridPointInDegrees": 5,
                    "iDirectionIncrementInDegrees": 5, "jDirectionIncrementInDegrees": 5, "bitsPerValue": 24,
                    "dataDate": int(f"{run:%Y%m%d}"), "dataTime": 100 * run.hour, "shortName": "2t", "step": step,
                }.items():  # fmt: skip
                    eccodes.codes_set(message, key, value)
                eccodes.codes_set_values(message, values[i, j])
                eccodes.codes_write(message, file)
                eccodes.codes_release(message)
    read = read_runs(tmp_path / "*.grib2")
    np.testing.assert_array_equal(read["run"], RUNS[:2])
    np.testing.assert_array_equal(read["step"], pd.to_timedelta([0, 3], unit="h"))
    np.testing.assert_allclose(read["t2m"].to_numpy().reshape(2, 2, 6), values, atol=1e-4)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".grib2", ".grib2"]  # no index beside the data
    table = at_stations(read, pd.DataFrame({"lat": [45.0], "lon": [2.5]}, index=["a"]))
    np.testing.assert_allclose(table["t2m"], values[..., 2:4].mean(axis=-1).ravel(), atol=1e-4)
