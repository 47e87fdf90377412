"""How much of the clear sky's irradiance is there."""

from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from skts._compat import Interval
from skts.features import BaseColumnAdder
from skts.panel import Columns, find_columns


class ClearSkyIndex(BaseColumnAdder):
    """Add the clear-sky index: irradiance by the irradiance of a sky without clouds.

    It takes the sun's course out of an irradiance and leaves the clouds: near 1 without any, near 0.2 under a closed
    cover, for a short time above 1 beside a bright cloud.

    Parameters
    ----------
    columns : str, int, list of str or int, or callable
        The columns with an irradiance (W/m2), means or values of the time that `clear_sky` is of.
    clear_sky : str or int, default="clearsky_ghi"
        The column with the irradiance of a clear sky (W/m2), as :class:`~skts.features.SolarFeatures` adds it.
    night : float, default=0.0
        What stands where the clear sky has less than `low_sun`: 0, or `numpy.nan` where the step after may tell.
    low_sun : float, default=20.0
        Below it (W/m2) the ratio of two small numbers says nothing.
    limit : float, default=2.0
        Larger ratios, of stamps that do not fit or of a sun near the horizon, are cut to it.

    Attributes
    ----------
    columns_ : ndarray of int64 of shape (n_columns,)
        The positions of `columns`.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` was a DataFrame.

    See Also
    --------
    skts.features.SolarFeatures : Adds the irradiance of a clear sky; its `offset` makes both of the same time.
    find_stamp_offset : Reads off the data which offset that is.
    deaccumulate : Makes means in W/m2 of an irradiance that adds up in J/m2.

    Notes
    -----
    The new columns are named after their own: `clear_sky_index_ssrd`. They are known ahead where those are. A column
    of power does as well, in its own unit, where `limit` is raised accordingly.

    It cannot tell whether both are of the same time and on the same plane: ratios that rise every morning and fall
    every evening, or the other way round, say that they are not.

    Examples
    --------
    >>> import pandas as pd
    >>> from skts.weather import ClearSkyIndex
    >>> X = pd.DataFrame({"ssrd": [0.0, 150.0, 600.0], "clearsky_ghi": [0.0, 300.0, 600.0]})
    >>> ClearSkyIndex("ssrd").fit_transform(X)["clear_sky_index_ssrd"].tolist()
    [0.0, 0.5, 1.0]
    """

    _parameter_constraints = {
        "columns": [str, int, slice, "array-like", callable],
        "clear_sky": [str, int],
        "night": [Interval(Real, None, None, closed="neither"), np.nan],
        "low_sun": [Interval(Real, 0, None, closed="left")],
        "limit": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        columns: Columns,
        clear_sky: str | int = "clearsky_ghi",
        *,
        night: float = 0.0,
        low_sun: float = 20.0,
        limit: float = 2.0,
    ):
        self.columns = columns
        self.clear_sky = clear_sky
        self.night = night
        self.low_sun = low_sun
        self.limit = limit

    def _learn(self, X: Any, values: NDArray[Any]) -> list[str]:
        self.columns_ = find_columns(X, self.columns, f"ClearSkyIndex(columns={self.columns!r})")
        self._clear_sky = find_columns(X, self.clear_sky, f"ClearSkyIndex(clear_sky={self.clear_sky!r})")[0]
        self._options = {"night": self.night, "low_sun": self.low_sun, "limit": self.limit}
        return [f"clear_sky_index_{name}" for name in self._names_in()[self.columns_]]

    def _compute(self, X: Any, values: NDArray[Any]) -> NDArray[np.float64]:
        sky = values[:, self._clear_sky]
        new = [clear_sky_index(values[:, column], sky, **self._options) for column in self.columns_]
        return np.stack(new, axis=1) if new else np.empty((len(values), 0))


def clear_sky_index(
    irradiance: ArrayLike, clear_sky: ArrayLike, *, night: float = 0.0, low_sun: float = 20.0, limit: float = 2.0
) -> Any:
    """Divide an irradiance by that of a clear sky, safely at night.

    Parameters
    ----------
    irradiance : array-like of shape (n_rows,)
        In W/m2; what is below 0, of a sensor at night, counts as 0.
    clear_sky : array-like of shape (n_rows,)
        In W/m2.
    night : float, default=0.0
        What stands where `clear_sky` is below `low_sun`.
    low_sun : float, default=20.0
        In W/m2.
    limit : float, default=2.0
        Larger ratios are cut to it.

    Returns
    -------
    index : ndarray or Series of shape (n_rows,)
        From 0 to `limit`; NaN by day where either is. A Series where `irradiance` is one.

    See Also
    --------
    ClearSkyIndex : The transformer.

    Notes
    -----
    Rows are taken in their order: two Series are not aligned by their index.

    Examples
    --------
    >>> from skts.weather import clear_sky_index
    >>> clear_sky_index([0.0, 150.0, 700.0], [1.0, 300.0, 700.0])
    array([0. , 0.5, 1. ])
    """
    values, sky = (np.asarray(part, dtype=np.float64) for part in (irradiance, clear_sky))
    if values.shape != sky.shape:
        raise ValueError(
            f"clear_sky_index: irradiance has shape {values.shape} and clear_sky {sky.shape}: give one for each row."
        )
    is_night = sky < max(low_sun, np.finfo(float).tiny)  # not where it is NaN
    ratio = np.clip(values, 0, None) / np.where(is_night, 1.0, sky)
    index = np.where(is_night, night, np.minimum(ratio, limit))
    return (
        pd.Series(index, index=irradiance.index, name=irradiance.name) if isinstance(irradiance, pd.Series) else index
    )
