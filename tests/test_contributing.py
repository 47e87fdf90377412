"""The recipes of CONTRIBUTING.md run, and its map is that of the folders."""

import re
import warnings
from pathlib import Path

import pytest

from skts.exceptions import MissingHistoryWarning

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_the_recipes_run_from_top_to_bottom(capsys):
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingHistoryWarning)
        exec(compile(code, "CONTRIBUTING.md", "exec"), {"__name__": "recipes"})
    promised = [line.rsplit("  # ", 1)[1] for line in code.splitlines() if line.startswith("print(")]
    assert capsys.readouterr().out.splitlines() == promised


def test_every_folder_stands_on_the_map():
    named = set(re.findall(r"`([a-z_]+)/`", PAGE.split("## The house")[1].split("## Rules")[0]))
    assert {path.parent.name for path in (ROOT / "skts").glob("*/__init__.py")} <= named


@pytest.mark.parametrize("path", re.findall(r"`((?:tests|skts|requirements|docs)/[\w/.]+)`", PAGE))
def test_files_that_it_names_are_there_or_made_by_its_recipes(path):
    made = {"skts/features/_air_density.py", "tests/features/test_air_density.py"}
    made |= {"skts/model_selection/_month_split.py", "tests/model_selection/test_month_split.py"}
    assert path in made or (ROOT / path).exists()
