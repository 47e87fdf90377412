"""Values of numpy and pandas taken apart into plain arrays and strings, and put together again."""

import datetime
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import scipy.sparse
import torch

_GENERATORS = ("PCG64", "PCG64DXSM", "SFC64")
_WORDS = 624  # of the state of a Mersenne twister
_SPARSE = ("csr", "csc")  # the first is compressed by its rows, the other by its columns


class Kind(NamedTuple):
    """How the values of some types are taken apart.

    Parameters
    ----------
    types : tuple of type
    take_apart : callable
        Gives lists, dicts, strings, numbers, arrays, or values of other kinds.
    put_together : callable
        Makes the value of that again. Whatever it is given, it makes nothing larger than that.
    """

    types: tuple[type, ...]
    take_apart: Callable[[Any], Any]
    put_together: Callable[[Any], Any]


def _take_frame(frame: pd.DataFrame) -> list:
    dtypes = list(frame.dtypes)
    plain = len(set(dtypes)) == 1 and isinstance(dtypes[0], np.dtype) and not dtypes[0].hasobject
    values = frame.to_numpy() if plain else [frame.iloc[:, place].array for place in range(frame.shape[1])]
    return [values, frame.index, frame.columns]


def _put_frame(content: list) -> pd.DataFrame:
    values, index, columns = content
    if isinstance(values, np.ndarray):
        return pd.DataFrame(values, index=index, columns=columns)
    if len(values) != len(columns) or not all(len(each) == len(index) for each in values):
        raise ValueError(f"{len(values)} columns of values for {len(columns)} names and {len(index)} rows")
    frame = pd.DataFrame(dict(enumerate(values)), index=index)
    return frame.set_axis(columns, axis=1)


def _take_series(series: pd.Series) -> list:
    return [series.array, series.index, series.name]


def _put_series(content: list) -> pd.Series:
    values, index, name = content
    if len(values) != len(index):  # pandas would repeat one value for an index of any length
        raise ValueError(f"{len(values)} values for {len(index)} rows")
    return pd.Series(values, index=index, name=name)


def _take_index(index: pd.Index) -> list:
    freq = index.freqstr if isinstance(index, pd.DatetimeIndex | pd.TimedeltaIndex) else None
    return [index.array, index.name, freq]


def _put_index(content: list) -> pd.Index:
    values, name, freq = content
    index = pd.Index(values, dtype=values.dtype, name=name, copy=True)
    return index if freq is None else type(index)(index, freq=freq)


def _take_levels(index: pd.MultiIndex) -> list:
    return [list(index.levels), [np.asarray(codes) for codes in index.codes], list(index.names)]


def _put_levels(content: list) -> pd.MultiIndex:
    levels, codes, names = content
    return pd.MultiIndex(levels=levels, codes=codes, names=names, verify_integrity=True)


def _take_array(array: Any) -> list:
    """Take a column of pandas apart: the values, as numpy has them, and the name of their dtype."""
    dtype = array.dtype
    if isinstance(array, pd.arrays.NumpyExtensionArray):
        dtype = dtype.numpy_dtype
    if isinstance(dtype, np.dtype):
        return [dtype, np.asarray(array)]
    if isinstance(dtype, pd.DatetimeTZDtype | pd.PeriodDtype):
        return [dtype, array.asi8]
    if isinstance(dtype, pd.CategoricalDtype):
        return [dtype, np.asarray(array.codes)]
    is_missing = np.asarray(array.isna())
    if isinstance(dtype, pd.StringDtype):
        return [dtype, np.where(is_missing, "", np.asarray(array, dtype=object)), is_missing]
    if type(dtype).__name__.startswith(("Int", "UInt", "Float", "Boolean")):  # pandas' nullable dtypes
        plain = dtype.numpy_dtype
        return [dtype, array.to_numpy(dtype=plain, na_value=plain.type(0)), is_missing]
    raise TypeError(f"a column of dtype {dtype}: convert it with astype, to a dtype of numpy, before fit")


def _put_array(content: list) -> Any:
    dtype, values, *missing = content
    if isinstance(dtype, pd.DatetimeTZDtype):
        return pd.DatetimeIndex(values.view(f"datetime64[{dtype.unit}]"), tz="UTC").tz_convert(dtype.tz).array
    if isinstance(dtype, pd.PeriodDtype):
        return pd.PeriodIndex.from_ordinals(values, freq=dtype.freq).array  # type: ignore[attr-defined]
    if isinstance(dtype, pd.CategoricalDtype):
        return pd.Categorical.from_codes(values, dtype=dtype)
    if missing:
        array = pd.array(values, dtype=dtype)
        array[missing[0]] = pd.NA
        return array
    return pd.array(values, dtype=pd.api.types.pandas_dtype(dtype))


def _take_categories(dtype: pd.CategoricalDtype) -> list:
    return [dtype.categories, bool(dtype.ordered)]


def _put_categories(content: list) -> pd.CategoricalDtype:
    return pd.CategoricalDtype(content[0], ordered=content[1])


def _take_dtype(dtype: Any) -> Any:
    if isinstance(dtype, pd.DatetimeTZDtype):
        return ["zone", dtype.unit, dtype.tz]
    if isinstance(dtype, pd.PeriodDtype):
        return ["pandas", dtype.name]
    if isinstance(dtype, pd.StringDtype):
        return ["string", dtype.storage, dtype.na_value is pd.NA]
    if isinstance(dtype, np.dtype):
        if dtype.fields is not None or dtype.subdtype is not None:
            raise TypeError(f"a dtype of several fields: {dtype}")
        return ["numpy", dtype.str]
    return ["pandas", str(dtype)]


def _put_dtype(content: list) -> Any:
    kind, name, *more = content
    if kind == "zone":
        return pd.DatetimeTZDtype(name, more[0])
    if kind == "string":
        return pd.StringDtype(name, na_value=pd.NA if more[0] else np.nan)
    if kind == "numpy":
        return np.dtype(str(name))
    return pd.api.types.pandas_dtype(str(name))


def _take_zone(zone: Any) -> Any:
    if isinstance(zone, ZoneInfo):
        if zone.key is None:
            raise TypeError("a time zone without a name")
        return zone.key
    return zone.utcoffset(None) // datetime.timedelta(microseconds=1)


def _put_zone(content: str | int) -> datetime.tzinfo:
    if isinstance(content, str):
        return ZoneInfo(content)
    offset = datetime.timedelta(microseconds=content)
    return datetime.timezone(offset) if offset else datetime.UTC


def _take_stamp(stamp: datetime.datetime) -> list:
    stamp = pd.Timestamp(stamp)
    return [stamp.unit, int(stamp.asm8.astype(np.int64)), stamp.tz]


def _put_stamp(content: list) -> pd.Timestamp:
    unit, value, zone = content
    stamp = pd.Timestamp(np.datetime64(value, unit))
    return stamp if zone is None else stamp.tz_localize("UTC").tz_convert(zone)


def _take_difference(difference: datetime.timedelta) -> list:
    difference = pd.Timedelta(difference)
    return [difference.unit, int(difference.asm8.astype(np.int64))]


def _put_scalar(content: list) -> np.generic:
    dtype, value = content
    if dtype.kind in "mM":
        return np.int64(value).view(dtype)
    return dtype.type(value)


def _take_scalar(scalar: np.generic) -> list:
    return [scalar.dtype, int(scalar.astype(np.int64)) if scalar.dtype.kind in "mM" else scalar.item()]


def _take_objects(array: np.ndarray) -> list:
    return [list(array.shape), list(array.ravel())]


def _put_objects(content: list) -> np.ndarray:
    shape, values = content
    array = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        array[place] = value
    return array.reshape(shape)


def _take_random_state(state: np.random.RandomState) -> list:
    kind, *rest = state.get_state()
    if kind != "MT19937":
        raise TypeError(f"a RandomState over {kind}: give an integer, or a RandomState of numpy's own")
    return [np.asarray(rest[0]), *(int(each) for each in rest[1:3]), float(rest[3])]


def _put_random_state(content: list) -> np.random.RandomState:
    words, place, has_gauss, gauss = content
    if words.shape != (_WORDS,) or words.dtype != np.uint32 or not 0 <= place <= _WORDS or has_gauss not in (0, 1):
        raise ValueError("the state of a random generator is none")
    state = np.random.RandomState(0)
    state.set_state(("MT19937", words, place, has_gauss, float(gauss)))
    return state


def _take_generator(generator: np.random.Generator) -> dict:
    state = generator.bit_generator.state
    if state["bit_generator"] not in _GENERATORS:
        raise TypeError(f"a Generator over {state['bit_generator']}: give an integer, or np.random.default_rng(...)")
    return dict(state)


def _put_generator(content: dict) -> np.random.Generator:
    if content["bit_generator"] not in _GENERATORS:
        raise ValueError("an unknown random generator")
    generator = np.random.Generator(getattr(np.random, content["bit_generator"])(0))
    generator.bit_generator.state = content
    return generator


def _take_sparse(matrix: Any) -> list:
    own = matrix if matrix.format in _SPARSE else matrix.tocsr()
    is_array = isinstance(matrix, scipy.sparse.sparray)
    return [own.format, is_array, list(own.shape), own.data, own.indices, own.indptr]


def _put_sparse(content: list) -> Any:
    form, is_array, shape, data, indices, indptr = content
    if form not in _SPARSE or len(shape) != 2 or len(indptr) != shape[_SPARSE.index(form)] + 1:
        raise ValueError("a sparse matrix of no known form")
    make = getattr(scipy.sparse, f"{form}_{'array' if is_array else 'matrix'}")
    matrix = make((data, indices, indptr), shape=tuple(shape))
    matrix.check_format(full_check=True)
    return matrix


def _take_masked(array: np.ma.MaskedArray) -> list:
    return [np.asarray(array.data), np.ma.getmaskarray(array), array.fill_value]


def _put_masked(content: list) -> np.ma.MaskedArray:
    data, mask, fill_value = content
    return np.ma.MaskedArray(data, mask, fill_value=fill_value)


def _put_default(content: list) -> defaultdict:
    factory, pairs = content
    if factory not in (None, list, dict, OrderedDict, int, float, set, str):
        raise ValueError("a dict with an unknown default")
    return defaultdict(factory, ((tuple(key) if isinstance(key, list) else key, value) for key, value in pairs))


def _put_offset(content: str) -> Any:
    return pd.tseries.frequencies.to_offset(content)


def _take_named(kinds: dict[str, Any]) -> Kind:
    """Give the kind of values that are few and have names."""
    names = {id(value): name for name, value in kinds.items()}
    types = tuple({type(value) for value in kinds.values()})
    return Kind(types, lambda value: names[id(value)], lambda name: kinds[name])


_TORCH_DTYPES = {str(each): each for each in (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64)}

# the first whose types a value is of
KINDS: dict[str, Kind] = {
    "frame": Kind((pd.DataFrame,), _take_frame, _put_frame),
    "series": Kind((pd.Series,), _take_series, _put_series),
    "levels": Kind((pd.MultiIndex,), _take_levels, _put_levels),
    "range_index": Kind(
        (pd.RangeIndex,),
        lambda index: [index.start, index.stop, index.step, index.name],
        lambda content: pd.RangeIndex(content[0], content[1], content[2], name=content[3]),
    ),
    "index": Kind((pd.Index,), _take_index, _put_index),
    "array": Kind((pd.api.extensions.ExtensionArray,), _take_array, _put_array),
    "categories": Kind((pd.CategoricalDtype,), _take_categories, _put_categories),
    "dtype": Kind((np.dtype, pd.api.extensions.ExtensionDtype), _take_dtype, _put_dtype),
    "missing": _take_named({"NA": pd.NA, "NaT": pd.NaT}),
    "stamp": Kind((pd.Timestamp,), _take_stamp, _put_stamp),
    "datetime": Kind((datetime.datetime,), _take_stamp, lambda content: _put_stamp(content).to_pydatetime()),
    "timedelta": Kind(
        (pd.Timedelta,), _take_difference, lambda content: pd.Timedelta(np.timedelta64(content[1], content[0]))
    ),
    "difference": Kind(
        (datetime.timedelta,),
        lambda value: value // datetime.timedelta(microseconds=1),
        lambda content: datetime.timedelta(microseconds=content),
    ),
    "period": Kind(
        (pd.Period,),
        lambda period: [period.ordinal, period.freqstr],
        lambda content: pd.Period(ordinal=content[0], freq=content[1]),
    ),
    "offset": Kind((pd.offsets.BaseOffset,), lambda offset: offset.freqstr, _put_offset),
    "zone": Kind((ZoneInfo, datetime.timezone), _take_zone, _put_zone),
    "scalar": Kind((np.generic,), _take_scalar, _put_scalar),
    "random_state": Kind((np.random.RandomState,), _take_random_state, _put_random_state),
    "generator": Kind((np.random.Generator,), _take_generator, _put_generator),
    "sparse": Kind((scipy.sparse.spmatrix, scipy.sparse.sparray), _take_sparse, _put_sparse),
    "masked": Kind((np.ma.MaskedArray,), _take_masked, _put_masked),
    "default_dict": Kind(
        (defaultdict,), lambda value: [value.default_factory, [list(pair) for pair in value.items()]], _put_default
    ),
    "frozenset": Kind((frozenset,), list, frozenset),
    "range": Kind(
        (range,), lambda value: [value.start, value.stop, value.step], lambda content: range(*map(int, content))
    ),
    "complex": Kind((complex,), lambda value: [value.real, value.imag], lambda content: complex(*content)),
    "bytes": Kind((bytes,), lambda value: np.frombuffer(value, dtype=np.uint8), lambda content: content.tobytes()),
    "torch_device": Kind((torch.device,), str, torch.device),
    "torch_dtype": _take_named(_TORCH_DTYPES),
}
