"""The recipes and the page of serving run: a model in MLflow, and one that is brought up to date every night."""

import os
import re
import shlex
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

from skts.datasets import make_panel
from tests.service._served import ROOT, load_script

pytestmark = pytest.mark.slow

RECIPES = ROOT / "examples" / "recipes"
PATHS = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))


def run(*command, **environment):
    environment = {**os.environ, "PYTHONPATH": PATHS, **environment}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)


def skts(*arguments):
    return run(sys.executable, "-m", "skts", *arguments)


def test_a_model_in_mlflow_forecasts_as_before(tmp_path):
    pytest.importorskip("mlflow")
    done = run(sys.executable, str(RECIPES / "keep_in_mlflow.py"), TMPDIR=str(tmp_path))
    assert done.stdout.splitlines() == [
        "scikit-learn's flavour, a pickle: forecasts are the same: True",
        "the file of skts: forecasts are the same: True",
        "files with pickles beside it: 0",
    ], done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the recipe is given: a model, the rows since, and the weather of the day to come."""
    if skts("update", "--help").returncode != 0:
        pytest.skip("this version has no skts update")
    folder = tmp_path_factory.mktemp("nightly")
    X, _ = make_panel(n_series=2, n_rows=246, random_state=0)
    time = X.index.get_level_values("time")
    hours = np.sort(time.unique())
    X[time < hours[192]].to_csv(folder / "table.csv")
    X[time < hours[240]].to_csv(folder / "new.csv")  # the days before once more
    X.loc[time >= hours[240], ["wind"]].to_csv(folder / "weather.csv")
    roles = ["--time", "time", "--series", "station", "--target", "power", "--known", "wind"]
    sizes = ["--window", "12", "--horizon", "6", "--members", "1", "--quick"]
    done = skts("fit", str(folder / "table.csv"), *roles, *sizes, "--model", str(folder / "model.skts"))
    assert done.returncode == 0, done.stderr
    return folder


def nightly(folder):
    return run("sh", str(RECIPES / "nightly.sh"), str(folder), SKTS=f"{sys.executable} -m skts")


def test_every_night_the_model_learns_and_forecasts_what_comes_next(folder):
    done = nightly(folder)
    assert done.returncode == 0, done.stderr
    forecasts = pd.read_csv(folder / "forecasts.csv", parse_dates=["time"])
    weather = pd.read_csv(folder / "weather.csv", parse_dates=["time"])
    assert forecasts[["station", "time"]].equals(weather[["station", "time"]])
    assert not (folder / "next.skts").exists()
    again = nightly(folder)  # nothing is new
    assert again.returncode == 0, again.stderr
    assert pd.read_csv(folder / "forecasts.csv", parse_dates=["time"]).equals(forecasts)


def test_a_night_that_fails_leaves_all_as_it_was(folder):
    nightly(folder)
    names = ("model.skts", "forecasts.csv")
    before, weather = [(folder / name).read_bytes() for name in names], (folder / "weather.csv").read_bytes()
    (folder / "weather.csv").write_text("station,time,wind\n")
    try:
        done = nightly(folder)
    finally:
        (folder / "weather.csv").write_bytes(weather)
    assert done.returncode != 0
    assert [(folder / name).read_bytes() for name in names] == before


def test_the_page_of_serving_runs_with_the_service_in_between(tmp_path, monkeypatch, capsys):
    pytest.importorskip("httpx")
    page = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
    first, *others = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    (command,) = re.findall(r"^\$ SKTS_MODEL=model.skts (uvicorn .*) --port 8000$", page, re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    namespace = {}
    exec(compile(first, "serving.md", "exec"), namespace)
    server = load_script("load").start(tmp_path / "model.skts", command=shlex.split(command), PYTHONPATH=PATHS)
    try:
        code = "\n".join(others).replace("http://127.0.0.1:8000", server.url)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of `forecast` beside the service
            exec(compile(code, "serving.md", "exec"), namespace)
    finally:
        server.process.kill()
        server.process.wait()
        namespace["service"].close()
    promised = [line.rsplit("  # ", 1)[1] for line in code.splitlines() if line.startswith("print(")]
    assert capsys.readouterr().out.splitlines() == promised
