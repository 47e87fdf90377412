"""The package as it is installed."""

import os
import subprocess
import sys

import pytest


@pytest.fixture
def python(tmp_path):
    """Run code in a folder of one's own, with what is installed alone."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(*arguments):
        found = subprocess.run([sys.executable, *arguments], cwd=tmp_path, env=env, capture_output=True, text=True)
        if "No module named" in found.stderr:
            pytest.skip("skts is not installed here")
        return found

    return run


def test_a_folder_of_the_same_name_does_not_hide_it(python, tmp_path):
    """A clone is such a folder to whoever stands above it."""
    (tmp_path / "skts").mkdir()
    found = python("-c", "import skts; print(skts.LSTMRegressor.__name__)")
    assert found.stdout == "LSTMRegressor\n", f"install it anew (make clean): {found.stderr}"
