"""Errors and warnings as lines for a terminal."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

PROGRAM = "skts"


def show_error(error: BaseException) -> None:
    """Print an error as one line."""
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    else:
        text = " ".join(str(error).split()) or type(error).__name__
    print(f"{PROGRAM}: {text}", file=sys.stderr)


def note(text: str) -> None:
    """Print what the user should know, as one line."""
    print(f"{PROGRAM}: {text}", file=sys.stderr)


@contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Show each warning once, as one line, without the file that it comes from."""
    shown = set()

    def show(message: Any, *of_the_source: Any, **more: Any) -> None:
        text = " ".join(str(message).split())
        if text not in shown:
            shown.add(text)
            print(f"{PROGRAM}: warning: {text}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield
