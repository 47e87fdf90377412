"""The manifest says what is in a file, and the file holds no training values but those that it counts."""

import json
import re
import zipfile

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge

from skts.persistence import read_manifest, save
from tests.persistence._estimators import LINEAR, PIPELINES, pipe
from tests.persistence._tables import make_tables

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(scope="module")
def tables():
    return make_tables()


def manifest_of(estimator, tmp_path, **params):
    save(estimator, tmp_path / "model.skts", **params)
    return read_manifest(tmp_path / "model.skts")


def test_the_manifest_says_what_was_trained_when_and_on_what(tables, tmp_path):
    X, y, _, _ = tables
    card = {"scores": {"MAE": 0.83}, "contact": "wind@example.org"}
    manifest = manifest_of(clone(PIPELINES["lstm"]).fit(X, y), tmp_path, card=card)
    trained, network = manifest["trained"], manifest["networks"][0]
    assert manifest["format"] == 1
    assert manifest["card"] == card
    assert manifest["packages"].keys() >= {"python", "skts", "scikit-learn", "torch", "skops", "safetensors"}
    assert manifest["estimator"] == "sklearn.pipeline.Pipeline"
    assert manifest["parameters"]["lstmregressor__hidden_size"] == 4
    times = X.index.get_level_values("time")
    assert trained["columns"] == list(X.columns)
    assert trained["target"] == [y.name]
    assert trained["index"] == ["station", "time"]
    assert trained["series"] == list(X.index.levels[0])
    assert (trained["n_rows"], trained["n_series"]) == (len(X), 2)
    assert (trained["first"], trained["last"]) == (str(times.min()), str(times.max()))
    assert trained["step"] == "0 days 01:00:00"
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", trained["at"])
    assert trained["at"] <= manifest["saved"]
    assert (network["device"], network["epochs"]) == ("cpu", 1)
    with zipfile.ZipFile(tmp_path / "model.skts") as file:  # and anything else can read it
        assert json.loads(file.read("manifest.json")) == manifest


def test_what_is_kept_of_the_training_table_is_counted(tables, tmp_path):
    X, y, _, _ = tables
    estimator = clone(PIPELINES["conformal"]).fit(X, y)
    kept = manifest_of(estimator, tmp_path)["kept_rows"]
    names = X.index.levels[0]
    history = next(each for each in kept if each["of"] == "HistoryPrepender")
    assert history["n_rows"] == 24
    assert history["by_series"] == {str(name): 12 for name in names}
    held = next(each for each in kept if each["of"] == "ConformalRegressor")
    assert held == {
        "of": "ConformalRegressor",
        "what": "held-out forecasts and truths",
        "n_rows": estimator.n_calibration_,
    }


@pytest.mark.parametrize("name", ["columns", "dlinear", "ridge"])
def test_no_training_value_is_in_the_file_but_the_history(name, tables, tmp_path):
    X, y, _, _ = tables
    from skts.strategies import WindowedRegressor

    last = {"columns": LINEAR, "dlinear": PIPELINES["dlinear"][-1], "ridge": WindowedRegressor(Ridge())}[name]
    estimator = pipe(clone(last)).fit(X, y)
    save(estimator, tmp_path / "model.skts")
    data = (tmp_path / "model.skts").read_bytes()
    is_history = X.index.isin(estimator[-3].tail_.index)
    values = X["power"].to_numpy()
    for value, is_kept in zip(values, is_history, strict=True):
        written = [np.float64(value).tobytes(), np.float32(value).tobytes(), repr(float(value)).encode()]
        assert any(each in data for each in written) == is_kept


def test_a_card_that_is_no_json_is_refused(tmp_path):
    with pytest.raises(TypeError, match="card"):
        save(Ridge(), tmp_path / "model.skts", card={"scores": np.arange(3)})
    assert not list(tmp_path.iterdir())
