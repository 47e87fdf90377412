import numpy as np
import pytest
import torch

from skts.training import Batches, WindowDataset


@pytest.fixture
def dataset():
    panel = torch.arange(20.0)[:, None]
    return WindowDataset(panel, torch.arange(17), window=1)


def firsts(batches):
    return [inputs["past"][:, 0, 0].tolist() for inputs, _ in batches]


def test_batches_hold_every_window_once_in_order(dataset):
    batches = Batches(dataset, 5)
    assert len(batches) == 4
    assert [len(batch) for batch in firsts(batches)] == [5, 5, 5, 2]
    np.testing.assert_array_equal(np.concatenate(firsts(batches)), np.arange(17))


def test_shuffling_draws_a_new_order_at_each_pass_from_the_seed(dataset):
    batches = Batches(dataset, 5, shuffle=True)
    torch.manual_seed(3)
    first, second = np.concatenate(firsts(batches)), np.concatenate(firsts(batches))
    assert set(first) == set(second) == set(range(17))
    assert not np.array_equal(first, second)
    torch.manual_seed(3)
    np.testing.assert_array_equal(np.concatenate(firsts(batches)), first)
