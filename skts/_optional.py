"""Packages that only some parts need."""

import importlib
from typing import Any


def load(package: str, owner: str) -> Any:
    """Import an optional package.

    Parameters
    ----------
    package : str
        The name to import, which is also the name to install.
    owner : str
        Who needs it, for the message.

    Raises
    ------
    ImportError
        With the command that installs the package.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise ImportError(
            f"{owner} needs the package {package}, which cannot be imported: pip install {package}"
        ) from error
