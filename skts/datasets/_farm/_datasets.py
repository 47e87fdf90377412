"""Weather as xarray has it."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.datasets._farm._weather import VARIABLES

COORDINATES: dict[str, dict[str, str]] = {
    "run": {"standard_name": "forecast_reference_time", "long_name": "time the forecast was made, UTC"},
    "step": {"standard_name": "forecast_period", "long_name": "time since the run: end of the hour"},
    "time": {"standard_name": "time", "long_name": "end of the hour, UTC"},
    "latitude": {"standard_name": "latitude", "units": "degrees_north"},
    "longitude": {"standard_name": "longitude", "units": "degrees_east"},
}


def load_xarray(owner: str) -> Any:
    """Import xarray, or say how to install it."""
    try:
        return import_module("xarray")
    except ImportError as error:
        raise ImportError(
            f"{owner} needs the package xarray, which cannot be imported: pip install 'skts[weather]'"
        ) from error


def to_dataset(
    xarray: Any, weather: Mapping[str, NDArray[np.float32]], coordinates: Mapping[str, Any], title: str
) -> Any:
    """Make a Dataset of variables (n_rows, n_places): rows unfold to the first coordinates, places to the last two."""
    dims = list(coordinates)
    shape = [len(values) for values in coordinates.values()]
    variables = {}
    for name, values in weather.items():
        standard_name, units, long_name = VARIABLES[name]
        attributes = {
            "standard_name": standard_name,
            "units": units,
            "long_name": long_name,
            "cell_methods": "time: mean",
        }
        variables[name] = (dims, values.reshape(shape), attributes)
    coords = {name: (name, values, COORDINATES[name]) for name, values in coordinates.items()}
    return xarray.Dataset(variables, coords, {"title": title, "Conventions": "CF-1.10"})


def change_form(provider: str, dataset: Any) -> Any:
    """Give forecasts the grid, names and units of their provider: see the Notes of `make_weather_farm`."""
    if provider == "boreas":
        changed = dataset.isel(latitude=slice(None, None, -1))
        changed["t2m"] = (changed["t2m"] - np.float32(273.15)).assign_attrs(dataset["t2m"].attrs, units="degC")
        changed["sp"] = (changed["sp"] / np.float32(100)).assign_attrs(dataset["sp"].attrs, units="hPa")
        return changed
    if provider == "cirrus":
        changed = dataset.isel(latitude=slice(None, None, 2), longitude=slice(None, None, 2))
        ssrd = (3600 * changed["ghi"]).cumsum("step", dtype=np.float32)
        changed["ssrd"] = ssrd.assign_attrs(
            standard_name="integral_wrt_time_of_surface_downwelling_shortwave_flux_in_air",
            units="J m-2",
            long_name="global horizontal irradiance, added up from the run on",
            cell_methods="time: sum",
        )
        return changed.drop_vars("ghi")
    return dataset


def run_coordinates(runs: pd.DatetimeIndex, n_leads: int) -> dict[str, Any]:
    """Give the coordinates of runs and of their steps."""
    return {"run": runs.to_numpy(), "step": np.arange(1, n_leads + 1) * np.timedelta64(3_600_000_000_000, "ns")}
