"""The file: a zip archive without compression, whose last bytes are the digest of all before."""

import hashlib
import io
import json
import re
import zipfile
from typing import Any

import numpy as np

from skts.exceptions import SavedFileError

MANIFEST, SCHEMA, TENSORS = "manifest.json", "schema.json", "weights.safetensors"
FORMAT = 1
_OWN = {MANIFEST, SCHEMA, TENSORS}
_ARRAY = re.compile(r"[0-9]{1,20}\.npy")
_MARK = b"skts saved this; sha256 of all before: "
_N_DIGITS = 64
_OLDEST = (1980, 1, 1, 0, 0, 0)


def write_container(entries: dict[str, bytes]) -> bytes:
    """Write entries as one file.

    Parameters
    ----------
    entries : dict of str to bytes
        The manifest first, so that it can be read at the beginning of the file.

    Returns
    -------
    data : bytes
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as file:
        for name, entry in entries.items():
            file.writestr(zipfile.ZipInfo(name, _OLDEST), entry)
        file.comment = _MARK + b"0" * _N_DIGITS
    data = buffer.getvalue()[:-_N_DIGITS]
    return data + hashlib.sha256(data).hexdigest().encode()


def read_container(data: bytes, name: str) -> dict[str, bytes]:
    """Read all entries of a file.

    Sizes are compared with that of the file before anything is read, and nothing in it is compressed: what it
    unfolds to is no larger than it is.

    Parameters
    ----------
    data : bytes
    name : str
        Of the file, for messages.

    Returns
    -------
    entries : dict of str to bytes

    Raises
    ------
    SavedFileError
        It is no such file, is damaged, or holds anything else.
    """
    mark = data[-_N_DIGITS - len(_MARK) : -_N_DIGITS]
    if mark != _MARK:
        raise SavedFileError(
            f"{name} is no file that skts.persistence.save wrote, or its end is missing: give one, copied as a whole."
        )
    if hashlib.sha256(data[:-_N_DIGITS]).hexdigest().encode() != data[-_N_DIGITS:]:
        raise SavedFileError(f"{name} is damaged: its bytes are not those that were saved. Copy it again.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            listed = file.infolist()
            check_entries(listed, len(data), name)
            return {each.filename: file.read(each) for each in listed}
    except SavedFileError:
        raise
    except Exception as error:  # whatever zipfile makes of bytes that an attacker chose
        raise SavedFileError(f"{name} cannot be read: {error}") from error


def check_entries(listed: list[zipfile.ZipInfo], size: int, name: str) -> None:
    """Refuse entries that `write_container` does not write, by what is declared of them."""
    names = [each.filename for each in listed]
    for each in listed:
        if each.filename not in _OWN and not _ARRAY.fullmatch(each.filename):
            raise SavedFileError(f"{name} holds an entry {each.filename!r}, which no file of skts has.")
        if each.compress_type != zipfile.ZIP_STORED or each.file_size != each.compress_size or each.flag_bits & 1:
            raise SavedFileError(f"{name} holds {each.filename!r} compressed or locked, which no file of skts does.")
    if len(set(names)) != len(names) or not {MANIFEST, SCHEMA, TENSORS} <= set(names):
        raise SavedFileError(f"{name} does not hold {MANIFEST}, {SCHEMA} and {TENSORS}, each once.")
    if sum(each.file_size for each in listed) > size:
        raise SavedFileError(f"{name} says that it holds more than its own {size} bytes.")


def read_json(entry: bytes, what: str) -> dict[str, Any]:
    """Read an entry that is a JSON object."""
    try:
        read = json.loads(entry.decode())
    except (ValueError, RecursionError) as error:
        raise SavedFileError(f"{what} is no JSON: {error}") from error
    if not isinstance(read, dict):
        raise SavedFileError(f"{what} is no JSON object.")
    return read


def check_format(manifest: dict[str, Any], name: str) -> None:
    """Refuse a format that this version does not know."""
    number = manifest.get("format")
    if type(number) is not int or number < 1:
        raise SavedFileError(f"{name} says that its format is {number!r}, and a number from 1 is expected.")
    if number > FORMAT:
        raise SavedFileError(
            f"{name} has format {number}, written by skts {manifest.get('packages', {}).get('skts')!r}, and this "
            f"version reads formats up to {FORMAT}: install a newer skts, or save the model again with this one."
        )


def check_array(entry: bytes, what: str) -> None:
    """Refuse an array of numpy whose header declares other bytes than there are, or objects."""
    stream = io.BytesIO(entry)
    try:
        version = np.lib.format.read_magic(stream)
        read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[
            version
        ]
        shape, _, dtype = read_header(stream)
        declared = dtype.itemsize
        for length in shape:
            declared *= int(length)
    except Exception as error:  # whatever numpy makes of bytes that an attacker chose
        raise SavedFileError(f"{what} is no array: {error}") from error
    if dtype.hasobject:
        raise SavedFileError(f"{what} is an array of objects, which only pickle could read.")
    if declared != len(entry) - stream.tell() or any(length < 0 for length in shape):
        raise SavedFileError(f"{what} declares {declared} bytes and has {len(entry) - stream.tell()}.")
