"""What stands in a file for a value that skops cannot write."""

from typing import Any


class Packed:
    """A value taken apart.

    Parameters
    ----------
    kind : str
        How it is put together again.
    content : object
        What of: lists, strings, numbers, arrays, and other packed values.
    """

    def __init__(self, kind: str, content: Any):
        self.kind = kind
        self.content = content
