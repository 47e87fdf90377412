import pytest
import torch

from skts.nn._layers import Patches, RowsAround, SeriesEmbedding


@pytest.mark.parametrize(("n_rows", "length"), [(6, 3), (7, 3), (8, 3), (2, 5), (4, 1), (5, 5)])
def test_a_step_is_a_linear_map_of_its_rows_and_the_first_row_fills_up(n_rows, length):
    torch.manual_seed(0)
    patches, rows = Patches(2, length, 4), torch.randn(3, n_rows, 2)
    n_steps = -(-n_rows // length)
    filled = [*[rows[:, 0]] * (n_steps * length - n_rows), *rows.unbind(1)]
    steps = [torch.cat(filled[i * length : (i + 1) * length], dim=1) for i in range(n_steps)]
    expected = torch.stack([patches.linear(step) for step in steps], dim=1)
    torch.testing.assert_close(patches(rows), expected)


def test_a_series_has_its_own_vector_and_an_unknown_one_their_mean():
    embedding = SeriesEmbedding(4, 3)
    vectors, table = embedding(torch.tensor([2, -1, 0, 2])), embedding.table.weight
    torch.testing.assert_close(vectors, torch.stack([table[2], table.mean(dim=0), table[0], table[2]]))


def test_only_the_vectors_of_the_series_in_a_batch_learn():
    embedding = SeriesEmbedding(4, 3)
    embedding(torch.tensor([2, 0, 2])).sum().backward()
    torch.testing.assert_close(embedding.table.weight.grad[:, 0], torch.tensor([1.0, 0.0, 2.0, 0.0]))


def test_a_series_that_is_described_starts_from_a_map_of_that_and_learns_what_is_its_own():
    torch.manual_seed(0)
    embedding, series, static = SeriesEmbedding(4, 3, 2), torch.tensor([2, -1, 0]), torch.randn(3, 2)
    torch.testing.assert_close(embedding(series, static), embedding.describe(static))
    with torch.no_grad():
        table = embedding.table.weight.normal_()
    own = torch.stack([table[2], table.mean(dim=0), table[0]])
    torch.testing.assert_close(embedding(series, static), embedding.describe(static) + own)


def test_a_series_without_a_vector_of_its_own_is_its_description():
    static = torch.randn(3, 2)
    assert torch.equal(SeriesEmbedding(4, 0, 2)(None, static), static)
    assert (SeriesEmbedding(4, 0, 2).width, SeriesEmbedding(4, 3, 2).width, SeriesEmbedding(4, 3).width) == (2, 3, 3)


@pytest.mark.parametrize("around", [0, 1, 4])
def test_rows_around_are_joined_and_the_ends_repeated(around):
    rows = torch.randn(2, 3, 2)
    layer = RowsAround(2, around, 5)
    places = (torch.arange(3)[:, None] + torch.arange(-around, around + 1)).clamp(0, 2)  # (3, 2 * around + 1)
    torch.testing.assert_close(layer.join(rows), rows[:, places].flatten(2))
    torch.testing.assert_close(layer(rows), rows[:, places].flatten(2) @ layer.linear.weight.T)
