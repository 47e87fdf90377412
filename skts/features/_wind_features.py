"""The wind as turbines feel it: speed, direction, energy and shear."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skts.features._base_column_adder import BaseColumnAdder
from skts.panel import check_choices, find_columns

CALM = 0.5  # m/s, about one knot: below it meteorologists report a calm
OF_A_PAIR: dict[str, Callable[..., Any]] = {
    "speed": np.hypot,
    "sin": lambda u, v: _share(-u, np.hypot(u, v)),
    "cos": lambda u, v: _share(-v, np.hypot(u, v)),
    "cube": lambda u, v: np.hypot(u, v) ** 3,
}


class WindFeatures(BaseColumnAdder):
    """Add speed, direction, energy and shear of the wind from its two components.

    Parameters
    ----------
    u : str, int, or list of str or int
        The column with the zonal component (m/s, positive towards the east), by name or position; several for several
        heights.
    v : str, int, or list of str or int
        The column with the meridional component (m/s, positive towards the north), in the order of `u`.
    heights : array-like of shape (n_pairs,), default=None
        The height of each pair above ground (m). Needed for the shear, which is left out without.
    features : list of {"speed", "sin", "cos", "cube", "shear"}, default=("speed", "sin", "cos", "cube", "shear")
        What to add. Of each pair, in the order given here and named after its `u`:

        - `"speed"`: the speed (m/s), as `speed_u100`;
        - `"sin"`, `"cos"`: sine and cosine of the direction the wind comes from, clockwise from north, as `sin_u100`
          and `cos_u100`; both 0 where the speed is;
        - `"cube"`: the cube of the speed (m3/s3), in proportion to which the wind has energy, as `cube_u100`.

        And after them, of every two heights next to each other:

        - `"shear"`: the exponent a of the power law s2 / s1 = (h2 / h1)**a, as `shear_u10_u100`; 0 where either speed
          is below 0.5 m/s, a calm.

    Attributes
    ----------
    pairs_ : ndarray of int64 of shape (n_pairs, 2)
        The positions of `u` and `v` of each pair.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` was a DataFrame.

    References
    ----------
    C. G. Justus and A. Mikhail (1976). Height variation of wind speed and wind distributions statistics. Geophysical
    Research Letters 3(5), 261-264. https://doi.org/10.1029/GL003i005p00261

    Examples
    --------
    >>> import pandas as pd
    >>> from skts.features import WindFeatures
    >>> X = pd.DataFrame({"u100": [3.0, 0.0], "v100": [4.0, -2.0]})
    >>> WindFeatures("u100", "v100", features=["speed", "cos"]).fit_transform(X)
       u100  v100  speed_u100  cos_u100
    0   3.0   4.0         5.0      -0.8
    1   0.0  -2.0         2.0       1.0
    """

    _parameter_constraints = {
        "u": ["array-like", str, Integral],
        "v": ["array-like", str, Integral],
        "heights": ["array-like", None],
        "features": [list, tuple],
    }

    def __init__(
        self,
        u: str | int | Sequence[str] | Sequence[int],
        v: str | int | Sequence[str] | Sequence[int],
        *,
        heights: ArrayLike | None = None,
        features: Sequence[str] = ("speed", "sin", "cos", "cube", "shear"),
    ):
        self.u = u
        self.v = v
        self.heights = heights
        self.features = features

    def _learn(self, X: Any, values: NDArray[Any]) -> list[str]:
        check_choices(self.features, [*OF_A_PAIR, "shear"], f"WindFeatures(features={self.features!r})", "feature")
        u = find_columns(X, self.u, f"WindFeatures(u={self.u!r})")
        v = find_columns(X, self.v, f"WindFeatures(v={self.v!r})")
        if len(u) != len(v):
            raise ValueError(
                f"WindFeatures(u={self.u!r}, v={self.v!r}): {len(u)} zonal and {len(v)} meridional components make no "
                "pairs. Give one v for each u."
            )
        self.pairs_ = np.stack([u, v], axis=1)
        self._check_heights()
        named = self._names_in()[u]
        names = [f"{feature}_{name}" for name in named for feature in self._of_a_pair()]
        return [*names, *(f"shear_{named[low]}_{named[high]}" for low, high in self._layers())]

    def _compute(self, X: Any, values: NDArray[Any]) -> NDArray[np.float64]:
        wind = [values[:, pair].astype(np.float64).T for pair in self.pairs_]
        columns = [OF_A_PAIR[feature](u, v) for u, v in wind for feature in self._of_a_pair()]
        speeds = [np.hypot(u, v) for u, v in wind]
        for low, high in self._layers():
            columns.append(shear_exponent(speeds[low], speeds[high], *np.asarray(self.heights, float)[[low, high]]))
        return np.stack(columns, axis=1) if columns else np.empty((len(values), 0))

    def _of_a_pair(self) -> list[str]:
        return [feature for feature in self.features if feature != "shear"]

    def _layers(self) -> list[tuple[int, int]]:
        """List the pairs at two heights next to each other, the lower one first."""
        if self.heights is None or "shear" not in self.features:
            return []
        return list(pairwise(np.argsort(np.asarray(self.heights)).tolist()))

    def _check_heights(self) -> None:
        if self.heights is None:
            return
        heights = np.asarray(self.heights, dtype=np.float64)
        if heights.shape != (len(self.pairs_),) or not (heights > 0).all() or len(np.unique(heights)) < len(heights):
            raise ValueError(
                f"WindFeatures(heights={self.heights!r}): {len(self.pairs_)} different heights in metres above ground "
                "are expected, one for each u, all above 0."
            )


def shear_exponent(
    low: NDArray[np.float64], high: NDArray[np.float64], low_height: float, high_height: float
) -> NDArray[np.float64]:
    """Give the exponent of the power law between two heights.

    Parameters
    ----------
    low, high : ndarray of shape (n_rows,)
        Speeds (m/s).
    low_height, high_height : float
        Heights above ground (m).

    Returns
    -------
    exponent : ndarray of shape (n_rows,)
        0 where either speed is below `CALM`, NaN where either is NaN.
    """
    calm = np.minimum(low, high) < CALM
    ratio = np.where(calm, 1.0, high) / np.where(calm, 1.0, low)
    exponent: NDArray[np.float64] = np.log(ratio) / np.log(high_height / low_height)
    return exponent


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide, and leave 0 where there is nothing to divide."""
    return part / np.where(whole == 0, 1.0, whole)
