"""What the steps before a network have learned, as plain values: arrays, indexes, strings, numbers, lists and dicts."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from skts.panel import Layout
from skts.windows._cut import Sizes
from skts.windows._digest import Digest
from skts.windows._history_prepender import HistoryPrepender
from skts.windows._sliding_windower import SlidingWindower
from skts.windows._trained_times import TrainedTimes


def plain_of(step: HistoryPrepender | SlidingWindower) -> dict[str, Any]:
    """Take what a fitted step needs in order to `transform`, for files that hold no objects.

    Parameters
    ----------
    step : HistoryPrepender or SlidingWindower

    Returns
    -------
    plain : dict
        Of plain values, ndarrays of numbers and indexes of pandas.
    """
    learned = _of_prepender(step) if isinstance(step, HistoryPrepender) else _of_windower(step)
    names = getattr(step, "feature_names_in_", None)
    return learned | {
        "n_features": int(step.n_features_in_),
        "feature_names": None if names is None else names.tolist(),
        "layout": asdict(step._layout),
    }


def prepender_from(plain: dict[str, Any]) -> HistoryPrepender:
    """Make a fitted prepender of what :func:`plain_of` gave."""
    step = HistoryPrepender(plain["length"], remember=plain["remember"])
    _put_columns(step, plain)
    step.tail_ = plain["values"]
    if plain["index"] is not None:
        step.tail_ = pd.DataFrame(plain["values"], index=plain["index"], columns=pd.Index(plain["columns"]))
    step._n_before, step._has_blocks = plain["length"], plain["remember"] == "all"
    step._trained = TrainedTimes(**plain["trained"])
    step._digests = tuple(Digest(*each) for each in plain["digests"])
    return step


def windower_from(plain: dict[str, Any]) -> SlidingWindower:
    """Make a fitted windower of what :func:`plain_of` gave."""
    sizes = plain["sizes"]
    step = SlidingWindower(sizes["window"], sizes["horizon"], stride=sizes["stride"], history=sizes["history"])
    _put_columns(step, plain)
    step.known_, step.static_ = plain["known"], plain["static"]
    step.known, step.static = plain["given"]["known"], plain["given"]["static"]
    step._static_names = None if plain["static_names"] is None else tuple(plain["static_names"])
    step._sizes = Sizes(**sizes, max_similarity=None)
    return step


def _of_prepender(step: HistoryPrepender) -> dict[str, Any]:
    tail = step.tail_
    is_frame = isinstance(tail, pd.DataFrame)
    trained = step._trained
    return {
        "length": int(step._n_before),
        "remember": "all" if step._has_blocks else "tail",
        "values": np.asarray(tail.to_numpy(dtype=np.float64) if is_frame else tail),
        "index": tail.index if is_frame else None,
        "columns": tail.columns.tolist() if is_frame else None,
        "trained": {name: getattr(trained, name) for name in ("names", "first", "last", "gaps", "step")},
        "digests": [list(each) for each in step._digests],
    }


def _of_windower(step: SlidingWindower) -> dict[str, Any]:
    sizes = step._sizes
    names = ("window", "horizon", "history", "stride", "known")
    return {
        "given": {name: _as_given(getattr(step, name), getattr(step, f"{name}_")) for name in ("known", "static")},
        "known": step.known_,
        "static": step.static_,
        "static_names": None if step._static_names is None else list(step._static_names),
        "sizes": {name: getattr(sizes, name) for name in names} | {"names": list(sizes.names)},
    }


def _put_columns(step: Any, plain: dict[str, Any]) -> None:
    step.n_features_in_ = plain["n_features"]
    if plain["feature_names"] is not None:
        step.feature_names_in_ = np.asarray(plain["feature_names"], dtype=object)
    step._layout = Layout(**plain["layout"])


def _as_given(columns: Any, found: Any) -> Any:
    """Give a parameter that names columns for messages, the positions found where it is no list of names."""
    if columns is None or isinstance(columns, str | int):
        return columns
    given = columns if isinstance(columns, list | tuple) else found.tolist()
    return list(given) if all(isinstance(each, str | int) for each in given) else found.tolist()
