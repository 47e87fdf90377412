"""The code of the documentation runs, and prints what it says it prints."""

import re
import warnings
from pathlib import Path

import pytest

from skts.exceptions import MissingHistoryWarning

ROOT = Path(__file__).parents[1]


def blocks(path, language="python"):
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("name", ["docs/guide.md", "docs/speed.md", "README.md"])
def test_the_code_of_a_page_runs(name, capsys):
    code = "\n".join(blocks(ROOT / name))
    namespace = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingHistoryWarning)
        exec(compile(code, name, "exec"), namespace)
    promised = [line.rsplit("  # ", 1)[1] for line in code.splitlines() if line.startswith("print(")]
    assert capsys.readouterr().out.splitlines() == promised
    if name == "README.md":
        assert namespace["y_pred"].shape == (5664,)


def test_links_lead_somewhere():
    for page in [ROOT / "README.md", ROOT / "benchmarks" / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_what_is_shown_of_the_examples_stands_in_them():
    examples = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "examples").glob("*.py"))
    shown = blocks(ROOT / "README.md", "py")  # too slow to run here
    assert len(shown) == 1
    assert all(block in examples for block in shown)
