import numpy as np
import pandas as pd
import pytest

from skts.datasets import make_weather_farm, write_weather_farm

xarray = pytest.importorskip("xarray")
RIGHT_TO = {"u100": 0.001, "v100": 0.001, "u10": 0.001, "v10": 0.001, "t2m": 0.0025, "ghi": 0.025, "tcc": 0.00005}


@pytest.fixture(scope="module", params=[False, True], ids=["one form", "own forms"])
def written(request, tmp_path_factory):
    farm = make_weather_farm(
        n_wind=1, n_solar=1, n_days=6, grid_size=4, missing=0.2, outages=0.2, own_forms=request.param, random_state=1
    )
    return farm, write_weather_farm(farm, tmp_path_factory.mktemp("farm") / "new")


def test_forecasts_come_back(written):
    farm, folder = written
    for provider, forecasts in farm.forecasts.items():
        files = sorted((folder / "forecasts" / provider).iterdir())
        assert [file.name for file in files] == [f"{run:%Y%m%d%H}.nc" for run in forecasts.indexes["run"]]
        for file, run in zip(files, forecasts.indexes["run"], strict=True):
            expected = forecasts.sel(run=run)
            with xarray.open_dataset(file) as found:
                assert pd.Timestamp(found["forecast_reference_time"].item()) == run
                assert (found.indexes["time"] == run + expected.indexes["step"]).all()
                assert pd.Timestamp(found.attrs["available"]) == farm.arrivals[provider][run]
                for axis in ("latitude", "longitude"):
                    np.testing.assert_array_equal(found[axis], expected[axis])
                assert set(found.data_vars) == set(expected.data_vars)
                for name, values in expected.items():
                    assert found[name].dtype == np.float32
                    assert found[name].attrs == values.attrs
                    atol = {"Pa": 0.5, "hPa": 0.005}.get(values.attrs["units"], RIGHT_TO.get(name, 0.0))
                    np.testing.assert_allclose(found[name], values, rtol=1e-6, atol=1.001 * atol)


def test_tables_come_back(written):
    farm, folder = written
    stations = pd.read_csv(folder / "stations.csv", index_col="station")
    pd.testing.assert_frame_equal(stations, farm.stations)
    for station, power in farm.power.groupby(level="station"):
        found = pd.read_csv(folder / "measurements" / f"{station}.csv", index_col="time", parse_dates=["time"])
        expected = power.droplevel("station")
        assert (found.index == expected.index).all()
        np.testing.assert_allclose(found["power"], expected, atol=0.0006)
    arrivals = pd.read_csv(folder / "arrivals.csv", index_col=["provider", "run"], parse_dates=["run", "available"])
    for provider, expected in farm.arrivals.items():
        assert (arrivals.loc[provider, "available"].fillna(pd.Timestamp(0)) == expected.fillna(pd.Timestamp(0))).all()
        assert (arrivals.loc[provider].index == expected.index).all()


def test_some_runs_are_missing_and_have_no_file(written):
    farm, folder = written
    n_files = len(list(folder.rglob("*.nc")))
    assert 0 < n_files < 18
    assert n_files == sum(arrivals.notna().sum() for arrivals in farm.arrivals.values())


def test_the_readme_says_units_and_stamps(written):
    farm, _ = written
    text = (written[1] / "README.txt").read_text(encoding="utf-8")
    for words in ("UTC", "hour that ENDS", "kW", "forecast_reference_time", "available"):
        assert words in text
    lines = [line.split()[:2] for line in text.splitlines()]
    for provider, forecasts in farm.forecasts.items():
        assert [line[1] for line in lines if line[:1] == [provider]] == list(forecasts.data_vars)
        for variable in forecasts.values():
            assert variable.attrs["units"] in text


def test_the_farm_is_left_as_it_was(written):
    farm, _ = written
    for forecasts in farm.forecasts.values():
        assert set(forecasts.dims) == {"run", "step", "latitude", "longitude"}
        assert not any("scale_factor" in variable.encoding for variable in forecasts.values())


def test_a_folder_with_something_in_it_is_refused(written):
    with pytest.raises(FileExistsError, match="new folder"):
        write_weather_farm(*written)
