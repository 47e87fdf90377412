"""An estimator as skops can write it: what it cannot is packed, and unpacked when the file is loaded."""

import inspect
from collections import OrderedDict
from collections.abc import Collection
from functools import partial
from types import FunctionType, MethodType
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator
from skorch import NeuralNet
from skorch.callbacks import EarlyStopping

from skts.exceptions import SavedFileError, UntrustedTypeError
from skts.persistence._kinds import KINDS
from skts.persistence._nets import put_net, take_net
from skts.persistence._packed import Packed
from skts.persistence._types import name_of, resolve

_PLAIN = (type(None), bool, int, float, str)
_AS_THEY_ARE = (
    slice,
    type,
    FunctionType,
    np.ufunc,
    type(np.clip),
)  # skops writes them; whether they are allowed is asked before
_STATE_OF_ITS_OWN = (object.__getstate__, BaseEstimator.__getstate__)  # which does no more than copy `__dict__`


class Packer:
    """Packs what skops cannot write, wherever it lies.

    Parameters
    ----------
    trusted : collection of str
        Names of what may be in the file beside our own and scikit-learn's.

    Attributes
    ----------
    tensors : dict of str to Tensor
        The tensors that were met, which are written apart.
    """

    def __init__(self, trusted: Collection[str]):
        self.trusted = trusted
        self.tensors: dict[str, torch.Tensor] = {}
        self._done: dict[int, tuple[Any, Any]] = {}  # keeps what was packed, so that no number is given twice
        self._n_nets = 0

    def pack(self, value: Any, path: str) -> Any:
        """Pack a value; `path` says where it was found, for messages."""
        if type(value) in _PLAIN:
            return value
        if id(value) in self._done:
            return self._done[id(value)][1]
        packed = self._pack(value, path)
        self._done[id(value)] = (value, packed)
        return packed

    def _pack(self, value: Any, path: str) -> Any:
        if isinstance(value, torch.Tensor):
            return self._pack_tensor(value)
        if isinstance(value, NeuralNet):
            self._n_nets += 1
            content, tensors = take_net(value, f"net{self._n_nets}", path)
            self.tensors |= tensors
            return Packed("net", self.pack(content, path))
        if isinstance(value, _AS_THEY_ARE):
            return self._check(value, path)
        if type(value) is np.ndarray or isinstance(value, np.memmap):
            return self._pack_ndarray(value, path)
        for name, kind in KINDS.items():
            if isinstance(value, kind.types):
                try:
                    return Packed(name, self.pack(kind.take_apart(value), path))
                except UntrustedTypeError:
                    raise
                except (TypeError, AttributeError, KeyError) as error:
                    raise UntrustedTypeError(f"{path} cannot be saved: it is {error}.") from error
        if isinstance(value, dict | list | tuple | set):
            return self._pack_container(value, path)
        if isinstance(value, partial):
            parts = [self.pack(each, path) for each in (value.func, value.args, value.keywords)]
            return partial(parts[0], *parts[1], **parts[2])
        return self._pack_object(value, path)

    def _pack_tensor(self, tensor: torch.Tensor) -> Packed:
        name = f"tensor{len(self.tensors)}"
        self.tensors[name] = tensor.detach().cpu().contiguous()
        return Packed("tensor", name)

    def _pack_ndarray(self, array: np.ndarray, path: str) -> Any:
        if array.dtype == object:
            shape, values = list(array.shape), array.ravel().tolist()
            return Packed("objects", [shape, self.pack(values, path)])
        if array.dtype.hasobject:
            raise UntrustedTypeError(f"{path} cannot be saved: it is an array of dtype {array.dtype}.")
        return np.asarray(array)

    def _pack_container(self, value: Any, path: str) -> Any:
        kind = type(value)
        if kind in (list, set):
            return kind(self.pack(each, f"{path}[{place}]") for place, each in enumerate(value))
        if isinstance(value, tuple):
            parts = [self.pack(each, f"{path}[{place}]") for place, each in enumerate(value)]
            if kind is tuple:
                return tuple(parts)
            return Packed("named_tuple", [self._check(kind, path), parts])
        if isinstance(value, dict):
            parts = [[self.pack(key, path), self.pack(each, f"{path}[{key!r}]")] for key, each in value.items()]
            if kind in (dict, OrderedDict) and all(type(key) is str for key in value):
                return kind(parts)
            return Packed("dict", [self._check(kind, path), parts])
        raise UntrustedTypeError(f"{path} cannot be saved: it is a {name_of(kind)}.")

    def _pack_object(self, value: Any, path: str) -> Any:
        kind: Any = type(value)
        if isinstance(value, MethodType) or (callable(value) and not hasattr(value, "__dict__")):
            raise UntrustedTypeError(
                f"{path} cannot be saved: it is {value!r}. Give a function of a module of its own."
            )
        self._check(kind, path)
        if not hasattr(value, "__dict__"):  # compiled: skops knows it, or says that it does not
            return value
        state = value.__getstate__() or {}
        if not isinstance(state, dict):
            raise UntrustedTypeError(f"{path} cannot be saved: the state of a {name_of(kind)} is no dict.")
        if isinstance(value, EarlyStopping):
            state = state | {"best_model_weights_": None}  # read within a fit alone, which begins without
        packed = {name: self.pack(each, f"{path}.{name}") for name, each in state.items()}
        if kind.__getstate__ not in _STATE_OF_ITS_OWN:
            return Packed("object", [kind, packed])
        stand_in = kind.__new__(kind)
        stand_in.__dict__.update(packed)
        return stand_in

    def _check(self, kind: Any, path: str) -> Any:
        """Refuse a class or a function that a file may not name, or that has no name."""
        if isinstance(kind, slice):
            return kind
        name = name_of(kind)
        if "<lambda>" in name or "<locals>" in name:
            what = "a lambda" if "<lambda>" in name else f"{name}, which is defined within a function"
            raise UntrustedTypeError(
                f"{path} cannot be saved: it is {what}, which no other program can find. Define it at the top of a "
                "module, and trust it by its name in `save` and in `load`."
            )
        if isinstance(kind, np.ufunc):
            return kind
        try:
            resolve(name, self.trusted)
        except UntrustedTypeError as error:
            raise UntrustedTypeError(f"{path} cannot be saved as it is: {error}") from error
        return kind


class Unpacker:
    """Puts what was packed together again.

    Parameters
    ----------
    tensors : dict of str to Tensor
    trusted : collection of str

    Attributes
    ----------
    objects : list
        All that was come to and has attributes.
    """

    def __init__(self, tensors: dict[str, torch.Tensor], trusted: Collection[str]):
        self.tensors = tensors
        self.trusted = trusted
        self.objects: list[Any] = []
        self._done: dict[int, tuple[Any, Any]] = {}

    def unpack(self, value: Any) -> Any:
        """Unpack a value, in place where that is an object, a list or a dict."""
        if type(value) in _PLAIN or isinstance(value, (np.ndarray, *_AS_THEY_ARE)):
            return value
        if id(value) in self._done:
            return self._done[id(value)][1]
        unpacked = self._unpack(value)
        self._done[id(value)] = (value, unpacked)
        return unpacked

    def _unpack(self, value: Any) -> Any:
        if isinstance(value, Packed):
            return self._put_together(value.kind, self.unpack(value.content))
        if isinstance(value, list):
            value[:] = [self.unpack(each) for each in value]
        elif isinstance(value, dict):
            for key in value:
                value[key] = self.unpack(value[key])
        elif isinstance(value, tuple | set):
            return type(value)(self.unpack(each) for each in value)
        elif isinstance(value, partial):
            return partial(value.func, *self.unpack(value.args), **self.unpack(value.keywords))
        elif hasattr(value, "__dict__"):
            attributes = vars(value)
            self.objects.append(value)
            for name in attributes:
                attributes[name] = self.unpack(attributes[name])
        return value

    def _put_together(self, kind: str, content: Any) -> Any:
        if kind == "net":
            return put_net(content, self.tensors, self.trusted)
        if kind == "tensor":
            return self.tensors[content]
        if kind == "objects":
            return _put_objects(*content)
        if kind in ("dict", "named_tuple", "object"):
            of, parts = content
            if not inspect.isclass(of):
                raise SavedFileError(f"{of!r} is no class")
            made = _MAKERS[kind](of, parts)
            self.objects += [made] if kind == "object" else []
            return made
        if kind not in KINDS:
            raise SavedFileError(f"a value of the unknown kind {kind!r}")
        return KINDS[kind].put_together(content)


def _put_objects(shape: list[int], values: list[Any]) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        array[place] = value
    return array.reshape([int(length) for length in shape])


def _put_dict(of: type, parts: list[Any]) -> Any:
    if not issubclass(of, dict):
        raise SavedFileError(f"{of!r} is no dict")
    return of((key, value) for key, value in parts)


def _put_named_tuple(of: type, parts: list[Any]) -> Any:
    if not (issubclass(of, tuple) and hasattr(of, "_fields")):
        raise SavedFileError(f"{of!r} is no named tuple")
    return of(*parts)


def _put_object(of: Any, state: dict[str, Any]) -> Any:
    if of.__module__.startswith(("builtins", "torch.", "collections")) or not isinstance(state, dict):
        raise SavedFileError(f"{of!r} made of its attributes")
    value = of.__new__(of)
    if hasattr(value, "__setstate__"):
        value.__setstate__(state)
    else:
        vars(value).update(state)
    return value


_MAKERS: dict[str, Any] = {"dict": _put_dict, "named_tuple": _put_named_tuple, "object": _put_object}
