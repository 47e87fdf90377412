import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from skts.panel import has_target

some_missing = arrays(
    np.float64, array_shapes(min_dims=1, max_dims=3, max_side=6), elements=st.sampled_from([0.0, 1.0, np.nan, np.inf])
)


@settings(deadline=None, max_examples=50)
@given(some_missing)
def test_a_row_has_a_target_where_no_value_of_it_is_missing(y):
    np.testing.assert_array_equal(has_target(y), [not np.isnan(row).any() for row in y])


@pytest.mark.parametrize("container", [list, np.array, pd.Series, lambda y: pd.DataFrame({"power": y})])
def test_any_container_will_do(container):
    assert has_target(container([1.0, np.nan, 3.0])).tolist() == [True, False, True]


def test_whole_numbers_are_never_missing():
    assert has_target(np.arange(3)).all()
