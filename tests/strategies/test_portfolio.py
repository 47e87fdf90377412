"""Quantiles of sums over series."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skts.strategies import portfolio

INDEX = pd.MultiIndex.from_product(
    [["north", "south"], ["a", "b"], pd.date_range("2024-01-01", periods=3, freq="h")],
    names=["region", "station", "time"],
)
SAMPLES = np.random.RandomState(0).normal(size=(50, len(INDEX)))


def test_sums_are_those_of_each_scenario():
    cube = SAMPLES.reshape(50, 2, 2, 3)
    found = portfolio(SAMPLES, INDEX, [0.1, 0.7])
    assert list(found.columns) == ["q0.1", "q0.7"]
    assert_allclose(found, np.quantile(cube.sum(axis=(1, 2)), [0.1, 0.7], axis=0).T)
    by = portfolio(SAMPLES, INDEX, [0.1, 0.7], by="region")
    assert by.index.names == ["region", "time"]
    assert_allclose(by.loc["south"], np.quantile(cube[:, 1].sum(axis=1), [0.1, 0.7], axis=0).T)
    order = np.random.RandomState(0).permutation(len(INDEX))
    pd.testing.assert_frame_equal(portfolio(SAMPLES[:, order], INDEX[order], [0.1, 0.7]), found)


def test_weights_are_those_of_the_series():
    shares = {("north", "a"): 0.5, ("north", "b"): 0.0, ("south", "a"): 2.0, ("south", "b"): 1.0}
    found = portfolio(SAMPLES, pd.DataFrame(index=INDEX), [0.5], weights=shares)
    cube = SAMPLES.reshape(50, 4, 3)
    assert_allclose(found["q0.5"], np.median(0.5 * cube[:, 0] + 2 * cube[:, 2] + cube[:, 3], axis=0))


def test_a_sum_that_lacks_a_series_is_missing():
    some = np.arange(len(INDEX)) != 4  # the second hour of station b in the north
    found = portfolio(SAMPLES[:, some], INDEX[some], [0.5])["q0.5"]
    assert found.isna().tolist() == [False, True, False]
    by = portfolio(SAMPLES[:, some], INDEX[some], [0.5], by=["region"])["q0.5"]
    assert by.isna().tolist() == [False, True, False, False, False, False]


def test_one_series_is_its_own_sum():
    times = pd.date_range("2024-01-01", periods=12, freq="h")
    assert_allclose(portfolio(SAMPLES, times, [0.3])["q0.3"], np.quantile(SAMPLES, 0.3, axis=0))


def test_what_is_refused():
    with pytest.raises(ValueError, match="a column for each row"):
        portfolio(SAMPLES.T, INDEX)
    with pytest.raises(ValueError, match="between 0 and 1"):
        portfolio(SAMPLES, INDEX, [0, 1])
    with pytest.raises(ValueError, match=r"\['region', 'station'\]"):
        portfolio(SAMPLES, INDEX, by="time")
    with pytest.raises(ValueError, match=r"one for \('north', 'b'\)"):
        portfolio(SAMPLES, INDEX, weights={("north", "a"): 1})
