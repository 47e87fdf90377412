"""Data flows down: a folder imports only what stands above it."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import skts

ROOT = Path(skts.__file__).parent
LAYERS = [
    "_version",
    "exceptions",
    "_compat",
    "_html",
    "_optional",
    "panel",
    "features",
    "weather",
    "windows",
    "supervised",
    "nn",
    "training",
    "regressors",
    "strategies",
]
LEAVES = {  # and the leaves that each may import
    "metrics": [],
    "model_selection": [],
    "inspection": ["metrics", "model_selection"],
    "datasets": [],
    "persistence": [],
    "export": [],
}
FACES = ["__init__", "__main__", "commandline"]  # the package and its command: they may import everything
FILES = sorted([*ROOT.rglob("*.py"), *ROOT.rglob("*.pyi")])
STUBS = [path for path in FILES if path.suffix == ".pyi"]


def room_of(path):
    return path.relative_to(ROOT).parts[0].split(".")[0]


def imports(path):
    """The dotted names of skts that a file imports, and the line of each import."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if path.suffix == ".pyi":  # which lazy_loader reads only where imports are relative
                assert node.level == 1, f"{path}:{node.lineno} is not relative to the stub"
                held_by = ".".join(filter(None, ["skts", *path.relative_to(ROOT).parent.parts, node.module]))
            else:
                assert node.level == 0, f"{path}:{node.lineno} is a relative import"
                held_by = node.module
            names = [f"{held_by}.{alias.name}" for alias in node.names]
        for name in names:
            if name.split(".")[0] == "skts" and "." in name:
                yield name.split("."), node.lineno


def holder_of_private(name):
    """The package that the first private module in a dotted name lies in, or None where all of it is public."""
    private = [i for i, part in enumerate(name) if part.startswith("_") and not part.startswith("__")]
    return name[: private[0]] if private else None


def test_every_room_has_its_place():
    assert {room_of(path) for path in FILES} <= {*LAYERS, *LEAVES, *FACES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_what_stands_above_it(path):
    room = room_of(path)
    if room in FACES:
        return
    allowed = {room, *([*LAYERS, *LEAVES[room]] if room in LEAVES else LAYERS[: LAYERS.index(room)])}
    if room == "nn":
        allowed = {"nn"}
    wrong = [f"line {line}: {name[1]}" for name, line in imports(path) if name[1] not in allowed]
    assert not wrong


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_folder_imports_only_the_face_of_another(path):
    own = ["skts", *path.relative_to(ROOT).parent.parts]
    held = [(holder_of_private(name), name, line) for name, line in imports(path)]
    wrong = [f"line {line}: {'.'.join(name)}" for holder, name, line in held if holder and holder != own[: len(holder)]]
    assert not wrong


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_holds_one_public_class_and_is_named_after_it(path):
    if path.parent == ROOT or path.stem == "__init__":
        return
    classes = [node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)]
    public = {name for name in classes if name in importlib.import_module(f"skts.{room_of(path)}").__all__}
    assert {name.lower() for name in public} <= {path.stem.replace("_", "")}


def test_importing_the_package_draws_nothing_and_seeds_nothing():
    code = (
        "import sys, torch, numpy as np; before = torch.get_rng_state(), np.random.get_state()[1].copy()\n"
        "import skts, skts.inspection, skts.weather\n"
        "[getattr(face, name) for face in (skts, skts.nn, skts.strategies) for name in face.__all__]\n"
        "slow = {'matplotlib', 'matplotlib.pyplot', 'skts.commandline', 'xarray', 'pvlib', 'chronos'}\n"
        "assert not slow & set(sys.modules)\n"
        "assert torch.equal(before[0], torch.get_rng_state()) and (before[1] == np.random.get_state()[1]).all()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("path", STUBS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_face_that_loads_lazily_gives_what_its_stub_promises(path):
    face = importlib.import_module(".".join(["skts", *path.relative_to(ROOT).parent.parts]))
    promised = next(node.value for node in ast.parse(path.read_text()).body if isinstance(node, ast.Assign))
    assert face.__all__ == sorted(ast.literal_eval(promised))
    assert all(getattr(face, name) is not None for name in face.__all__)


def test_what_stands_before_the_network_loads_no_torch():
    """One after another in one process: what the first ones load, none of them may."""
    code = """
import sys
for line in (
    "import skts",
    "from skts import HistoryPrepender, SlidingWindower, Windows",
    "from skts import describe_panel, forecast, future_rows, to_panel, update",
    "import skts.panel, skts.features, skts.windows, skts.supervised, skts.weather, skts.datasets",
    "from skts.metrics import ignore_missing, mean_quantile_loss",
    "from skts.model_selection import PanelTimeSeriesSplit, PurgedPanelKFold, backtest",
    "from skts.strategies import ConformalRegressor, EnsembleRegressor, PerSeriesRegressor",
    "from skts.export import OnnxForecaster",
):
    exec(line)
    assert not {"torch", "skorch"} & set(sys.modules), line
from skts import LSTMRegressor
assert "torch" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
