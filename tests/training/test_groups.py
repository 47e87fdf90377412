"""Groups of columns of which a network is told where all are missing."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skts import SlidingWindower
from skts.nn import EncoderDecoder
from skts.supervised import read_inputs
from skts.training import make_table

GROUPS, KNOWN = ((0, 1), (2,)), [1, 2, 3]  # column 3 is in none
WINDOW, HORIZON = 4, 3


class Owner:
    """What `read_inputs` writes the number of columns on."""


def tables(values, *, window=WINDOW, groups=GROUPS, lookahead=0, **options):
    """The table of a network that is told, and of one that is not."""
    windower = SlidingWindower(window, HORIZON, known=KNOWN, history=WINDOW)
    inputs = read_inputs(Owner(), windower.fit_transform(values), reset=True)
    told, plain = (EncoderDecoder(4, 3, 1, HORIZON, hidden_size=2, lookahead=lookahead) for _ in range(2))
    told.reads_missing = groups
    return make_table(inputs, told, None, **options), make_table(inputs, plain, None, **options)


def is_gone(values, columns):
    """Where all of the columns of a group are missing, in each of them."""
    gone = np.zeros(values.shape, dtype=bool)
    for group in GROUPS:
        own = [i for i, column in enumerate(columns) if column in group]
        gone[..., own] = np.isnan(values[..., own]).all(axis=-1, keepdims=True)
    return gone


@settings(max_examples=40, deadline=None)
@given(arrays(np.float32, (12, 4), elements=st.sampled_from([1, 2, np.nan])))
def test_all_is_filled_but_rows_in_which_a_whole_group_is_missing(values):
    told, plain = tables(values)
    items = torch.arange(len(told))
    (with_gaps, _), (filled, _) = told.gather(items), plain.gather(items)
    windows = np.lib.stride_tricks.sliding_window_view(values, WINDOW + HORIZON, axis=0).transpose(0, 2, 1)
    past, known = windows[:, :WINDOW], windows[:, WINDOW:, KNOWN]
    for name, before, columns in (("past", past, range(4)), ("known", known, KNOWN)):
        expected = np.where(is_gone(before, list(columns)), np.nan, filled[name].numpy())
        np.testing.assert_array_equal(with_gaps[name].numpy(), expected)
        assert not torch.isnan(filled[name]).any()


def test_a_network_that_does_not_ask_is_told_nothing():
    values = np.full((12, 4), np.nan, dtype=np.float32)
    told, _ = tables(values, groups=())
    assert told.groups is None
    assert not any(torch.isnan(each).any() for each in told.gather(torch.arange(len(told)))[0].values())


def test_whole_series_are_filled_across_chunks_but_where_a_group_is_missing():
    rng = np.random.default_rng(0)
    values = np.where(rng.random((30, 4)) < 0.5, np.nan, rng.standard_normal((30, 4))).astype(np.float32)
    told, _ = tables(values, window=None)
    past = torch.cat([told.gather(torch.tensor([i]))[0]["past"][0] for i in range(len(told))])[:26].numpy()
    filled = pd.DataFrame(values).ffill().fillna(0).to_numpy()
    np.testing.assert_array_equal(past, np.where(is_gone(values, range(4)), np.nan, filled)[:26])


def test_the_lookahead_after_the_last_row_repeats_it_whatever_stands_in_the_next_series():
    values = np.arange(96, dtype=np.float32).reshape(24, 4)
    values[12:16] = np.nan  # the first rows of the second
    index = pd.MultiIndex.from_product([["a", "b"], range(12)], names=["series", "time"])
    told, _ = tables(pd.DataFrame(values, index=index), lookahead=2)
    last = int((told.starts < 12).sum()) - 1
    known = told.gather(torch.tensor([last]))[0]["known"][0]
    np.testing.assert_array_equal(known[-3:].numpy(), np.repeat(values[11:12, KNOWN], 3, axis=0))


def test_what_lies_before_the_first_row_is_missing():
    windower = SlidingWindower(6, 2, known=KNOWN, history=6)
    index = pd.MultiIndex.from_product([["a"], range(20)], names=["series", "time"])
    X = pd.DataFrame(np.ones((20, 4)), index=index)
    windower.fit(X)
    windows = windower.transform(X.drop(index[8:18]))
    network = EncoderDecoder(4, 3, 1, 2, hidden_size=2)
    network.reads_missing = GROUPS
    table = make_table(read_inputs(Owner(), windows, reset=True), network, None)
    past = table.gather(torch.arange(len(table)))[0]["past"]
    blank = torch.isnan(past[..., 0])
    assert blank.any()
    assert (torch.isnan(past[..., 2]) == blank).all()
    assert not torch.isnan(past[..., 3]).any()


@pytest.mark.parametrize("n_origins", [1, 3])
def test_passes_are_told_as_windows_are(n_origins):
    rng = np.random.default_rng(1)
    values = np.where(rng.random((30, 4)) < 0.4, np.nan, 1.0).astype(np.float32)
    told, _ = tables(values, n_origins=n_origins)
    inputs, _ = told.gather(torch.arange(len(told)))
    starts = told.starts.numpy()
    for name, first, columns in (("past", 0, list(range(4))), ("known", WINDOW, KNOWN)):
        read = inputs[name].numpy()
        places = starts[:, None] + first + np.arange(read.shape[1])
        np.testing.assert_array_equal(np.isnan(read), is_gone(values[places][..., columns], columns))
