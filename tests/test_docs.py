"""The code of the documentation runs, and prints what it says it prints."""

import configparser
import re
import shlex
import warnings
from pathlib import Path

import pandas as pd
import pytest

import skts
from skts.commandline import main
from skts.exceptions import MissingHistoryWarning

ROOT = Path(__file__).parents[1]


def blocks(path, language="python"):
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


PAGES = [
    "docs/guide.md",
    "docs/export.md",
    "docs/speed.md",
    "docs/inspection.md",
    "docs/watching.md",
    pytest.param("README.md", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("name", PAGES)
def test_the_code_of_a_page_runs(name, capsys, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    code = "\n".join(blocks(ROOT / name))
    namespace = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingHistoryWarning)
        exec(compile(code, name, "exec"), namespace)
    promised = [line.rsplit("  # ", 1)[1] for line in code.splitlines() if line.startswith("print(")]
    assert capsys.readouterr().out.splitlines() == promised
    if name == "README.md":
        assert namespace["y_pred"].shape == (5664,)


@pytest.mark.slow
def test_the_commands_of_the_first_run_write_a_table_and_forecast_it(monkeypatch, tmp_path):
    lines = "\n".join(blocks(ROOT / "README.md", "console")).splitlines()
    commands = [shlex.split(line.removeprefix("$ "), comments=True) for line in lines]
    (write,) = (command for command in commands if command[:2] == ["python", "-c"])
    (forecast,) = (command for command in commands if command[:1] == ["skts"])
    monkeypatch.chdir(tmp_path)
    exec(write[2], {})
    assert main([*forecast[1:], "--jobs", "1"]) == 0
    assert len(pd.read_csv("forecasts.csv")) == 4 * 500  # the last tenth of 5,000 hours


def test_every_target_of_make_that_a_page_names_is_there():
    makefile = (ROOT / "Makefile").read_text()
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    named = {
        name for page in pages for name in re.findall(r"(?:\$ |`)make ([a-z-]+)", page.read_text(encoding="utf-8"))
    }
    assert {"demo", "test", "test-all", "lint", "types"} <= named
    assert named <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def test_links_lead_somewhere():
    pages = [*ROOT.glob("*.md"), ROOT / "benchmarks" / "README.md", *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_what_is_cited_is_what_is_installed():
    cited = dict(re.findall(r"^([a-z-]+): (\S+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE))
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert (cited["version"], cited["license"]) == (skts.__version__, setup["metadata"]["license"])


def test_what_is_shown_of_the_examples_stands_in_them():
    examples = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "examples").glob("*.py"))
    shown = blocks(ROOT / "README.md", "py")  # too slow to run here
    assert len(shown) == 1
    assert all(block in examples for block in shown)
