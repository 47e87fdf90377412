"""What tests and the examples of docstrings share."""

import sys

import pytest


@pytest.fixture(autouse=True)
def close_figures():
    """Close what was drawn: pyplot keeps figures open, and warns when there are many."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
