"""What the file of the container says holds here: what it copies is there, what it installs is what the app needs."""

import ast
import configparser
import json
import re
import shlex
import sys

import pytest

from tests.service._served import FOLDER, ROOT

TEXT = (FOLDER / "Containerfile").read_text()
LINES = [line for line in re.sub(r"\\\n", " ", TEXT).splitlines() if line and not line.startswith("#")]
STEPS = [line.split(maxsplit=1) for line in LINES]
REQUIRED = [line for line in (FOLDER / "requirements.txt").read_text().splitlines() if line]


def arguments(name):
    return [shlex.split(rest) for step, rest in STEPS if step == name]


def test_all_that_it_copies_is_in_the_repository():
    sources = [source for copied in arguments("COPY") for source in copied[:-1]]
    assert sources
    assert [source for source in sources if not (ROOT / source).exists()] == []
    copied = {source for source in sources if (ROOT / source).is_file()}
    assert {"examples/service/app.py", "examples/service/requirements.txt"} <= copied


def test_the_package_is_built_of_what_is_copied():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    read = setup["metadata"]["long_description"].removeprefix("file: ")
    needed = {"setup.cfg", "pyproject.toml", "skts", read, "LICENSE"}
    assert needed <= {source for copied in arguments("COPY") for source in copied[:-1]}


def test_what_it_installs_is_what_the_app_imports():
    (install,) = (rest for step, rest in STEPS if step == "RUN" and "/service/requirements.txt" in rest)
    assert "--requirement here.txt" in install
    packages = {re.match(r"[\w-]+", line)[0] for line in REQUIRED}
    tree = ast.parse((FOLDER / "app.py").read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in ([each.name for each in getattr(node, "names", [])] if isinstance(node, ast.Import) else [])
        + ([node.module] if isinstance(node, ast.ImportFrom) else [])
    }
    brought = {"numpy", "pandas", "torch", "starlette"}  # by skts and by fastapi
    assert imported - set(sys.stdlib_module_names) - brought == packages - {"uvicorn"}


def test_what_it_runs_is_the_app_as_it_is_run_in_the_tests():
    ((*_, command),) = (step for step in STEPS if step[0] == "CMD")
    command = json.loads(command)
    assert command[:3] == ["uvicorn", "--factory", "app:make_app"]
    assert (FOLDER / "app.py").exists()
    names = {rest.split("=")[0] for step, rest in STEPS if step == "ENV"}
    assert names == {"SKTS_MODEL"}
    (port,) = (rest for step, rest in STEPS if step == "EXPOSE")
    assert command[command.index("--port") + 1] == port


@pytest.mark.slow
def test_its_command_starts_the_app(tmp_path):
    pytest.importorskip("uvicorn")
    httpx = pytest.importorskip("httpx")
    from tests.service._served import fit, load_script, make_tables, write

    script, pipe = load_script("load"), fit(*make_tables()[:2])
    environment = write(pipe, tmp_path / "model.skts")
    ((*_, command),) = (step for step in STEPS if step[0] == "CMD")
    server = script.start(tmp_path / "model.skts", command=json.loads(command), **environment)
    try:
        assert httpx.get(f"{server.url}/health", timeout=60).json() == {"status": "ok"}
    finally:
        server.process.kill()
        server.process.wait()
