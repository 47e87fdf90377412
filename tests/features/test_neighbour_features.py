import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import make_column_selector

from skts.exceptions import PanelIndexError
from skts.features import NeighbourFeatures
from skts.features._neighbour_features import most_correlated
from tests._panels import HOURS, INTEGERS, lookup, make_table, ragged_panels, split_panels, where


def look_up_one_by_one(X, names):
    """Find what each named series has at the time of each row: all of its first column, then all of its second."""
    values, missing = lookup(X), [np.nan] * X.shape[1]
    return [[values.get((name, hour), missing)[i] for i in range(X.shape[1]) for name in names] for _, hour in where(X)]


@settings(deadline=None, max_examples=60)
@given(split_panels())
def test_neighbours_are_looked_up_at_the_same_time(split):
    train, new = split
    fitted = NeighbourFeatures().fit(train)
    names = sorted(set(train.index.get_level_values(0)))
    assert fitted.series_.tolist() == names
    for X in (train, new):
        out = fitted.transform(X)
        assert out.columns[2:].tolist() == [f"{column}@{name}" for column in ["seen", "known"] for name in names]
        np.testing.assert_array_equal(out.iloc[:, 2:], look_up_one_by_one(X, names))


@settings(deadline=None, max_examples=40)
@given(ragged_panels())
def test_a_row_finds_itself_under_its_own_name(X):
    out = NeighbourFeatures(["seen"]).fit_transform(X)
    own = [out.iloc[i][f"seen@{series}"] for i, (series, _) in enumerate(where(X))]
    np.testing.assert_array_equal(own, X["seen"])


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.floats(0, 0.6))
def test_nearest_is_most_correlated_over_common_times(seed, n_series, missing):
    random = np.random.default_rng(seed)
    values = random.normal(size=(15, n_series))
    values[random.random(values.shape) < missing] = np.nan

    def closeness(i, j):
        both = ~np.isnan(values[:, i]) & ~np.isnan(values[:, j])
        return abs(np.corrcoef(values[both][:, i], values[both][:, j])[0, 1]) if both.sum() >= 3 else 0.0

    expected = [
        sorted((j for j in range(n_series) if j != i), key=lambda j, i=i: -closeness(i, j)) for i in range(n_series)
    ]
    np.testing.assert_array_equal(most_correlated(values, n_series - 1), expected)


def correlated_panel():
    """Make a panel in which b is nearly a upside down, and c is near to d only."""
    a, c = np.random.default_rng(0).normal(size=(2, 30))
    noise = np.random.default_rng(1).normal(size=(2, 30))
    series = {"a": a, "b": -a + 0.1 * noise[0], "c": c + 0.2 * a, "d": c + 0.2 * noise[1]}
    X = pd.concat({name: pd.DataFrame({"wind": wind, "row": wind}, index=HOURS[:30]) for name, wind in series.items()})
    X["row"] = np.arange(len(X), dtype=float)
    return X


@pytest.mark.parametrize("order", ["by series", "by time"])
def test_each_series_has_its_own_neighbours_nearest_first(order):
    X = correlated_panel() if order == "by series" else correlated_panel().sort_index(level=1)
    fitted = NeighbourFeatures(["wind", "row"], n_neighbours=2).fit(X)
    out = fitted.transform(X)
    assert out.columns[2:].tolist() == ["wind@1", "wind@2", "row@1", "row@2"]
    nearest = fitted.series_.to_numpy()[fitted.neighbours_[:, 0]]
    assert dict(zip(fitted.series_, nearest, strict=True)) == {"a": "b", "b": "a", "c": "d", "d": "c"}
    for name, neighbours in zip(fitted.series_, fitted.series_.to_numpy()[fitted.neighbours_], strict=True):
        for k, neighbour in enumerate(neighbours, start=1):
            np.testing.assert_array_equal(out.loc[name, f"wind@{k}"], X.loc[neighbour, "wind"])
            np.testing.assert_array_equal(out.loc[name, f"row@{k}"], X.loc[neighbour, "row"])


def test_neighbours_are_remembered_from_training():
    X = correlated_panel()
    new = X.assign(wind=X["wind"].to_numpy()[::-1]).drop(index="a")
    out = NeighbourFeatures("wind", n_neighbours=1).fit(X).transform(new)
    np.testing.assert_array_equal(out.loc["c", "wind@1"], new.loc["d", "wind"])
    assert out.loc["b", "wind@1"].isna().all()  # a is not there to be looked up


def test_a_constant_series_is_nobodys_first_choice():
    values = np.array([[1, 5, 2.0], [2, 5, 1], [3, 5, 4], [4, 5, 3]])
    assert most_correlated(values, 2).tolist() == [[2, 1], [0, 2], [0, 1]]


def test_columns_by_name_position_and_selector():
    X = correlated_panel()
    expected = NeighbourFeatures(["row"]).fit_transform(X)
    for columns in ["row", 1, [-1], slice(1, None), make_column_selector("^r")]:
        pd.testing.assert_frame_equal(NeighbourFeatures(columns).fit_transform(X), expected)


def test_several_levels_name_a_series():
    index = pd.MultiIndex.from_product([["fr", "de"], [1, 2], INTEGERS[:3]], names=["country", "farm", "time"])
    X = pd.DataFrame({"u": np.arange(12.0)}, index=index)
    out = NeighbourFeatures().fit_transform(X)
    assert set(out.columns) == {"u", "u@fr/1", "u@fr/2", "u@de/1", "u@de/2"}
    assert out["u@de/1"].tolist() == [6, 7, 8] * 4


def test_categories_and_unused_levels_are_found_by_name():
    X = make_table([(s, h) for s in "abc" for h in range(3)])
    stations = pd.Categorical(X.index.get_level_values(0), categories=list("cxba"))
    as_categories = X.set_axis(pd.MultiIndex.from_arrays([stations, X.index.get_level_values(1)]))
    out = NeighbourFeatures("seen").fit(X).transform(as_categories[3:])
    expected = NeighbourFeatures("seen").fit(X).transform(X[3:])
    np.testing.assert_array_equal(out, expected)
    assert expected["seen@a"].isna().all()


def test_an_unseen_series_sees_the_others_and_is_seen_by_none():
    X = make_table([(s, h) for s in "abn" for h in range(3)])
    train = X[:6]
    out = NeighbourFeatures("seen").fit(train).transform(X)
    assert out.columns[2:].tolist() == ["seen@a", "seen@b"]
    assert out.loc["n", "seen@b"].tolist() == [3, 4, 5]
    with pytest.raises(ValueError, match=r"1 series were not in the training table and have no neighbours: \['n'\]"):
        NeighbourFeatures("seen", n_neighbours=1).fit(train).transform(X)


@pytest.mark.parametrize(
    ("X", "params", "error", "message"),
    [
        (make_table([("a", 0), ("b", 0), ("a", 0)]), {}, PanelIndexError, "Rows 0 and 2: series 'a' has the time"),
        (pd.DataFrame({"u": [1.0]}, index=HOURS[:1]), {}, PanelIndexError, "names none: put their names before"),
        (correlated_panel(), {"n_neighbours": 4}, ValueError, "each series has 3 others.*Give 3 or fewer"),
        (correlated_panel(), {"columns": [], "n_neighbours": 1}, ValueError, "selects no column"),
        (correlated_panel(), {"columns": "winds"}, ValueError, r"columns='winds'\): no column.*mean 'wind'\?"),
    ],
)
def test_a_refusal_names_the_place_and_the_way_out(X, params, error, message):
    with pytest.raises(error, match=message):
        NeighbourFeatures(**params).fit(X)


def test_the_levels_that_name_the_series_must_stay():
    X = correlated_panel()
    fitted = NeighbourFeatures().fit(X)
    with pytest.raises(PanelIndexError, match="1 levels of the index that name the series, and this one has 2"):
        fitted.transform(pd.concat({"fr": X}))


def test_neighbours_are_those_of_the_same_run():
    times = pd.date_range("2024-01-01", periods=4, freq="h")
    index = pd.MultiIndex.from_tuples(
        [(farm, times[run], times[run + lead]) for farm in "ab" for run in range(2) for lead in (1, 2)],
        names=["farm", "run", "time"],
    )
    X = pd.DataFrame({"u100": [1.0, 2.0, 3.0, 4.0, 10.0, 20.0, 30.0, 40.0]}, index=index)
    out = NeighbourFeatures("u100").fit_transform(X)
    assert out["u100@b"].tolist() == [10.0, 20.0, 30.0, 40.0] * 2
    assert out["u100@a"].tolist() == [1.0, 2.0, 3.0, 4.0] * 2
    alone = NeighbourFeatures("u100").fit(X).transform(X.drop(index[4]))
    assert np.isnan(alone["u100@b"].iloc[0])
