"""A fitted estimator as a file without pickle."""

import io
import json
import os
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

from skts._optional import load as import_package
from skts.exceptions import SavedFileError, UntrustedTypeError
from skts.persistence._audit import Audit
from skts.persistence._container import MANIFEST, SCHEMA, TENSORS, write_container
from skts.persistence._manifest import describe
from skts.persistence._pack import Packer
from skts.persistence._types import read_trusted
from skts.training import write_atomically

INSTALL = "skts[save]"


def save(
    estimator: Any,
    path: str | os.PathLike,
    *,
    card: Mapping[str, Any] | None = None,
    trusted: Iterable[str | type] | None = None,
) -> None:
    """Write an estimator to a file that :func:`load` reads, on another machine and in later versions.

    Weights are written as safetensors, all else as skops does, and nothing is pickled: whoever loads the file runs no
    code of it. A pipeline, a search, an ensemble or a strategy is one file, and forecasts are the same to the last bit.

    Parameters
    ----------
    estimator : estimator
        Fitted or not: of skts, of scikit-learn, or a composition of both.
    path : str or path
        Of the file, which is written as a whole or not at all. ``.skts`` by convention.
    card : mapping, default=None
        What else to say about it, in values that JSON knows: ``{"scores": {"MAE": 0.83}, "contact": "..."}``.
    trusted : list of type or str, default=None
        Classes and functions of others that are in it, or their names ("lightgbm.sklearn.LGBMRegressor"): one's own
        network, loss or transformer. Whoever loads the file has to trust them, too.

    Raises
    ------
    UntrustedTypeError
        It holds a lambda, a class of others that is not in `trusted`, or what skops cannot write. The message names
        where it lies.

    See Also
    --------
    load : Reads it.
    read_manifest : Says what is in a file without loading it.

    Notes
    -----
    Of the training table the file holds what forecasting needs: the rows that :class:`~skts.HistoryPrepender`
    remembers, and the held-out forecasts and truths from which strategies such as
    :class:`~skts.strategies.ConformalRegressor` go on. The manifest counts them, under "kept_rows". What estimators of
    scikit-learn keep of their training data, as nearest neighbours do, is in the file too, and not counted.

    The state of the optimizer is in the file, so that training goes on as it would have: two more numbers a weight.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skts import DLinearRegressor
    >>> from skts.datasets import make_panel
    >>> from skts.persistence import load, save
    >>> X, y = make_panel(n_series=1, n_rows=100, random_state=0)
    >>> model = DLinearRegressor(max_epochs=1, random_state=0).fit(X.to_numpy(), y.to_numpy())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(model, Path(folder) / "model.skts", card={"scores": {"MAE": 0.83}})
    ...     loaded = load(Path(folder) / "model.skts")
    >>> bool((loaded.predict(X.to_numpy()) == model.predict(X.to_numpy())).all())
    True
    """
    skops_io, safetensors = (import_package(each, "save", INSTALL) for each in ("skops.io", "safetensors.torch"))
    names = read_trusted(trusted)
    packer = Packer(names)
    packed = packer.pack(estimator, type(estimator).__name__)
    manifest = describe(estimator, card, names)
    try:
        written = skops_io.dumps(packed)
    except Exception as error:  # of many kinds, for what skops does not know
        raise UntrustedTypeError(f"{type(estimator).__name__} cannot be saved: {error}") from error
    with zipfile.ZipFile(io.BytesIO(written)) as file:
        arrays = {name: file.read(name) for name in file.namelist() if name != SCHEMA}
        schema = json.loads(file.read(SCHEMA))
    schema, arrays = renumber(schema, arrays)
    try:
        Audit(names, arrays).look_through(schema)
    except SavedFileError as error:
        raise UntrustedTypeError(f"{type(estimator).__name__} cannot be saved: it holds {error}.") from error
    entries = {
        MANIFEST: json.dumps(manifest, indent=1).encode(),
        SCHEMA: json.dumps(schema, separators=(",", ":")).encode(),
        TENSORS: safetensors.save(packer.tensors),
        **arrays,
    }
    with write_atomically(path) as partial, open(partial, "wb") as file:
        file.write(write_container(entries))


def renumber(schema: dict[str, Any], arrays: dict[str, bytes]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Give the parts that skops wrote, and its arrays, numbers in their order instead of addresses in memory.

    So the same estimator gives the same bytes, and files are smaller.
    """
    numbers: dict[int, int] = {}
    files: dict[str, str] = {}

    def renamed(part: Any) -> Any:
        if isinstance(part, list):
            return [renamed(each) for each in part]
        if not isinstance(part, dict):
            return part
        part = {name: renamed(each) for name, each in part.items()}
        if "__loader__" in part and "__id__" in part:
            part["__id__"] = numbers.setdefault(part["__id__"], len(numbers) + 1)
        if part.get("__loader__") == "NdArrayNode" and "file" in part:
            part["file"] = files.setdefault(part["file"], f"{len(files) + 1}.npy")
        return part

    schema = renamed(schema)
    return schema, {files[name]: array for name, array in arrays.items()}
