import pandas as pd
import pytest

from skts.panel import series_keys

NAMES = pd.MultiIndex.from_tuples([("f", 1, "x"), ("f", 2, "x"), ("g", 1, "y")], names=["farm", "phase", "kind"])


@pytest.mark.parametrize(
    ("by", "expected", "levels"),
    [
        (None, NAMES.tolist(), ["farm", "phase", "kind"]),
        ("farm", ["f", "f", "g"], ["farm"]),
        (1, [1, 2, 1], ["phase"]),
        (["farm"], ["f", "f", "g"], ["farm"]),
        (["kind", "farm"], [("f", "x"), ("f", "x"), ("g", "y")], ["farm", "kind"]),
        ([0, 1, 2], NAMES.tolist(), ["farm", "phase", "kind"]),
    ],
)
def test_series_are_named_by_the_levels_asked_for(by, expected, levels):
    keys = series_keys(NAMES, by, "owner")
    assert keys.tolist() == expected
    assert list(keys.names) == levels


def test_a_number_is_a_position_whatever_the_names():
    names = NAMES.set_names([1, 0, None])
    assert series_keys(names, 2, "owner").tolist() == ["x", "x", "y"]
    assert series_keys(names, 1, "owner").tolist() == ["f", "f", "g"]  # unless a level is called so


def test_one_level_is_the_name_itself():
    names = pd.Index(["b", "a"], name="station")
    assert series_keys(names, "station", "owner").tolist() == ["b", "a"]
    assert series_keys(None, None, "owner") is None


def test_what_the_index_has_not_is_refused_with_the_way_out():
    with pytest.raises(ValueError, match=r"LeaveSeriesOut\(\): no index level 'frm' among \['farm', .*mean 'farm'"):
        series_keys(NAMES, "frm", "LeaveSeriesOut()")
    with pytest.raises(ValueError, match="no index level '3' among"):
        series_keys(NAMES, ["farm", 3], "owner")
    with pytest.raises(ValueError, match=r"the table has no series in its index.*set_index"):
        series_keys(None, "farm", "owner")
