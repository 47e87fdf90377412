"""From a grid to stations."""

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts._optional import load
from skts.panel import check_choices
from skts.weather._dataset import (
    MEMBERS,
    find_coordinate,
    is_dataset,
    make_frame,
    make_multi_index,
    name_dimensions,
    read_times,
)
from skts.weather._grid import Grid

OWNER = "at_stations"


def at_stations(
    dataset: Any, stations: pd.DataFrame, *, method: str = "linear", patch: int | None = None
) -> pd.DataFrame:
    """Read a gridded weather forecast at stations.

    Needs the package `xarray`.

    Parameters
    ----------
    dataset : xarray Dataset
        With dimensions for the run (`run`, `forecast_reference_time`, ...; optional), for the `step` or `time`, and for
        `latitude` and `longitude` (`lat`, `lon`), recognised by the standard names of CF conventions, by their usual
        names, or by their units. Latitudes may increase or decrease; longitudes may count from 0 to 360 or from -180
        to 180, and a grid around the globe is closed at its seam. Variables without latitude and longitude are left
        out. A dimension of ensemble members (`number`, `member`, `realization`) becomes columns `u100_m00`.
    stations : DataFrame of shape (n_stations, ...)
        With the columns `latitude` and `longitude` (`lat`, `lon`), in degrees; its index names the stations.
    method : {"linear", "nearest"}, default="linear"
        Interpolate between the four grid points around a station, linearly in degrees, or take the nearest.
    patch : int, default=None
        Take the patch of `patch` x `patch` grid points around each station instead, `method` aside: the nearest in the
        middle, or, of an even number, the station between the middle ones. Columns are `u100_0_0` to `u100_4_4`: first
        the number from south to north, then from west to east.

    Returns
    -------
    table : DataFrame of shape (n_rows, n_columns)
        With the index (station, run, time), or (station, time) of a dataset without runs. The station level is named
        after the index of `stations` (`"station"` without a name).

    Raises
    ------
    ValueError
        A station lies outside the grid, or its patch does; a dataset without times, or whose grid is not one of
        latitudes and longitudes (rotated poles, projections).

    See Also
    --------
    GridFeatures : Makes few columns of a patch.
    join_runs : Joins the runs of several providers.
    read_runs : Reads such datasets from files.

    Notes
    -----
    Only the points that are asked for are read. A grid point without value (NaN: the sea, in a field of the land) makes
    NaN of what has a share in it, which says that the station lies at the coast of the field.

    It cannot tell the height of the model's ground from that of the station, nor whether a wind is along the axes of
    the grid or of the earth.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import xarray as xr
    >>> from skts.weather import at_stations
    >>> dataset = xr.Dataset(
    ...     {"t2m": (("run", "step", "lat", "lon"), np.arange(8.0).reshape(1, 2, 2, 2))},
    ...     {"run": pd.to_datetime(["2024-01-01"]), "step": pd.to_timedelta([0, 1], unit="h"),
    ...      "lat": [51.0, 50.0], "lon": [4.0, 5.0]},
    ... )
    >>> stations = pd.DataFrame({"latitude": [50.5, 51.0], "longitude": [4.5, 4.0]}, index=["park", "farm"])
    >>> at_stations(dataset, stations)["t2m"].tolist()
    [1.5, 5.5, 0.0, 4.0]
    """
    check_choices([method], ["linear", "nearest"], f"at_stations(method={method!r})", "method")
    if patch is not None and (isinstance(patch, bool) or not isinstance(patch, int | np.integer) or patch < 1):
        raise ValueError(f"at_stations(patch={patch!r}): the grid points along a side are expected, at least 1.")
    load("xarray", OWNER)
    if not is_dataset(dataset):
        raise TypeError(
            f"at_stations takes an xarray Dataset, and this is a {type(dataset).__name__}: of a DataArray "
            "array.to_dataset(name=...) makes one."
        )
    places = read_stations(stations)
    dataset, lat, lon = _with_grid(dataset)
    dataset = name_dimensions(dataset, OWNER)
    along = "step" if "step" in dataset.dims else "time"
    grid = Grid.read(dataset[lat].to_numpy(), dataset[lon].to_numpy(), OWNER)
    position = grid.locate(places, OWNER)
    has_run = "run" in dataset.dims
    columns: dict[str, NDArray[Any]] = {}
    for name, array in _variables(dataset, lat, lon, along):
        dims = ["run", along] if has_run else [along]
        array = array.expand_dims({dim: dataset.sizes[dim] for dim in dims if dim not in array.dims})
        array = array.transpose(*dims, lat, lon)
        columns |= _take_patch(name, array, grid, position, places, int(patch)) if patch else {
            name: _interpolate(array, grid, position, method)
        }  # fmt: skip
    level = places.index.name if places.index.nlevels == 1 else None
    return _frame(columns, places.index, level, *read_times(dataset, along))


def read_stations(stations: Any) -> pd.DataFrame:
    """Give the latitude and longitude of each station, or say which are missing."""
    if not isinstance(stations, pd.DataFrame):
        raise TypeError(
            f"at_stations(stations=<{type(stations).__name__}>): give a DataFrame with the columns latitude and "
            "longitude, and the names of the stations in its index."
        )
    found = {}
    for role, short in (("latitude", "lat"), ("longitude", "lon")):
        names = [name for name in stations if str(name).lower() in (role, short)]
        if len(names) != 1:
            raise ValueError(
                f"at_stations(stations=...) has {len(names)} columns {role!r} (or {short!r}): {[*stations]}."
            )
        found[role] = pd.to_numeric(stations[names[0]])
    places = pd.DataFrame(found, index=stations.index)
    if len(places) == 0 or places.index.has_duplicates:
        what = f"{places.index[places.index.duplicated()][0]!r} twice" if len(places) else "no station"
        raise ValueError(f"at_stations(stations=...) has {what}: one row for each station is expected.")
    missing = places.isna().any(axis=1) | (places["latitude"].abs() > 90) | (places["longitude"].abs() > 360)
    if missing.any():
        raise ValueError(
            f"at_stations(stations=...): {places.index[missing][0]!r} has latitude "
            f"{places['latitude'][missing].iloc[0]}, longitude {places['longitude'][missing].iloc[0]}: degrees are "
            "expected."
        )
    return places


def _with_grid(dataset: Any) -> tuple[Any, Hashable, Hashable]:
    names = [find_coordinate(dataset, role) for role in ("latitude", "longitude")]
    for role, name in zip(("latitude", "longitude"), names, strict=True):
        if name is not None and name not in dataset.dims and dataset[name].ndim == 0:
            dataset = dataset.expand_dims(name)  # a dataset of one point
        elif name is None or name not in dataset.dims:
            what = "" if name is None else f", and {name!r} lies on {list(map(str, dataset[name].dims))}"
            raise ValueError(
                f"at_stations: the dataset has the dimensions {list(map(str, dataset.dims))} and none of {role}s"
                f"{what}. A grid of latitudes and longitudes is expected: of another projection or a rotated pole, "
                "interpolate to one before (cdo remapbil, or xesmf), or rename the dimension."
            )
    return dataset, names[0], names[1]


def _variables(dataset: Any, lat: Hashable, lon: Hashable, along: str) -> list[tuple[str, Any]]:
    """List the variables on the grid, each member of an ensemble one of its own."""
    found = []
    for name, array in dataset.data_vars.items():
        if lat not in array.dims or lon not in array.dims:
            continue
        more = [dim for dim in array.dims if dim not in (lat, lon, "run", along)]
        array = array.squeeze([dim for dim in more if array.sizes[dim] == 1 and str(dim) not in MEMBERS])
        more = [dim for dim in more if dim in array.dims]
        if not more:
            found.append((str(name), array))
        elif len(more) == 1 and str(more[0]) in MEMBERS:
            labels = dataset[more[0]].to_numpy() if more[0] in dataset.coords else np.arange(array.sizes[more[0]])
            found += [(f"{name}_m{int(label):02d}", array.isel({more[0]: i})) for i, label in enumerate(labels)]
        else:
            raise ValueError(
                f"at_stations: {name!r} has the dimensions {list(map(str, array.dims))}: select one of "
                f"{', '.join(map(repr, map(str, more)))} (dataset.sel), or make a variable of each."
            )
    if not found:
        raise ValueError(
            f"at_stations: no variable has the dimensions {lat!r} and {lon!r}, and there are {list(dataset.data_vars)}."
        )
    return found


def _interpolate(array: Any, grid: Grid, position: tuple[Any, Any], method: str) -> NDArray[Any]:
    """Give the values at positions of the grid: (n_stations, ...)."""
    if method == "nearest":
        position = tuple(np.floor(part + 0.5) for part in position)
    corners = [corner for corner in grid.corners(*position) if corner[2].any()]
    points = _read_points(array, *(np.stack([corner[k] for corner in corners]).astype(np.int64) for k in (0, 1)))
    total = np.zeros(points.shape[1:], dtype=points.dtype)
    for values, (_, _, weight) in zip(points, corners, strict=True):
        weight = weight.astype(points.dtype).reshape(-1, *[1] * (values.ndim - 1))
        total += np.where(weight > 0, weight * values, 0)  # what has no share may be missing
    return total


def _take_patch(
    name: str, array: Any, grid: Grid, position: tuple[Any, Any], places: pd.DataFrame, size: int
) -> dict[str, NDArray[Any]]:
    rows, columns, beyond = grid.around(*position, size)
    if beyond.any():
        raise ValueError(
            f"at_stations(patch={size}): the patch around {places.index[beyond][0]!r} reaches beyond the grid, and "
            f"those of {beyond.sum()} of {len(places)} stations do: give a smaller patch, or a larger grid."
        )
    points = _read_points(array, rows.T[:, None, :], columns.T[None, :, :])  # (size, size, n_stations, ...)
    return {f"{name}_{i}_{j}": points[i, j] for i in range(size) for j in range(size)}


def _read_points(array: Any, row: NDArray[np.int64], column: NDArray[np.int64]) -> NDArray[Any]:
    """Read points of the last two dimensions, (*points, ...): the box that holds them once, not all of a file."""
    rows, i = np.unique(row, return_inverse=True)
    columns, j = np.unique(column, return_inverse=True)
    lat, lon = array.dims[-2:]
    box = array.isel({lat: rows, lon: columns}).to_numpy()
    box = box if box.dtype.kind == "f" else box.astype(np.float64)
    points = box[..., i.reshape(row.shape), j.reshape(column.shape)]
    return np.moveaxis(points, range(box.ndim - 2), range(-(box.ndim - 2), 0))


def _frame(
    columns: dict[str, NDArray[Any]], names: pd.Index, level: Hashable, runs: NDArray[Any] | None, times: NDArray[Any]
) -> pd.DataFrame:
    """Make the frame, with all levels of the stations' index."""
    table = make_frame(columns, [level or "station"], [pd.RangeIndex(len(names))], runs, times)
    index = table.index
    assert isinstance(index, pd.MultiIndex)
    codes = np.asarray(index.codes[0])
    levels, series = [], []
    for i in range(names.nlevels):
        code, distinct = pd.factorize(names.get_level_values(i))
        levels.append(distinct)
        series.append(code[codes])
    own = [level or "station"] if names.nlevels == 1 else list(names.names)
    return table.set_axis(
        make_multi_index([*levels, *index.levels[1:]], [*series, *index.codes[1:]], [*own, *index.names[1:]])
    )
