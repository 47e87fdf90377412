"""Tests that need a device of their own stand in files of their own, so that one command can run them all."""

import re
from pathlib import Path

TESTS = Path(__file__).parent


def test_only_files_named_after_it_ask_for_cuda():
    asking = {
        path.name
        for path in TESTS.rglob("test_*.py")
        if re.search(r"^(pytestmark = \[?|\s*@)\s*pytest\.mark\.cuda", path.read_text(), re.M)
    }
    assert asking == {"test_cuda.py"}


def test_they_import_nothing_that_a_machine_with_a_device_may_lack():
    for path in TESTS.rglob("test_cuda.py"):
        assert "hypothesis" not in path.read_text()
        assert "tests._panels" not in path.read_text()
