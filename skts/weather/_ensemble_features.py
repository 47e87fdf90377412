"""Few columns of the members of a weather ensemble."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skts.panel import check_choices
from skts.weather._base_column_replacer import BaseColumnReplacer, match_columns
from skts.weather._grid_features import mean_of_present

FEATURES = ("mean", "spread", "min", "max")


class EnsembleFeatures(BaseColumnReplacer):
    """Make mean, spread and quantiles of the members of a weather ensemble.

    The mean errs less than a member does, and the spread tells how much to trust it.

    Parameters
    ----------
    features : list of {"mean", "spread", "min", "max"}, default=("mean", "spread")
        What to make of the members of each variable, as `ecmwf_u100_mean`; `"spread"` is their standard deviation
        (divided by the number of members).
    quantiles : list of float, default=()
        Levels between 0 and 1 of the quantiles to make, as `ecmwf_u100_q10` of 0.1, linear between members.
    pattern : str, default=r"(?P<variable>.+)_m(?P<member>[0-9]+)"
        Which columns are members, as a regular expression for the whole name.
    keep : bool, default=False
        Keep the columns of the members too.

    Attributes
    ----------
    variables_ : list of str
        The variables that have members.
    n_members_ : dict of str to int
        How many members each has.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns.

    Raises
    ------
    ValueError
        No column matches.

    See Also
    --------
    at_stations : Makes such columns of a dataset with members.

    Notes
    -----
    Members that are missing are passed over; what is made of none is NaN, and the spread of one is 0: where members
    come and go, so does part of the spread. Members are taken to be alike: a control run among them counts as they do.
    The new columns are known ahead exactly where the members are.

    References
    ----------
    P. Pinson and H. Madsen (2009). Ensemble-based probabilistic forecasting at Horns Rev. Wind Energy 12(2), 137-155.
    https://doi.org/10.1002/we.309

    Examples
    --------
    >>> import pandas as pd
    >>> from skts.weather import EnsembleFeatures
    >>> X = pd.DataFrame({"u_m00": [1.0, 4.0], "u_m01": [3.0, None], "hour": [0, 1]})
    >>> EnsembleFeatures(quantiles=[0.25]).fit_transform(X)
       hour  u_mean  u_spread  u_q25
    0     0     2.0       1.0    1.5
    1     1     4.0       0.0    4.0
    """

    _parameter_constraints = {
        "features": [list, tuple],
        "quantiles": ["array-like"],
        "pattern": [str],
        "keep": ["boolean"],
    }

    def __init__(
        self,
        features: Sequence[str] = ("mean", "spread"),
        *,
        quantiles: Sequence[float] = (),
        pattern: str = r"(?P<variable>.+)_m(?P<member>[0-9]+)",
        keep: bool = False,
    ):
        self.features = features
        self.quantiles = quantiles
        self.pattern = pattern
        self.keep = keep

    def _learn(self, X: Any, values: NDArray[Any]) -> list[str]:
        check_choices(self.features, FEATURES, f"EnsembleFeatures(features={self.features!r})", "feature")
        levels = np.asarray(self.quantiles, dtype=np.float64)
        if levels.ndim != 1 or not ((levels >= 0) & (levels <= 1)).all():
            raise ValueError(
                f"EnsembleFeatures(quantiles={self.quantiles!r}): a list of levels from 0 to 1 is expected."
            )
        found = match_columns(self._names_in(), self.pattern, ("member",), "EnsembleFeatures")
        self._members = {name: np.array(list(members.values())) for name, members in found.items()}
        self._used = np.concatenate(list(self._members.values()))
        self._features, self._levels = tuple(self.features), levels
        self.variables_ = list(self._members)
        self.n_members_ = {name: len(members) for name, members in self._members.items()}
        made = [*self._features, *(f"q{100 * level:.10g}" for level in levels)]
        return [f"{name}_{what}" for name in self.variables_ for what in made]

    def _compute(self, X: Any, values: NDArray[Any]) -> NDArray[np.float64]:
        new = [
            summarise(values[:, members].astype(np.float64), self._features, self._levels)
            for members in self._members.values()
        ]
        return np.concatenate(new, axis=1)


def summarise(
    members: NDArray[np.float64], features: Sequence[str], levels: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Summarise the members that are there.

    Parameters
    ----------
    members : ndarray of shape (n_rows, n_members)
    features : sequence of {"mean", "spread", "min", "max"}
    levels : ndarray of shape (n_levels,)

    Returns
    -------
    columns : ndarray of shape (n_rows, n_features + n_levels)
    """
    ordered = np.sort(members, axis=1)  # what is missing comes last
    last = (~np.isnan(ordered)).sum(axis=1) - 1
    columns = []
    for feature in features:
        if feature == "mean":
            columns.append(mean_of_present(members))
        elif feature == "spread":
            centred = members - mean_of_present(members)[:, None]
            columns.append(np.sqrt(mean_of_present(centred**2)))
        else:
            columns.append(_quantile(ordered, last, float(feature == "max")))
    columns += [_quantile(ordered, last, level) for level in levels]
    return np.stack(columns, axis=1) if columns else np.empty((len(members), 0))


def _quantile(ordered: NDArray[np.float64], last: NDArray[np.int64], level: float) -> NDArray[np.float64]:
    """Interpolate between the two members around a level; of a row without members its NaN."""
    place = level * np.maximum(last, 0)
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, np.maximum(last, 0))
    rows, part = np.arange(len(ordered)), place - low
    below, above = ordered[rows, low], ordered[rows, high]
    quantile: NDArray[np.float64] = below + part * (above - below)
    return quantile
