"""The command `skts`, or `python -m skts`: tune, forecast and report on a table of one's own, or on the bundled one."""

from skts.commandline._main import main

__all__ = ["main"]
