"""Packages that only some parts need."""

import importlib
from typing import Any


def load(package: str, owner: str, install: str | None = None) -> Any:
    """Import an optional package.

    Parameters
    ----------
    package : str
        The name to import.
    owner : str
        Who needs it, for the message.
    install : str, default=None
        The name to install, where that is another one.

    Raises
    ------
    ImportError
        With the command that installs the package.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise ImportError(
            f"{owner} needs the package {package}, which cannot be imported: pip install {install or package}"
        ) from error
