"""What a file says of the estimator in it, for people and programs that do not load it."""

import datetime
import json
import platform
from collections.abc import Collection, Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

from skts._version import __version__
from skts.panel import read_index
from skts.persistence._container import FORMAT
from skts.persistence._types import name_of
from skts.windows import walk

_PACKAGES = ("numpy", "pandas", "scikit-learn", "scipy", "torch", "skorch", "skops", "safetensors")
_LONGEST = 200  # characters of a parameter that is no plain value
_MOST_SERIES = 1000
_HELD_OUT = ("_held_out", "_held", "_places")


def describe(estimator: Any, card: Mapping[str, Any] | None, trusted: Collection[str]) -> dict[str, Any]:
    """Describe a fitted estimator.

    Parameters
    ----------
    estimator : estimator
    card : mapping or None
        What the caller wants to say: scores, purpose, contact. JSON's own values.
    trusted : collection of str
        What `load` has to be told to trust.

    Returns
    -------
    manifest : dict
        Of JSON's own values.
    """
    parts = list(walk(estimator))
    params = estimator.get_params(deep=True) if hasattr(estimator, "get_params") else {}
    manifest = {
        "format": FORMAT,
        "saved": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "packages": {"python": platform.python_version(), "skts": __version__}
        | {each: version(each) for each in _PACKAGES},
        "trusted": sorted(trusted),
        "estimator": name_of(type(estimator)),
        "parameters": {name: _plain(value) for name, value in params.items()},
        "trained": _describe_training(estimator, parts),
        "networks": [_describe_network(part) for part in parts if hasattr(part, "net_")],
        "kept_rows": [row for part in parts for row in _describe_kept(part)],
        "card": {} if card is None else dict(card),
    }
    try:
        return json.loads(json.dumps(manifest, allow_nan=True))
    except TypeError as error:
        raise TypeError(
            f"save(card=...) takes what JSON can write (numbers, strings, lists, dicts): {error}"
        ) from error


def _plain(value: Any) -> Any:
    """Give a parameter as JSON has it: plain values as they are, of others what they print."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item() if isinstance(value.item(), bool | int | float | str) else str(value)
    if isinstance(value, list | tuple) and len(value) <= _LONGEST:
        return [_plain(each) for each in value]
    text = repr(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def _describe_training(estimator: Any, parts: list[Any]) -> dict[str, Any]:
    """Say what the estimator was trained on, as far as its parts remember it."""
    described: dict[str, Any] = {}
    columns = next((part.feature_names_in_ for part in parts if hasattr(part, "feature_names_in_")), None)
    if columns is not None:
        described["columns"] = [str(name) for name in columns]
    elif hasattr(estimator, "n_features_in_"):
        described["n_columns"] = int(estimator.n_features_in_)
    tail = next((part.tail_ for part in parts if isinstance(getattr(part, "tail_", None), pd.DataFrame)), None)
    if tail is not None and read_index(tail).clock is not None:
        described["index"] = [None if name is None else str(name) for name in tail.index.names]
    about = next((part._trained_on for part in parts if hasattr(part, "_trained_on")), None)
    trained = next(filter(None, map(_times_of, parts)), None)
    if about is not None:
        described |= {"n_windows": int(about.n_train), "n_windows_validated": int(about.n_valid), "at": about.ended}
        described |= {"target": list(about.target)} if about.target else {}
        if about.clock is not None:
            described |= {"first": about.clock.label(about.first), "last": about.clock.label(about.last)}
    if trained is not None:
        described |= _describe_times(trained, _clock_of(parts, about))
    return described


def _times_of(part: Any) -> Any:
    """Give the times that a part was trained on; None where it does not remember them."""
    taught = getattr(part, "_taught", None)
    return getattr(part, "_trained", None) if taught is None else taught.trained


def _clock_of(parts: list[Any], about: Any) -> Any:
    if about is not None and about.clock is not None:
        return about.clock
    tails = [part.tail_ for part in parts if isinstance(getattr(part, "tail_", None), pd.DataFrame)]
    return read_index(tails[0]).clock if tails else None


def _describe_times(trained: Any, clock: Any) -> dict[str, Any]:
    names, n_series = trained.names, len(trained.first)
    described: dict[str, Any] = {"n_series": n_series}
    if names is not None:
        described["series"] = [_plain(name) for name in names[:_MOST_SERIES]]
    if trained.step:
        missing = (trained.gaps[:, 2] - trained.gaps[:, 1]) // trained.step - 1
        described["n_rows"] = int(((trained.last - trained.first) // trained.step + 1).sum() - missing.sum())
    if clock is not None and n_series:
        described |= {"first": clock.label(int(trained.first.min())), "last": clock.label(int(trained.last.max()))}
        described |= {"step": clock.span(int(trained.step))} if trained.step else {}
    return described


def _describe_network(part: Any) -> dict[str, Any]:
    weights = list(part.net_.module_.parameters())
    return {
        "estimator": type(part).__name__,
        "network": name_of(type(part.net_.module_)),
        "n_weights": sum(each.numel() for each in weights),
        "device": str(part.net_.device),
        "epochs": int(getattr(part, "n_iter_", 0)),
    }


def _describe_kept(part: Any) -> list[dict[str, Any]]:
    """Say which rows of the training table, or forecasts of them with their truths, are in the file."""
    name, kept = type(part).__name__, []
    tail = getattr(part, "tail_", None)
    if tail is not None:
        kept.append({"of": name, "what": "rows of history"} | _count(tail))
    for attribute in _HELD_OUT:
        held = getattr(part, attribute, None)
        if held is not None and hasattr(held, "places"):
            kept.append({"of": name, "what": "held-out forecasts and truths", "n_rows": int(held.places.n_rows)})
        elif held is not None and hasattr(held, "n_rows"):
            kept.append({"of": name, "what": "errors of held-out forecasts", "n_rows": int(held.n_rows)})
    return kept


def _count(tail: Any) -> dict[str, Any]:
    counts: dict[str, Any] = {"n_rows": len(tail)}
    if isinstance(tail, pd.DataFrame) and isinstance(tail.index, pd.MultiIndex):
        levels = [number for number, name in enumerate(tail.index.names[:-1]) if name != "run"]
        by_series = tail.groupby(level=levels, sort=False).size()
        counts["by_series"] = {str(_plain(name)): int(count) for name, count in by_series[:_MOST_SERIES].items()}
    return counts
