"""Plain values as JSON text and back: arrays as base64 of little-endian numbers, indexes of pandas by their labels."""

import base64
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from skts.exceptions import ExportError, SavedFileError
from skts.panel import Clock

_ARRAY, _INDEX, _LEVELS = "$array", "$index", "$levels"
_KINDS = "fiub"  # numbers and truth values: no objects


def write_plain(value: Any) -> str:
    """Write plain values as JSON.

    Parameters
    ----------
    value : object
        Of dict, list, str, numbers, None, ndarrays of numbers and indexes of pandas.

    Raises
    ------
    ExportError
        It holds anything else.
    """
    return json.dumps(_take(value), separators=(",", ":"))


def read_plain(text: str) -> Any:
    """Read what :func:`write_plain` wrote; builds nothing else.

    Raises
    ------
    SavedFileError
        The text is no such JSON.
    """
    try:
        return _put(json.loads(text))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise SavedFileError(f"What the file says of its table cannot be read ({error}): export it anew.") from error


def _take(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return _take(value.item())
    if isinstance(value, list | tuple):
        return [_take(each) for each in value]
    if isinstance(value, dict):
        return {str(name): _take(each) for name, each in value.items()}
    if isinstance(value, np.ndarray) and value.dtype.kind in _KINDS:
        little = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
        return {_ARRAY: [little.dtype.str, list(value.shape), base64.b64encode(little.tobytes()).decode()]}
    if isinstance(value, pd.MultiIndex):
        value = value.remove_unused_levels()
        codes = [np.asarray(each, dtype=np.int64) for each in value.codes]
        return {_LEVELS: [_take(each) for each in (list(value.names), list(value.levels), codes)]}
    if isinstance(value, pd.Index):
        return {_INDEX: _take_index(value)}
    raise ExportError(f"A {type(value).__name__} ({value!r:.80}) cannot be written beside a graph as plain values.")


def _take_index(index: pd.Index) -> list[Any]:
    """Give name, dtype and labels: times as ticks."""
    name, dtype = _take(index.name), str(index.dtype)
    if isinstance(index, pd.DatetimeIndex | pd.TimedeltaIndex | pd.PeriodIndex):
        return [name, dtype, _take(Clock.read(index)[1])]
    if pd.api.types.is_numeric_dtype(index.dtype) and not pd.api.types.is_bool_dtype(index.dtype):
        return [name, "number", _take(index.to_numpy())]
    return [name, "plain", [_take(label) for label in index.tolist()]]


def _put(value: Any) -> Any:
    if isinstance(value, list):
        return [_put(each) for each in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((kind, content),) = value.items()
        if kind in _SPECIAL:
            return _SPECIAL[kind](content)
    return {name: _put(each) for name, each in value.items()}


def _put_array(content: Any) -> Any:
    name, shape, text = content
    dtype, shape = np.dtype(str(name)), tuple(map(int, shape))
    if dtype.kind not in _KINDS:
        raise ValueError(f"an array of {dtype}, and numbers are expected")
    values = np.frombuffer(base64.b64decode(text, validate=True), dtype)
    return values.reshape(shape).astype(dtype.newbyteorder("="))


def _put_index(content: Any) -> pd.Index:
    name, dtype, labels = content
    labels = _put(labels)
    if dtype == "plain":
        return pd.Index(labels, name=name)
    if dtype == "number":
        return pd.Index(labels, name=name)
    found = pd.api.types.pandas_dtype(dtype)
    if getattr(found, "kind", "M") not in "mMO":
        raise ValueError(f"an index of {dtype}, and times are expected")
    return Clock(found, name).labels(labels)


def _put_levels(content: Any) -> pd.MultiIndex:
    names, levels, codes = content
    return pd.MultiIndex(levels=_put(levels), codes=_put(codes), names=names)


_SPECIAL: dict[str, Callable[[Any], Any]] = {_ARRAY: _put_array, _INDEX: _put_index, _LEVELS: _put_levels}
