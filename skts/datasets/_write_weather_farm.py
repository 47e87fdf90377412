"""A generated farm as files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skts.datasets._farm._datasets import COORDINATES, load_xarray

PACKING = {  # the size of a step of 16-bit integers, and what 0 stands for
    ("u100", "m s-1"): (0.002, 0.0),
    ("v100", "m s-1"): (0.002, 0.0),
    ("u10", "m s-1"): (0.002, 0.0),
    ("v10", "m s-1"): (0.002, 0.0),
    ("t2m", "K"): (0.005, 273.15),
    ("t2m", "degC"): (0.005, 0.0),
    ("sp", "Pa"): (1.0, 98_500.0),
    ("sp", "hPa"): (0.01, 985.0),
    ("ghi", "W m-2"): (0.05, 0.0),
    ("tcc", "1"): (0.0001, 0.0),
}
HOURS_SINCE = "hours since 1970-01-01 00:00:00"
README = """\
A generated farm of wind and solar stations with the forecasts of three weather providers.
Made by skts.datasets.make_weather_farm; no real weather, no real stations.

All times are UTC. Every value, of power and of weather, is the mean of the hour that ENDS at its time.

stations.csv             one line a station: kind, latitude and longitude (degrees), capacity (kW);
                         wind: hub_height (m), wake_axis (degrees from north), wake_deficit (share of the wind);
                         solar: tilt (degrees from horizontal), azimuth (degrees from north)
measurements/STATION.csv time, power (kW); empty where the meter said nothing; some values are stuck
arrivals.csv             provider, run, available: when each run arrived, empty where it never did
forecasts/PROVIDER/RUN.nc
                         one run (YYYYMMDDHH): variables by time, latitude, longitude, CF conventions with units;
                         forecast_reference_time is the time of the run, the attribute `available` when it arrived.
                         A run that never arrived has no file.

Files are NetCDF 3. Variables are 16-bit integers with scale_factor and add_offset, which xarray and other readers
apply: wind to 0.001 m/s, temperature 0.0025 K, pressure 0.5 Pa, irradiance 0.025 W/m2, cloud cover 0.00005.

Variables:
"""


def write_weather_farm(farm: Mapping[str, Any], folder: str | Path) -> Path:
    """Write a generated farm as a contest hands out its data: NetCDF by provider and run, CSV by station.

    Needs the package `xarray`.

    Parameters
    ----------
    farm : Bunch
        As :func:`make_weather_farm` gives it. What is true and would not be handed out is not written.
    folder : str or Path
        Made where it is not there. It must be empty.

    Returns
    -------
    folder : Path
        With `README.txt` (units and stamps), `stations.csv`, `arrivals.csv`, `measurements/<station>.csv` and
        `forecasts/<provider>/<run as YYYYMMDDHH>.nc`.

    Raises
    ------
    FileExistsError
        The folder has something in it.
    ImportError
        xarray is not installed.

    See Also
    --------
    make_weather_farm : Generate it.

    Notes
    -----
    The default farm takes about 15 seconds and 120 MB.

    A file of a run has the dimensions `(time, latitude, longitude)`, the scalar coordinate `forecast_reference_time`
    and the attribute `available`. Values are packed into 16-bit integers: wind is right to 0.001 m/s, temperature to
    0.0025 K, pressure to 0.5 Pa, irradiance to 0.025 W/m2, cloud cover to 0.00005; `ssrd` stays float32.
    The format is NetCDF 3 (64-bit offsets): pieces as small as these do not compress, and take many times as long to
    write as HDF5.

    Examples
    --------
    >>> import tempfile
    >>> from skts.datasets import make_weather_farm, write_weather_farm
    >>> farm = make_weather_farm(n_wind=1, n_solar=1, n_days=1, grid_size=3, missing=0, random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     folder = write_weather_farm(farm, folder)
    ...     sorted(str(path.relative_to(folder)) for path in folder.rglob("*.nc"))
    ['forecasts/aeolus/2023030112.nc', 'forecasts/boreas/2023030112.nc', 'forecasts/cirrus/2023030112.nc']
    """
    load_xarray("write_weather_farm")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"write_weather_farm(folder={str(folder)!r}) has something in it: give a new folder.")
    (folder / "README.txt").write_text(README + list_variables(farm["forecasts"]), encoding="utf-8")
    farm["stations"].to_csv(folder / "stations.csv")
    pd.concat(farm["arrivals"], names=["provider"]).to_csv(folder / "arrivals.csv")
    (folder / "measurements").mkdir()
    for station, power in farm["power"].groupby(level="station"):
        power.droplevel("station").round(3).to_csv(folder / "measurements" / f"{station}.csv")
    for provider, forecasts in farm["forecasts"].items():
        place = folder / "forecasts" / provider
        place.mkdir(parents=True)
        available = farm["arrivals"][provider]
        for number, run in enumerate(forecasts.indexes["run"]):
            one = as_file(forecasts.isel(run=number), provider, available[run])
            # NetCDF 3, for small files: with HDF5, compressed, a third larger and ten times slower
            one.to_netcdf(place / f"{run:%Y%m%d%H}.nc", engine="scipy", format="NETCDF3_64BIT")
    return folder


def list_variables(forecasts: Mapping[str, Any]) -> str:
    """Write a line for each variable of each provider, with its units."""
    lines = [
        f"{provider:8} {name:5} {variable.attrs['units']:7} {variable.attrs['long_name']}\n"
        for provider, dataset in forecasts.items()
        for name, variable in dataset.data_vars.items()
    ]
    return "".join(lines)


def as_file(one: Any, provider: str, available: pd.Timestamp) -> Any:
    """Give a run the form that its file has: times instead of steps, packed values, when it arrived.

    Parameters
    ----------
    one : Dataset
        A run: `(step, latitude, longitude)`, with the scalar coordinate `run`.
    provider : str
    available : Timestamp
    """
    times = (one["run"] + one["step"]).to_numpy()
    one = one.rename(step="time", run="forecast_reference_time").assign_coords(
        time=("time", times, COORDINATES["time"])
    )
    one = one.assign_attrs(
        title=f"forecast of {provider}", institution=provider, available=available.isoformat(), Conventions="CF-1.10"
    )
    for name, variable in one.data_vars.items():
        if packed := PACKING.get((name, variable.attrs["units"])):
            step, zero = packed
            # of float32, as what they are read with decides what a reader makes of the integers
            scale = {"scale_factor": np.float32(step), "add_offset": np.float32(zero)}
            variable.encoding = {"dtype": "int16", "_FillValue": np.int16(-32768), **scale}
    for name in ("time", "forecast_reference_time"):
        one[name].encoding = {"units": HOURS_SINCE, "dtype": np.int32}
    for name in ("time", "latitude", "longitude"):
        one[name].encoding["_FillValue"] = None
    return one
