import numpy as np
import pytest

from skts.regressors._sources import find_sources

NAMES = np.array(["ecmwf_u100", "ecmwf_t2m", "gfs_u100", "hour_sin", "power"], dtype=object)


def find(sources, names=NAMES):
    found = find_sources(sources, names, 5, "SomeRegressor")
    return {name: columns.tolist() for name, columns in found.items()}


def test_a_string_is_searched_for_and_lists_are_names_or_positions():
    sources = {"ecmwf": "^ecmwf_", "gfs": ["gfs_u100"], "calendar": [3]}
    assert find(sources) == {"ecmwf": [0, 1], "gfs": [2], "calendar": [3]}
    assert find({"wind": "u100$"}) == {"wind": [0, 2]}
    assert find({"last": -1, "first": [1, 0]}) == {"last": [4], "first": [0, 1]}
    assert list(find({"b": [1], "a": [0]})) == ["b", "a"]


def test_without_sources_all_columns_are_one():
    assert find(None) == find(None, None) == {"all": [0, 1, 2, 3, 4]}


def test_without_names_positions_do():
    assert find({"one": [0, 1], "other": 2}, None) == {"one": [0, 1], "other": [2]}


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ({}, r"SomeRegressor\(sources={}\): at least one source"),
        (
            {"one": "^icon_"},
            r"SomeRegressor\(sources={'one': '\^icon_'}\): no name of a column matches, .*'ecmwf_u100'",
        ),
        ({"one": ["ecmwf_u10"]}, r"no column 'ecmwf_u10' among .* Did you mean 'ecmwf_u100'"),
        ({"one": [7]}, r"Give positions from 0 to 4"),
        ({"one": []}, "at least one column"),
        ({"one": "("}, "this is no regular expression"),
        ({"ecmwf": "ecmwf", "wind": "u100"}, "column 'ecmwf_u100' is in source 'ecmwf' and in source 'wind'"),
        ({"one": [0, 1], "other": [1]}, "column 'ecmwf_t2m' is in source 'one' and in source 'other'"),
    ],
)
def test_what_makes_no_sources_is_refused_with_its_place(sources, message):
    with pytest.raises(ValueError, match=message):
        find(sources)


@pytest.mark.parametrize("key", ["^ecmwf_", ["ecmwf_u100"]])
def test_names_need_a_table_with_names(key):
    with pytest.raises(ValueError, match=r"Give positions, or .*set_output\(transform=\"pandas\"\)"):
        find({"one": key}, None)


def test_a_column_without_a_name_is_told_by_its_position():
    with pytest.raises(ValueError, match="column 1 is in source"):
        find({"one": [0, 1], "other": [1]}, None)
