"""An estimator from a file, which is looked through before anything of it is made."""

import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from skts._optional import load as import_package
from skts.exceptions import SavedFileError, UntrustedTypeError
from skts.persistence._audit import Audit
from skts.persistence._container import MANIFEST, SCHEMA, TENSORS, check_array, check_format, read_container, read_json
from skts.persistence._pack import Unpacker
from skts.persistence._save import INSTALL
from skts.persistence._trees import check_trees
from skts.persistence._types import read_trusted


def load(path: str | os.PathLike, *, trusted: Iterable[str | type] | None = None) -> Any:
    """Read an estimator that :func:`save` wrote.

    Parameters
    ----------
    path : str or path
        Of the file.
    trusted : list of type or str, default=None
        Classes and functions to allow beside those of skts and scikit-learn, or their names. The manifest lists what a
        file asks for; what is trusted may run whatever it likes.

    Returns
    -------
    estimator : estimator
        Forecasts as the one that was saved, is updated, cloned and searched as any other. A network that was trained on
        a device which is not here lies on the CPU.

    Raises
    ------
    SavedFileError
        It is no such file, is damaged, contradicts itself, or has a newer format.
    UntrustedTypeError
        It names a class or a function that is not trusted.

    Warns
    -----
    InconsistentVersionWarning
        scikit-learn's, where it was another version that saved its estimators.

    See Also
    --------
    save : Writes it.
    read_manifest : Says what is in it without loading it.

    Notes
    -----
    A file may come from anybody: nothing in it is run, nothing in it is larger than it is, names are looked up in lists
    of what is allowed, and a network is first made without memory and compared with the weights. What this cannot tell
    is whether the model is any good, or was trained to mislead. Of scikit-learn's compiled models trees are checked;
    others (support vector machines) trust their own numbers, so that a crafted one may crash as it forecasts.
    """
    readers = [import_package(each, "load", INSTALL) for each in ("skops.io", "safetensors.torch")]
    data, name = _read(path), Path(path).name
    names = read_trusted(trusted)
    entries = read_container(data, name)
    check_format(read_json(entries[MANIFEST], f"the manifest of {name}"), name)
    try:
        return _build(data, entries, names, *readers)
    except UntrustedTypeError as error:
        raise UntrustedTypeError(f"{name} is not loaded: {error}") from error
    except SavedFileError as error:
        raise SavedFileError(f"{name} is not loaded: {error}.") from error
    except Exception as error:  # whatever numpy, pandas, torch and skops make of what an attacker chose
        raise SavedFileError(f"{name} is not loaded, its parts do not fit together: {error}") from error


def read_manifest(path: str | os.PathLike) -> dict[str, Any]:
    """Read what a file says of the estimator in it, without loading that.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    manifest : dict
        "format", "saved" (when, in UTC), "packages" (versions), "trusted" (what `load` must be told to trust),
        "estimator", "parameters", "trained" (on which series, period, step, rows, columns and target), "networks",
        "kept_rows" (rows of the training table that are in the file, and whose) and "card" (as it was given).

    Raises
    ------
    SavedFileError
        It is no such file, is damaged, or has a newer format.

    See Also
    --------
    load : Reads the estimator.
    """
    name = Path(path).name
    manifest = read_json(read_container(_read(path), name)[MANIFEST], f"the manifest of {name}")
    check_format(manifest, name)
    return manifest


def _read(path: str | os.PathLike) -> bytes:
    return Path(path).read_bytes()


def _build(data: bytes, entries: dict[str, bytes], trusted: Collection[str], skops_io: Any, safetensors: Any) -> Any:
    arrays = entries.keys() - {MANIFEST, SCHEMA, TENSORS}
    audit = Audit(trusted, arrays)
    audit.look_through(read_json(entries[SCHEMA], SCHEMA))
    if audit.arrays != arrays:
        raise SavedFileError(f"the arrays {sorted(arrays - audit.arrays)[:3]} belong to nothing")
    for each in arrays:
        check_array(entries[each], each)
    tensors = safetensors.load(entries[TENSORS])
    built = skops_io.loads(data, trusted=sorted(audit.names))
    unpacker = Unpacker(tensors, trusted)
    estimator = unpacker.unpack(built)
    for part in unpacker.objects:
        check_trees(part)
    return estimator
