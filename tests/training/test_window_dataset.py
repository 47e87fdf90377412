import numpy as np
import pandas as pd
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from skts.training import WindowDataset, fill_forward


@settings(deadline=None, max_examples=50)
@given(
    arrays(np.float32, array_shapes(min_dims=3, max_dims=3, max_side=6), elements=st.sampled_from([1, 2, 3, np.nan]))
)
def test_fill_forward_equals_pandas(values):
    filled = fill_forward(torch.from_numpy(values)).numpy()
    expected = [pd.DataFrame(window).ffill().fillna(0).to_numpy() for window in values]
    np.testing.assert_array_equal(filled, expected)


def make(panel, **kwargs):
    options = {"window": 4, "horizon": 3, "known": torch.tensor([1])} | kwargs
    return WindowDataset(torch.from_numpy(panel), torch.tensor([0, 5, 2]), **options)


def test_gather_equals_the_obvious_loop():
    panel = np.arange(40, dtype=np.float32).reshape(20, 2)
    targets, weights = torch.arange(20.0)[:, None], torch.rand(20, 1)
    starts = torch.tensor([4, 9, 6])
    dataset = make(panel, targets=targets, weights=weights, target_starts=starts)
    inputs, (cut, cut_weights) = dataset.gather(torch.tensor([2, 0]))
    np.testing.assert_array_equal(inputs["past"], [panel[2:6], panel[0:4]])
    np.testing.assert_array_equal(inputs["future"], [panel[6:9, [1]], panel[4:7, [1]]])
    assert torch.equal(cut, torch.stack([targets[6:9], targets[4:7]]))
    assert torch.equal(cut_weights, torch.stack([weights[6:9], weights[4:7]]))


def test_nothing_known_gives_no_future():
    assert set(make(np.zeros((20, 2), np.float32), known=None).gather(torch.tensor([0]))[0]) == {"past"}


def test_holes_are_filled_from_within_the_window_only():
    panel = np.arange(40, dtype=np.float32).reshape(20, 2)
    panel[[1, 2, 7], 0] = np.nan  # a column with holes
    inputs, _ = make(panel).gather(torch.arange(3))
    np.testing.assert_array_equal(inputs["past"][0, :, 0], [0, 0, 0, 6])
    np.testing.assert_array_equal(inputs["past"][2, :, 0], [0, 6, 8, 10])  # row 1 lies before this window: 0, not 2
    assert torch.isnan(torch.from_numpy(panel)).sum() == 3  # the table stays as it is


def test_holes_in_the_known_future_go_on_from_the_window():
    panel = np.arange(40, dtype=np.float32).reshape(20, 2)
    panel[[4, 5], 1] = np.nan
    inputs, _ = make(panel).gather(torch.tensor([0]))
    np.testing.assert_array_equal(inputs["future"][0, :, 0], [panel[3, 1], panel[3, 1], panel[6, 1]])


def test_a_subset_shares_the_panel():
    panel = np.arange(40, dtype=np.float32).reshape(20, 2)
    dataset = make(panel)
    subset = dataset.subset(np.array([2]))
    assert len(subset) == 1
    assert subset.panel.data_ptr() == dataset.panel.data_ptr()
    assert torch.equal(subset.gather(torch.tensor([0]))[0]["past"], dataset.gather(torch.tensor([2]))[0]["past"])
