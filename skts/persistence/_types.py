"""Which classes and functions a file may name, and what such a name stands for."""

import importlib
import inspect
import re
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np

from skts.exceptions import UntrustedTypeError

_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_ROOMS = "panel|features|weather|windows|supervised|nn|training|regressors|strategies|metrics|model_selection"
# where classes may lie that a file names; what reads files, opens connections or runs tests is left out
_CLASSES = re.compile(
    rf"skts\.({_ROOMS})\.|skts\.persistence\._packed\.Packed$|torch\.nn\.modules\.|torch\.optim\."
    r"|skts\.inspection\.drift\._(drift_reference\.DriftReference|promise\.Promise)$"
    r"|sklearn\.(?!datasets\.|externals\.|conftest\.|utils\._testing\.|.*\btests\.|_build_utils\.)"
)
_CALLBACKS = "EarlyStopping|EpochTimer|PrintLog|PassthroughScoring|EpochScoring|LRScheduler|GradientNormClipping"
_SKORCH = re.compile(rf"skorch\.callbacks\.\w+\.({_CALLBACKS})$|skorch\.dataset\.(Dataset|ValidSplit)$")
_FUNCTIONS = re.compile(r"skts\.metrics\.|sklearn\.metrics\.|skorch\.utils\.noop$")
_BUILTINS = {f"builtins.{kind.__name__}" for kind in (bool, int, float, str, list, tuple, dict, set)}
_CONTAINERS = {"collections.OrderedDict"}
_COMPILED = re.compile(
    r"sklearn\.tree\._tree\.Tree$|sklearn\._loss\._loss\.Cy\w+$|sklearn\.linear_model\._sgd_fast\.\w+$"
)
_MOVED: dict[str, str] = {}  # old name: new name, of what was moved since a format was written
_HEAP_TYPE = 1 << 9  # of a class that is written in Python


def name_of(kind: Any) -> str:
    """Give the name that a file has for a class or a function."""
    module = getattr(kind, "__module__", None) or ("numpy" if isinstance(kind, np.ufunc) else "")
    return f"{module}.{getattr(kind, '__qualname__', getattr(kind, '__name__', ''))}"


def read_trusted(trusted: Iterable[str | type] | None) -> frozenset[str]:
    """Read the names of what a caller trusts beside what is trusted anyway."""
    if trusted is None:
        return frozenset()
    given = [trusted] if isinstance(trusted, str | type) else list(trusted)
    for each in given:
        if not (isinstance(each, str) or callable(each)):
            raise TypeError(
                f"trusted must hold classes, functions or their names, such as 'my.module.MyClass': {each!r}."
            )
    return frozenset(each if isinstance(each, str) else name_of(each) for each in given)


def resolve(name: str, trusted: Collection[str]) -> Any:
    """Give the class or function that a name stands for.

    Nothing is imported but modules of skts, of scikit-learn, torch and skorch, and of what is trusted.

    Parameters
    ----------
    name : str
        Of its module and its own, in one.
    trusted : collection of str
        What is allowed beside these.

    Returns
    -------
    kind : class or function

    Raises
    ------
    UntrustedTypeError
        It is not allowed, or is not what it says.
    """
    name = _MOVED.get(name, name)
    is_ufunc = name.split(".")[0] in ("numpy", "scipy") and name not in trusted
    may_be = _CLASSES, _SKORCH, _FUNCTIONS
    if not _NAME.fullmatch(name) or not (
        name in trusted or name in _BUILTINS | _CONTAINERS or is_ufunc or any(each.match(name) for each in may_be)
    ):
        raise _untrusted(name)
    module, _, own = name.rpartition(".")
    if is_ufunc and module not in ("numpy", "scipy.special", "scipy.special._ufuncs"):
        raise _untrusted(name)
    try:
        found = getattr(importlib.import_module(module), own)
    except (ImportError, AttributeError) as error:
        raise UntrustedTypeError(f"{name} is not there: install the package or the version that it is from.") from error
    if name not in trusted and not _is_allowed(name, found):
        raise _untrusted(name)
    return found


def _is_allowed(name: str, found: Any) -> bool:
    """Tell whether what was found under a name may be used without being trusted by the caller."""
    if isinstance(found, np.ufunc):
        return True
    if name_of(found) != name:  # what a module has imported is not its own
        return False
    if name in _BUILTINS | _CONTAINERS:
        return True
    if inspect.isclass(found):
        if _COMPILED.match(name):
            return True
        return bool(_CLASSES.match(name) or _SKORCH.match(name)) and all(map(_is_plain, found.__mro__))
    return inspect.isfunction(found) and bool(_FUNCTIONS.match(name))


def _is_plain(kind: type) -> bool:
    """Tell a class in Python, or one of Python's own, from one whose compiled code trusts its numbers."""
    return bool(kind.__flags__ & _HEAP_TYPE) or kind.__module__ == "builtins"


def _untrusted(name: str) -> UntrustedTypeError:
    return UntrustedTypeError(
        f"{name} is neither of skts nor of scikit-learn: if you know what it does, say so with trusted=[{name!r}], in "
        "`save` and in `load`."
    )
