"""What skops wrote, looked through before skops reads it: every name is known, every part is of a kind expected."""

import json
from collections.abc import Collection
from typing import Any

from skts.exceptions import SavedFileError, UntrustedTypeError
from skts.persistence._types import resolve

_OLDEST_PROTOCOL = 2  # of skops 0.16
_DEEPEST = 150
_EXACT = {  # the classes that a part of each kind may have
    "DictNode": {"builtins.dict", "collections.OrderedDict"},
    "ListNode": {"builtins.list"},
    "TupleNode": {"builtins.tuple"},
    "SetNode": {"builtins.set"},
    "JsonNode": {"builtins.str"},
    "SliceNode": {"builtins.slice"},
    "NdArrayNode": {"numpy.ndarray"},
    "PartialNode": {"functools.partial"},
    "TreeNode": {"sklearn.tree._tree.Tree"},
}


class Audit:
    """Goes through what skops wrote.

    Parameters
    ----------
    trusted : collection of str
    entries : collection of str
        Of the file.

    Attributes
    ----------
    names : set of str
        Of all classes and functions that it holds, each allowed.
    arrays : set of str
        The entries that it reads.
    """

    def __init__(self, trusted: Collection[str], entries: Collection[str]):
        self.trusted = trusted
        self.entries = entries
        self.names: set[str] = set()
        self.arrays: set[str] = set()

    def look_through(self, schema: dict[str, Any]) -> None:
        """Refuse a schema that holds anything unknown or untrusted.

        Raises
        ------
        SavedFileError
        UntrustedTypeError
        """
        if type(schema.get("protocol")) is not int or schema["protocol"] < _OLDEST_PROTOCOL:
            raise SavedFileError(f"the protocol {schema.get('protocol')!r} of skops is none that skts has written")
        try:
            self._look(schema, 0)
        except UntrustedTypeError:
            raise
        except (KeyError, TypeError, AttributeError) as error:
            raise SavedFileError(f"a part of it lacks what it should have: {error!r}") from error

    def _look(self, node: dict[str, Any], depth: int) -> None:
        if depth > _DEEPEST:
            raise SavedFileError(f"its parts lie more than {_DEEPEST} deep in each other")
        kind, name = node["__loader__"], f"{node['__module__']}.{node['__class__']}"
        if kind in _EXACT:
            if name not in _EXACT[kind]:
                raise SavedFileError(f"a {kind} of class {name}")
            self.names.add(name)
        elif kind in ("ObjectNode", "TypeNode", "FunctionNode", "LossNode"):
            self._name(kind, name)
        else:
            raise SavedFileError(f"a part of the kind {kind!r}, which skts does not write")
        if type(node.get("__id__", 0)) is not int:
            raise SavedFileError("a part whose number is none")
        for part in self._parts(kind, node):
            self._look(part, depth + 1)

    def _name(self, kind: str, name: str) -> None:
        found = resolve(name, self.trusted)
        is_class = isinstance(found, type)
        if is_class == (kind == "FunctionNode"):
            raise SavedFileError(f"{name} as a {kind}")
        if kind == "LossNode" and not name.startswith(("sklearn._loss._loss.", "sklearn.linear_model._sgd_fast.")):
            raise SavedFileError(f"{name} as a {kind}")
        if kind == "ObjectNode" and name.startswith(
            ("builtins.", "sklearn._loss._loss.", "torch.", "sklearn.tree._tree")
        ):
            raise SavedFileError(f"{name} as a {kind}")
        self.names.add(name)

    def _parts(self, kind: str, node: dict[str, Any]) -> list[dict[str, Any]]:
        """Give the parts of a part, and refuse other content than skops gives it."""
        content: Any = node.get("content")
        if kind in ("TypeNode", "FunctionNode"):
            return []
        if kind == "JsonNode":
            if not isinstance(json.loads(content), str | int | float | bool | None):
                raise SavedFileError("a plain value that is none")
            return []
        if kind == "SliceNode":
            if not all(isinstance(content[each], int | str | None) for each in ("start", "stop", "step")):
                raise SavedFileError("a slice of other than numbers")
            return []
        if kind == "NdArrayNode":
            if node["type"] != "numpy" or node["file"] not in self.entries or not node["file"].endswith(".npy"):
                raise SavedFileError("an array that is not in the file")
            self.arrays.add(node["file"])
            return []
        if kind in ("ListNode", "TupleNode", "SetNode"):
            return list(content)
        if kind == "DictNode":
            keys = node["key_types"]
            if not all(each["__loader__"] == "TypeNode" and each["__class__"] == "str" for each in keys["content"]):
                raise SavedFileError("a dict with keys that are no strings")
            return [keys, *content.values()]
        if kind == "PartialNode":
            return [content[each] for each in ("func", "args", "kwds", "namespace")]
        if kind in ("TreeNode", "LossNode"):
            return [content, node["__reduce__"]["args"]]
        if content is not None and content["__loader__"] not in ("DictNode", "JsonNode"):
            raise SavedFileError("an object whose state is no dict")
        return [] if content is None else [content]
