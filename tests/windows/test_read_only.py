"""What lies in memory-mapped files that nobody may write to."""

import joblib
import numpy as np
import pytest

from skts import HistoryPrepender, SlidingWindower
from skts.features import NeighbourFeatures, WindFeatures
from tests._panels import make_table

TABLE = make_table([(s, h) for h in range(80) for s in "ab"])
TABLES = {"panel": TABLE, "one series": TABLE.xs("a"), "array": TABLE.to_numpy(), "float32": TABLE.to_numpy(np.float32)}


@pytest.fixture
def mapped(tmp_path):
    def store_and_map(value):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.joblib"
        joblib.dump(value, path)
        return joblib.load(path, mmap_mode="r")

    return store_and_map


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("X", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize(
    "step",
    [
        HistoryPrepender(4),
        SlidingWindower(4, 2, known=[1]),
        SlidingWindower(4, 2, max_similarity=0.99),
        SlidingWindower(None, 2, history=4),
        WindFeatures(0, 1),
        NeighbourFeatures(0, n_neighbours=1),
    ],
    ids=lambda step: type(step).__name__,
)
def test_fitted_steps_and_tables_may_be_read_only(X, step, mapped):
    if isinstance(step, NeighbourFeatures) and X is not TABLE:
        pytest.skip("has no neighbours")
    expected = np.asarray(getattr(step.fit(X).transform(X), "panel", step.transform(X)))
    again, read_only = mapped(step), mapped(X)
    for out in (again.transform(read_only), again.fit(read_only).transform(read_only)):
        np.testing.assert_array_equal(np.asarray(getattr(out, "panel", out)), expected)
    again.fit_transform(read_only)


@pytest.mark.filterwarnings("error")
def test_windows_may_be_read_only(mapped):
    windower = SlidingWindower(4, 2, known=[1])
    for windows in (windower.fit_transform(TABLE), windower.transform(TABLE)):
        again = mapped(windows)
        assert not again.panel.flags.writeable
        assert repr(again) == repr(windows)
        assert again.find_blanks() == windows.find_blanks()
        np.testing.assert_array_equal(again, windows)
        np.testing.assert_array_equal(again.targets(np.arange(160.0)), windows.targets(np.arange(160.0)))
