"""Files that are written in full or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

_PART = ".part"  # behind the name of a file that is not yet whole


@contextmanager
def whole_files(targets: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give other names to write to, which take the place of the wanted files once all are whole.

    Where writing fails, on a full disk, say, the files that were there before stay as they were.

    Parameters
    ----------
    targets : dict of str to object
        Only what is the path of a file is given another name; anything else, a file object, passes through.

    Yields
    ------
    parts : dict of str to object
        What to write to, by the same keys.
    """
    paths = {key: os.fspath(value) for key, value in targets.items() if isinstance(value, str | os.PathLike)}
    parts = {key: f"{path}{_PART}" for key, path in paths.items()}
    try:
        yield targets | parts
        for key, path in paths.items():
            if os.path.exists(parts[key]):
                os.replace(parts[key], path)
    except BaseException as error:
        for part in parts.values():
            with suppress(OSError):
                os.unlink(part)
        if isinstance(error, Exception):
            error.add_note(f"Nothing was written: {', '.join(paths.values())} stayed as before. Is the disk full?")
        raise
