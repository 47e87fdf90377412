"""Files of earlier versions are loaded for ever after."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skts.persistence import load, read_manifest
from tests.persistence._tables import make_tables

FILES = sorted((Path(__file__).parent / "files").glob("*/*.skts"))

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning"),
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_file_of_each_format_forecasts_as_on_the_day_it_was_written(path):
    promised = json.loads((path.parent / "forecasts.json").read_text())[path.stem]
    X_new = make_tables()[2]
    scale = np.abs(promised).max()  # another processor may round otherwise
    assert_allclose(load(path).predict(X_new), promised, atol=1e-4 * scale)
    assert read_manifest(path)["card"] == {"name": path.stem}


def test_there_are_files_and_they_are_small():
    assert len(FILES) >= 9
    assert all(path.stat().st_size < 250_000 for path in FILES)
