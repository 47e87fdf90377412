"""A file of ONNX forecasts what the pipeline does, without torch."""

import pickle
import re
import subprocess
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from skts.exceptions import ExportMismatchError, LostSeriesError, PanelIndexError, SavedFileError
from skts.export import OnnxForecaster, _agreement, to_onnx, to_torch_export
from skts.export._agreement import TOLERANCE
from skts.export._onnx_forecaster import weigh
from tests.export._pipelines import HORIZON, PIPELINES, WINDOW, X_NEW, X_TRAIN, Y_NEW, fitted

NAME = "quantiles"  # of columns in another order, static ones, bounds and hours at zero
CLOSE = {"rtol": 0, "atol": TOLERANCE * Y_NEW.std()}


@pytest.fixture(scope="session")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    assert to_onnx(fitted(NAME), path) < TOLERANCE
    return path


def test_it_gives_one_forecast_a_row_as_the_pipeline_does(path):
    shuffled = X_NEW.sample(frac=1, random_state=0).sort_index(level="time", sort_remaining=False, kind="stable")
    for table in (X_NEW, shuffled):
        y_pred = OnnxForecaster(path).predict(table)
        assert y_pred.shape == (len(table),)
        np.testing.assert_allclose(y_pred, fitted(NAME).predict(table), **CLOSE)
    assert (y_pred[shuffled["is_day"] == 0] == 0).all()
    assert (y_pred <= shuffled["capacity"] + 1e-6).all()


def test_it_gives_the_quantiles_that_were_trained(path):
    levels = [0.9, 0.1]
    found = OnnxForecaster(path).predict(X_NEW, quantiles=levels)
    np.testing.assert_allclose(found, fitted(NAME).predict(X_NEW, quantiles=levels), **CLOSE)
    with pytest.raises(ValueError, match=r"the file has the levels \[0.1, 0.5, 0.9\]"):  # between them, bounds count
        OnnxForecaster(path).predict(X_NEW, quantiles=[0.3])


def test_without_bounds_levels_between_those_are_interpolated():
    reader = SimpleNamespace(levels=(0.1, 0.5, 0.9), about={"interpolates": True})
    np.testing.assert_allclose(weigh(reader, [0.3, 0.9]).T, [[0.5, 0.5, 0], [0, 0, 1]])
    with pytest.raises(ValueError, match="outside of the trained levels"):
        weigh(reader, [0.99])


def test_columns_are_found_by_their_names_where_the_pipeline_finds_them_so(path):
    table = X_NEW[X_NEW.columns[::-1]].assign(more=1.0)
    np.testing.assert_allclose(OnnxForecaster(path).predict(table), fitted(NAME).predict(table), **CLOSE)


def test_rows_with_holes_are_forecast_with_the_same_warning(path):
    table = X_NEW.copy()
    table.iloc[5:9, 1] = np.nan
    with pytest.warns(UserWarning, match="rest on blank") as expected:
        y_expected = fitted(NAME).predict(table)
    with pytest.warns(UserWarning, match="rest on blank") as found:
        y_found = OnnxForecaster(path).predict(table)
    assert [str(each.message) for each in found] == [str(each.message) for each in expected]
    np.testing.assert_allclose(y_found, y_expected, **CLOSE)


def test_it_forecasts_where_torch_cannot_be_imported(path, tmp_path):
    X_NEW.to_pickle(tmp_path / "table.pkl")
    code = f"""
import sys

class NoTorch:
    def find_spec(self, name, *where):
        if name.split(".")[0] in ("torch", "skorch"):
            raise ImportError(name + " is not here")

sys.meta_path.insert(0, NoTorch())
import numpy as np, pandas as pd
from skts.export import OnnxForecaster
y_pred = OnnxForecaster({str(path)!r}, n_threads=1).predict(pd.read_pickle({str(tmp_path / "table.pkl")!r}))
np.save({str(tmp_path / "y.npy")!r}, y_pred)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), fitted(NAME).predict(X_NEW), **CLOSE)


BAD = {
    "missing column": (lambda X: X.drop(columns="wind"), ValueError),
    "times that decrease": (lambda X: X.iloc[::-1], PanelIndexError),
    "time zone": (lambda X: X.tz_localize("UTC", level="time"), PanelIndexError),
    "no index": (lambda X: X.reset_index(drop=True), LostSeriesError),
    "empty": (lambda X: X.iloc[:0], ValueError),
    "text": (lambda X: X.assign(wind="calm"), ValueError),
    "infinite": (lambda X: X.assign(wind=np.inf), ValueError),
    "no capacity": (lambda X: X.assign(capacity=np.nan).rename(index=lambda name: f"new_{name}", level=0), ValueError),
    "varying capacity": (lambda X: X.assign(capacity=np.arange(len(X))), ValueError),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", BAD)
def test_a_table_that_cannot_be_read_gives_the_message_of_the_pipeline(path, case):
    change, kind = BAD[case]
    messages = []
    for forecaster in (fitted(NAME), OnnxForecaster(path)):
        try:
            forecaster.predict(change(X_NEW))
            messages.append(None)
        except kind as error:
            messages.append(re.sub(r" \(shape.*", "", str(error)))
    assert messages[0] == messages[1] is not None


def test_it_says_what_it_reads(path):
    manifest = OnnxForecaster(path).manifest_
    assert (manifest["window"], manifest["horizon"], manifest["levels"]) == (WINDOW, HORIZON, [0.1, 0.5, 0.9])
    assert manifest["inputs"]["known"] == ["wind", "is_day"]
    assert manifest["inputs"]["static"] == ["capacity"]
    assert set(OnnxForecaster(path).feature_names_in_) == set(X_TRAIN.columns)


def test_it_is_fitted_from_the_start_and_a_clone_reads_the_same_file(path):
    forecaster = OnnxForecaster(path)
    check_is_fitted(forecaster)
    expected = forecaster.predict(X_NEW)
    for other in (clone(forecaster), pickle.loads(pickle.dumps(forecaster)), forecaster.fit(X_NEW, Y_NEW)):
        np.testing.assert_array_equal(other.predict(X_NEW), expected)
    assert FrozenEstimator(forecaster).score(X_NEW, Y_NEW) == forecaster.score(X_NEW, Y_NEW)


def test_many_threads_forecast_at_once(path):
    forecaster, found = OnnxForecaster(path), {}
    expected = OnnxForecaster(path).predict(X_NEW)
    threads = [
        threading.Thread(target=lambda i: found.update({i: forecaster.predict(X_NEW)}), args=(i,)) for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(found[i], expected) for i in range(4))


def test_files_that_are_none_are_refused(path, tmp_path):
    written = path.read_bytes()
    cut, other = tmp_path / "cut.onnx", tmp_path / "other.onnx"
    cut.write_bytes(written[: len(written) // 2])
    import onnx

    model = onnx.load(path)
    del model.metadata_props[:]
    onnx.save(model, other)
    for file, said in ((cut, "no graph that onnxruntime reads"), (other, "none that skts.export.to_onnx wrote")):
        with pytest.raises(SavedFileError, match=said):
            OnnxForecaster(file).predict(X_NEW)
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        OnnxForecaster(tmp_path / "nowhere.onnx").predict(X_NEW)


def test_what_forecasts_something_else_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(_agreement, "TOLERANCE", -1.0)  # which no two forecasts keep
    file = tmp_path / "model.pt2"
    file.write_bytes(b"what stood here before")
    with pytest.raises(ExportMismatchError, match="differs from that of predict by up to"):
        to_torch_export(fitted(NAME), file)
    assert [each.name for each in tmp_path.iterdir()] == ["model.pt2"]
    assert file.read_bytes() == b"what stood here before"


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PIPELINES if name != NAME])
def test_every_kind_of_network_is_written(name, tmp_path):
    assert to_onnx(fitted(name), tmp_path / "model.onnx") < TOLERANCE
    found = OnnxForecaster(tmp_path / "model.onnx").predict(X_NEW)
    np.testing.assert_allclose(found, fitted(name).predict(X_NEW), **CLOSE)
    assert to_torch_export(fitted(name), tmp_path / "model.pt2") < TOLERANCE
