import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from scipy.stats import t as student

from skts.inspection._block_intervals import (
    balanced_length,
    bootstrap_interval,
    jackknife_half,
    number_blocks,
    sum_by_block,
)


@given(st.lists(st.integers(-50, 50), min_size=1), st.integers(1, 30))
def test_rows_share_a_block_where_no_boundary_lies_between_their_times(steps, length):
    blocks = number_blocks(np.array(steps), length)
    by_hand = [(step - min(steps)) // length for step in steps]
    assert blocks.tolist() == [sorted(set(by_hand)).index(number) for number in by_hand]


def test_a_block_has_as_many_steps_as_there_are_blocks():
    steps = np.repeat(np.arange(100), 3)
    assert (balanced_length(steps), balanced_length(steps, 24)) == (10, 24)


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 3), st.integers(0, 2)), min_size=1))
def test_values_are_added_up_by_block_and_group(rows):
    values, blocks, groups = (np.array(column) for column in zip(*rows, strict=True))
    for (block, group), total in np.ndenumerate(sum_by_block(values, blocks, groups)):
        assert total == sum(value for value, *place in rows if place == [block, group])


@pytest.mark.parametrize("share", [0.5, 0.9, 0.95])
def test_the_interval_of_many_blocks_is_that_of_the_textbook(share):
    sums = np.random.default_rng(0).normal(3, 1, size=(2000, 1))
    low, high = bootstrap_interval(sums, np.ones((2000, 1)), share, 0)
    half = norm.ppf((1 + share) / 2) * sums.std() / 2000**0.5
    np.testing.assert_allclose([low[0], high[0]], [sums.mean() - half, sums.mean() + half], atol=0.15 * half)


def test_the_interval_of_few_blocks_is_about_as_wide_as_that_of_student():
    sums = np.random.default_rng(0).normal(size=(8, 200))
    low, high = bootstrap_interval(sums, np.ones((8, 200)), random_state=0)
    student_s = 2 * student.ppf(0.975, 7) * sums.std(axis=0, ddof=1) / 8**0.5
    assert ((high - low) / student_s).mean() == pytest.approx(0.93, abs=0.05)  # the middle 95 % alone give 0.77


def test_blocks_count_by_what_is_in_them_and_what_is_nowhere_has_no_interval():
    sums, counts = np.full((6, 3), 2.0), np.ones((6, 3))
    sums[0, 1] = counts[0, 1] = 0  # a block without a row of the second mean
    sums[:, 2] = counts[:, 2] = 0
    low, high = bootstrap_interval(sums, counts, random_state=0)
    np.testing.assert_array_equal(low, [2, 2, np.nan])
    np.testing.assert_array_equal(high, [2, 2, np.nan])
    assert np.isnan(bootstrap_interval(sums[:4], counts[:4])).all()


def test_the_jackknife_of_a_mean_gives_the_interval_of_a_mean():
    values = np.random.default_rng(0).normal(size=12)
    without = np.array([[np.delete(values, i).mean() for i in range(12)]])
    assert jackknife_half(without) == pytest.approx(2.200985 * values.std(ddof=1) / 12**0.5)
    assert np.isnan(jackknife_half(without[:, :1]))
