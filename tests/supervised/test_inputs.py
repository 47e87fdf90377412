import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from skts import LSTMRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.exceptions import UnscaledColumnsWarning
from skts.supervised import check_sizes, read_inputs, read_sizes, warn_unscaled


class Anyone(BaseEstimator):
    pass


@pytest.fixture(scope="module")
def windows():
    X, _ = make_panel(n_series=2, n_rows=40, random_state=0)
    return SlidingWindower(5, 3, known=["wind"]).fit_transform(X)


def test_windows_arrays_and_tables_give_the_same_past(windows):
    X = np.asarray(windows)
    items = np.array([3, 0, 7])
    for given in (windows, X, X.astype(np.float64)):
        np.testing.assert_array_equal(read_inputs(Anyone(), given, reset=True).past(items), X[items])
    flat = read_inputs(Anyone(), X[:, 0], reset=True)
    np.testing.assert_array_equal(flat.past(items), X[items, :1])


def test_the_table_of_windows_is_shared_not_copied(windows):
    inputs = read_inputs(Anyone(), windows, reset=True)
    assert np.shares_memory(inputs.panel, windows.panel)


def test_sizes_are_those_that_a_network_sees(windows):
    sizes = read_sizes(read_inputs(Anyone(), windows, reset=True), 1, 3)
    expected = {"n_features": 2, "n_known": 1, "n_static": 0, "n_targets": 1, "n_series": 2, "window": 5, "horizon": 3}
    assert sizes == expected
    arrays = read_sizes(read_inputs(Anyone(), np.zeros((9, 4, 3)), reset=True), 2, 6)
    expected = {"n_features": 3, "n_known": 0, "n_static": 0, "n_targets": 2, "n_series": 1, "window": 4, "horizon": 6}
    assert arrays == expected
    X, _ = make_panel(n_series=2, n_rows=40, random_state=0)
    whole = read_inputs(Anyone(), SlidingWindower(None, 3, history=5).fit_transform(X), reset=True)
    assert read_sizes(whole, 1, 3)["window"] is None


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"window": 6}, "fitted with 6 rows of window and is now given 5"),
        ({"horizon": 2}, "fitted with 2 rows of horizon and is now given 3"),
        ({"n_known": 0}, "fitted with 0 known columns and is now given 1"),
        ({"n_targets": 2}, "fitted with 2 targets and is now given 1"),
    ],
)
def test_windows_of_other_sizes_are_refused(windows, changed, refusal):
    inputs = read_inputs(Anyone(), windows, reset=True)
    sizes = read_sizes(inputs, 1, 3)
    check_sizes("Anyone", sizes, inputs, 1)
    with pytest.raises(ValueError, match=f"Anyone was {refusal}: use the SlidingWindower it was fitted with"):
        check_sizes("Anyone", sizes | changed, inputs, 1)


def test_another_number_of_features_is_refused(windows):
    one = Anyone()
    read_inputs(one, windows, reset=True)
    for wrong in (np.zeros((4, 5, 3)), SlidingWindower(5, 3).fit_transform(np.zeros((20, 3)))):
        with pytest.raises(ValueError, match="X has 3 features, but Anyone is expecting 2 features"):
            read_inputs(one, wrong, reset=False)


def test_names_of_columns_are_learned_from_tables_and_forgotten_with_windows(windows):
    regressor = LSTMRegressor(2, max_epochs=1, device="cpu")
    table = pd.DataFrame(np.random.default_rng(0).standard_normal((20, 2)), columns=["a", "b"])
    assert regressor.fit(table, table["a"]).feature_names_in_.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="feature names should match"):
        regressor.predict(table.rename(columns={"b": "c"}))
    regressor.fit(windows, np.arange(80.0))
    assert not hasattr(regressor, "feature_names_in_")


def test_series_are_numbered_by_their_names_in_fit(windows):
    inputs = read_inputs(Anyone(), windows, reset=True)
    np.testing.assert_array_equal(inputs.series_numbers(windows.series_names), windows.series)
    other = inputs.series_numbers(windows.series_names[1:])
    np.testing.assert_array_equal(other, windows.series - 1)
    arrays = read_inputs(Anyone(), np.zeros((4, 5, 2)), reset=True)
    assert (arrays.series_numbers(windows.series_names) == -1).all()
    assert (arrays.series_numbers(None) == 0).all()


def test_only_a_spread_far_from_one_is_unscaled():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 6)) * [1.0, 50.0, 500.0, 0.002, 0.0, 1.0] + 1e4
    X[:, 5] = np.nan  # a column that is never there
    inputs = read_inputs(Anyone(), X - [1e4, 0, 0, 1e4, 0, 0], reset=True)
    with pytest.warns(UnscaledColumnsWarning, match=r"far from 1: 2 \(\d+\), 3 \(0.00\d+\)\. "):
        warn_unscaled("Anyone", inputs, [])
    warn_unscaled("Anyone", inputs, [2, 3])
