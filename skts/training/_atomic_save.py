"""Files that are written as a whole, or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_NO_FILES = ("use_safetensors",)


@contextmanager
def write_atomically(path: str | os.PathLike) -> Iterator[str]:
    """Give the name of a file to write, which takes the place of `path` once it is written to its end.

    Raises
    ------
    OSError
        The file could not be written: what stood at `path` before stands there still.
    """
    path = Path(path)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        partial = Path(file.name)
    try:
        yield str(partial)
        partial.chmod(path.stat().st_mode if path.exists() else 0o666 & ~_umask())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


class AtomicSaveMixin:
    """For a skorch net: checkpoints are whole, and one that cannot be written ends the training.

    skorch's :class:`~skorch.callbacks.Checkpoint` writes over the last one, and goes on where that fails: what it left
    unsaid is raised once all callbacks were notified.
    """

    _is_notifying = False
    _not_saved: OSError | None = None  # by a callback

    def save_params(self, *args: Any, **targets: Any) -> None:
        """Save parameters, optimizer, criterion or history; as in skorch, and each file as a whole.

        Raises
        ------
        OSError
            A file could not be written.
        """
        if self._not_saved is not None:
            raise self._not_saved  # the files of one checkpoint belong together
        targets |= dict(zip(("f_params", "f_optimizer", "f_criterion", "f_history"), args, strict=False))
        options = {name: targets.pop(name) for name in _NO_FILES if name in targets}
        for name, target in targets.items():
            if not isinstance(target, str | os.PathLike):  # None, or a file that the caller has opened
                super().save_params(**{name: target}, **options)  # type: ignore[misc]
                continue
            try:
                with write_atomically(target) as partial:
                    super().save_params(**{name: partial}, **options)  # type: ignore[misc]
            except (OSError, RuntimeError) as error:  # torch says RuntimeError of a disk that is full
                not_saved = OSError(f"{target} could not be written, and is as it was before: {error}")
                self._not_saved = not_saved if self._is_notifying else None
                raise not_saved from error
