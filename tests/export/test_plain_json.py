"""Plain values as JSON and back."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from skts.exceptions import ExportError, SavedFileError
from skts.export._plain_json import read_plain, write_plain

TIMES = pd.date_range("2024-03-30", periods=60, freq="h", name="time")
INDEXES = [
    TIMES,
    TIMES.tz_localize("UTC").tz_convert("Europe/Berlin"),
    TIMES.as_unit("s"),
    TIMES.to_period("h"),
    pd.RangeIndex(3, 9),
    pd.Index(["a", "b"], name="station"),
    pd.Index([1, "b", 2.5], dtype=object),
    pd.MultiIndex.from_product([["x", "y"], [1, 2], TIMES], names=["farm", None, "time"]),
]


@pytest.mark.parametrize("index", INDEXES, ids=lambda index: str(index.dtype))
def test_an_index_comes_back(index):
    back = read_plain(write_plain({"index": index}))["index"]
    assert back.equals(index)
    assert back.names == index.names
    if not isinstance(index, pd.MultiIndex):
        assert back.dtype == index.dtype


@given(hnp.arrays(st.sampled_from([np.float32, np.float64, np.int64, np.bool_]), hnp.array_shapes(min_side=0)))
def test_an_array_comes_back_to_the_last_bit(array):
    back = read_plain(write_plain([array]))[0]
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()


@pytest.mark.parametrize("value", [object(), np.array([object()]), {"f": len}, pd.Timestamp("2024-01-01")])
def test_what_is_not_plain_is_refused(value):
    with pytest.raises(ExportError, match="cannot be written"):
        write_plain(value)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"$array": ["<f8", [4], "AAAA"]}',
        '{"$array": ["|O", [1], "AAAAAAAAAAA="]}',
        '{"$array": ["<f8", [-1], "AAAAAAAAAAA=", 1]}',
        '{"$index": ["time", "datetime64[ns]", ["now"]]}',
        '{"$levels": [["a"], [], []]}',
        "[" * 100_000,
    ],
)
def test_what_is_damaged_is_refused(text):
    with pytest.raises(SavedFileError, match="cannot be read"):
        read_plain(text)
