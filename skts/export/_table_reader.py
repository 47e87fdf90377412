"""From a table to what a graph reads, and from what it answers to one forecast a row; without torch."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer

from skts._version import __version__
from skts.exceptions import SavedFileError
from skts.export._affine import Affine
from skts.export._plain_json import read_plain, write_plain
from skts.panel import read_values
from skts.supervised import Inputs, Limits
from skts.windows import plain_of, prepender_from, windower_from

FORMAT = 1


def describe(parts: Any, levels: tuple[float, ...], *, interpolates: bool) -> str:
    """Say what a graph needs beside itself.

    Parameters
    ----------
    parts : Parts
    levels : tuple of float
        Of the quantiles that the graph gives.
    interpolates : bool
        Whether levels between those may be asked for.

    Returns
    -------
    text : str
        JSON: `inputs`, `window`, `horizon`, `lookahead`, `target` and `levels` for people and other programs, the rest
        for :class:`TableReader`.
    """
    first, windower, learned = parts.first, parts.windower, parts.learned
    regressor = parts.members[0].regressor
    network = regressor.net_.module_
    names = getattr(first, "feature_names_in_", None)
    own = range(first.n_features_in_) if names is None else names.tolist()
    columns, windowed = parts.columns, windower._windowed
    read = {"past": windowed, "known": windower.known_, "static": windower.static_}
    limits = None if learned.limits is None else asdict(learned.limits)
    return write_plain(
        {
            "format": FORMAT,
            "skts": __version__,
            "estimator": type(regressor).__name__,
            "n_members": len(parts.members),
            "window": int(learned.sizes["window"]),
            "horizon": int(learned.sizes["horizon"]),
            "lookahead": int(getattr(network, "lookahead", 0)),
            "inputs": {name: [own[i] for i in columns.sources[which]] for name, which in read.items() if len(which)},
            "reads_series": bool(getattr(network, "reads_series", False)),
            "target": list(regressor._trained_on.target),
            "levels": list(levels),
            "interpolates": interpolates,
            "n_features": int(first.n_features_in_),
            "feature_names": None if names is None else names.tolist(),
            "by_name": type(first) is ColumnTransformer and names is not None,
            "before": None if parts.before is None else parts.before.to_plain(),
            "prepender": None if parts.prepender is None else plain_of(parts.prepender),
            "after": None if parts.after is None else parts.after.to_plain(),
            "windower": plain_of(windower),
            "series_keys": learned.series_keys,
            "by": learned.by,
            "y_shape": list(learned.y_shape),
            "limits": limits,
        }
    )


class TableReader:
    """Reads tables as the pipeline did that a graph was made of.

    Parameters
    ----------
    text : str
        What :func:`describe` gave.

    Raises
    ------
    SavedFileError
        It is damaged, or of a newer format.
    """

    def __init__(self, text: str):
        plain = read_plain(text)
        if not isinstance(plain, dict) or "format" not in plain:
            raise SavedFileError("What the file says of its table is none of skts: export it anew.")
        if plain["format"] > FORMAT:
            raise SavedFileError(
                f"The file has format {plain['format']}, written by skts {plain.get('skts')}, and skts {__version__} "
                f"reads formats up to {FORMAT}: install a newer skts."
            )
        try:
            self._put(plain)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise SavedFileError(f"What the file says of its table is damaged ({error!r}): export it anew.") from error

    def _put(self, plain: dict[str, Any]) -> None:
        self.about = plain
        self.prepender = None if plain["prepender"] is None else prepender_from(plain["prepender"])
        self.windower = windower_from(plain["windower"])
        self.before, self.after = (
            None if plain[name] is None else Affine(**plain[name]) for name in ("before", "after")
        )
        whole = Affine.identity(plain["n_features"]) if self.before is None else self.before
        self.columns = whole if self.after is None else whole.then(self.after)
        limits = plain["limits"]
        self.limits = (
            None if limits is None else Limits(**limits | {"bounds": limits["bounds"] and tuple(limits["bounds"])})
        )
        self.y_shape, self.levels = tuple(plain["y_shape"]), tuple(plain["levels"])

    def inputs(self, estimator: Any, X: Any) -> Inputs:
        """Cut the forecasting windows of a table.

        Parameters
        ----------
        estimator : estimator
            Who is given the table: its `n_features_in_` and `feature_names_in_` are checked.
        X : array-like or DataFrame of shape (n_rows, n_features)
        """
        steps = [step for step in (self.prepender, self.windower) if step is not None]
        if self.about["by_name"] and isinstance(X, pd.DataFrame):
            X = _by_name(X, self.about["feature_names"])
        if self.before is not None:
            X = _scaled(X, read_values(estimator, X, reset=False), self.before, steps[0])
        if self.prepender is not None:
            X = self.prepender.transform(X)
        if self.after is not None:
            X = _scaled(X, np.asarray(X, dtype=np.float64), self.after, self.windower)
        windows = self.windower.transform(X)
        starts = windows.origins - self.about["window"]
        inputs = Inputs(windows.panel, starts, self.about["window"], windows.horizon, windows.known, windows)
        if self.limits is not None and self.limits.bounds is not None:
            self.limits.of_series(inputs)  # refuses bounds that are missing
        return inputs

    def feeds(self, inputs: Inputs, items: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Give what a graph reads of some windows, in the units of the table.

        Returns
        -------
        feeds : dict of str to ndarray
            `past` (n_items, window, n_columns), `known` (n_items, horizon + lookahead, n_known), `series` (n_items,),
            `static` (n_items, n_static).
        """
        windows, windowed = inputs.windows, self.windower._windowed
        assert windows is not None
        feeds: dict[str, NDArray[Any]] = {"past": self.columns.take(windowed).back(windows[items])}
        if len(windows.known):
            length = self.about["horizon"] + self.about["lookahead"]
            starts = windows.horizon_starts[items].astype(np.int64)
            stops = starts + windows.horizon if inputs.has_runs else windows.own_spans[items, 1]
            rows = starts[:, None] + np.arange(length)
            known = windows.panel[np.minimum(rows, len(windows.panel) - 1)[..., None], windows.known]
            if self.about["lookahead"]:
                known[rows >= np.asarray(stops)[:, None]] = np.nan
            feeds["known"] = self.columns.take(self.windower.known_).back(known)
        if self.about["reads_series"]:
            feeds["series"] = inputs.series_numbers(self.about["series_keys"], self.about["by"])[items]
        if windows.static is not None:
            own = windows.static[windows.series[items]]
            feeds["static"] = self.columns.take(self.windower.static_).back(own)
        return feeds


def _scaled(X: Any, values: NDArray[Any], affine: Affine, following: Any) -> Any:
    """Scale the columns of a table, as a table where the step after was given one."""
    scaled = affine(values)
    names = getattr(following, "feature_names_in_", None)
    tail = getattr(following, "tail_", None)
    if names is None and isinstance(tail, pd.DataFrame):
        names = tail.columns
    if names is None:
        return scaled
    return pd.DataFrame(scaled, index=getattr(X, "index", None), columns=pd.Index(names))


def _by_name(X: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Take columns by their names, wherever they stand, as a ColumnTransformer does."""
    missing = set(names) - set(X.columns)
    if missing:
        raise ValueError(f"columns are missing: {missing}")
    return X[names]
