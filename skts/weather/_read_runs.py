"""Weather forecasts from files."""

import glob
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from skts._optional import load
from skts.weather._dataset import NAMES, find_coordinate, name_dimensions

OWNER = "read_runs"
GRIB = (".grib", ".grib2", ".grb", ".grb2", ".gb2")
BOUNDS = ("bnds", "bounds", "nv", "bound")


def read_runs(
    paths: str | os.PathLike | Iterable[str | os.PathLike],
    *,
    variables: Sequence[str] | None = None,
    run: Callable[[Path], Any] | None = None,
    preprocess: Callable[[Any], Any] | None = None,
    engine: str | None = None,
    **options: Any,
) -> Any:
    """Read the runs of a weather provider from NetCDF or GRIB files.

    Needs the package `xarray`, and what reads the files: `h5netcdf` for NetCDF 4, `scipy` for NetCDF 3, `cfgrib` for
    GRIB.

    Parameters
    ----------
    paths : str, path, or list of them
        One file, several, or a pattern such as `"ecmwf/*.nc"`. A file holds one run or more; files of one run with
        other variables or other steps are put together.
    variables : list of str, default=None
        The variables to keep. All that have steps or times by default, but for their bounds.
    run : callable, default=None
        Tells the time of a file's run from its path, where nothing in the file does:
        `lambda path: pd.to_datetime(path.stem[-10:], format="%Y%m%d%H")`.
    preprocess : callable, default=None
        Given the Dataset of each file, returns what to keep of it, such as a region or a level: what is returned is
        loaded into memory.
    engine : str, default=None
        What xarray reads with; by the suffix of the file by default.
    **options : dict
        Passed to `xarray.open_dataset`, such as `backend_kwargs`.

    Returns
    -------
    dataset : xarray Dataset
        With the dimension `run`, increasing, then `step` (a duration from the run; `time` where a file holds several
        runs by times), and those of the grid or stations.

    Raises
    ------
    FileNotFoundError
        No file.
    ValueError
        A file that cannot be read, without a run or without times, or two that contradict each other: the file is
        named.

    See Also
    --------
    at_stations : Reads such a dataset at stations.
    join_runs : Joins the runs of several providers.

    Notes
    -----
    The time of the run is found as a dimension, as a coordinate, for the file or for each of its times, or as an
    attribute of the file: by the standard name `forecast_reference_time` of CF conventions, or by the names
    `forecast_reference_time`, `reference_time`, `init_time`, `initial_time`, `analysis_time` or `run`. Coordinates that
    go with no dimension (heights, members of one) are left out.

    It cannot tell whether a file came in time, nor which of two files of the same run is newer.

    Examples
    --------
    >>> import os
    >>> import tempfile
    >>> import pandas as pd
    >>> import xarray as xr
    >>> from skts.weather import read_runs
    >>> folder = tempfile.TemporaryDirectory()
    >>> for day in ("2024-01-01", "2024-01-02"):
    ...     times = pd.date_range(day, periods=3, freq="h")
    ...     dataset = xr.Dataset({"t2m": (("time", "station"), [[1.0], [2.0], [3.0]])})
    ...     dataset = dataset.assign_coords(time=times, station=["a"], forecast_reference_time=times[0])
    ...     dataset.to_netcdf(os.path.join(folder.name, f"{day}.nc"), engine="h5netcdf")
    >>> dict(read_runs(os.path.join(folder.name, "*.nc")).sizes)
    {'run': 2, 'step': 3, 'station': 1}
    >>> folder.cleanup()
    """
    xarray = load("xarray", OWNER)
    files = find_files(paths)
    read = []
    for path in files:
        try:
            read.append(_read_file(path, variables, run, preprocess, engine, options))
        except ImportError:
            raise
        except Exception as error:
            raise ValueError(f"{path}: {error}") from error
    kinds = {"step" if "step" in dataset.dims else "time" for dataset in read}
    if len(kinds) > 1:
        other = next(i for i, dataset in enumerate(read) if ("step" in dataset.dims) != ("step" in read[0].dims))
        raise ValueError(f"{files[0]} counts by steps or by times, and {files[other]} otherwise: read them apart.")
    try:
        together = _concatenate(xarray, read, files)
    except ValueError as error:
        raise ValueError(f"{OWNER}: {files[0]} to {files[-1]} cannot be put together: {error}") from error
    (along,) = kinds
    rest = [name for name in together.dims if name not in ("run", along)]
    return together.sortby("run").transpose("run", along, *rest)


def find_files(paths: Any) -> list[Path]:
    """List files: of a pattern those that match, in the order of their names.

    Raises
    ------
    FileNotFoundError
    """
    several = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    found: list[Path] = []
    for path in several:
        text = os.fspath(path)
        matching = [text] if os.path.exists(text) else sorted(glob.glob(text, recursive=True))
        if not matching:
            raise FileNotFoundError(f"read_runs: there is no file {text!r} (from {os.getcwd()}).")
        found += map(Path, matching)
    if not found:
        raise FileNotFoundError("read_runs(paths) is empty: give at least one file.")
    return found


def _read_file(path: Path, variables: Any, run: Any, preprocess: Any, engine: str | None, options: Any) -> Any:
    xarray = load("xarray", OWNER)
    if engine is None and path.suffix.lower() in GRIB:
        load("cfgrib", f"{OWNER}({str(path)!r})")
        engine = "cfgrib"
    if engine == "cfgrib":
        options = {"backend_kwargs": {"indexpath": ""}, **options}  # writes nothing beside the data
    with xarray.open_dataset(path, engine=engine, decode_timedelta=False, **options) as dataset:
        if run is not None:
            known = find_coordinate(dataset, "run")
            dataset = dataset.drop_vars([] if known is None else known).assign_coords(run=pd.Timestamp(run(path)))
        elif find_coordinate(dataset, "run") is None:
            dataset = dataset.assign_coords(run=_read_attribute(dataset))
        dataset = name_dimensions(dataset, OWNER)
        if preprocess is not None:
            dataset = preprocess(dataset)
        return _select(dataset, variables).load()


def _read_attribute(dataset: Any) -> pd.Timestamp:
    for name, value in dataset.attrs.items():
        if str(name).lower() in NAMES["run"]:
            made = pd.Timestamp(value)
            return made if made.tz is None else made.tz_convert("UTC").tz_localize(None)
    raise ValueError(
        "nothing in the file says when its run was made: no dimension, coordinate or attribute is called "
        f"{', '.join(NAMES['run'][1:])}, or has the standard name forecast_reference_time. Tell it from the name of "
        "the file: run=lambda path: ..."
    )


def _select(dataset: Any, variables: Any) -> Any:
    """Keep what has times, without bounds, and coordinates of dimensions alone."""
    along = "step" if "step" in dataset.dims else "time"
    there = [
        name
        for name, array in dataset.data_vars.items()
        if along in array.dims and not any(str(dim).lower() in BOUNDS for dim in array.dims)
    ]
    if variables is not None:
        absent = [name for name in variables if name not in there]
        if absent:
            raise ValueError(f"no variable {', '.join(map(repr, absent))} with times among {there}.")
        there = list(variables)
    if not there:
        raise ValueError(f"no variable has the dimension {along!r}, and there are {list(dataset.data_vars)}.")
    dataset = dataset[there]
    return dataset.drop_vars([name for name in dataset.coords if name not in dataset.dims])


def _concatenate(xarray: Any, datasets: list[Any], files: list[Path]) -> Any:
    """Put files together along their runs; those of one run merge, where they do not contradict each other."""
    by_runs: dict[tuple, list[int]] = {}
    for i, dataset in enumerate(datasets):
        by_runs.setdefault(tuple(dataset["run"].to_numpy().tolist()), []).append(i)
    parts = []
    for members in by_runs.values():
        try:
            parts.append(
                datasets[members[0]]
                if len(members) == 1
                else xarray.merge([datasets[i] for i in members], join="outer", compat="no_conflicts")
            )
        except xarray.MergeError as error:
            names = ", ".join(str(files[i]) for i in members[:5])
            raise ValueError(f"the files of one run, {names}, contradict each other: {error}") from error
    runs = [made for key in by_runs for made in key]
    if len(set(runs)) < len(runs):
        repeated = pd.Index(runs)
        raise ValueError(
            f"the run {pd.Timestamp(repeated[repeated.duplicated()][0])} is in several files of many runs."
        )
    return parts[0] if len(parts) == 1 else xarray.concat(parts, "run", join="outer", data_vars="all", coords="minimal")
