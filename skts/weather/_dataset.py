"""What the dimensions and coordinates of an xarray Dataset mean, and its runs as a frame."""

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts._optional import load

# What a coordinate may be called, after what its attribute `standard_name` says: of CF conventions, and of cfgrib, in
# whose datasets `time` is the time of the run
STANDARD_NAMES = {
    "run": "forecast_reference_time",
    "step": "forecast_period",
    "time": "time",
    "latitude": "latitude",
    "longitude": "longitude",
}
NAMES = {
    "run": ["run", "forecast_reference_time", "reference_time", "init_time", "initial_time", "analysis_time"],
    "step": ["step", "forecast_period", "lead_time", "leadtime", "lead", "prediction_timedelta"],
    "time": ["time", "valid_time"],
    "latitude": ["latitude", "lat", "nav_lat"],
    "longitude": ["longitude", "lon", "nav_lon"],
}
MEMBERS = ["number", "member", "realization", "ensemble"]
UNITS_OF_TIME = {
    name: unit
    for unit, names in {
        "s": "s sec second seconds",
        "min": "min minute minutes",
        "h": "h hr hour hours",
        "D": "d day days",
    }.items()
    for name in names.split()
}
UNITS = {"latitude": ("degrees_north", "degree_north"), "longitude": ("degrees_east", "degree_east")}


def is_dataset(table: Any) -> bool:
    """Tell whether this is an xarray Dataset, without importing xarray."""
    return type(table).__module__.startswith("xarray.") and hasattr(table, "data_vars")


def find_coordinate(dataset: Any, role: str) -> Hashable | None:
    """Find the coordinate or dimension that has a role, by its standard name, its usual names, or its units.

    Parameters
    ----------
    dataset : Dataset
    role : {"run", "step", "time", "latitude", "longitude"}

    Returns
    -------
    name : str or None
    """
    named = [*dataset.coords, *(name for name in dataset.data_vars if str(name).lower() in NAMES[role])]
    told = [name for name in named if dataset[name].attrs.get("standard_name") == STANDARD_NAMES[role]]
    other = {value for key, value in STANDARD_NAMES.items() if key != role}
    usual = [
        name
        for name in [*named, *dataset.dims]
        if str(name).lower() in NAMES[role]
        and not (name in dataset.variables and dataset[name].attrs.get("standard_name") in other)
    ]
    measured = [name for name in named if dataset[name].attrs.get("units") in UNITS.get(role, ())]
    both = list(dict.fromkeys([*told, *usual, *([] if told or usual else measured)]))
    along = [name for name in both if name in dataset.dims]  # rather a dimension than what only accompanies it
    return next(iter([*along, *both]), None)


def name_dimensions(dataset: Any, owner: str) -> Any:
    """Call the dimensions of runs `run` and `step` or `time`, whatever they were called.

    A dimension of times whose run is one becomes `step`; pairs of run and time along one dimension become two.

    Raises
    ------
    ValueError
        Neither steps nor times, or neither date-times nor durations in them.
    """
    run, step, time = (find_coordinate(dataset, role) for role in ("run", "step", "time"))
    dims = set(dataset.dims)
    if run is not None and dataset[run].ndim == 1 and dataset[run].dims[0] not in (run, step):
        dataset = _spread_pairs(dataset, run, time, owner)
        return name_dimensions(dataset, owner)
    if run is not None and run not in dims and dataset[run].ndim == 0:
        dataset = dataset.expand_dims(run)
    along = step if step in dims else time if time in dims else None
    if along is None:
        along = next((name for name in (step, time) if name is not None and dataset[name].ndim == 0), None)
        if along is None:
            raise ValueError(
                f"{owner}: the dataset has the dimensions {list(map(str, dataset.dims))}, and a step (also "
                f"{', '.join(NAMES['step'][1:])}) or a time (also valid_time) is expected: rename it."
            )
        dataset = dataset.expand_dims(along)
    kind = "step" if along == step else "time"
    names = {old: new for old, new in ((run, "run"), (along, kind)) if old not in (None, new)}
    dataset = dataset.drop_vars([new for new in names.values() if new in dataset.variables and new not in names])
    dataset = dataset.rename(names)
    if kind == "step":
        dataset = dataset.assign_coords(step=_read_steps(dataset["step"], owner))
    for name in ("run", "time"):
        if name in dataset.dims and dataset[name].dtype.kind != "M":
            raise ValueError(
                f"{owner}: {name!r} holds {dataset[name].dtype} and not date-times as NumPy has them. Open the file "
                "with decode_times=True; calendars that have other days than ours cannot be joined."
            )
    if kind == "time" and dataset.sizes.get("run") == 1:
        dataset = dataset.assign_coords(time=dataset["time"].to_numpy() - dataset["run"].to_numpy()[0])
        dataset = dataset.rename(time="step")
    return dataset


def _spread_pairs(dataset: Any, run: Hashable, time: Hashable | None, owner: str) -> Any:
    """Make two dimensions of the one along which each time has a run of its own."""
    (along,) = dataset[run].dims
    if time is None or dataset[time].dims != (along,):
        raise ValueError(
            f"{owner}: {run!r} goes along the dimension {along!r}, and no time does: give each run and time, or a "
            "dimension for each."
        )
    pairs = pd.MultiIndex.from_arrays([dataset[run].to_numpy(), dataset[time].to_numpy()], names=["run", "time"])
    if pairs.has_duplicates:
        raise ValueError(f"{owner}: the run and time {pairs[pairs.duplicated()][0]} are there twice.")
    steps = [name for name in dataset.coords if str(name).lower() in NAMES["step"]]
    dataset = dataset.drop_vars({*steps, *(name for name in dataset.coords if along in dataset[name].dims)})
    indexes = load("xarray", owner).Coordinates.from_pandas_multiindex(pairs, "_pair")
    return dataset.rename_dims({along: "_pair"}).assign_coords(indexes).unstack("_pair")  # noqa: PD010


def _read_steps(steps: Any, owner: str) -> Any:
    """Give steps as durations, also where they were left as numbers with a unit."""
    if steps.dtype.kind == "m":
        return steps
    unit = str(steps.attrs.get("units", "")).split(" since ")[0]
    try:
        if steps.dtype.kind not in "iuf":
            raise ValueError(f"no durations: {steps.dtype}")
        spans = pd.to_timedelta(steps.to_numpy() * pd.Timedelta(f"1 {UNITS_OF_TIME[unit.lower()]}"))
    except (ValueError, KeyError) as error:
        raise ValueError(
            f"{owner}: 'step' holds {steps.dtype} with units {unit!r}, and durations are expected: open the file with "
            'decode_timedelta=True, or give it the attribute units, such as "hours".'
        ) from error
    return (steps.dims, spans.to_numpy().astype("m8[ns]"))


def to_frame(dataset: Any, owner: str = "join_runs") -> pd.DataFrame:
    """Make a frame by (series..., run, time) of a dataset by series, run, and step or time.

    All dimensions but those of run and step or time name the series. Rows of NaN alone before the first and after the
    last value of a run are left out: the runs of one dataset may have different lengths.
    """
    dataset = name_dimensions(dataset, owner)
    along = "step" if "step" in dataset.dims else "time"
    variables = [name for name in dataset.data_vars if along in dataset[name].dims]
    if not variables:
        raise ValueError(f"{owner}: no variable of the dataset has the dimension {along!r}.")
    told = {name for variable in variables for name in dataset[variable].dims}
    last = [*(["run"] if "run" in told else []), along]
    series = [name for name in dataset.dims if name in told and name not in last]
    dims = [*series, *last]
    shape = [dataset.sizes[name] for name in dims]
    columns = {}
    for variable in variables:
        array = dataset[variable]
        array = array.expand_dims({name: dataset.sizes[name] for name in dims if name not in array.dims})
        columns[str(variable)] = array.transpose(*dims).to_numpy().reshape(shape)
    return make_frame(columns, series, [_labels(dataset, name) for name in series], *read_times(dataset, along))


def _labels(dataset: Any, name: Hashable) -> pd.Index:
    return pd.Index(dataset[name].to_numpy(), name=name)


def read_times(dataset: Any, along: str) -> tuple[NDArray[Any] | None, NDArray[Any]]:
    """Give the runs, and the times of each run: (n_runs, n_steps), or (n_times,) without runs."""
    runs = dataset["run"].to_numpy().astype("M8[ns]") if "run" in dataset.dims else None
    times = dataset[along].to_numpy()
    if along == "time":
        times = times.astype("M8[ns]")
        return runs, times if runs is None else np.broadcast_to(times, (len(runs), len(times)))
    if runs is None:
        raise ValueError("The dataset has steps, and no run that they count from: add the coordinate 'run'.")
    return runs, runs[:, None] + times.astype("m8[ns]")


def make_frame(
    columns: dict[str, NDArray[Any]],
    series: list[Hashable],
    labels: list[pd.Index],
    runs: NDArray[Any] | None,
    times: NDArray[Any],
) -> pd.DataFrame:
    """Make a frame by (series..., run, time) of arrays.

    Parameters
    ----------
    columns : dict of str to ndarray of shape (n_series..., n_runs, n_steps)
        Without runs of shape (n_series..., n_times).
    series : list of str
        The names of the dimensions that name the series.
    labels : list of Index
        What stands along each of them.
    runs : ndarray of datetime64 of shape (n_runs,) or None
    times : ndarray of datetime64 of shape (n_runs, n_steps), or (n_times,)
    """
    shape = next(iter(columns.values())).shape
    distinct, time_codes = np.unique(times, return_inverse=True)
    n_series = len(labels)
    levels, codes = list(labels), [np.broadcast_to(_along(i, shape, n), shape) for i, n in enumerate(shape[:n_series])]
    names: list[Hashable] = list(series)
    if runs is not None:
        levels.append(pd.DatetimeIndex(runs))
        codes.append(np.broadcast_to(_along(n_series, shape, shape[n_series]), shape))
        names.append("run")
    levels.append(pd.DatetimeIndex(distinct))
    codes.append(np.broadcast_to(time_codes.reshape(times.shape), shape))
    there = np.zeros(shape, dtype=bool)
    for column in columns.values():
        there |= ~np.isnan(column) if column.dtype.kind == "f" else True
    inside = np.logical_or.accumulate(there, axis=-1)
    inside &= np.logical_or.accumulate(there[..., ::-1], axis=-1)[..., ::-1]
    keep = inside.ravel()
    if len(levels) == 1:
        index: pd.Index = levels[0][codes[0].ravel()[keep]].rename("time")
    else:
        distinct_levels = [pd.factorize(level) for level in levels]  # a run twice is refused by who reads the frame
        index = make_multi_index(
            [labels for _, labels in distinct_levels],
            [own[code.ravel()[keep]] for (own, _), code in zip(distinct_levels, codes, strict=True)],
            [*names, "time"],
        )
    return pd.DataFrame({name: column.ravel()[keep] for name, column in columns.items()}, index=index)


def _along(axis: int, shape: tuple[int, ...], n: int) -> NDArray[np.int64]:
    return np.arange(n).reshape([n if i == axis else 1 for i in range(len(shape))])


def make_multi_index(levels: list[Any], codes: list[Any], names: list[Any]) -> pd.MultiIndex:
    """Make an index of levels and codes that are known to fit, without looking through its rows."""
    return pd.MultiIndex(levels=levels, codes=codes, names=names, verify_integrity=False)
