"""How messages about a table name what the caller gave."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Words:
    """The caller's own words: parameters in Python, options on the command line.

    Parameters
    ----------
    table : str
        What the rows come from: "table", "file".
    options : bool, default=False
        Whether parameters are options of a command.

    Examples
    --------
    >>> Words("table").given("time", "when"), Words("file", options=True).given("time_format", "%Y")
    ("time='when'", "--time-format '%Y'")
    """

    table: str
    options: bool = False

    def option(self, parameter: str) -> str:
        """Name a parameter."""
        return f"--{parameter.replace('_', '-')}" if self.options else f"{parameter}="

    def given(self, parameter: str, value: Any) -> str:
        """Name a parameter with its value."""
        return f"{self.option(parameter)}{' ' if self.options else ''}{value!r}"
