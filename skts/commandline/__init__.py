"""The command `skts`, or `python -m skts`: from a table to a model in service."""

from skts.commandline._main import main

__all__ = ["main"]
