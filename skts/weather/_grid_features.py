"""Few columns of a patch of the grid."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from skts._compat import Interval
from skts.panel import check_choices, naming_cells
from skts.weather._base_column_replacer import BaseColumnReplacer, match_columns

FEATURES = ("mean", "gradient", "pca")


class GridFeatures(BaseColumnReplacer):
    """Make a mean, gradients and principal components of the patch of the grid around each station.

    Around a station a weather model says more than at it: how the wind changes across the park, and where the front
    stands that comes too early or too late.

    Parameters
    ----------
    features : list of {"mean", "gradient", "pca"}, default=("mean", "gradient", "pca")
        What to make of each variable, named after it:

        - `"mean"`: the mean of the points that have a value, as `u100_mean`;
        - `"gradient"`: the slope of the plane of least squares, per grid step, towards the east and towards the north,
          as `u100_we` and `u100_sn`; left out along a side of one point;
        - `"pca"`: the first principal components of the points, over the rows of all series, as `u100_pc1`.
    n_components : int, default=3
        How many principal components; of a smaller patch as many as it has points.
    pattern : str, default=r"(?P<variable>.+)_(?P<i>[0-9]+)_(?P<j>[0-9]+)"
        Which columns are the points of a patch, as a regular expression for the whole name: `variable`, `i` from south
        to north, `j` from west to east. That of :func:`at_stations` by default.
    keep : bool, default=False
        Keep the columns of the points too.

    Attributes
    ----------
    variables_ : list of str
        The variables that have a patch.
    pcas_ : dict of str to PCA
        The components of each variable; only with `"pca"`.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns.

    Raises
    ------
    ValueError
        No column matches, or a patch lacks a point.

    See Also
    --------
    at_stations : Makes such columns, with `patch`.

    Notes
    -----
    Rows with a missing point teach no components, and have neither components nor gradients; the mean is of the points
    there are. Other columns pass as they are. The new columns are known ahead exactly where the points are.

    The points of a variable share its unit, so they are centred and not scaled. Components are those of the rows given
    to `fit` alone, whose signs and order may differ from those of other rows: fit once.

    References
    ----------
    J. R. Andrade and R. J. Bessa (2017). Improving renewable energy forecasting with a grid of numerical weather
    predictions. IEEE Transactions on Sustainable Energy 8(4), 1571-1580. https://doi.org/10.1109/TSTE.2017.2694340

    Examples
    --------
    >>> import pandas as pd
    >>> from skts.weather import GridFeatures
    >>> X = pd.DataFrame({"u_0_0": [1.0, 0.0], "u_0_1": [2.0, 0.0], "u_1_0": [4.0, 8.0], "u_1_1": [5.0, 8.0]})
    >>> GridFeatures(["mean", "gradient"]).fit_transform(X)
       u_mean  u_we  u_sn
    0     3.0   1.0   3.0
    1     4.0   0.0   8.0
    """

    _parameter_constraints = {
        "features": [list, tuple],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "pattern": [str],
        "keep": ["boolean"],
    }

    def __init__(
        self,
        features: Sequence[str] = FEATURES,
        *,
        n_components: int = 3,
        pattern: str = r"(?P<variable>.+)_(?P<i>[0-9]+)_(?P<j>[0-9]+)",
        keep: bool = False,
    ):
        self.features = features
        self.n_components = n_components
        self.pattern = pattern
        self.keep = keep

    def _learn(self, X: Any, values: NDArray[Any]) -> list[str]:
        check_choices(self.features, FEATURES, f"GridFeatures(features={self.features!r})", "feature")
        found = match_columns(self._names_in(), self.pattern, ("i", "j"), "GridFeatures")
        self._patches = {variable: self._read_patch(variable, points) for variable, points in found.items()}
        self._used = np.concatenate([patch.ravel() for patch in self._patches.values()])
        self._features = tuple(self.features)
        self.variables_ = list(self._patches)
        if "pca" in self._features:
            with naming_cells(X):
                self.pcas_ = {
                    variable: self._fit_pca(variable, values[:, patch.ravel()])
                    for variable, patch in self._patches.items()
                }
        return [name for variable, patch in self._patches.items() for name in self._names_of(variable, patch)]

    def _compute(self, X: Any, values: NDArray[Any]) -> NDArray[np.float64]:
        new = []
        for variable, patch in self._patches.items():
            points = values[:, patch.ravel()].astype(np.float64)
            for feature in self._features:
                if feature == "mean":
                    new.append(mean_of_present(points)[:, None])
                elif feature == "gradient":
                    new.append(gradients(points.reshape(-1, *patch.shape)))
                else:
                    new.append(self._project(variable, points))
        return np.concatenate(new, axis=1) if new else np.empty((len(values), 0))

    def _names_of(self, variable: str, patch: NDArray[np.int64]) -> list[str]:
        names = []
        for feature in self._features:
            if feature == "mean":
                names.append(f"{variable}_mean")
            elif feature == "gradient":
                sides = (("we", patch.shape[1]), ("sn", patch.shape[0]))
                names += [f"{variable}_{side}" for side, n in sides if n > 1]
            else:
                names += [f"{variable}_pc{k + 1}" for k in range(self.pcas_[variable].n_components_)]
        return names

    def _read_patch(self, variable: str, points: dict[tuple, int]) -> NDArray[np.int64]:
        """Give the column of each point, (n_rows, n_columns) from south-west on."""
        rows, columns = (sorted({point[k] for point in points}) for k in (0, 1))
        absent = [(i, j) for i in rows for j in columns if (i, j) not in points]
        if absent:
            raise ValueError(
                f"GridFeatures: the patch of {variable!r} has {len(rows)} rows and {len(columns)} columns, and "
                f"{len(absent)} of its points are missing, the first is {absent[0]}: give all, or a pattern that "
                f"leaves out other columns (pattern={self.pattern!r})."
            )
        return np.array([[points[i, j] for j in columns] for i in rows], dtype=np.int64)

    def _fit_pca(self, variable: str, points: NDArray[Any]) -> PCA:
        whole = points[np.isfinite(points).all(axis=1)].astype(np.float64)
        if len(whole) == 0:
            raise ValueError(
                f"GridFeatures: no row has all points of {variable!r}, so there are no principal components: leave "
                '"pca" out of features, or fill the points.'
            )
        n_components = min(self.n_components, *whole.shape)
        return PCA(n_components, svd_solver="full" if len(whole) < whole.shape[1] else "covariance_eigh").fit(whole)

    def _project(self, variable: str, points: NDArray[np.float64]) -> NDArray[np.float64]:
        pca = self.pcas_[variable]
        return (points - pca.mean_) @ pca.components_.T  # NaN where a point is: PCA.transform refuses it


def mean_of_present(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average over the last axis what is there; NaN where nothing is."""
    there = ~np.isnan(points)
    count = there.sum(axis=-1)
    total = np.where(there, points, 0.0).sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def gradients(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the slopes of the plane of least squares through a grid.

    Parameters
    ----------
    points : ndarray of shape (n, n_south_north, n_west_east)

    Returns
    -------
    slopes : ndarray of shape (n, 2)
        Per step towards the east and towards the north; without that of a side of one point.
    """
    slopes = []
    for axis in (2, 1):
        n = points.shape[axis]
        if n > 1:
            place = np.arange(n) - (n - 1) / 2  # the axes of a whole grid are orthogonal: each slope by itself
            line = points.mean(axis=3 - axis)
            slopes.append(line @ place / (place @ place))
    return np.stack(slopes, axis=1) if slopes else np.empty((len(points), 0))
