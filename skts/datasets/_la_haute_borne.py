"""The La Haute Borne wind farm."""

from importlib import resources
from typing import Any

import pandas as pd
from sklearn.utils import Bunch

_TURBINES = ["R80711", "R80721", "R80736", "R80790"]
_WEATHER = ["era5_u100", "era5_v100", "era5_t2m", "era5_sp"]
_TARGET = "power_kw"


def load_la_haute_borne(*, return_X_y: bool = False, as_frame: bool = True) -> Any:
    """Load two years of hourly power of four wind turbines, with the weather.

    Four turbines of 2,050 kW, 17,520 hours each (2014 and 2015, UTC). `power_kw` is observed and has its real holes;
    the weather is ERA5 reanalysis, which stands in for a weather forecast.

    Parameters
    ----------
    return_X_y : bool, default=False
        Whether to return `(X, y)` instead of a Bunch.
    as_frame : bool, default=True
        Whether tables are pandas objects with the index `(turbine, time)`. Without it they are arrays, turbine after
        turbine, and no longer say which row is whose.

    Returns
    -------
    data : Bunch
        data : DataFrame or ndarray of shape (70080, 5)
            `power_kw` (kW), `era5_u100` and `era5_v100` (m/s), `era5_t2m` (K), `era5_sp` (Pa).
        target : Series or ndarray of shape (70080,)
            `power_kw` (kW), the same column: its past may be read, its future is to be forecast.
        frame : DataFrame of shape (70080, 5) or None
            The table; None without `as_frame`.
        feature_names, target_names : list of str
        DESCR : str
            Description, source and licences.
        filename, data_module : str
            Where the file lies.
    (X, y) : tuple
        With `return_X_y`: `data` and `target`.

    Examples
    --------
    >>> from skts.datasets import load_la_haute_borne
    >>> X, y = load_la_haute_borne(return_X_y=True)
    >>> X.shape, int(y.isna().sum())
    ((70080, 5), 453)
    """
    with resources.as_file(resources.files("skts.datasets") / "data" / "la_haute_borne.csv.gz") as path:
        wide = pd.read_csv(path, parse_dates=["timestamp"], index_col="timestamp")
    wide = wide.tz_localize("UTC")
    frame = pd.concat(
        {
            turbine: wide[[f"power_{turbine}", *_WEATHER]].set_axis([_TARGET, *_WEATHER], axis=1)
            for turbine in _TURBINES
        },
        names=["turbine", "time"],
    )
    data: Any = frame if as_frame else frame.to_numpy()
    target: Any = frame[_TARGET] if as_frame else frame[_TARGET].to_numpy()
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        frame=frame if as_frame else None,
        feature_names=list(frame.columns),
        target_names=[_TARGET],
        DESCR=(resources.files("skts.datasets") / "descr" / "la_haute_borne.rst").read_text(encoding="utf-8"),
        filename="la_haute_borne.csv.gz",
        data_module="skts.datasets.data",
    )
